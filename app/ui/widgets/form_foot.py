"""The foot of a form: what was saved, and the buttons. It stays in sight while the fields scroll."""

from typing import Final

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from app.ui.widgets.pieces import button, label

_GAP: Final = 10


class FormFoot(QWidget):
    """The messages are beside the buttons if each fits there in one line, otherwise above them.

    Tab goes to the button that saves first, although it is the right one.
    """

    def __init__(self, prefix: str, leave: tuple[str, str], save: str) -> None:
        super().__init__()
        self.saved_label = label("", "good", f"{prefix}saved_label", wrap=True)
        self.draft_label = label("", "small", f"{prefix}draft_label", wrap=True)
        self.leave_button = button(*leave)
        self.save_button = button(save, f"{prefix}save_button", "primary", "check", "on_accent")
        for each in (self.save_button, self.leave_button):  # the order of Tab
            each.setParent(self)
        self._lay_out()

    def _lay_out(self) -> None:
        messages = QVBoxLayout()
        messages.setSpacing(0)
        for line in self._lines():
            line.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
            line.hide()
            messages.addWidget(line)
        buttons = QHBoxLayout()
        buttons.setSpacing(_GAP)
        buttons.addStretch(1)
        for each in self._buttons():
            buttons.addWidget(each)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._row.setContentsMargins(24, 0, 24, 0)
        self._row.setSpacing(_GAP)
        self._row.addLayout(messages, 1)
        self._row.addLayout(buttons)

    def _lines(self) -> tuple[QLabel, QLabel]:
        return self.saved_label, self.draft_label

    def _buttons(self) -> tuple[QPushButton, QPushButton]:
        return self.leave_button, self.save_button

    def say(self, what: QWidget, text: str) -> None:
        """Show `text` in one of the two labels, and empty the other."""
        for line in self._lines():
            line.setText(text if line is what else "")
            line.setVisible(bool(line.text()))
        self.saved_label.setAccessibleName(self.saved_label.text())
        self._arrange()

    def forget(self, what: QLabel) -> None:
        """Empty one of the two labels."""
        what.setText("")
        what.hide()
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put the messages where they fit."""
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        margins = self._row.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        room -= sum(each.sizeHint().width() + _GAP for each in self._buttons())
        needed = max(line.fontMetrics().horizontalAdvance(line.text()) for line in self._lines())
        across, down = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._row.setDirection(across if needed < room else down)
