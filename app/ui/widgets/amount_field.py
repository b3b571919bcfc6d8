"""The field for an amount: large, right-aligned, with a rupee sign. It returns a Decimal, never a float."""

from decimal import Decimal

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent

from app.domain.bounds import LONGEST_TYPED
from app.domain.money import format_amount, parse_amount
from app.domain.text import is_blank
from app.errors import InputError
from app.ui.theme import figures_font
from app.ui.widgets.pieces import label
from app.ui.widgets.tidied_line import TidiedLine


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
        self.setTextMargins(24, 0, 2, 0)

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
            self.setText(format_amount(self.amount(), symbol=False))
        except InputError as error:
            self.error_changed.emit(error.fields.get("amount", error.message))
        else:
            self.error_changed.emit("")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Keep the rupee sign on the left, vertically centred."""
        super().resizeEvent(event)
        self._sign.adjustSize()
        self._sign.move(13, (self.height() - self._sign.height()) // 2)
