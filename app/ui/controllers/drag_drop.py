"""Drag and drop of files: shows an overlay while files hover over the window, and passes on dropped files."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from app.ui.widgets.drop_overlay import DropOverlay


class DragDrop(QObject):
    """Handles drops anywhere on `window`: calls `take` with the data if `ready()` returns True."""

    def __init__(
        self,
        window: QWidget,
        overlay: DropOverlay,
        ready: Callable[[], bool],
        take: Callable[[QMimeData], object],
    ) -> None:
        super().__init__(window)
        self._overlay = overlay
        self._ready = ready
        self._take = take
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle the window's drag and drop events."""
        if isinstance(event, QDragEnterEvent):  # a subclass of QDragMoveEvent, so it is tested first
            self._entered(event)
        elif isinstance(event, QDragMoveEvent):
            event.acceptProposedAction()
        elif isinstance(event, QDropEvent):
            self._dropped(event)
        elif event.type() == QEvent.Type.DragLeave:
            self._overlay.hide()
        else:
            return super().eventFilter(watched, event)
        return True

    def _entered(self, event: QDragEnterEvent) -> None:
        event.ignore()
        if self._ready() and _droppable(event.mimeData()):
            event.acceptProposedAction()
            self._overlay.cover()

    def _dropped(self, event: QDropEvent) -> None:
        self._overlay.hide()
        if self._ready() and _droppable(event.mimeData()):
            self._take(event.mimeData())
            event.acceptProposedAction()


def _droppable(data: QMimeData) -> bool:
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())
