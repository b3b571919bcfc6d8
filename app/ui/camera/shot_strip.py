"""The pictures that were taken so far, in a row, each with a button that removes it."""

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QWidget

from app.ui.theme import colour
from app.ui.widgets.pieces import tool_button

_THUMB = QSize(72, 72)
_HEIGHT = 92


class ShotTile(QWidget):
    """One picture. `removed` carries its number."""

    removed = Signal(int)

    def __init__(self, number: int, name: str) -> None:
        super().__init__()
        self.setObjectName("camera_shot")
        self.setFixedSize(_THUMB + QSize(8, 8))
        self.setToolTip(name)
        self.setAccessibleName(name)
        self._thumb = QImage()
        self.remove_button = tool_button("shot_remove", "x", f"Remove {name}", size=12, one_click=True)
        self.remove_button.setProperty("role", "badge")
        self.remove_button.setParent(self)
        self.remove_button.clicked.connect(lambda: self.removed.emit(number))
        self.remove_button.adjustSize()
        self.remove_button.move(self.width() - self.remove_button.width(), 0)

    def show_thumb(self, thumb: QImage) -> None:
        """Draw the picture; until then, the tile is empty."""
        self._thumb = thumb
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the picture in a frame."""
        frame = QRectF(0.5, 7.5, _THUMB.width(), _THUMB.height())
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        path = QPainterPath()
        path.addRoundedRect(frame, 6, 6)
        painter.fillPath(path, colour("sunken"))
        if not self._thumb.isNull():
            painter.setClipPath(path)
            size = self._thumb.size().scaled(_THUMB, Qt.AspectRatioMode.KeepAspectRatioByExpanding)
            target = QRectF(0, 0, size.width(), size.height())
            target.moveCenter(frame.center())
            painter.drawImage(target, self._thumb)
            painter.setClipping(False)
        painter.setPen(colour("border_strong"))
        painter.drawPath(path)
        painter.end()


class ShotStrip(QScrollArea):
    """A row of pictures; hidden while it is empty. `removed` carries the number of a picture."""

    removed = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_strip")
        self.setAccessibleName("Pictures that you took")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFixedHeight(_HEIGHT)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setProperty("role", "clear")
        self._inner = inner = QWidget()
        inner.setProperty("role", "clear")
        self._row = QHBoxLayout(inner)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(8)
        self._row.addStretch(1)
        self.setWidget(inner)
        self._tiles: dict[int, ShotTile] = {}
        self.hide()

    def add(self, number: int, name: str) -> None:
        """Add a picture at the end, empty at first."""
        tile = ShotTile(number, name)
        tile.removed.connect(self.removed)
        self._tiles[number] = tile
        self._row.insertWidget(self._row.count() - 1, tile)
        self.show()
        self._inner.adjustSize()
        self.ensureWidgetVisible(tile)

    def show_thumb(self, number: int, thumb: QImage) -> None:
        """Draw a picture that was added."""
        self._tiles[number].show_thumb(thumb)

    def remove(self, number: int) -> None:
        """Remove a picture."""
        tile = self._tiles.pop(number)
        self._row.removeWidget(tile)
        tile.hide()
        tile.deleteLater()
        self.setVisible(bool(self._tiles))
