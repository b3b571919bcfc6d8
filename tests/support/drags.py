"""Drags and the clipboard as other programs make them, for tests of the windows."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QApplication, QWidget

COPY, MOVE, LINK = Qt.DropAction.CopyAction, Qt.DropAction.MoveAction, Qt.DropAction.LinkAction
ALL: Final = COPY | MOVE | LINK
_NO_KEY: Final = Qt.KeyboardModifier.NoModifier
_BUTTON: Final = Qt.MouseButton.LeftButton
_AT: Final = QPoint(500, 300)


def files_data(*files: Path) -> QMimeData:
    """Return what a file manager offers of `files`."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file)) for file in files])
    return data


def data_of(formats: Mapping[str, bytes]) -> QMimeData:
    """Return data in these formats."""
    data = QMimeData()
    for name, content in formats.items():
        data.setData(name, content)
    return data


def urls_data(*urls: str) -> QMimeData:
    """Return addresses, as a browser or a phone's folder offers them."""
    return data_of({"text/uri-list": "\r\n".join(urls).encode()})


def copy_data(data: QMimeData) -> None:
    """Put `data` on the clipboard."""
    QGuiApplication.clipboard().setMimeData(data)


@dataclass(slots=True)
class Drag:
    """One drag over `target`. `actions` are what the other program allows, `keys` what is pressed."""

    target: QWidget
    data: QMimeData
    actions: Qt.DropAction = ALL
    keys: Qt.KeyboardModifier = _NO_KEY

    def enter(self) -> QDragEnterEvent:
        """Come over the window, and return the event with the answer."""
        event = QDragEnterEvent(_AT, self.actions, self.data, _BUTTON, self.keys)
        QApplication.sendEvent(self.target, event)
        return event

    def move(self) -> QDragMoveEvent:
        """Move on, and return the event with the answer."""
        event = QDragMoveEvent(_AT, self.actions, self.data, _BUTTON, self.keys)
        QApplication.sendEvent(self.target, event)
        return event

    def drop(self) -> QDropEvent:
        """Let go, and return the event with the answer."""
        event = QDropEvent(QPointF(_AT), self.actions, self.data, _BUTTON, self.keys)
        QApplication.sendEvent(self.target, event)
        return event

    def leave(self) -> None:
        """Leave the window."""
        QApplication.sendEvent(self.target, QDragLeaveEvent())

    def whole(self) -> QDropEvent:
        """Enter, move and drop; return the last event."""
        self.enter()
        self.move()
        return self.drop()
