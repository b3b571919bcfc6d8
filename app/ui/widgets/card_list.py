"""A vertical list of cards that scrolls."""

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget


class CardList(QScrollArea):
    """Shows the cards given to `show_cards`, the first one at the top."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab goes to the buttons of the cards
        self.viewport().setProperty("role", "clear")
        inner = QWidget()
        inner.setProperty("role", "clear")
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 2, 0)
        self._column.setSpacing(10)
        self._column.addStretch(1)
        self.setWidget(inner)
        self._cards: list[QWidget] = []

    def show_cards(self, cards: Sequence[QWidget]) -> None:
        """Replace all cards, keeping the scroll position."""
        for old in self._cards:
            self._column.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._cards = list(cards)
        for at, card in enumerate(cards):
            self._column.insertWidget(at, card)

    def cards(self) -> list[QWidget]:
        """Return the cards, the first one at the top."""
        return list(self._cards)
