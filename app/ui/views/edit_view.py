"""The view that edits an entry of the book."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.entry import EntryDetail, EntryDraft
from app.domain.form_draft import FormDraft
from app.ui.desktop import Desktop
from app.ui.models.entry_texts import named
from app.ui.tasks import Tasks
from app.ui.views.entry_form import same_written, written_of
from app.ui.views.entry_screen import EntryScreen, ScreenWords

if TYPE_CHECKING:
    from app.services import Services
    from app.services.outbox_items import Correction

_WORDS = ScreenWords(
    name="edit_view",
    prefix="edit_",
    title="Edit entry",
    save="Save changes",
    save_tip="Save the changes (Ctrl+S)",
    leave="Cancel",
    leave_name="edit_cancel_button",
    leave_tip="Leave the entry as it is (Esc)",
)


@dataclass(frozen=True, slots=True)
class Edited:
    """An entry before and after a change."""

    before: EntryDetail
    after: EntryDetail


@dataclass(frozen=True, slots=True)
class Corrected:
    """An entry that was refused, after its correction."""

    after: EntryDetail


class EditView(EntryScreen):
    """Edits one entry, or corrects one that was refused. `saved` carries an Edited or a Corrected.

    `left`, or after a correction `left_correction`, is emitted if the view is left without saving.

    Unlike a new entry, an edit has no draft: the entry itself is safe, and a draft that is restored days
    later could be based on a version that is out of date.
    """

    left = Signal()
    left_correction = Signal()

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> None:
        super().__init__(services, tasks, desktop, _WORDS, parent, movable=False)
        self._before: EntryDetail | None = None
        self._refused = ""  # the op_id of the operation to correct
        self._opened = FormDraft()

    @property
    def dirty(self) -> bool:
        """Return whether leaving would lose something."""
        if self._before is None:
            return False
        now = self.form.written(self.documents.attachments())
        return self.documents.attaching or not same_written(now, self._opened)

    def open_entry(self, before: EntryDetail, draft: EntryDraft) -> None:
        """Show an entry. `draft` has the same content as `before`."""
        self.clear()
        self._before, self._opened = before, written_of(draft)
        self.title.setText(f"Edit entry {before.entry.human_code}")
        self.form.show_written(self._opened)
        self.documents.add_kept(draft.attachments)

    def open_correction(self, correction: "Correction") -> None:
        """Show an entry that was refused, with the reason at the field that caused it, if it is known."""
        self.open_entry(correction.before, correction.draft)
        self._refused = correction.op_id
        self.title.setText(f"Correct entry {correction.before.entry.human_code}")
        rest = self.form.show_errors(correction.fields)
        if rest or not correction.fields:
            self.banner.say(" ".join(rest.values()) or correction.sentence, "danger")

    def begin(self) -> None:
        """Set the focus to the first field that has an error, or else to the amount."""
        if any(field.error_text for field in self.form.fields.values()):
            self.form.focus_first_error()
        else:
            super().begin()

    def goal_text(self) -> str:
        """Return what a drop would do here."""
        return f"Drop to attach to {named(self._before.entry)}" if self._before else super().goal_text()

    def may_leave(self) -> bool:
        """Return whether the view may be left. Ask the user if changes would be lost."""
        if self._saving or not self.dirty:
            return not self._saving
        question, explanation = "Discard your changes?", "What you changed here is not saved."
        return self._desktop.confirm(self, question, explanation, "Discard changes", "Keep editing")

    def leave(self) -> None:
        """Go back to the listing. Ask first if changes would be lost."""
        if self.may_leave():
            left = self.left_correction if self._refused else self.left
            self.close_entry()
            left.emit()

    def close_entry(self) -> None:
        """Close the entry without asking."""
        self.stop_saving()
        self._before, self._refused = None, ""
        self.clear()

    def save(self) -> None:
        """Save the changes; if there are none, go back to the listing."""
        self.form.category.settle()
        if self._before is not None and not self.dirty and not self._saving:
            self.leave()
        else:
            super().save()

    def store(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the task that saves the changes."""
        before, entries, refused = self._before, self._services.entries, self._refused
        assert before is not None
        if refused:
            items = self._services.outbox_items
            return lambda: Corrected(items.correct(refused, draft))
        made = self._with_unedited_texts(before, draft)
        return lambda: Edited(before, entries.edit(before, made))

    def _with_unedited_texts(self, before: EntryDetail, draft: EntryDraft) -> EntryDraft:
        """Return `draft` with the texts that were not edited exactly as they are in the entry.

        An older version, or another program, may have stored them in another form.
        """
        now, entry = self.form.written(), before.entry
        category = entry.category if now.category == self._opened.category else draft.category
        description = entry.description if now.description == self._opened.description else draft.description
        return replace(draft, category=category, description=description)

    def stored(self, _result: object) -> None:
        """Close the entry; the listing shows it."""
        self.close_entry()
