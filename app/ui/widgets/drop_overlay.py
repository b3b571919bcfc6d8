"""The overlay on the window while files are dragged over it: what a drop would do, or why it cannot be."""

from typing import Final

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from app.ui.icons import pixmap
from app.ui.theme import colour, text_font

_ICON: Final = 40
_GAP: Final = 18
_MARGIN: Final = 48
_FLAGS: Final = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap)


class DropOverlay(QWidget):
    """Covers its parent. Drags and clicks pass through it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._under = parent
        self._text = ""
        self._refused = False
        self.setObjectName("drop_overlay")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def cover(self, text: str, *, refused: bool = False) -> None:
        """Show `text` over the whole parent: where a drop would go, or why it is `refused`."""
        self._text, self._refused = text, refused
        self.setAccessibleName(text)
        self.setGeometry(self._under.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Draw a translucent background, a dashed frame, and the text."""
        tone, icon = ("danger", "x-circle") if self._refused else ("accent", "upload")
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = QColor(colour("surface"))
        background.setAlpha(232)
        painter.fillRect(self.rect(), background)
        painter.setPen(QPen(colour(tone), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(16, 16, -16, -16), 14, 14)
        painter.setFont(text_font(1.35, text_font().weight().DemiBold))
        room = self.rect().adjusted(_MARGIN, 0, -_MARGIN, 0)
        words = painter.fontMetrics().boundingRect(room, _FLAGS, self._text)
        top = (self.height() - _ICON - _GAP - words.height()) // 2
        drawn = pixmap(icon, tone, _ICON, self.devicePixelRatioF())
        painter.drawPixmap((self.width() - _ICON) // 2, top, drawn)
        painter.setPen(colour("text"))
        painter.drawText(
            QRect(room.left(), top + _ICON + _GAP, room.width(), words.height()), _FLAGS, self._text
        )
        painter.end()
