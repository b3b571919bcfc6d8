"""The opening window: painted before the rest of the program is imported, or told why it cannot start."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMainWindow, QPushButton, QVBoxLayout, QWidget

from app.ui.first_paint import FirstPaint
from app.ui.window_geometry import LEAST_SIZE


class OpeningWindow(QMainWindow):
    """Shown until the main window replaces it. This module imports nothing that takes long.

    `painted` is emitted once, after the first paint, and `again_wanted` by the button Try again of an error.
    Object names: opening_window, opening_title, opening_text, opening_again, opening_close.
    """

    painted = Signal()
    again_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("opening_window")
        self.failed = False
        self.setWindowTitle("Bahi")
        self.setMinimumSize(LEAST_SIZE)
        self._title = _label("Bahi", "title", "opening_title")
        self._words = _label("Opening your book…", "muted", "opening_text")
        self._again = _button("Try again", "opening_again", "primary")
        self._close = _button("Close", "opening_close", "")
        self._again.clicked.connect(self._try_again)
        self._close.clicked.connect(self.close)
        self._lay_out()
        FirstPaint(self, self.painted.emit)

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(10)
        buttons.addStretch()
        buttons.addWidget(self._close)
        buttons.addWidget(self._again)
        buttons.addStretch()
        inner = QWidget()
        inner.setProperty("role", "canvas")
        column = QVBoxLayout(inner)
        column.setContentsMargins(40, 24, 40, 24)
        column.setSpacing(12)
        column.addStretch()
        column.addWidget(self._title)
        column.addWidget(self._words)
        column.addLayout(buttons)
        column.addStretch()
        self.setCentralWidget(inner)

    def show_error(self, sentence: str, *, retryable: bool = False) -> None:
        """Show why the book cannot be opened. `failed` is True until the next attempt."""
        self.failed = True
        self._title.setText("Bahi could not open your book")
        self._words.setText(sentence)
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._again.setVisible(retryable)
        self._close.show()
        (self._again if retryable else self._close).setFocus()

    def _try_again(self) -> None:
        self.failed = False
        self._title.setText("Bahi")
        self._words.setText("Opening your book…")
        self._again.hide()
        self._close.hide()
        self.again_wanted.emit()


def _label(text: str, role: str, name: str) -> QLabel:
    made = QLabel(text)
    made.setObjectName(name)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    made.setWordWrap(True)
    return made


def _button(text: str, name: str, role: str) -> QPushButton:
    made = QPushButton(text)
    made.setObjectName(name)
    made.setProperty("role", role)
    made.setAutoDefault(True)  # Enter presses it
    made.hide()
    return made
