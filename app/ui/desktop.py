"""The desktop around the windows: native dialogs, the system's viewer, the clock."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.ui.bounds import FILE_PATTERNS


def choose_save_path(parent: QWidget, proposed: str) -> Path | None:
    """Ask where to save a file; `proposed` is its file name. Return None if the user cancels."""
    folder = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    start = str(Path(folder) / proposed)
    name, _kind = QFileDialog.getSaveFileName(parent, "Save as", start)
    return Path(name) if name else None


def choose_files(parent: QWidget) -> list[Path]:
    """Ask for bills to attach. Return an empty list if the user cancels."""
    names, _kind = QFileDialog.getOpenFileNames(
        parent, "Choose bills", "", f"Photos and PDFs ({FILE_PATTERNS});;All files (*)"
    )
    return [Path(name) for name in names]


def choose_folder(parent: QWidget) -> Path | None:
    """Ask for a folder to write into. Return None if the user cancels."""
    start = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    name = QFileDialog.getExistingDirectory(parent, "Choose a folder", start)
    return Path(name) if name else None


def confirm(parent: QWidget, question: str, explanation: str, yes: str, no: str) -> bool:
    """Ask before something is lost. Return whether the user chose `yes`; the default button is `no`."""
    box = QMessageBox(QMessageBox.Icon.NoIcon, "Bahi", question, parent=parent)
    box.setInformativeText(explanation)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    return box.clickedButton() is accept


def open_path(path: Path) -> bool:
    """Open a file or folder with the system's program for it. Return False if there is none."""
    return QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))


def read_time_zone() -> None:
    """Let the functions below use the time zone that is set in the system now."""
    if sys.platform != "win32":
        time.tzset()


def local_now() -> datetime:
    """Return the time of this computer's clock, right or wrong."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Desktop:
    """The functions above as fields, so that tests and the tour can replace them.

    `offset` returns the server's time minus `now`. Whatever needs today's date asks `today`.
    """

    choose_save_path: Callable[[QWidget, str], Path | None] = field(default=choose_save_path)
    choose_files: Callable[[QWidget], list[Path]] = field(default=choose_files)
    choose_folder: Callable[[QWidget], Path | None] = field(default=choose_folder)
    confirm: Callable[[QWidget, str, str, str, str], bool] = field(default=confirm)
    open_path: Callable[[Path], bool] = field(default=open_path)
    now: Callable[[], datetime] = field(default=local_now)
    offset: Callable[[], timedelta] = field(default=timedelta)

    def here(self) -> datetime:
        """Return the local time of this computer's clock, right or wrong."""
        return self.now().astimezone()

    def there(self) -> datetime:
        """Return the server's time in the user's time zone."""
        return (self.now() + self.offset()).astimezone()

    def today(self) -> date:
        """Return today's date in the user's time zone, by the server's clock."""
        return self.there().date()
