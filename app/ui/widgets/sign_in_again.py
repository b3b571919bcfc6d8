"""Asks for the password again when the session has ended. The book stays open behind it."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QVBoxLayout

from app.domain.bounds import LONGEST_TYPED, MAX_PASSWORD, length_error, prepare_password
from app.domain.text import isolated
from app.errors import AppError
from app.ui.icons import put_icon
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import button, label, set_look

if TYPE_CHECKING:
    from app.services import Services

_KEPT = "Entries that you save now are kept on this computer and sent after you sign in."


class SignInAgain(QFrame):
    """Hidden until `ask`. `shown` is emitted when it appears or disappears, `signed_in` after a log-in."""

    shown = Signal()
    signed_in = Signal()

    def __init__(self, services: "Services", tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("sign_in_again")
        self.setProperty("role", "banner")
        set_look(self, "tone", "danger")
        self._services = services
        self._tasks = tasks
        self._user = ""
        self._build()
        self.hide()

    def _build(self) -> None:
        icon = QLabel()
        put_icon(icon, "log-out", "danger", size=18)
        self.sentence = label("", "strong", "sign_in_again_text", wrap=True)
        self.problem = label(_KEPT, "small", "sign_in_again_error", wrap=True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.sentence)
        words.addWidget(self.problem)
        self.password = QLineEdit()
        self.password.setAcceptDrops(False)  # a dropped file is for the window
        self.password.setObjectName("sign_in_again_password")
        self.password.setAccessibleName("Password")
        self.password.setPlaceholderText("Password")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.setMaxLength(LONGEST_TYPED)
        self.password.textChanged.connect(
            lambda typed: self._say(length_error(typed, MAX_PASSWORD, prepare_password))
        )
        self.password.setFixedWidth(180)
        self.password.returnPressed.connect(self.submit)
        self.submit_button = button("Sign in", "sign_in_again_submit", "primary")
        self.submit_button.clicked.connect(self.submit)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 10, 12, 10)
        row.setSpacing(10)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(words, 1)
        row.addWidget(self.password)
        row.addWidget(self.submit_button)

    def set_user(self, user_name: str) -> None:
        """Set the name of the user whose password is asked for."""
        self._user = user_name

    def ask(self, _why: AppError) -> None:
        """Ask for the password, unless it is asked for already."""
        if not self.isHidden():
            return
        self.sentence.setText(
            f"You are signed out. Enter the password of {isolated(self._user)} to continue."
        )
        self._say("")
        self.password.clear()
        self._set_shown(True)

    def submit(self) -> None:
        """Sign in as the same user. The forms stay as they are."""
        if not self.submit_button.isEnabled():
            return
        accounts, password = self._services.accounts, self.password.text()
        if length_error(password, MAX_PASSWORD, prepare_password):
            return
        self._set_busy(True)
        self._tasks.run(
            lambda: accounts.sign_in_again(password), lambda _session: self._done(), self._failed, owner=self
        )

    def _done(self) -> None:
        self._set_busy(False)
        self.password.clear()
        self._set_shown(False)
        self.signed_in.emit()

    def _failed(self, error: AppError) -> None:
        self._set_busy(False)
        self._say(error.fields.get("password", error.message))
        self.password.setFocus()
        self.password.selectAll()

    def _say(self, problem: str) -> None:
        self.problem.setText(problem or _KEPT)
        set_look(self.password, "invalid", "true" if problem else "")
        self.password.setAccessibleDescription(problem)

    def _set_busy(self, busy: bool) -> None:
        self.password.setEnabled(not busy)
        self.submit_button.setEnabled(not busy)

    def give_up(self) -> None:
        """Stop asking, for example when the book is closed."""
        self._set_shown(False)

    def _set_shown(self, shown: bool) -> None:
        self.setVisible(shown)
        self.shown.emit()
