"""A segment: two or three buttons in a row, exactly one of them checked.

Keys: the arrows choose, and so does the first letter of a button's text, if only one button has it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QPushButton, QWidget

from app.ui.icons import put_icon
from app.ui.widgets.one_choice import OneChoice
from app.ui.widgets.pieces import EnterButton, is_enter, set_look


@dataclass(frozen=True, slots=True)
class Choice:
    """One button: its value, its text, its object name, and an optional icon and tool tip."""

    value: str
    text: str
    name: str
    icon: str = ""
    tip: str = ""


class _SegmentButton(EnterButton):
    """`letter_typed` carries a letter, and `entered` says that Enter was pressed, while it has the focus."""

    letter_typed = Signal(str)
    entered = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Emit the signals for letters and Enter."""
        if event.text().isalpha() and not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.letter_typed.emit(event.text())
            return
        super().keyPressEvent(event)
        if is_enter(event) and not event.isAutoRepeat():
            self.entered.emit()


class Segment(QWidget):
    """`picked` carries the value when the user presses a button, but not when `set_value` is called.

    `entered` is emitted when Enter is pressed in it.
    """

    picked = Signal(str)
    entered = Signal()

    def __init__(self, choices: Sequence[Choice], name: str, accessible: str, *, small: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAccessibleName(accessible)
        self._group = OneChoice(self)
        self._values = [choice.value for choice in choices]
        self._letters = [choice.text[:1].casefold() for choice in choices]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for number, choice in enumerate(choices):
            row.addWidget(self._button(choice, number, len(choices), small), 1)
        self.set_value(self._values[0])
        self._group.idClicked.connect(lambda number: self.picked.emit(self._values[number]))

    def _button(self, choice: Choice, number: int, count: int, small: bool) -> QPushButton:
        made = _SegmentButton(choice.text)
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
        made.letter_typed.connect(self._pick_by_letter)
        made.entered.connect(self.entered)
        self._group.add(made, number)
        return made

    def _pick_by_letter(self, letter: str) -> None:
        if self._letters.count(letter.casefold()) == 1:
            button = self._group.button(self._letters.index(letter.casefold()))
            button.setFocus(Qt.FocusReason.TabFocusReason)
            button.click()

    def value(self) -> str:
        """Return the value of the checked button."""
        return self._values[self._group.checkedId()]

    def set_text(self, value: str, text: str) -> None:
        """Change the text that the button of `value` shows; its accessible name stays."""
        self._group.button(self._values.index(value)).setText(text)

    def set_tight(self, tight: bool) -> None:
        """Set whether the buttons have less room beside their texts."""
        for each in self._group.buttons():
            set_look(each, "tight", "true" if tight else "")

    def checked_button(self) -> QAbstractButton:
        """Return the button that is checked; Tab goes to it."""
        return self._group.button(self._group.checkedId())

    def set_value(self, value: str) -> None:
        """Check the button of `value`, without emitting `picked`."""
        self._group.button(self._values.index(value)).setChecked(True)
