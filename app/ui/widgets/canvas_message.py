"""The sentence that a canvas shows instead of a page, and the button to try again."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.ui.widgets.pieces import button, label


class CanvasMessage(QWidget):
    """A sentence in the middle of its parent. It is hidden if the sentence is ""."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "clear")
        self._label = label("", "muted", "page_label", wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again = button("Try again", "page_again", "link")
        column = QVBoxLayout(self)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._label)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(1)
        self.hide()

    def text(self) -> str:
        """Return the sentence."""
        return self._label.text()

    def say(self, sentence: str, *, again: bool = False) -> None:
        """Show `sentence`, and with `again` the button."""
        self._label.setText(sentence)
        self.again.setVisible(again)
        self.setVisible(bool(sentence))
