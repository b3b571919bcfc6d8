"""Keeps what is being written, half a second after the last change, so that a crash takes nothing with it."""

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
    """`kept` says whether a draft is on the disk now (False: there was nothing to keep), `failed` carries
    the AppError of one that could not be kept. Nothing is kept while no book is open."""

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
        self._held = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._keep)

    def open(self, book_id: str) -> FormDraft | None:
        """Begin to keep the drafts of a book, and return the one it has. Raises StoreError."""
        self._book_id = book_id
        return self._services.drafts.load(book_id)

    def keep_now(self) -> None:
        """Keep what is typed, waiting for the short write. Raises StoreError."""
        if self._book_id and not self._held:
            self._timer.stop()
            self._services.drafts.keep(self._book_id, self._written(), self._next())

    def close(self) -> None:
        """Keep nothing any more; what was kept last stays."""
        self._timer.stop()
        self._held = False
        self._tasks.supersede(self, "draft")
        self._book_id = ""

    def touch(self) -> None:
        """Note that something changed."""
        if self._book_id and not self._held:
            self._timer.start()

    def saving(self, draft: EntryDraft) -> Callable[[], object]:
        """Return the work that saves `draft` and clears what is kept, for a task.

        Until `resume` nothing is kept: the form still shows what is an entry by then.
        """
        self._timer.stop()
        self._held = True
        book_id, edition, drafts = self._book_id, self._next(), self._services.drafts
        return lambda: drafts.save_entry(book_id, draft, edition)

    def resume(self) -> None:
        """Go on keeping: the form shows again what is no entry yet."""
        self._held = False
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
