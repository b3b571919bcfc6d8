"""What a canvas shows instead of a page: a sentence, the button to try again, the field for a password."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.ui.widgets.password_prompt import PasswordPrompt
from app.ui.widgets.pieces import button, label

_ROOMY_FROM: Final = 150  # px of height


class CanvasMessage(QWidget):
    """A sentence in the middle of its parent. It is hidden if the sentence is ""."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setProperty("role", "clear")
        self._label = label("", "muted", "page_label", wrap=True)
        self._label.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again = button("Try again", "page_again", "link")
        self.prompt = PasswordPrompt("page_password")
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 0, 6, 0)
        column.setSpacing(8)
        column.addStretch(1)
        column.addWidget(self._label)
        column.addWidget(self.again, 0, Qt.AlignmentFlag.AlignHCenter)
        row = QHBoxLayout()
        row.addStretch()
        row.addWidget(self.prompt, 1)
        row.addStretch()
        column.addLayout(row)
        column.addStretch(1)
        self.prompt.hide()
        self.hide()

    def text(self) -> str:
        """Return the sentence."""
        return self.prompt.sentence.text() if self.wants_password else self._label.text()

    @property
    def wants_password(self) -> bool:
        """Return whether a password is asked for."""
        return not self.prompt.isHidden()

    def say(self, sentence: str, *, again: bool = False) -> None:
        """Show `sentence`, and with `again` the button."""
        self._label.setText(sentence)
        self._label.setVisible(bool(sentence))
        self.again.setVisible(again)
        self.prompt.hide()
        self.setVisible(bool(sentence))

    def ask_password(self, sentence: str, *, wrong: bool) -> None:
        """Show `sentence` and the field for a password. `wrong` says whether one was given that is wrong."""
        self.say("")
        self.prompt.show()
        self.show()
        self.prompt.ask(sentence, wrong=wrong)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Leave out what there is no room for."""
        super().resizeEvent(event)
        self.prompt.promise.setVisible(self.height() >= _ROOMY_FROM)
