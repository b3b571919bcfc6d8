"""What the page Add Entry asks for: Edit and Undo in its last entries, and Undo of *Clear*."""

from PySide6.QtCore import QObject

from app.domain.entry import ListedEntry
from app.ui.book_frame import BookFrame
from app.ui.controllers.entry_changes import EntryActions
from app.ui.models.entry_texts import why_unchangeable


class AddActions(QObject):
    """Has `changes` do what is wanted on the page of `book`, and shows the last entries as they are then."""

    def __init__(self, changes: EntryActions, book: BookFrame, parent: QObject) -> None:
        super().__init__(parent)
        self._changes = changes
        self._book = book
        self._entry = entry = book.entry
        entry.recent.edit_wanted.connect(self._edit)
        entry.recent.undo_wanted.connect(self._take_back)
        entry.cleared.connect(lambda: book.offer_undo("The form is cleared.", undo="Undo"))
        book.toast.undo_wanted.connect(self._undo)
        book.toast.over.connect(changes.forget_undo)
        changes.changed.connect(self._changed)
        changes.failed.connect(lambda _sentence: entry.recent.undo_failed())

    def _edit(self, entry: ListedEntry) -> None:
        if refusal := why_unchangeable(entry):
            self._book.say(refusal, "warn")
        else:
            self._changes.open(entry)

    def _take_back(self, entry: ListedEntry) -> None:
        self._changes.take_back(entry, into_form=not self._entry.dirty)

    def _changed(self, _change: object) -> None:
        self._entry.forget_cleared()  # Undo is for the newer change from now on
        self._entry.recent.refresh()

    def _undo(self) -> None:
        if self._entry.cleared_text is None:
            self._changes.undo()
        elif self._entry.bring_back_cleared():
            self._book.offer_undo("Your entry is back in the form.", undo="")
        else:
            self._book.offer_undo("Your new entry stays.", undo="")
