"""The foot of the listing: the number of entries, and their sums."""

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QLabel, QVBoxLayout

from app.domain.entry import Totals
from app.domain.money import format_amount, group_digits
from app.ui.bounds import count_text
from app.ui.theme import figures_font
from app.ui.widgets.pieces import label

_NARROW = 560


class TotalsFoot(QFrame):
    """Shows the totals of the filter, or dashes while they are not known."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("totals_foot")
        self.setProperty("role", "foot")
        self.count = label("", "muted", "totals_count")
        self.waiting = label("", "small", "totals_waiting")
        self.searched = label("", "warning", "totals_searched", wrap=True)
        self.out, self.into, self.net = (
            label("", "strong", f"totals_{name}") for name in ("out", "in", "net")
        )
        self.into.setProperty("role", "sum_in")
        self._lay_out()
        self.show_totals(None)

    def _lay_out(self) -> None:
        counts = QHBoxLayout()
        counts.setSpacing(6)
        counts.addWidget(self.count)
        counts.addWidget(self.waiting)
        counts.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 14, 9)
        column.setSpacing(6)
        self._box = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._box.setSpacing(6)
        column.addWidget(self.searched)
        column.addLayout(self._box)
        self._box.addLayout(counts, 1)
        self._box.addLayout(self._sums())

    def _sums(self) -> QGridLayout:
        grid = self._grid = QGridLayout()
        grid.setHorizontalSpacing(20)
        grid.setVerticalSpacing(1)
        named = (("Money out", self.out), ("Money in", self.into), ("Net", self.net))
        for column, (words, value) in enumerate(named):
            value.setFont(figures_font())
            value.setAccessibleName(words)
            grid.addWidget(label(words, "tiny"), 0, column)
            grid.addWidget(value, 1, column)
        return grid

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the count above the sums if the width is small."""
        super().resizeEvent(event)
        narrow = event.size().width() < _NARROW
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._box.setDirection(down if narrow else across)
        self._grid.setHorizontalSpacing(10 if narrow else 20)

    def sums(self) -> tuple[QLabel, QLabel, QLabel]:
        """Return the labels with the values of Money out, Money in and Net."""
        return self.out, self.into, self.net

    def show_totals(self, totals: Totals | None) -> None:
        """Show `totals`; for None, dashes."""
        self.searched.hide()
        known = totals or Totals()
        self.count.setText(count_text(known.count, "entry", "entries") if totals else "Counting…")
        self.waiting.setText(f"· {group_digits(str(known.waiting))} waiting" if known.waiting else "")
        amounts = (known.money_out, known.money_in, known.net)
        for value, amount in zip(self.sums(), amounts, strict=True):
            value.setText(format_amount(amount) if totals else "—")

    def show_unknown(self) -> None:
        """Show that the totals cannot be loaded."""
        self.show_totals(None)
        self.count.setText("Totals not known yet")

    def show_searched(self, sentence: str) -> None:
        """Show `sentence`: only a part of the book was searched."""
        self.searched.setText(sentence)
        self.searched.show()
