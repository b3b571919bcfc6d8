"""Getting in again after a forgotten password: with the recovery code, or with an operator's link."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QCheckBox, QFrame, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.domain.bounds import MAX_PASSWORD, prepare_password
from app.domain.text import isolated
from app.errors import AppError
from app.ui.bounds import LONGEST_LINK
from app.ui.controllers.text_pasting import TextPasting
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import clear_errors, length_errors, show_errors
from app.ui.widgets.growing_dialog import GrowingDialog
from app.ui.widgets.pieces import button, frame, label
from app.ui.widgets.typed_loss import TypedLoss
from app.ui.widgets.wait_countdown import WaitCountdown, errors_at

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import BookSession, LocalBookFacts
    from app.services.recovery import ResetTarget

_NOT_EQUAL: Final = "The two passwords are not the same."
_EMPTY: Final = "Choose a new password."
_WITH_CODE: Final = (
    "Type the recovery code that you keep with your papers, and choose a new password. You get a new code "
    "then."
)
_NO_CODE: Final = "This book has no recovery code, because its password was set before there were any."
_LOST_CODE: Final = "Without the code, there is one more way."
_COMMAND: Final = (
    "The password keeps other people at this computer out of your book. It does not encrypt your files. So "
    "their owner can set a new password: open a terminal, paste this line, close Bahi, and then press Enter "
    "in the terminal. It asks for the new password. There is no button for this, because it would let in "
    "everybody who sits here."
)
_HAS_LINK: Final = "This link sets a new password. Choose one."
_SENT_TO: Final = "Your new password will be sent to {host}."
_AGREE: Final = "I am sure. Send my new password to {host}"
_NOT_AGREED: Final = "Nothing was sent. To use this link, tick the box below."
_TARGET: Final = "target"
_ASK: Final = "Ask the person who runs the server for a link that sets a new password."
_ASK_NAMED: Final = (
    "Ask the person who runs the server: {contact}. You will get a link that sets a new password."
)


class ForgottenPasswordDialog(GrowingDialog):
    """The parts of both dialogs: a proof, and the new password twice. `signed_in` carries the BookSession."""

    signed_in = Signal(object)

    def __init__(
        self, services: "Services", tasks: Tasks, parent: QWidget, proof: Field, proof_name: str
    ) -> None:
        super().__init__(parent)
        self.setObjectName("forgotten_dialog")
        self.setWindowTitle("Forgotten password")
        self.setMinimumWidth(480)
        self.services = services
        self._tasks = tasks
        self._proof_name = proof_name
        self.new, self.again = _password_line("forgotten_new"), _password_line("forgotten_again")
        self.fields = {
            proof_name: proof,
            "newPassword": Field("New password", self.new).limit(MAX_PASSWORD, prepare_password),
            "again": Field("New password again", self.again).limit(MAX_PASSWORD, prepare_password),
        }
        self.fields["newPassword"].hint.setText("at least 8 characters")
        self.what = label("", "", "forgotten_what", wrap=True)
        self.banner = Banner("forgotten_banner")
        self.more = QVBoxLayout()
        self.cancel_button = button("Cancel", "forgotten_cancel")
        self.cancel_button.clicked.connect(super().reject)
        self.submit_button = button("Set the password and open", "forgotten_submit", "primary")
        self.submit_button.setDefault(True)
        self.submit_button.clicked.connect(self.submit)
        self.countdown = WaitCountdown(
            self.submit_button,
            proof.set_error,
            self.submit,
            self._editors(),
        )
        self._loss = TypedLoss(self.banner, self._editors())
        self._lay_out()
        TextPasting(self, services, self.take_pasted)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(self.cancel_button)
        foot.addWidget(self.submit_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(label("Forgotten password", "title"))
        column.addWidget(self.what)
        column.addWidget(self.banner)
        for field in self.fields.values():
            column.addWidget(field)
        column.addLayout(self.more)
        column.addStretch(1)
        column.addLayout(foot)

    def call(self, proof: str, new: str) -> "BookSession":
        """Set the password and open the book. Raises AppError. Runs in a thread."""
        raise NotImplementedError

    def take_pasted(self, _text: str, _editor: QLineEdit | None) -> bool:
        """Return whether a text was taken that was pasted into any of the fields."""
        return False

    def submit(self) -> None:
        """Set the password, or show the errors next to the fields."""
        if not self.submit_button.isEnabled():
            return
        clear_errors(self.fields, self.banner)
        if errors := length_errors(self.fields) or self._mistakes():
            self.show_errors("", errors)
            return
        self.set_busy(True, self.submit_button, self.cancel_button)
        proof, new = self._proof(), self.new.text()
        self._tasks.run(lambda: self.call(proof, new), self._done, self._failed, owner=self)

    def reject(self) -> None:
        """Close the dialog; if something is typed in it, say first that it would be lost."""
        if self._loss.may_close():
            super().reject()

    def _editors(self) -> list[QLineEdit]:
        targets = [field.focus_target for field in self.fields.values()]
        return [each for each in targets if isinstance(each, QLineEdit)]

    def _proof(self) -> str:
        editor = self.fields[self._proof_name].focus_target
        assert isinstance(editor, QLineEdit)
        return editor.text()

    def _mistakes(self) -> dict[str, str]:
        if not self.new.text():
            return {"newPassword": _EMPTY}
        if prepare_password(self.new.text()) != prepare_password(self.again.text()):
            return {"again": _NOT_EQUAL}
        return {}

    def _done(self, session: "BookSession") -> None:
        self.accept()
        self.signed_in.emit(session)

    def _failed(self, error: AppError) -> None:
        self.set_busy(False, self.submit_button, self.cancel_button)
        self.show_errors(error.message, errors_at(error, self._proof_name))
        self.countdown.follow(error, self._proof_name)

    def show_errors(self, message: str, errors: dict[str, str]) -> None:
        """Show each error under its field; show the others, or `message`, in the banner."""
        show_errors(self.fields, self.banner, message, errors)


class ForgottenLocalPassword(ForgottenPasswordDialog):
    """For the book on this computer: with its recovery code, or as the owner of its files."""

    def __init__(
        self, services: "Services", tasks: Tasks, parent: QWidget, book: "LocalBookFacts", remember: bool
    ) -> None:
        self.code = _line("forgotten_code")
        self.code.setPlaceholderText("XXXXX-XXXXX-XXXXX-XXXXX-XXXXX")
        field = Field("Recovery code", self.code).limit(LONGEST_LINK)
        super().__init__(services, tasks, parent, field, "recoveryCode")
        self._remember = remember
        self.no_code_button = button("I do not have the code", "forgotten_no_code", "link")
        self.no_code_button.clicked.connect(lambda: self._show_command(_LOST_CODE))
        self.command = _command_box(services.recovery.command(book.user_name))
        self.more.addWidget(self.no_code_button)
        self.more.addWidget(self.command)
        self.command.hide()
        self.what.setText(_WITH_CODE)
        self.code.setFocus()
        if not book.has_recovery_code:
            self._show_command(_NO_CODE)

    def call(self, proof: str, new: str) -> "BookSession":
        """Set the password with the recovery code."""
        return self.services.recovery.with_code(proof, new, self._remember)

    def _show_command(self, why: str) -> None:
        self.what.setText(why)
        for widget in (*self.fields.values(), self.banner, self.submit_button, self.no_code_button):
            widget.hide()
        self.command.show()
        self.cancel_button.setText("Close")
        self.cancel_button.setAccessibleName("Close")
        if self.isVisible():
            self.fit()


class ForgottenServerPassword(ForgottenPasswordDialog):
    """For a book on a server: says whom to ask, and takes the link."""

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        parent: QWidget,
        address: str,
        remember: bool,
        link: str = "",
    ) -> None:
        self.link = _line("forgotten_link")
        self.link.setPlaceholderText("bahi://reset…")
        self.link.setText(link)
        field = Field("Link for a new password", self.link).limit(LONGEST_LINK)
        super().__init__(services, tasks, parent, field, "resetCode")
        self._address, self._remember = address, remember
        self._target: ResetTarget | None = None
        self._agreed = ""
        self.host = label("", "muted", "forgotten_host", wrap=True)
        self.doubt = Banner("forgotten_doubt")
        self.agree = QCheckBox()
        self.agree.setObjectName("forgotten_agree")
        for widget in (self.host, self.doubt, self.agree):
            self.more.addWidget(widget)
        self._show_target(None)
        self.link.textChanged.connect(self._find_target)
        self.submit_button.setText("Set the password and sign in")
        self.submit_button.setAccessibleName("Set the password and sign in")
        self.what.setText(_HAS_LINK if link else _ASK)
        if address and not link:
            ask: Callable[[], str] = lambda: services.recovery.contact(address)  # noqa: E731 - for a thread
            tasks.run(ask, self._show_contact, lambda _error: None, owner=self)
        (self.new if link else self.link).setFocus()
        if link:
            self._find_target(link)

    def take_pasted(self, text: str, _editor: QLineEdit | None) -> bool:
        """Take the link out of a mail that was pasted into any of the fields."""
        try:
            facts = self.services.accounts.read_invite(text)
        except AppError:
            return False  # what was pasted stays in its field, and is told there
        if facts is None or not facts.sets_password:
            return False
        self.link.setText(facts.link)
        return True

    def _find_target(self, link: str) -> None:
        self._show_target(None)
        if not link:
            self._tasks.supersede(self, _TARGET)
            return
        recovery, address = self.services.recovery, self._address
        self._tasks.run(
            lambda: recovery.target(link, address),
            self._show_target,
            lambda _error: None,  # what is wrong is told when the form is submitted
            owner=self,
            topic=_TARGET,
        )

    def _show_target(self, target: "ResetTarget | None") -> None:
        """Say where the new password would be sent; if it is another server, the user must agree."""
        self._target = target
        doubt = target.doubt if target else ""
        self.agree.setChecked(False)
        self.agree.setVisible(bool(doubt))
        self.host.setVisible(target is not None and not doubt)
        self.doubt.setVisible(bool(doubt))
        if target is not None:
            self.host.setText(_SENT_TO.format(host=target.host))
            self.agree.setText(_AGREE.format(host=target.host))
        if doubt:
            self.doubt.say(doubt, "danger")

    def submit(self) -> None:
        """Set the password, if the user agrees to where it is sent."""
        self._agreed = self._target.address if self._target and self.agree.isChecked() else ""
        super().submit()

    def _mistakes(self) -> dict[str, str]:
        doubted = self._target is not None and self._target.doubt and not self._agreed
        return super()._mistakes() or ({self._proof_name: _NOT_AGREED} if doubted else {})

    def _show_contact(self, contact: str) -> None:
        if contact:
            self.what.setText(_ASK_NAMED.format(contact=isolated(contact)))

    def call(self, proof: str, new: str) -> "BookSession":
        """Set the password with the link."""
        return self.services.recovery.with_link(proof, self._address, new, self._remember, self._agreed)


def _line(name: str) -> QLineEdit:
    made = QLineEdit()
    made.setAcceptDrops(False)  # otherwise it would take the path of a dropped file as text
    made.setObjectName(name)
    return made


def _password_line(name: str) -> QLineEdit:
    made = _line(name)
    made.setEchoMode(QLineEdit.EchoMode.Password)
    return made


def _command_box(command: str) -> QFrame:
    line = _line("forgotten_command")
    line.setText(command)
    line.setReadOnly(True)
    line.setCursorPosition(0)
    line.setAccessibleName("The command")
    copy = button("Copy", "forgotten_copy")
    copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(command))
    row = QHBoxLayout()
    row.addWidget(line, 1)
    row.addWidget(copy)
    column = QVBoxLayout()
    column.setContentsMargins(0, 0, 0, 0)
    column.addWidget(label(_COMMAND, "muted", "forgotten_how", wrap=True))
    column.addLayout(row)
    return frame("clear", column, "forgotten_no_code_box")
