"""The desktop around the windows: native dialogs, the system's viewer, the cameras, the clock."""

import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QStandardPaths, Qt, QTimer, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QFileDialog, QLabel, QMessageBox, QWidget

from app.domain.file_names import extension_of, name_to_save, shown_name
from app.domain.text import isolated
from app.ui.bounds import FILE_PATTERNS

if TYPE_CHECKING:
    from app.ui.camera.source import CameraSource

_Standard = QStandardPaths.StandardLocation
_MARGINS = (3, 20, 24, 18)
"""Of a question. Qt adds the room of the icon that there is none of on the left."""


def choose_save_path(parent: QWidget, proposed: str) -> Path | None:
    """Ask where to save a file; `proposed` is its file name, or its path. Return None if the user cancels.

    The name in the result has the extension of `proposed`, and every system can write it. This is also the
    name in the question whether an existing file is replaced. A native dialog would ask about the name as it
    was typed, which can be another one.
    """
    extension = extension_of(Path(proposed).name)
    start = _first_folder(_Standard.DocumentsLocation) / proposed  # a path stays as it is
    while typed := _typed_path(parent, start):
        path = _path_to_save(typed, extension)
        if _may_write(parent, typed, path):
            return path
        start = typed if path.is_dir() else path
    return None


def _typed_path(parent: QWidget, start: Path) -> Path | None:
    only_name = QFileDialog.Option.DontConfirmOverwrite
    name, _kind = QFileDialog.getSaveFileName(parent, "Save as", str(start), options=only_name)
    return Path(name) if name else None


def _path_to_save(typed: Path, extension: str) -> Path:
    folder = typed.parent
    while not os.path.isdir(folder) and folder != folder.parent:  # noqa: PTH112 - is_dir raises for some names
        folder = folder.parent  # of `31/03/2026`, which was meant as one name
    return folder / name_to_save(str(typed.relative_to(folder)), extension)


def _may_write(parent: QWidget, typed: Path, path: Path) -> bool:
    """Ask whether a name is right that is not as typed, and whether an existing file may be replaced."""
    name, folder = shown_name(path.name), isolated(path.parent.name or str(path.parent))
    if path.is_dir():
        explanation = f"“{name}” is a folder in “{folder}”. Please type another name."
        _tell(parent, "The file was not saved.", explanation)
        return False
    taken = f"The folder “{folder}” already has a file of this name. Its content will be lost."
    if path.parent != typed.parent or not path.name.startswith(typed.name):
        explanation = "Not every computer can use the name that you typed: " + (
            "“/” cannot be part of a name." if path.parent != typed.parent else f"“{shown_name(typed.name)}”."
        )
        explanation += f"\n{taken}" if path.exists() else ""
        return confirm(parent, f"Save as “{name}”?", explanation, "Save", "Choose another name")
    if not path.exists():
        return True
    return confirm(parent, f"Replace “{name}”?", taken, "Replace", "Choose another name")


def choose_files(parent: QWidget, folder: Path | None) -> list[Path]:
    """Ask for bills to attach, beginning in `folder`, or if it is None, where pictures or documents are.

    Return an empty list if the user cancels.
    """
    start = folder or _first_folder(_Standard.PicturesLocation, _Standard.DocumentsLocation)
    names, _kind = QFileDialog.getOpenFileNames(
        parent, "Choose bills", str(start), f"Photos and PDFs ({FILE_PATTERNS});;All files (*)"
    )
    return [Path(name) for name in names]


def choose_copies(parent: QWidget, folder: Path | None) -> list[Path]:
    """Ask for copies of entries to open, beginning in `folder`, or if it is None, where documents are.

    Return an empty list if the user cancels.
    """
    start = folder or _first_folder(_Standard.DocumentsLocation)
    kinds = "Copies of entries (*.json);;All files (*)"
    names, _kind = QFileDialog.getOpenFileNames(parent, "Open a copy", str(start), kinds)
    return [Path(name) for name in names]


def choose_folder(parent: QWidget, folder: Path | None) -> Path | None:
    """Ask for a folder to write into, beginning in `folder`, or if it is None, where documents are.

    Return None if the user cancels.
    """
    start = folder or _first_folder(_Standard.DocumentsLocation)
    name = QFileDialog.getExistingDirectory(parent, "Choose a folder", str(start))
    return Path(name) if name else None


def _first_folder(*kinds: _Standard) -> Path:
    """Return the first of these folders of the user that exists, or else the home folder."""
    folders = [Path(name) for kind in kinds for name in QStandardPaths.standardLocations(kind)]
    return next((folder for folder in folders if folder.is_dir()), Path.home())


class _QuestionBox(QMessageBox):
    """Keeps the focus at the default button if the theme changes, which makes Qt arrange the buttons anew."""

    def changeEvent(self, event: QEvent) -> None:
        """Set the focus again, after the buttons have had their event."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange and self.isVisible():
            QTimer.singleShot(0, self, self._focus_default)

    def _focus_default(self) -> None:
        if (button := self.defaultButton()) is not None:
            button.setFocus(Qt.FocusReason.OtherFocusReason)


def confirm(parent: QWidget, question: str, explanation: str, yes: str, no: str) -> bool:
    """Ask before something is lost. Return whether the user chose `yes`; the default button is `no`."""
    box = _QuestionBox(QMessageBox.Icon.NoIcon, "Bahi", question, parent=parent)
    box.setInformativeText(explanation)
    _show_as_typed(box)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    keep = box.addButton(no, QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(keep)
    box.setEscapeButton(keep)
    box.exec()
    return box.clickedButton() is accept


def _tell(parent: QWidget, sentence: str, explanation: str) -> None:
    box = _QuestionBox(QMessageBox.Icon.NoIcon, "Bahi", sentence, parent=parent)
    box.setInformativeText(explanation)
    _show_as_typed(box)
    box.exec()


def _show_as_typed(box: QMessageBox) -> None:
    """Show `<b>` in a file name or a text as it is, not as bold; and equal margins on both sides."""
    for part in box.findChildren(QLabel):
        part.setTextFormat(Qt.TextFormat.PlainText)
    if (layout := box.layout()) is not None:
        layout.setContentsMargins(*_MARGINS)


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


def system_cameras() -> "CameraSource":
    """Return the cameras of this computer. Raises ImportError if a library of the system is missing."""
    from app.ui.camera.system_cameras import SystemCameras  # only if a camera is wanted: it takes a moment

    return SystemCameras()


@dataclass(frozen=True, slots=True)
class Desktop:
    """The functions above as fields, so that tests and the tour can replace them.

    `offset` returns the server's time minus `now`. Whatever needs today's date asks `today`.
    """

    choose_save_path: Callable[[QWidget, str], Path | None] = field(default=choose_save_path)
    choose_files: Callable[[QWidget, Path | None], list[Path]] = field(default=choose_files)
    choose_copies: Callable[[QWidget, Path | None], list[Path]] = field(default=choose_copies)
    choose_folder: Callable[[QWidget, Path | None], Path | None] = field(default=choose_folder)
    confirm: Callable[[QWidget, str, str, str, str], bool] = field(default=confirm)
    open_path: Callable[[Path], bool] = field(default=open_path)
    cameras: Callable[[], "CameraSource"] = field(default=system_cameras)
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
