"""Files dragged over the window: the veil while they hover, and handing over what was dropped."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QMimeData, QObject
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QWidget

from app.ui.widgets.drop_overlay import DropOverlay


class DragDrop(QObject):
    """Watches `window`; while `ready()`, `take` gets the data of what is dropped anywhere on it."""

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
        """Take files and pictures from anywhere over the window."""
        if isinstance(event, QDragEnterEvent):  # a kind of QDragMoveEvent, so it is asked for first
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
