"""The form to change the password: the old one, and the new one twice."""

from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.domain.bounds import MAX_PASSWORD, prepare_password
from app.errors import AppError
from app.ui.tasks import Tasks
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import focus_first_error, length_errors
from app.ui.widgets.pieces import button, label
from app.ui.widgets.wait_countdown import WaitCountdown, errors_at

_NOT_EQUAL = "The two new passwords are not the same."


class PasswordForm(QWidget):
    """`change` is called in a thread. `changed` carries the number of other sessions that this ended."""

    changed = Signal(int)

    def __init__(self, change: Callable[[str, str], int], tasks: Tasks) -> None:
        super().__init__()
        self._change = change
        self._tasks = tasks
        self.lines = [_line(f"{name}_password_field") for name in ("old", "new", "again")]
        self.old, self.new, self.again = self.lines
        self.fields = {
            "oldPassword": Field("Old password", self.old),
            "newPassword": Field("New password", self.new),
            "again": Field("New password again", self.again),
        }
        for field in self.fields.values():
            field.limit(MAX_PASSWORD, prepare_password)
        self.fields["oldPassword"].hint.setText("empty if none")
        self.note = label("", "small", "password_form_note", wrap=True)
        """What happens when the password is forgotten."""
        self.problem = label("", "error", "password_error", wrap=True)
        self.problem.hide()
        self.save_button = button("Change password", "password_save")
        self.save_button.clicked.connect(self.save)
        self._countdown = WaitCountdown(
            self.save_button,
            self.fields["oldPassword"].set_error,
            self.save,
            self.lines,
        )
        self._lay_out()
        for line in self.lines:
            line.returnPressed.connect(self.save)

    def _lay_out(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        for column, field in enumerate(self.fields.values()):
            grid.addWidget(field, 0, column)
            grid.setColumnStretch(column, 1)
        grid.addWidget(self.note, 1, 0, 1, 3)
        grid.addWidget(self.problem, 2, 0, 1, 2)
        grid.addWidget(self.save_button, 2, 2)

    def save(self) -> None:
        """Change the password, or show the errors next to the fields."""
        if not self.save_button.isEnabled():
            return
        too_long = length_errors(self.fields)
        self._show(too_long, "")
        if too_long:
            return
        old, new = self.old.text(), self.new.text()
        if prepare_password(new) != prepare_password(self.again.text()):
            self._show({"again": _NOT_EQUAL}, "")
            return
        self.save_button.setEnabled(False)
        self._tasks.run(lambda: self._change(old, new), self._done, self._failed, owner=self)

    def _done(self, ended: int) -> None:
        self.save_button.setEnabled(True)
        for line in self.lines:
            line.clear()
        self.changed.emit(ended)

    def _failed(self, error: AppError) -> None:
        self.save_button.setEnabled(True)
        self._show(errors_at(error, "oldPassword"), error.message)
        self._countdown.follow(error, "oldPassword")

    def _show(self, errors: dict[str, str], message: str) -> None:
        for name, field in self.fields.items():
            field.set_error(errors.get(name, ""))
        placed = any(name in self.fields for name in errors)
        self.problem.setText("" if placed else message)
        self.problem.setVisible(bool(self.problem.text()))
        focus_first_error(self.fields.values())


def _line(name: str) -> QLineEdit:
    made = QLineEdit()
    made.setAcceptDrops(False)  # otherwise it would take the path of a dropped file as text
    made.setObjectName(name)
    made.setEchoMode(QLineEdit.EchoMode.Password)
    return made
