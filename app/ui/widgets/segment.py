"""A segment: two or three buttons in a row, exactly one of them checked."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QWidget

from app.ui.icons import put_icon


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: its value, its text, its object name, and an optional icon and tool tip."""

    value: str
    text: str
    name: str
    icon: str = ""
    tip: str = ""


class Segment(QWidget):
    """`picked` carries the value when the user presses a button, but not when `set_value` is called."""

    picked = Signal(str)

    def __init__(self, choices: Sequence[Choice], name: str, accessible: str, *, small: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self._group = QButtonGroup(self)
        self._values = [choice.value for choice in choices]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, choice in enumerate(choices):
            row.addWidget(self._button(choice, number, len(choices), small), 1)
        self.set_value(self._values[0])
        self._group.idClicked.connect(lambda number: self.picked.emit(self._values[number]))

    def _button(self, choice: Choice, number: int, count: int, small: bool) -> QPushButton:
        made = QPushButton(choice.text)
        made.setObjectName(choice.name)
        made.setAccessibleName(choice.text)
        made.setToolTip(choice.tip)
        made.setCheckable(True)
        made.setProperty("role", "segment")
        made.setProperty("place", {0: "first", count - 1: "last"}.get(number, "middle"))
        if small:
            made.setProperty("small", "true")
        if choice.icon:
            put_icon(made, choice.icon, "text_muted", "accent_text", 16)
        self._group.addButton(made, number)
        return made

    def value(self) -> str:
        """Return the value of the checked button."""
        return self._values[self._group.checkedId()]

    def set_value(self, value: str) -> None:
        """Check the button of `value`, without emitting `picked`."""
        self._group.button(self._values.index(value)).setChecked(True)
