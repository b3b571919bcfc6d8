"""A banner: a sentence on a coloured background, with an optional button."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel

from app.ui.icons import put_icon
from app.ui.widgets.pieces import button, label, set_look, tool_button

_ICONS = {"warn": "info", "danger": "alert", "good": "check"}


class Banner(QFrame):
    """Hidden until `say`. `pressed` is emitted by the button, and `closed` by the one with the cross."""

    pressed = Signal()
    closed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "banner")
        self._icon = QLabel()
        self._text = label("", "", f"{name}_text", wrap=True)
        self._button = button("", f"{name}_button", "link")
        self._button.clicked.connect(self.pressed)
        self._close = tool_button(f"{name}_close", "x", "Close", size=14)
        self._close.clicked.connect(self.closed)
        self._close.hide()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 8, 8)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._text, 1)
        row.addWidget(self._button)
        row.addWidget(self._close)
        self.hide()

    def say(self, sentence: str, tone: str = "warn", action: str = "", *, closable: bool = False) -> None:
        """Show `sentence`. `tone` is warn, danger or good. `action` is the button's text, "" for none.

        With `closable`, there is also a cross that closes it.
        """
        self._text.setText(sentence)
        self.setAccessibleName(sentence)
        self._button.setText(action)
        self._button.setAccessibleName(action)
        self._button.setVisible(bool(action))
        self._close.setVisible(closable)
        put_icon(self._icon, _ICONS[tone], {"good": "credit"}.get(tone, tone), size=16)
        set_look(self, "tone", tone)
        set_look(self._text, "tone", tone)
        self.show()

    def text(self) -> str:
        """Return the sentence; "" while hidden."""
        return self._text.text() if not self.isHidden() else ""
