"""The field for an amount: large, right-aligned, with a rupee sign. It returns a Decimal, never a float."""

from decimal import Decimal
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFont, QFontMetricsF, QResizeEvent

from app.domain.bounds import LONGEST_TYPED
from app.domain.money import format_amount, parse_amount
from app.domain.text import is_blank
from app.errors import InputError
from app.ui.theme import figures_font
from app.ui.widgets.pieces import label, set_look
from app.ui.widgets.tidied_line import TidiedLine

_SIZES: Final = {"": 16.0, "small": 12.0, "smallest": 9.0}
"""Points of each size of the style sheet, the largest first. The smallest has no room for the rupee sign."""
_SIGN: Final = 24
_PADDING: Final = 26  # of the style sheet, with the border and the cursor


class AmountField(TidiedLine):
    """`error_changed` carries a sentence if the amount is invalid when the focus leaves, otherwise ""."""

    error_changed = Signal(str)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "amount")
        self.setFont(figures_font())
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setPlaceholderText("0.00")
        self.setMaxLength(LONGEST_TYPED)
        self.setAcceptDrops(False)  # a dropped file is for the window
        self._sign = label("₹", "rupee")
        self._sign.setParent(self)
        self._sign.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setTextMargins(_SIGN, 0, 2, 0)
        self.textChanged.connect(self._fit)

    def amount(self) -> Decimal:
        """Return the typed amount in rupees. Raises InputError with `fields["amount"]`."""
        return parse_amount(self.text())

    def tidy(self) -> None:
        """Format a valid amount (`1,23,456.00`), and emit `error_changed`."""
        if is_blank(self.text()):
            self.clear()
            self.error_changed.emit("")
            return
        try:
            self.replace_text(format_amount(self.amount(), symbol=False))
            self.setCursorPosition(0)  # if it is too long for the field, its beginning is seen
        except InputError as error:
            self.error_changed.emit(error.fields.get("amount", error.message))
        else:
            self.error_changed.emit("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the rupee sign on the left, vertically centred, and the amount in sight."""
        super().resizeEvent(event)
        self._fit()
        self._sign.adjustSize()
        self._sign.move(13, (self.height() - self._sign.height()) // 2)

    def _fit(self) -> None:
        """Take the largest size in which the whole text is seen: without its first digits it is wrong."""
        room = self.width() - _SIGN - _PADDING
        size = next((name for name, points in _SIZES.items() if self._text_width(points) <= room), "smallest")
        set_look(self, "text_size", size)
        self._sign.setVisible(size != "smallest")
        self.setTextMargins(0 if size == "smallest" else _SIGN, 0, 2, 0)
        self.setToolTip(self.text() if self._text_width(self.font().pointSizeF()) > self._room() else "")

    def _room(self) -> float:
        return self.width() - self.textMargins().left() - _PADDING

    def _text_width(self, points: float) -> float:
        font = QFont(self.font())
        font.setPointSizeF(points)
        return QFontMetricsF(font).horizontalAdvance(self.text())
