"""Edit and Undo in the last entries below the form."""

from PySide6.QtCore import QObject

from app.domain.entry import ListedEntry
from app.ui.book_frame import BookFrame
from app.ui.controllers.entry_changes import EntryActions
from app.ui.models.entry_texts import why_unchangeable


class RecentActions(QObject):
    """Has `changes` do what is wanted in the last entries of `book`, and shows these as they are then."""

    def __init__(self, changes: EntryActions, book: BookFrame, parent: QObject) -> None:
        super().__init__(parent)
        self._changes = changes
        self._book = book
        recent = book.entry.recent
        recent.edit_wanted.connect(self._edit)
        recent.undo_wanted.connect(self._take_back)
        changes.changed.connect(lambda _change: recent.refresh())
        changes.failed.connect(lambda _sentence: recent.undo_failed())

    def _edit(self, entry: ListedEntry) -> None:
        if refusal := why_unchangeable(entry):
            self._book.say(refusal, "warn")
        else:
            self._changes.open(entry)

    def _take_back(self, entry: ListedEntry) -> None:
        self._changes.take_back(entry, into_form=not self._book.entry.dirty)
