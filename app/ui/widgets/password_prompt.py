"""Asks for the password of a PDF in the place where the PDF would be shown."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.bounds import LONGEST_TYPED
from app.ui.widgets.pieces import button, label, set_look

_PROMISE = "Bahi does not store the password. It asks again next time."
_WIDEST: Final = 420


class PasswordPrompt(QWidget):
    """A sentence, a field and the button *Show*. `given` carries the password, of which nothing is kept."""

    given = Signal(str)

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setProperty("role", "clear")
        self.setMaximumWidth(_WIDEST)
        self.sentence = label("", "small", f"{name}_text", wrap=True)
        self.promise = label(_PROMISE, "small", wrap=True)
        self.field = QLineEdit()
        self.field.setObjectName(f"{name}_field")
        self.field.setAccessibleName("Password of the PDF")
        self.field.setPlaceholderText("Password")
        self.field.setEchoMode(QLineEdit.EchoMode.Password)
        self.field.setMaxLength(LONGEST_TYPED)
        self.field.setAcceptDrops(False)  # a dropped file is for the window
        self.field.setMinimumWidth(90)
        self.field.setMaximumWidth(260)
        self.field.returnPressed.connect(self._give)
        self.field.textEdited.connect(lambda _typed: set_look(self.field, "invalid", ""))
        self.show_button = button("Show", f"{name}_show")
        self.show_button.setToolTip("Show the PDF (Enter)")
        self.show_button.clicked.connect(self._give)
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(self.field, 1)
        row.addWidget(self.show_button)
        row.addStretch(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addWidget(self.sentence)
        column.addLayout(row)
        column.addWidget(self.promise)

    def ask(self, sentence: str, *, wrong: bool) -> None:
        """Show `sentence`. If the password was `wrong`, let the user type another one at once."""
        self.sentence.setText(sentence)
        self.field.setText("")
        self.field.setAccessibleDescription(sentence)
        set_look(self.field, "invalid", "true" if wrong else "")
        if wrong:
            self.field.setFocus(Qt.FocusReason.OtherFocusReason)

    def hideEvent(self, event: QHideEvent) -> None:
        """Forget what was typed and not given."""
        super().hideEvent(event)
        self.field.setText("")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Keep Enter, which has given the password: around this it could do something else."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)

    def _give(self) -> None:
        password = self.field.text()
        self.field.setText("")  # also forgets what Undo could bring back
        if password:
            self.given.emit(password)
        else:
            self.field.setFocus()
