"""A shot with the four corners of the bill in it, which can be dragged."""

from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import (
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPaintEvent,
    QPen,
    QPolygonF,
    QTransform,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.domain.quadrilateral import Quadrilateral, whole
from app.ui.camera.photo import bill_in, smaller
from app.ui.theme import colour

_MARGIN: Final = 14.0
"""Room for the handles at the edge of the picture, in logical pixels."""
_REACH: Final = 24.0
"""How far from a handle a click still takes it, in logical pixels."""
_RADIUS: Final = 8.0
_SHOWN_EDGE: Final = 1280
_DIM: Final = 0.65
_STEP: Final = 0.01
_SMALL_STEP: Final = 0.001
"""What an arrow key moves a corner by: a part of the longer side. The small one with Shift."""
_CORNERS: Final = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3, Qt.Key.Key_4)
_ARROWS: Final = {
    Qt.Key.Key_Left: (-1.0, 0.0),
    Qt.Key.Key_Right: (1.0, 0.0),
    Qt.Key.Key_Up: (0.0, -1.0),
    Qt.Key.Key_Down: (0.0, 1.0),
}


@dataclass(frozen=True, slots=True)
class _Handle:
    """A corner, or an edge; `at` is its number in the shot, not on the screen."""

    at: int
    is_edge: bool = False


class CropEditor(QWidget):
    """Shows a shot, turned, and lets the user drag corners and edges.

    With the focus, 1 to 4 choose a corner (from the top left, clockwise), and the arrow keys move it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_crop")
        self.setAccessibleName("The picture that you took. 1 to 4 choose a corner, the arrows move it.")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.shot = QImage()
        self._small = QImage()
        self._turns = 0
        self._shape = whole((1, 1))
        self._bill: Quadrilateral | None = None
        self._grabbed: _Handle | None = None
        self._chosen = 0

    def open(self, shot: QImage) -> None:
        """Show a shot, all of it."""
        self.shot, self._turns = shot, 0
        self._bill = bill_in(shot)
        self._small = smaller(shot, _SHOWN_EDGE, _SHOWN_EDGE)
        self.take_whole()

    def close_shot(self) -> None:
        """Forget the shot."""
        self.shot = self._small = QImage()

    @property
    def shape(self) -> Quadrilateral:
        """The corners, in pixels of the shot, named as they are on the screen."""
        return self._shape.turned(self._turns)

    def turn(self, quarters: int) -> None:
        """Turn the picture clockwise."""
        self._turns = (self._turns + quarters) % 4
        self.update()

    @property
    def has_found(self) -> bool:
        """Return whether it is known where the bill is."""
        return self._bill is not None

    def take_bill(self) -> None:
        """Put the corners at those of the bill, if it is known where it is."""
        self._put(self._bill or whole(self._size()))

    def take_whole(self) -> None:
        """Put the corners at those of the shot."""
        self._put(whole(self._size()))

    def _put(self, shape: Quadrilateral) -> None:
        self._shape = shape
        self._grabbed, self._chosen = None, 0
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size for a wide picture."""
        return QSize(720, 405)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which a bill can still be recognised."""
        return QSize(240, 120)

    def corner_position(self, at: int) -> QPointF:
        """Return where a corner is drawn, in pixels of this widget; they are counted as on the screen."""
        return self._to_view().map(QPointF(*self.shape.corners[at]))

    def edge_position(self, at: int) -> QPointF:
        """Return the middle of an edge, counted as on the screen from the top, in pixels of this widget."""
        return (self.corner_position(at) + self.corner_position((at + 1) % 4)) / 2

    def _size(self) -> tuple[int, int]:
        return max(self.shot.width(), 1), max(self.shot.height(), 1)

    def _to_view(self) -> QTransform:
        """Return the transform from pixels of the shot to pixels of this widget."""
        width, height = self._size()
        across, down = (height, width) if self._turns % 2 else (width, height)
        room_x, room_y = self.width() - 2 * _MARGIN, self.height() - 2 * _MARGIN
        scale = max(min(room_x / across, room_y / down), 0.001)
        made = QTransform.fromTranslate(self.width() / 2, self.height() / 2)
        made.rotate(90.0 * self._turns)
        made.scale(scale, scale)
        made.translate(-width / 2, -height / 2)
        return made

    # the mouse

    def _handle_at(self, point: QPointF) -> _Handle | None:
        """Return the handle nearest to `point`; a corner rather than an edge."""
        for is_edge, position in ((False, self.corner_position), (True, self.edge_position)):
            distances = [(_distance(position(at), point), at) for at in range(4)]
            nearest, at = min(distances)
            if nearest <= _REACH:
                return _Handle((at - self._turns) % 4, is_edge)
        return None

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take the handle under the mouse."""
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        self._grabbed = self._handle_at(event.position())
        if self._grabbed is not None and not self._grabbed.is_edge:
            self._chosen = self._grabbed.at
        self.update()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move the handle; without one, show what can be taken."""
        if self._grabbed is None:
            over = self._handle_at(event.position())
            self.setCursor(Qt.CursorShape.SizeAllCursor if over else Qt.CursorShape.ArrowCursor)
            return
        self._move(self._grabbed, self._in_shot(event.position()))

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go of the handle."""
        self._grabbed = None

    def _in_shot(self, point: QPointF) -> tuple[float, float]:
        back, _possible = self._to_view().inverted()
        found = back.map(point)
        return found.x(), found.y()

    def _move(self, handle: _Handle, to: tuple[float, float]) -> None:
        move = self._shape.with_edge if handle.is_edge else self._shape.with_corner
        self._shape = move(handle.at, to, self._size())
        self.update()

    # keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose a corner, or move it. All other keys are left to the dialog."""
        key = Qt.Key(event.key())
        if key in _CORNERS:
            self._chosen = (_CORNERS.index(key) - self._turns) % 4
            self.update()
        elif key in _ARROWS:
            small = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self._step(_ARROWS[key], _SMALL_STEP if small else _STEP)
        else:
            event.ignore()

    def _step(self, direction: tuple[float, float], part: float) -> None:
        by = max(*self._size()) * part
        dx, dy = direction
        for _ in range(self._turns):  # from the directions of the screen to those of the shot
            dx, dy = dy, -dx
        x, y = self._shape.corners[self._chosen]
        self._move(_Handle(self._chosen), (x + dx * by, y + dy * by))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Show the chosen corner."""
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Hide the chosen corner."""
        super().focusOutEvent(event)
        self.update()

    # drawing

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the shot, dim what is cut off, and draw the handles."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("paper"))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        if not self.shot.isNull():
            self._draw_shot(painter)
            self._draw_handles(painter)
        painter.end()

    def _draw_shot(self, painter: QPainter) -> None:
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.setTransform(self._to_view(), combine=True)
        picture = QRectF(0, 0, *self._size())
        painter.drawImage(picture, self._small)
        cut_off = QPainterPath()
        cut_off.addRect(picture)
        cut_off.addPolygon(QPolygonF([QPointF(*corner) for corner in self._shape.corners]))
        cut_off.closeSubpath()
        shade = colour("canvas")
        shade.setAlphaF(_DIM)
        painter.fillPath(cut_off, shade)
        painter.restore()

    def _draw_handles(self, painter: QPainter) -> None:
        corners = [self.corner_position(at) for at in range(4)]
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(colour("accent"), 2))
        painter.drawPolygon(QPolygonF(corners))
        painter.setBrush(colour("surface"))
        for at in range(4):
            painter.drawEllipse(self.edge_position(at), _RADIUS / 2, _RADIUS / 2)
        chosen = (self._chosen + self._turns) % 4 if self.hasFocus() else None
        for at, corner in enumerate(corners):
            painter.setBrush(colour("accent" if at == chosen else "surface"))
            painter.drawEllipse(corner, _RADIUS, _RADIUS)


def _distance(first: QPointF, second: QPointF) -> float:
    return float((first - second).manhattanLength())
