"""Drag and drop of files: an overlay says what a drop would do, and the files are open before a drop ends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QCursor, QDragEnterEvent, QDragMoveEvent, QDropEvent, QGuiApplication
from PySide6.QtWidgets import QWidget

from app.ui.offers import Bills, read_offer, take_bills
from app.ui.widgets.document_tile import TILE_MIME
from app.ui.widgets.drop_overlay import DropOverlay

if TYPE_CHECKING:
    from app.services import Services

_COPY: Final = Qt.DropAction.CopyAction
_ONLY_MOVES: Final = (
    "The other program would move this file away, and Bahi only copies. "
    "Drag it again without holding a key, or save a copy of it first."
)
_LOOKED_AT: Final = 40
"""Files that are looked at while they are dragged. If there are more, the drop looks at the others."""


@dataclass(frozen=True, slots=True)
class DropGoal:
    """Where a drop would go, as a text for the overlay; or why nothing can be dropped now."""

    text: str = ""
    refusal: str = ""


class DragDrop(QObject):
    """Handles drops anywhere on `window`. Files are copied, never moved, and open before the drop ends."""

    def __init__(
        self,
        window: QWidget,
        overlay: DropOverlay,
        services: "Services",
        goal: Callable[[], DropGoal],
        take: Callable[[Bills], None] = Bills.close,
        tell: Callable[[str], None] = lambda _sentence: None,
    ) -> None:
        """`goal` returns where a drop would go now. `take` gets what was dropped.

        `tell` gets the sentence about what was refused, after the overlay has gone.
        """
        super().__init__(window)
        self._window = window
        self._overlay = overlay
        self._services = services
        self._goal = goal
        self._take = take
        self._tell = tell
        self._refusal = ""
        window.setAcceptDrops(True)
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Handle the window's drag and drop events."""
        if isinstance(event, QDropEvent) and event.mimeData().hasFormat(TILE_MIME):
            event.ignore()  # a tile of the documents panel, dragged out of it
        elif isinstance(event, QDragEnterEvent):  # a subclass of QDragMoveEvent, so it is tested first
            self._entered(event)
        elif isinstance(event, QDragMoveEvent):
            self._answer(event, self._refusal or self._refusal_now(event))
        elif isinstance(event, QDropEvent):
            self._dropped(event)
        elif event.type() == QEvent.Type.DragLeave:
            self._left()
        else:
            return super().eventFilter(watched, event)
        return True

    def _entered(self, event: QDragEnterEvent) -> None:
        paths = read_offer(event.mimeData()).paths
        unusable = self._services.documents.refusals_of(paths[:_LOOKED_AT]) if paths else ()
        none_usable = unusable if len(unusable) == len(paths) else ()
        self._refusal = self._refusal_now(event) or "\n".join(none_usable)
        self._overlay.cover(self._refusal or self._goal().text, refused=bool(self._refusal))
        self._answer(event, self._refusal)

    def _dropped(self, event: QDropEvent) -> None:
        self._overlay.hide()
        refusal, self._refusal = self._refusal_now(event), ""
        if not refusal:
            data = event.mimeData()
            bills = take_bills(self._services, data, read_offer(data))
            if bills.empty:
                refusal = "\n".join(bills.refusals)
            else:
                self._take(bills)
        if refusal:
            self._tell(refusal)
        self._answer(event, refusal)

    def _left(self) -> None:
        self._overlay.hide()
        refusal, self._refusal = self._refusal, ""
        # What was refused is not dropped: the drag ends here as if it had left.
        if refusal and self._window.rect().contains(self._window.mapFromGlobal(QCursor.pos())):
            self._tell(refusal)

    def _refusal_now(self, event: QDropEvent) -> str:
        """Return why this cannot be dropped now; "" if it can."""
        refusal = self._goal().refusal or read_offer(event.mimeData()).refusal()
        return refusal or ("" if _can_be_copied(event) else _ONLY_MOVES)

    def _answer(self, event: QDropEvent, refusal: str) -> None:
        """Accept `event` as a copy, whatever the other program proposes, or refuse it."""
        if refusal:
            event.setDropAction(Qt.DropAction.IgnoreAction)
            event.ignore()
            return
        possible = event.possibleActions()
        # Qt replaces an action that was not offered by the proposed one. With this mixture it answers "copy".
        event.setDropAction(_COPY if possible & _COPY else _COPY | possible)
        event.accept()


def _can_be_copied(event: QDropEvent) -> bool:
    # On X11, a file manager offers only a move while Shift is pressed, and only a link with Ctrl and Shift.
    # But there a copy is always a valid answer (XDND, "XdndStatus"). Other systems have no such rule.
    return bool(event.possibleActions() & _COPY) or QGuiApplication.platformName() == "xcb"
