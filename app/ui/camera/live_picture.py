"""The live picture of the camera."""

from PySide6.QtCore import QPoint, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from app.ui.camera.photo import smaller
from app.ui.theme import colour


class LivePicture(QWidget):
    """Draws the latest picture as large as fits; before the first one, a sentence."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_live")
        self.setAccessibleName("Picture of the camera")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._sentence = ""
        self._shown = QImage()
        self.picture = QImage()
        """The latest picture in full size; null before the first one."""

    def show_picture(self, picture: QImage) -> None:
        """Draw `picture`."""
        self.picture, self._shown = picture, QImage()
        self.update()

    def wait(self, sentence: str) -> None:
        """Draw `sentence` until the first picture comes."""
        self.picture, self._shown, self._sentence = QImage(), QImage(), sentence
        self.update()

    def sizeHint(self) -> QSize:
        """Return the size for a wide picture."""
        return QSize(720, 405)

    def minimumSizeHint(self) -> QSize:
        """Return a size at which a bill can still be recognised."""
        return QSize(240, 120)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw the picture in the middle."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour("paper"))
        painter.drawRoundedRect(QRectF(self.rect()), 8, 8)
        if self.picture.isNull():
            painter.setPen(colour("text_muted"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._sentence)
        else:
            self._draw(painter)
        painter.end()

    def _draw(self, painter: QPainter) -> None:
        if self._shown.isNull():  # not in `show_picture`: together with the conversion, it takes too long
            scale = self.devicePixelRatioF()
            self._shown = smaller(self.picture, round(self.width() * scale), round(self.height() * scale))
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._shown.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        corner = QPoint((self.width() - size.width()) // 2, (self.height() - size.height()) // 2)
        painter.drawImage(QRectF(corner.x(), corner.y(), size.width(), size.height()), self._shown)
