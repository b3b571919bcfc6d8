"""Edits, crosses out (voids) and restores entries.

Each is an operation in the outbox; undo adds the reverse operation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal

from app.domain.entry import Attachment, EntryDetail, EntryDraft, HistoryVersion, ListedEntry
from app.errors import AppError, InputError, OfflineError
from app.ui.controllers.added_bills import attached_text, keep_bills, new_bills
from app.ui.models.entry_texts import named, why_unchangeable
from app.ui.offers import Bills
from app.ui.tasks import Tasks
from app.ui.views.edit_view import Edited

if TYPE_CHECKING:
    from app.services import Services
    from app.services.entries import Entries

_TO_RESTORE: Final = (
    "Crossed-out entries can be restored: choose Crossed out in the filter of Entries, then Restore."
)
Undo = Callable[[], EntryDetail]
"""A task that reverses a change and returns the entry."""


@dataclass(frozen=True, slots=True)
class Change:
    """What was done, the entry after it, and how to undo it (None if this was an undo).

    `was_new` says that a new entry was undone. `makes_new` says that undoing this does it. `content` is what
    goes back into the form then, if the form does not know it.
    """

    text: str
    entry: ListedEntry
    undo: Undo | None
    was_new: bool = False
    makes_new: bool = False
    content: EntryDraft | None = None


class EntryActions(QObject):
    """`changed` carries a Change, `opened` the EntryDetail and EntryDraft of an entry to edit, and `failed` a
    sentence. `begun` is emitted when a change begins."""

    begun = Signal()
    changed = Signal(object)
    opened = Signal(object, object)
    failed = Signal(str)

    def __init__(self, services: "Services", tasks: Tasks, parent: QObject) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._last: Change | None = None
        self._undoable: list[Change] = []  # those made one after the other while Undo was offered
        self._running = 0
        self._undo_next = False

    @property
    def changing(self) -> bool:
        """Return whether a change is being made."""
        return self._running > 0

    @property
    def way_back(self) -> str:
        """Return how the last change can be taken back when Undo is over; "" if there is no short way."""
        is_crossed_out = self._last is not None and self._last.entry.voided
        return _TO_RESTORE if is_crossed_out else ""

    def open(self, entry: ListedEntry) -> None:
        """Read an entry for editing; emits `opened`."""
        entry_id = entry.id

        def work() -> tuple[EntryDetail, EntryDraft]:
            before = self._services.entries.detail(entry_id)
            return before, _draft_of(before)

        self._tasks.run(work, lambda found: self.opened.emit(*found), self._report, owner=self, topic="open")

    def void(self, entry: ListedEntry) -> None:
        """Cross out an entry."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            after = entries.void(entries.detail(entry_id)).entry
            return Change(f"Crossed out {after.human_code}", after, self._restoring(entry_id))

        self._run(work)

    def take_back(self, entry: ListedEntry, *, into_form: bool) -> None:
        """Cross out an entry that was made on this computer, as Undo does for the one saved last.

        With `into_form`, the change carries its content, and its bills are on this computer before that.
        """
        entries, documents, entry_id = self._services.entries, self._services.documents, entry.id

        def work() -> Change:
            before = entries.detail(entry_id)
            if refusal := why_unchangeable(before.entry):
                raise InputError(refusal)
            content = _draft_of(before) if into_form else None
            for bill in content.attachments if content else ():
                documents.fetch(bill)
            after = entries.void(before).entry
            return Change(_undone(after), after, self._restoring(entry_id), was_new=True, content=content)

        self._run(work)

    def restore(self, entry: ListedEntry) -> None:
        """Restore a crossed-out entry."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            after = entries.restore(entries.detail(entry_id)).entry
            return Change(f"Restored {after.human_code}", after, self._voiding(entry_id))

        self._run(work)

    def restore_version(self, entry: ListedEntry, version: HistoryVersion) -> None:
        """Save the content of an older version as a new one. The bills stay as they are now."""
        entries, entry_id = self._services.entries, entry.id

        def work() -> Change:
            before = entries.detail(entry_id)
            after = entries.restore_version(before, version)
            text = f"Restored a version of {after.entry.human_code}"
            return Change(text, after.entry, self._editing_back(before))

        self._run(work)

    def attach(self, entry: ListedEntry, bills: Bills) -> None:
        """Add bills to a saved entry, as an edit. Undo takes them away again.

        What cannot be attached is told, and the rest is attached. The bytes are stored before the entry is
        read, because that may need the server.
        """
        documents, entries = self._services.documents, self._services.entries

        def work() -> tuple[Change | None, tuple[str, ...]]:
            kept, refusals = keep_bills(documents, bills)
            if not kept:
                return None, refusals
            before = _read_to_attach(entries, entry)
            new, more = new_bills(before, kept)
            if not new:
                return None, (*refusals, *more)
            draft = _draft_of(before)
            after = entries.edit(before, replace(draft, attachments=(*draft.attachments, *new)))
            change = Change(attached_text(after.entry, new), after.entry, self._detaching(entry.id, new))
            return change, (*refusals, *more)

        self._begin()
        self._tasks.run(work, lambda found: self._attached(*found), self._fail, owner=self)

    def _attached(self, change: Change | None, refusals: tuple[str, ...]) -> None:
        if change is not None:
            self._finish(change)
        else:
            self._end()
        if refusals:
            self.failed.emit("\n".join(refusals))

    def note_saved(self, entry: ListedEntry) -> None:
        """Announce a new entry. Undo crosses it out."""
        self._done(Change(f"Saved {entry.human_code}", entry, self._voiding(entry.id), makes_new=True))

    def note_edited(self, edited: Edited) -> None:
        """Announce an edit. Undo restores the earlier content."""
        code = edited.after.entry.human_code
        self._done(Change(f"Changed {code}", edited.after.entry, self._editing_back(edited.before)))

    def note_corrected(self, after: EntryDetail) -> None:
        """Announce the correction of an entry that was refused. The refused content is no way back."""
        self.forget_undo()
        self._done(Change(f"Corrected {after.entry.human_code}", after.entry, None))

    def undo(self) -> None:
        """Undo the last change, then the one before. If one is being made, undo that when it is done."""
        if self._running:
            self._undo_next = True
            return
        if not self._undoable:
            return
        last = self._undoable.pop()
        back, was_new = last.undo, last.makes_new
        assert back is not None

        def work() -> Change:
            after = back().entry
            return Change(_undone(after), after, None, was_new)

        self._run(work)

    @property
    def can_undo_more(self) -> bool:
        """Return whether there is a change that `undo` undoes."""
        return bool(self._undoable)

    def forget_undo(self) -> None:
        """Forget how to undo, because Undo is no longer offered."""
        self._undoable.clear()

    def forget(self) -> None:
        """Forget the last changes, for example when the book is closed."""
        self._last = None
        self._undoable.clear()
        self._undo_next = False
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

    def _detaching(self, entry_id: str, added: Sequence[Attachment]) -> Undo:
        entries, hashes = self._services.entries, {bill.sha256 for bill in added}

        def work() -> EntryDetail:
            now = entries.detail(entry_id)
            draft = _draft_of(now)
            rest = tuple(bill for bill in draft.attachments if bill.sha256 not in hashes)
            return entries.edit(now, replace(draft, attachments=rest))

        return work

    def _run(self, work: Callable[[], Change]) -> None:
        self._begin()
        self._tasks.run(work, self._finish, self._fail, owner=self)

    def _begin(self) -> None:
        self._running += 1
        self.begun.emit()

    def _end(self) -> bool:
        """Return whether the change that ends is to be undone at once."""
        self._running -= 1
        wanted, self._undo_next = self._undo_next and not self._running, self._undo_next and self._running > 0
        return wanted

    def _finish(self, change: Change) -> None:
        undo_it = self._end()
        self._done(change)
        if undo_it:
            self.undo()

    def _fail(self, error: AppError) -> None:
        self._end()
        self._report(error)

    def _done(self, change: Change) -> None:
        self._last = change
        if change.undo is not None:
            self._undoable.append(change)
        self.changed.emit(change)

    def _report(self, error: AppError) -> None:
        self.failed.emit(error.message)


def _draft_of(detail: EntryDetail) -> EntryDraft:
    from app.services.entries import draft_of  # imported late: the first window starts faster without it

    return draft_of(detail)


def _read_to_attach(entries: "Entries", entry: ListedEntry) -> EntryDetail:
    try:
        before = entries.detail(entry.id)
    except OfflineError as error:
        raise OfflineError(f"Nothing was attached to {named(entry)}. {error.message}") from error
    if refusal := why_unchangeable(before.entry):
        raise InputError(refusal)
    return before


def _undone(entry: ListedEntry) -> str:
    became = "is crossed out" if entry.voided else "is as it was"
    return f"Undone: {entry.human_code} {became}"
