"""The message shown in place of an empty list."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from app.ui.icons import put_icon
from app.ui.widgets.pieces import button, label

_ROOM_FOR_ICON: Final = 260


class EmptyState(QWidget):
    """An icon, a title, a text and a button. `pressed` is emitted by the button."""

    pressed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self._icon = QLabel()
        self._title = label("", "heading", f"{name}_title")
        self._text = label("", "muted", f"{name}_text", wrap=True)
        self.button = button("", f"{name}_button", "primary")
        self.button.clicked.connect(self.pressed)
        column = QVBoxLayout(self)
        column.setContentsMargins(32, 32, 32, 32)
        column.setSpacing(10)
        column.addStretch(2)
        for widget in (self._icon, self._title, self._text):
            widget.setAlignment(Qt.AlignmentFlag.AlignCenter)
            column.addWidget(widget)
        column.addSpacing(6)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave the icon out if there is no height for it."""
        super().resizeEvent(event)
        low = event.size().height() < _ROOM_FOR_ICON
        self._icon.setVisible(not low)
        column = self.layout()
        if column is not None:
            column.setContentsMargins(32, 8 if low else 32, 32, 8 if low else 32)

    def say(self, icon: str, title: str, text: str, action: str) -> None:
        """Set the icon and the texts. `action` is the button's text, "" for no button."""
        put_icon(self._icon, icon, "disabled", size=40)
        self._title.setText(title)
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.button.setText(action)
        self.button.setAccessibleName(action)
        self.button.setVisible(bool(action))

    def title(self) -> str:
        """Return the title."""
        return self._title.text()
