"""The opening window: painted before the rest of the program is imported."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QLabel, QMainWindow, QVBoxLayout, QWidget


class OpeningWindow(QMainWindow):
    """Shown until the main window replaces it. This module imports nothing that takes long.

    `painted` is emitted once, after the first paint.
    """

    painted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("opening_window")
        self._painted = False
        self.setWindowTitle("Bahi")
        self.setMinimumSize(900, 600)
        self.resize(1180, 760)
        self._words = _label("Opening your book…", "muted")
        inner = QWidget()
        inner.setProperty("role", "canvas")
        column = QVBoxLayout(inner)
        column.addStretch()
        column.addWidget(_label("Bahi", "title"))
        column.addWidget(self._words)
        column.addStretch()
        self.setCentralWidget(inner)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Paint, and emit `painted` the first time."""
        super().paintEvent(event)
        if not self._painted:
            self._painted = True
            QTimer.singleShot(0, self, self.painted.emit)  # this paint has to reach the screen first

    def show_error(self, sentence: str) -> None:
        """Show why the book cannot be opened."""
        self._words.setText(sentence)


def _label(text: str, role: str) -> QLabel:
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setProperty("role", role)
    made.setAlignment(Qt.AlignmentFlag.AlignHCenter)
    made.setWordWrap(True)
    return made
