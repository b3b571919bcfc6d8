"""The desktop around the windows: native dialogs, the system's viewer, today's date."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from PySide6.QtCore import QStandardPaths, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from app.ui.bounds import FILE_PATTERNS

_Place = QStandardPaths.StandardLocation


def choose_save_path(parent: QWidget, proposed: str) -> Path | None:
    """Ask where to save a file; `proposed` is its file name, or its path. Return None if the user cancels."""
    start = str(_first_folder(_Place.DocumentsLocation) / proposed)  # a path stays as it is
    name, _kind = QFileDialog.getSaveFileName(parent, "Save as", start)
    return Path(name) if name else None


def choose_files(parent: QWidget, folder: Path | None) -> list[Path]:
    """Ask for bills to attach, beginning in `folder`, or if it is None, where pictures or documents are.

    Return an empty list if the user cancels.
    """
    start = folder or _first_folder(_Place.PicturesLocation, _Place.DocumentsLocation)
    names, _kind = QFileDialog.getOpenFileNames(
        parent, "Choose bills", str(start), f"Photos and PDFs ({FILE_PATTERNS});;All files (*)"
    )
    return [Path(name) for name in names]


def choose_folder(parent: QWidget, folder: Path | None) -> Path | None:
    """Ask for a folder to write into, beginning in `folder`, or if it is None, where documents are.

    Return None if the user cancels.
    """
    start = folder or _first_folder(_Place.DocumentsLocation)
    name = QFileDialog.getExistingDirectory(parent, "Choose a folder", str(start))
    return Path(name) if name else None


def _first_folder(*places: _Place) -> Path:
    """Return the first of these folders of the user that exists, or else the home folder."""
    folders = [Path(name) for place in places for name in QStandardPaths.standardLocations(place)]
    return next((folder for folder in folders if folder.is_dir()), Path.home())


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


def local_today() -> date:
    """Return today's date in the user's time zone."""
    return date.today()  # noqa: DTZ011 - an account book uses local dates


@dataclass(frozen=True, slots=True)
class Desktop:
    """The functions above as fields, so that tests and the tour can replace them."""

    choose_save_path: Callable[[QWidget, str], Path | None] = field(default=choose_save_path)
    choose_files: Callable[[QWidget, Path | None], list[Path]] = field(default=choose_files)
    choose_folder: Callable[[QWidget, Path | None], Path | None] = field(default=choose_folder)
    confirm: Callable[[QWidget, str, str, str, str], bool] = field(default=confirm)
    open_path: Callable[[Path], bool] = field(default=open_path)
    today: Callable[[], date] = field(default=local_today)
