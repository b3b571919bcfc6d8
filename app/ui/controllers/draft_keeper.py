"""Saves the draft of the Add Entry form half a second after each change, so that a crash loses nothing."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.entry import EntryDraft
from app.domain.form_draft import FormDraft
from app.ui.tasks import Tasks

if TYPE_CHECKING:
    from app.services import Services

DEBOUNCE_MS: Final = 500


class DraftKeeper(QObject):
    """Saves the draft while a book is open.

    `kept` carries whether there is a draft on disk now; False means that the form is empty. `failed` carries
    the AppError if the draft could not be saved.
    """

    kept = Signal(bool)
    failed = Signal(object)

    def __init__(
        self, services: "Services", tasks: Tasks, written: Callable[[], FormDraft], parent: QObject
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._written = written
        self._book_id = ""
        self._edition = 0
        self._is_paused = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._keep)

    def open(self, book_id: str) -> FormDraft | None:
        """Start saving drafts of a book; return its present draft, or None. Raises StoreError."""
        self._book_id = book_id
        return self._services.drafts.load(book_id)

    def keep_now(self) -> None:
        """Save the draft now, on the calling thread. Raises StoreError."""
        if self._book_id and not self._is_paused:
            self._timer.stop()
            self._services.drafts.keep(self._book_id, self._written(), self._next())

    def close(self) -> None:
        """Stop saving drafts. The last saved one is kept."""
        self._timer.stop()
        self._is_paused = False
        self._tasks.supersede(self, "draft")
        self._book_id = ""

    def touch(self) -> None:
        """Start the timer after a change of the form."""
        if self._book_id and not self._is_paused:
            self._timer.start()

    def saving(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the task that saves `draft` as an entry and deletes the stored draft.

        No draft is stored until `resume`, because the form still shows the entry that is being saved.
        """
        self._timer.stop()
        self._is_paused = True
        book_id, edition, drafts = self._book_id, self._next(), self._services.drafts
        return lambda: drafts.save_entry(book_id, draft, edition)

    def resume(self) -> None:
        """Save drafts again, after the form was cleared or the entry could not be saved."""
        self._is_paused = False
        self.touch()

    def _keep(self) -> None:
        form, book_id, edition = self._written(), self._book_id, self._next()
        self._tasks.run(
            lambda: self._services.drafts.keep(book_id, form, edition),
            lambda _none: self.kept.emit(not form.empty),
            self.failed.emit,
            owner=self,
            topic="draft",
            local=True,
        )

    def _next(self) -> int:
        self._edition += 1
        return self._edition
