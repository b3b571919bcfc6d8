"""Asks for the password again when the session has ended. The book stays open behind it."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QLineEdit

from app.domain.bounds import LONGEST_TYPED, MAX_PASSWORD, length_error, prepare_password
from app.domain.text import isolated
from app.errors import AppError, SignInError
from app.ui.icons import put_icon
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import button, label, set_look
from app.ui.widgets.wait_countdown import WaitCountdown, errors_at

if TYPE_CHECKING:
    from app.services import Services

_KEPT: Final = "Entries that you save now are kept on this computer until you sign in."
_SIGNED_OUT: Final = "You are signed out."
_ENTER: Final = "Enter the password of {user} to continue."
_WHY: Final = {
    "ended": (
        "You were signed out from this account on another computer.",
        "Enter the password of {user} to sign in again. If you did not do this, then change your password.",
    ),
    "password": (
        "The password of this account was changed on another computer.",
        "Enter the new password of {user} to continue.",
    ),
    "reset": (
        "The person who runs the server has given this account a new password.",
        "Enter the new password of {user} to continue.",
    ),
    "reused": ("Two computers used this sign-in at once, so it was ended to be safe.", _ENTER),
    "disabled": (
        "The person who runs the server has closed this account.",
        "Please ask that person. The account of {user} cannot be opened before that.",
    ),
}
"""For each reason that a server gives: what happened, and what to do."""
_LEAST_FIELD: Final = 160


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
        self._why = ""
        self._build()
        self.hide()

    def _build(self) -> None:
        icon = QLabel()
        put_icon(icon, "log-out", "danger", size=18)
        self.sentence = label("", "strong", "sign_in_again_text", wrap=True)
        self._make_password()
        self.submit_button = button("Sign in", "sign_in_again_submit", "primary")
        self.submit_button.clicked.connect(self.submit)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 8, 12, 8)
        row.setSpacing(10)
        row.addWidget(icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.sentence, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(self._answer())
        self._countdown = WaitCountdown(self.submit_button, self._say, self.submit, [self.password])

    def _make_password(self) -> None:
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
        self.password.setMinimumWidth(_LEAST_FIELD)
        self.password.returnPressed.connect(self.submit)

    def _answer(self) -> QGridLayout:
        """Return the password with its button, and below both what is wrong and what is kept."""
        self.problem = label("", "error", "sign_in_again_error", wrap=True)
        self.problem.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(10)
        grid.setVerticalSpacing(4)
        grid.addWidget(self.password, 0, 0)
        grid.addWidget(self.submit_button, 0, 1)
        grid.addWidget(self.problem, 1, 0, 1, 2)
        grid.addWidget(label(_KEPT, "small", "sign_in_again_kept", wrap=True), 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)
        grid.setRowStretch(3, 1)
        return grid

    def set_user(self, user_name: str) -> None:
        """Set the name of the user whose password is asked for."""
        self._user = user_name

    def ask(self, error: AppError) -> None:
        """Ask for the password. If it is asked for already, only say why, once that is known."""
        why = error.ended if isinstance(error, SignInError) and error.ended in _WHY else ""
        if not self.isHidden() and (self._why or not why):
            return
        self._why = why
        happened, to_do = _WHY.get(why, (_SIGNED_OUT, _ENTER))
        self.sentence.setText(f"{happened} {to_do.format(user=isolated(self._user))}")
        if self.isHidden():
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
        self._countdown.stop()
        self.password.clear()
        self._set_shown(False)
        self.signed_in.emit()

    def _failed(self, error: AppError) -> None:
        self._set_busy(False)
        fields = errors_at(error, "password")
        self._say(fields.get("password", error.message), of_field="password" in fields)
        self.password.setFocus()
        self.password.selectAll()
        self._countdown.follow(error, "password")

    def _say(self, problem: str, *, of_field: bool = True) -> None:
        """Show `problem` under the password, and mark the field unless something else caused it."""
        self.problem.setText(problem)
        self.problem.setVisible(bool(problem))
        set_look(self.password, "invalid", "true" if problem and of_field else "")
        self.password.setAccessibleDescription(problem)

    def _set_busy(self, busy: bool) -> None:
        self.password.setEnabled(not busy)
        self.submit_button.setEnabled(not busy)

    def give_up(self) -> None:
        """Stop asking, for example when the book is closed, and forget what was typed."""
        self._countdown.stop()
        self.password.clear()
        self._set_shown(False)

    def _set_shown(self, shown: bool) -> None:
        self.setVisible(shown)
        self.shown.emit()
