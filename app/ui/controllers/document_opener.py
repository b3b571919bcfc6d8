"""Opens bills in the system's viewer, and saves copies of them."""

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.domain.bounds import EXTENSIONS
from app.domain.entry import Attachment, DocumentInfo
from app.domain.file_names import clean_name, shown_name
from app.errors import AppError
from app.paths import restrict
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks

if TYPE_CHECKING:
    from app.services import Services

Bill = Attachment | DocumentInfo


class DocumentOpener(QObject):
    """`failed` carries a sentence, `copy_saved` the path of a copy. `close` deletes viewed copies."""

    failed = Signal(str)
    copy_saved = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, window: QWidget) -> None:
        super().__init__(window)
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._window = window
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def open(self, bill: Bill) -> None:
        """Open a copy of `bill` in the system's viewer, if its type is allowed."""
        # The extension comes from the type, not from the name: the system must not run `bill.pdf.exe`.
        extension = EXTENSIONS.get(bill.media_type)
        if extension is None:
            self.failed.emit(
                f"Bahi does not open this type of file in another program: “{shown_name(bill.file_name)}”."
            )
            return
        target = self._target(bill, extension)

        def work() -> Path:
            if not target.exists():
                self._services.documents.save_copy(bill, target)
                restrict(target)
            return target

        self._tasks.run(work, self._open_copy, self._report, owner=self)

    def save_as(self, bill: Bill) -> None:
        """Ask for a place, and save a copy of `bill` there."""
        proposed = clean_name(bill.file_name, bill.media_type)  # another program may have sent the name
        folders = self._services.folders
        target = self._desktop.choose_save_path(self._window, folders.path_to_save(proposed))
        if target is None:
            return

        def work() -> Path:
            self._services.documents.save_copy(bill, target)
            folders.note_saved(target.parent)
            return target

        self._tasks.run(work, self.copy_saved.emit, self._report, owner=self)

    def close(self) -> None:
        """Delete the copies made for viewing."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _target(self, bill: Bill, extension: str) -> Path:
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="bahi-", ignore_cleanup_errors=True)
        stem = Path(clean_name(bill.file_name, bill.media_type)).stem[:80]
        folder = Path(self._folder.name) / bill.sha256[:16]
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder / clean_name(f"{stem}{extension}", bill.media_type)

    def _open_copy(self, path: Path) -> None:
        if not self._desktop.open_path(path):
            self.failed.emit("No program on this computer can open this type of file.")

    def _report(self, error: AppError) -> None:
        self.failed.emit(error.message)
