"""The licences of Bahi and of the parts that it is shipped with, as one long text."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontDatabase
from PySide6.QtWidgets import QDialog, QPlainTextEdit, QVBoxLayout, QWidget

from app.errors import AppError
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import button, label

_WIDTH: Final = 780
_HEIGHT: Final = 620


class LicencesDialog(QDialog):
    """Shows the licences. The text is read, or made from the installed packages, outside the GUI thread."""

    def __init__(self, tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("licences_dialog")
        self.setWindowTitle("Licences")
        self.resize(_WIDTH, _HEIGHT)
        self.state = label("Reading the licences…", "muted", "licences_state", wrap=True)
        self.text = _text_room()
        self.close_button = button("Close", "licences_close", "primary")
        self.close_button.clicked.connect(self.accept)
        self.close_button.setDefault(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(14)
        column.addWidget(label("Licences", "title"))
        column.addWidget(self.state)
        column.addWidget(self.text, 1)
        column.addWidget(self.close_button, 0, Qt.AlignmentFlag.AlignRight)
        self.close_button.setFocus()  # Enter closes
        tasks.run(_read, self._show, self._failed, owner=self, topic="licences", local=True)

    def _show(self, text: str) -> None:
        self.state.setText("Bahi, and the parts of other people that it is made of.")
        self.text.setPlainText(text)
        self.text.setEnabled(True)

    def _failed(self, error: AppError) -> None:
        self.state.setText(error.message)


def _read() -> str:
    # Only this dialog needs it, and what it imports takes time.
    from app.licences import licences_text

    return licences_text()


def _text_room() -> QPlainTextEdit:
    room = QPlainTextEdit()
    room.setObjectName("licences_text")
    room.setAccessibleName("Licences")
    room.setReadOnly(True)
    room.setEnabled(False)
    room.setTabChangesFocus(True)
    room.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    room.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
    font = QFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
    font.setPointSizeF(9.0)
    room.setFont(font)
    return room
