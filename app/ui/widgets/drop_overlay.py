"""The overlay on the window while files are dragged over it."""

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.icons import pixmap
from app.ui.theme import colour, text_font

_TEXT = "Drop to attach to this entry"


class DropOverlay(QWidget):
    """Covers its parent. Drags and clicks pass through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._under = parent
        self.setObjectName("drop_overlay")
        self.setAccessibleName(_TEXT)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self) -> None:
        """Show the overlay over the whole parent."""
        self.setGeometry(self._under.rect())
        self.raise_()
        self.show()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a translucent background, a dashed frame, and the text."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = QColor(colour("surface"))
        background.setAlpha(232)
        painter.fillRect(self.rect(), background)
        painter.setPen(QPen(colour("accent"), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 14, 14)
        middle = self.rect().center()
        painter.drawPixmap(
            middle.x() - 20, middle.y() - 52, pixmap("upload", "accent", 40, self.devicePixelRatioF())
        )
        painter.setFont(text_font(1.35, text_font().weight().DemiBold))
        painter.setPen(colour("text"))
        painter.drawText(self.rect().adjusted(0, 34, 0, 34), Qt.AlignmentFlag.AlignCenter, _TEXT)
        painter.end()
