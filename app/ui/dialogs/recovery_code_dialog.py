"""Shows a new recovery code, once: to be copied or saved, and kept with the papers."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.errors import AppError
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.growing_dialog import GrowingDialog
from app.ui.widgets.pieces import button, label

if TYPE_CHECKING:
    from app.services import Services

FILE_NAME: Final = "Bahi recovery code.txt"
_WHAT: Final = (
    "If you forget your password, this code lets you choose a new one. Write it down, or save it and print "
    "it, and keep it with your papers. It is shown only now."
)
_SKIPPED: Final = (
    "Without this code you cannot choose a new password if you forget yours. You can get another code at any "
    "time: press your name, then New recovery code."
)
_ON_PAPER: Final = "Keep it on paper. Whoever can read it on this computer can open your book."


class RecoveryCodeDialog(GrowingDialog):
    """Shows `code`. It closes at once with *I have kept it*, and otherwise after a sentence."""

    def __init__(
        self, services: "Services", tasks: Tasks, code: str, desktop: Desktop, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self.setObjectName("recovery_code_dialog")
        self.setWindowTitle("Your recovery code")
        self.setMinimumWidth(500)
        self._desktop = desktop
        self._warned = False
        self._make(code)
        self._lay_out()
        self.save_button.setFocus()  # a second Enter must not close what is shown only once

    def _make(self, code: str) -> None:
        self.code = QLineEdit(code)
        self.code.setObjectName("recovery_code")
        self.code.setAccessibleName("Your recovery code")
        self.code.setReadOnly(True)
        self.code.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.code.setProperty("role", "code")
        self.banner = Banner("recovery_code_banner")
        self.copy_button = button("Copy", "recovery_code_copy")
        self.copy_button.clicked.connect(self._copy)
        self.save_button = button("Save as text…", "recovery_code_save", icon="download")
        self.save_button.clicked.connect(self._save)
        self.skip_button = button("Not now", "recovery_code_skip", "link")
        self.skip_button.clicked.connect(self.reject)
        self.kept_button = button("I have kept it", "recovery_code_kept", "primary")
        self.kept_button.setDefault(True)
        self.kept_button.clicked.connect(self.accept)

    def _lay_out(self) -> None:
        tools = QHBoxLayout()
        tools.addWidget(self.copy_button)
        tools.addWidget(self.save_button)
        tools.addStretch(1)
        foot = QHBoxLayout()
        foot.addWidget(self.skip_button)
        foot.addStretch(1)
        foot.addWidget(self.kept_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(label("Your recovery code", "title"))
        column.addWidget(label(_WHAT, "", "recovery_code_what", wrap=True))
        column.addWidget(self.code)
        column.addLayout(tools)
        column.addWidget(self.banner)
        column.addStretch(1)
        column.addLayout(foot)

    def reject(self) -> None:
        """Say what is missing without the code; close the second time."""
        if self._warned:
            super().reject()
            return
        self._warned = True
        self.banner.say(_SKIPPED, "warn")
        self.skip_button.setText("Close without it")
        self.skip_button.setAccessibleName("Close without it")

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.code.text())
        self.banner.say(f"Copied. {_ON_PAPER}", "good")

    def _save(self) -> None:
        path = self._desktop.choose_save_path(self, FILE_NAME)
        if path is None:
            return
        recovery, code = self._services.recovery, self.code.text()
        self._tasks.run(
            lambda: recovery.save_code(code, path), lambda _none: self._saved(), self._failed, owner=self
        )

    def _saved(self) -> None:
        self.banner.say(f"Saved. Print it, then delete the file. {_ON_PAPER}", "good")

    def _failed(self, error: AppError) -> None:
        self.banner.say(error.message, "danger")
