"""The Add Entry view. What is typed is stored as a draft, and saved in the outbox."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from app.domain.entry import Direction, EntryDraft, ListedEntry
from app.domain.form_draft import FormDraft
from app.domain.money import format_amount
from app.errors import AppError
from app.ui.controllers.draft_keeper import DraftKeeper
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.views.entry_form import same_written, written_of
from app.ui.views.entry_screen import EntryScreen, ScreenWords
from app.ui.views.recent_entries import RecentEntries

if TYPE_CHECKING:
    from app.services import Services

_WORDS = ScreenWords(
    name="entry_view",
    prefix="",
    title="Add entry",
    save="Save entry",
    save_tip="Save and start the next (Ctrl+S)",
    leave="Clear",
    leave_name="clear_button",
    leave_tip="Empty the form (Esc)",
)
_AHEAD = "What you typed meanwhile is kept for the next entry."
_BACK = "Your unsaved entry is back."


class EntryView(EntryScreen):
    """`saved` carries a ListedEntry. A draft is stored between `open_book` and `close_book`.

    `draft_error_changed` is emitted when `draft_error` has changed, and `cleared` when the user has cleared a
    form that was not empty.
    """

    draft_error_changed = Signal()
    cleared = Signal()

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> None:
        self.recent: RecentEntries  # never None here
        recent = RecentEntries(services, tasks, desktop.today)
        super().__init__(services, tasks, desktop, _WORDS, parent, recent=recent)
        self.recent.left.connect(self.begin)
        self.clear_button = self.leave_button
        self.draft_error = ""
        """Why the form is not stored as a draft; "" if it is."""
        self.cleared_text: FormDraft | None = None
        """What `cleared` was emitted for, as long as it can be brought back."""
        self._given = FormDraft()
        self._given_id = ""  # of the entry that was saved last
        self._back = FormDraft()
        self._back_id = ""  # of the entry whose text was given back to the form
        self.keeper = DraftKeeper(services, tasks, self.written, self)
        self.keeper.kept.connect(self._draft_kept)
        self.keeper.failed.connect(self._draft_failed)
        self.documents.changed.connect(self.keeper.touch)
        self.banner.pressed.connect(self.ask_clear)
        for editor in (self.form.date, self.form.amount):
            editor.error_changed.connect(self._hide_saved)

    @property
    def dirty(self) -> bool:
        """Return whether clearing would lose something."""
        return self.form.typed or not self.documents.empty

    def written(self) -> FormDraft:
        """Return the present content of the form."""
        return self.form.written(self.documents.attachments())

    # the draft

    def open_book(self, book_id: str) -> None:
        """Restore the draft of this book."""
        try:
            form = self.keeper.open(book_id)
        except AppError as error:  # a damaged draft must not stop the book from opening
            self.banner.say(error.message, "danger")
            form = None
        if form is not None:
            self.form.show_written(form)
            self.documents.add_kept(form.attachments)
            self.banner.say(_BACK, "good", "Clear")
        self.recent.open()

    def follow_book(self) -> None:
        """Store the form as a draft of the book that is open now, after the book was moved to a server."""
        if self.dirty:
            self.keeper.touch()

    def keep_draft(self) -> None:
        """Store the draft now. Raises StoreError."""
        self.keeper.keep_now()

    def close_book(self) -> None:
        """Empty the form. The stored draft is kept."""
        self.keeper.close()
        self.recent.close_book()
        self._note_draft_error("")
        self.stop_saving()
        self.clear()
        self._given, self._given_id = FormDraft(), ""
        self._back, self._back_id = FormDraft(), ""
        self.forget_cleared()

    def _draft_kept(self, exists: bool) -> None:
        self._note_draft_error("")
        if exists and self.dirty:
            self.say(self.draft_label, "Draft saved")
        elif not self.dirty:
            self._hide_draft()

    def _note_draft_error(self, sentence: str) -> None:
        if sentence != self.draft_error:
            self.draft_error = sentence
            self.draft_error_changed.emit()

    def _draft_failed(self, error: AppError) -> None:
        self._note_draft_error(error.message)
        self.say(self.draft_label, f"The draft is not saved. {error.message}")

    def _hide_draft(self) -> None:
        self._note_draft_error("")
        self.foot.forget(self.draft_label)

    def _hide_saved(self, why: str) -> None:
        """Hide “Saved …” if there is a reason: something is typed, or a field has an error."""
        if why:
            self.foot.forget(self.saved_label)

    def _typed(self) -> None:
        super()._typed()
        if self.form.typed:
            self._hide_saved("typed")
        if not self.dirty:
            self._hide_draft()
        self.keeper.touch()
        self.recent.begin()

    def begin(self) -> None:
        """Set the focus to the amount, and show the last entries as they are now."""
        super().begin()
        self.recent.refresh()

    # clearing and saving

    def leave(self) -> None:
        """Empty the form. Ask first if something would be lost."""
        self.ask_clear()

    def ask_clear(self) -> None:
        """Empty the form. Ask first if something would be lost."""
        if self._saving:
            return
        question, explanation = "Clear this entry?", "What you typed and attached here is not saved."
        was_dirty = self.dirty
        if not was_dirty or self._desktop.confirm(self, question, explanation, "Clear", "Keep"):
            written = self.written()
            self.stop_saving()
            self.clear()
            if was_dirty:
                self.cleared_text = written
                self.cleared.emit()

    def forget_cleared(self) -> None:
        """Forget what was cleared: it cannot be brought back any more."""
        self.cleared_text = None

    def bring_back_cleared(self) -> bool:
        """Show what was cleared again, if the form is empty. Return whether it is shown."""
        written, self.cleared_text = self.cleared_text, None
        if written is None or self.dirty or self._saving:
            return False
        self.form.show_written(written)
        self.documents.add_kept(written.attachments)
        self._begin_again()
        return True

    def save(self) -> None:
        """Save the entry. If it was just saved and the form is empty, there is nothing to do."""
        if self.saved_label.text() and not self.dirty:
            self.begin()
        else:
            super().save()

    def store(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the task that saves the entry and deletes its draft."""
        self._given = self.written()
        return self.keeper.saving(draft)

    def stored(self, result: object) -> None:
        """Empty the form for the next entry, keeping the date."""
        assert isinstance(result, ListedEntry)
        self.clear(keep_date=True)
        self.keeper.resume()
        self._given_id = result.id
        self.say(self.saved_label, saved_text(result))
        if self.isVisible():
            self.ahead.replay()
        self.ahead.forget()

    def give_back(self, entry_id: str, content: EntryDraft | None = None) -> bool:
        """Show the text and the bills of an entry again, if the form is empty.

        `content` is that of the entry; None if it is the one saved last, or nothing is known of it. Return
        whether they are shown.
        """
        is_last = self._given_id == entry_id
        given = self._given if is_last else written_of(content) if content is not None else None
        if given is None:
            return False
        if is_last:
            self._given_id = ""
            self.say(self.saved_label, "")
        if self.dirty or self._saving:
            return False
        self.form.show_written(given)
        self.documents.add_kept(given.attachments)
        self._back, self._back_id = self.written(), entry_id
        self._begin_again()
        return True

    def take_away(self, entry_id: str) -> None:
        """Empty the form, if it shows what `give_back` gave it of an entry that counts again."""
        if self._back_id == entry_id and not self._saving:
            self._back_id = ""
            if same_written(self.written(), self._back):
                self.clear()

    def _failed(self, error: AppError) -> None:
        self.keeper.resume()
        super()._failed(error)

    def _tell_keys_ahead(self) -> None:
        """Keep the keys until an entry is saved: in this one, they could change its amount."""
        if self.ahead.waiting:
            told = "" if self.banner.isHidden() else f"{self.banner.text()} "
            self.banner.say(f"{told}{_AHEAD}", "danger" if told else "warn")


def saved_text(entry: ListedEntry) -> str:
    """Return what is said about a new entry, with its direction: the form does not show it any more."""
    way = "in" if entry.direction is Direction.CREDIT else "out"
    return f"Saved {entry.human_code} · {format_amount(entry.amount)} money {way}"
