"""Edit, void, restore, undo: each is one more operation in the outbox, undo the counter-operation."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.domain.entry import EntryDetail, EntryDraft, HistoryVersion, ListedEntry
from app.errors import AppError
from app.ui.tasks import Tasks
from app.ui.views.edit_view import Edited

if TYPE_CHECKING:
    from app.services import Services

Undo = Callable[[], EntryDetail]
"""Work for the background that takes a change back."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, the entry as it is now, and how to take it back (None: that was the way back)."""

    text: str
    entry: ListedEntry
    undo: Undo | None


class EntryActions(QObject):
    """`changed` carries a Change, `opened` the EntryDetail and EntryDraft of an entry to be edited,
    `failed` a sentence."""

    changed = Signal(object)
    opened = Signal(object, object)
    failed = Signal(str)

    def __init__(self, services: "Services", tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._last: Change | None = None

    def open(self, entry: ListedEntry) -> None:
        """Read what an entry is now, to edit it."""
        entry_id = entry.id

        def work() -> tuple[EntryDetail, EntryDraft]:
            before = self._services.entries.detail(entry_id)
            return before, _draft_of(before)

        self._tasks.run(work, lambda found: self.opened.emit(*found), self._tell, owner=self, topic="open")

    def void(self, entry: ListedEntry) -> None:
        """Take an entry out of the book."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            after = entries.void(entries.detail(entry_id)).entry
            return Change(f"Voided {after.human_code}", after, self._restoring(entry_id))

        self._run(work)

    def restore(self, entry: ListedEntry) -> None:
        """Put a voided entry back."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            after = entries.restore(entries.detail(entry_id)).entry
            return Change(f"Restored {after.human_code}", after, self._voiding(entry_id))

        self._run(work)

    def restore_version(self, entry: ListedEntry, version: HistoryVersion) -> None:
        """Make an older version the standing one; the bills stay as they are."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            before = entries.detail(entry_id)
            after = entries.restore_version(before, version)
            text = f"Restored a version of {after.entry.human_code}"
            return Change(text, after.entry, self._editing_back(before))

        self._run(work)

    def note_saved(self, entry: ListedEntry) -> None:
        """Take note of a new entry; undo voids it."""
        self._done(Change(f"Saved {entry.human_code}", entry, self._voiding(entry.id)))

    def note_edited(self, edited: Edited) -> None:
        """Take note of a change; undo makes the entry again what it was."""
        code = edited.after.entry.human_code
        self._done(Change(f"Changed {code}", edited.after.entry, self._editing_back(edited.before)))

    def undo(self) -> None:
        """Take the last change back."""
        if self._last is None or self._last.undo is None:
            return
        back = self._last.undo
        self._last = None

        def work() -> Change:
            after = back().entry
            return Change(f"Undone: {after.human_code} {_became(after)}", after, None)

        self._run(work)

    def forget(self) -> None:
        """Offer no undo any more, as when the book is closed."""
        self._last = None
        self._tasks.supersede(self, "open")

    def _voiding(self, entry_id: str) -> Undo:
        entries = self._services.entries
        return lambda: entries.void(entries.detail(entry_id))

    def _restoring(self, entry_id: str) -> Undo:
        entries = self._services.entries
        return lambda: entries.restore(entries.detail(entry_id))

    def _editing_back(self, before: EntryDetail) -> Undo:
        entries, entry_id = self._services.entries, before.entry.id
        return lambda: entries.edit(entries.detail(entry_id), _draft_of(before))

    def _run(self, work: Callable[[], Change]) -> None:
        self._tasks.run(work, self._done, self._tell, owner=self)

    def _done(self, change: Change) -> None:
        self._last = change
        self.changed.emit(change)

    def _tell(self, error: AppError) -> None:
        self.failed.emit(error.message)


def _draft_of(detail: EntryDetail) -> EntryDraft:
    from app.services.entries import draft_of  # brings the wire along, which the first window does not need

    return draft_of(detail)


def _became(entry: ListedEntry) -> str:
    return "is voided" if entry.voided else "is as it was"
