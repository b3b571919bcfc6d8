"""The question whether to paste the text or to attach the picture, if both were copied together."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from app.ui.icons import put_icon
from app.ui.widgets.pieces import button, label, tool_button

_QUESTION = "A text and a picture were copied together."


class PasteChoiceBar(QFrame):
    """Hidden until `ask`. It blocks nothing. `text_wanted` and `picture_wanted` carry the answer.

    `closed` is emitted by Esc and by the button that closes it.
    """

    text_wanted = Signal()
    picture_wanted = Signal()
    closed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "banner")
        self.setAccessibleName(_QUESTION)
        icon = QLabel()
        put_icon(icon, "info", "warn", size=16)
        self.text_button = self._button("Paste the text", f"{name}_text")
        self.picture_button = self._button("Attach the picture", f"{name}_picture")
        self.text_button.clicked.connect(self.text_wanted)
        self.picture_button.clicked.connect(self.picture_wanted)
        close = tool_button(f"{name}_close", "x", "Paste nothing (Esc)", size=14)
        close.clicked.connect(self.closed)
        head = QHBoxLayout()
        head.addWidget(icon, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(label(_QUESTION, "", f"{name}_question", wrap=True), 1)
        head.addWidget(close)
        buttons = QHBoxLayout()
        buttons.addWidget(self.text_button)
        buttons.addWidget(self.picture_button)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 6, 10)
        column.addLayout(head)
        column.addLayout(buttons)
        self.hide()

    def _button(self, text: str, name: str) -> QPushButton:
        made = button(text, name)
        made.setProperty("small", "true")
        made.setAutoDefault(True)  # Enter presses it
        return made

    def ask(self) -> None:
        """Show the question, with the focus on the first answer."""
        self.show()
        self.text_button.setFocus(Qt.FocusReason.PopupFocusReason)  # the field keeps its text as typed

    def event(self, event: QEvent) -> bool:
        """Take Esc before it leaves the view."""
        if event.type() == QEvent.Type.ShortcutOverride and _is_escape(event):
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Close the bar with Esc, and go from one answer to the other with the arrow keys."""
        if _is_escape(event):
            self.closed.emit()
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            other = self.picture_button if self.text_button.hasFocus() else self.text_button
            other.setFocus(Qt.FocusReason.PopupFocusReason)
        else:
            super().keyPressEvent(event)


def _is_escape(event: QEvent) -> bool:
    return isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Escape
