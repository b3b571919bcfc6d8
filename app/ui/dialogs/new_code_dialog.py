"""Asks for the password before a new recovery code is made."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.bounds import MAX_PASSWORD, prepare_password
from app.errors import AppError
from app.ui.controllers.text_pasting import TextPasting
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import clear_errors, show_errors
from app.ui.widgets.growing_dialog import GrowingDialog
from app.ui.widgets.pieces import button, label
from app.ui.widgets.typed_loss import TypedLoss
from app.ui.widgets.wait_countdown import WaitCountdown, errors_at

if TYPE_CHECKING:
    from app.services import Services

_WHAT: Final = "Enter your password to get a new recovery code. A code that you have now stops working."
_EMPTY: Final = "Enter your password."


class NewCodeDialog(GrowingDialog):
    """`made` is emitted when there is a new code, after the dialog has closed."""

    made = Signal()

    def __init__(self, services: "Services", tasks: Tasks, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("new_code_dialog")
        self.setWindowTitle("New recovery code")
        self.setMinimumWidth(420)
        self._services = services
        self._tasks = tasks
        self.password = QLineEdit()
        self.password.setObjectName("new_code_password")
        self.password.setAcceptDrops(False)
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.fields = {"password": Field("Password", self.password).limit(MAX_PASSWORD, prepare_password)}
        self.banner = Banner("new_code_banner")
        self.cancel_button = button("Cancel", "new_code_cancel")
        self.submit_button = button("New recovery code", "new_code_submit", "primary")
        self.submit_button.setDefault(True)
        self.submit_button.clicked.connect(self.submit)
        self.countdown = WaitCountdown(
            self.submit_button, self.fields["password"].set_error, self.submit, [self.password]
        )
        self._loss = TypedLoss(self.banner, [self.password])
        self._lay_out()
        TextPasting(self, services)
        self.password.setFocus()

    def _lay_out(self) -> None:
        self.cancel_button.clicked.connect(super().reject)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.submit_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(label("New recovery code", "title"))
        column.addWidget(label(_WHAT, "", "new_code_what", wrap=True))
        column.addWidget(self.banner)
        column.addWidget(self.fields["password"])
        column.addStretch(1)
        column.addLayout(foot)

    def reject(self) -> None:
        """Close the dialog; if something is typed in it, say first that it would be lost."""
        if self._loss.may_close():
            super().reject()

    def submit(self) -> None:
        """Make the code, or show the error."""
        if not self.submit_button.isEnabled() or self.fields["password"].length_error:
            return
        clear_errors(self.fields, self.banner)
        password, recovery = self.password.text(), self._services.recovery
        if not password:
            show_errors(self.fields, self.banner, "", {"password": _EMPTY})
            return
        self.set_busy(True, self.submit_button, self.cancel_button)
        self._tasks.run(
            lambda: recovery.replace_code(password), lambda _none: self._done(), self._failed, owner=self
        )

    def _done(self) -> None:
        self.accept()
        self.made.emit()

    def _failed(self, error: AppError) -> None:
        self.set_busy(False, self.submit_button, self.cancel_button)
        show_errors(self.fields, self.banner, error.message, errors_at(error, "password"))
        self.countdown.follow(error, "password")
