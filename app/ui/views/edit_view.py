"""The form in edit mode: an entry that is in the book, its bills as tiles, and what would change."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal

from app.domain.entry import EntryDetail, EntryDraft
from app.domain.form_draft import FormDraft
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.views.entry_form import same_written, written_of
from app.ui.views.entry_screen import EntryScreen, ScreenWords

if TYPE_CHECKING:
    from app.services import Services

_WORDS = ScreenWords(
    name="edit_view",
    prefix="edit_",
    title="Edit entry",
    save="Save changes",
    save_tip="Save the changes (Ctrl+Enter)",
    leave="Cancel",
    leave_name="edit_cancel_button",
    leave_tip="Leave the entry as it is (Esc)",
)


@dataclass(frozen=True, slots=True)
class Edited:
    """An entry before and after a change."""

    before: EntryDetail
    after: EntryDetail


class EditView(EntryScreen):
    """`saved` carries an Edited; `left` says that it was left without one.

    An edit is not kept as a draft: the entry itself is safe, and a change half made to it and found again
    days later might be made from a version that is none any more.
    """

    left = Signal()

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop) -> None:
        super().__init__(services, tasks, desktop, _WORDS, movable=False)
        self._before: EntryDetail | None = None
        self._opened = FormDraft()

    @property
    def dirty(self) -> bool:
        """Return whether leaving would lose something."""
        if self._before is None:
            return False
        now = self.form.written(self.documents.attachments())
        return self.documents.attaching or not same_written(now, self._opened)

    def open_entry(self, before: EntryDetail, draft: EntryDraft) -> None:
        """Show an entry; `draft` is that entry, unchanged."""
        self.clear()
        self._before, self._opened = before, written_of(draft)
        self.title.setText(f"Edit entry {before.entry.human_code}")
        self.form.show_written(self._opened)
        self.documents.add_kept(draft.attachments)

    def may_leave(self) -> bool:
        """Ask, if something would be lost; True where it may be."""
        if self._saving or not self.dirty:
            return not self._saving
        question, explanation = "Leave this entry as it was?", "What you changed here is not saved."
        return self._desktop.confirm(self, question, explanation, "Discard changes", "Go on editing")

    def leave(self) -> None:
        """Go back to the listing; asks first if something would be lost."""
        if self.may_leave():
            self.close_entry()
            self.left.emit()

    def close_entry(self) -> None:
        """Forget the entry that was shown."""
        self.stop_saving()
        self._before = None
        self.clear()

    def save(self) -> None:
        """Save what was changed; with nothing changed only go back."""
        if self._before is not None and not self.dirty and not self._saving:
            self.leave()
        else:
            super().save()

    def store(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the work that saves the change."""
        before, entries = self._before, self._services.entries
        assert before is not None
        return lambda: Edited(before, entries.edit(before, draft))

    def stored(self, _result: object) -> None:
        """Forget the entry; the listing shows it."""
        self.close_entry()
