"""The account dialog: the user's sessions, change of password, and sign out."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.errors import AppError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.dialogs.new_code_dialog import NewCodeDialog
from app.ui.dialogs.password_form import PasswordForm
from app.ui.dialogs.session_list import SessionList
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.growing_dialog import GrowingDialog
from app.ui.widgets.pieces import ElidedLabel, button, label
from app.ui.widgets.scroll_room import DialogRoom
from app.ui.widgets.typed_loss import TypedLoss

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import BookSession, LocalBookFacts

_MOST: Final = 100
"""The share of the sessions in the height that is free."""
_LIST_HEIGHT: Final = 600
"""Of the dialog, with a list of sessions."""
_BY_CODE: Final = "If you forget your password, your recovery code lets you choose a new one."
_BY_SERVER: Final = (
    "If you forget your password, the person who runs the server can send you a link that sets a new one."
)


class AccountDialog(GrowingDialog):
    """Shows the account of the open book.

    `sign_out_wanted` is emitted when Sign out was pressed, and `move_wanted` when the user wants to move the
    book to a server; it carries the address of an unfinished move, or "". The dialog has closed by then.
    """

    sign_out_wanted = Signal()
    move_wanted = Signal(str)
    code_made = Signal()
    """There is a new recovery code to be shown."""

    def __init__(
        self, services: "Services", tasks: Tasks, session: "BookSession", desktop: Desktop, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("account_dialog")
        self.setWindowTitle("Account")
        self.resize(620, _LIST_HEIGHT if services.accounts.is_remote else 0)  # here, hardly ever with a list
        self._services = services
        self._tasks = tasks
        self._session = session
        self._pending = ""
        self.sessions = SessionList(services, tasks, desktop)
        self._make()
        self._lay_out()
        self.close_button.setFocus()  # Enter on the first button would sign out
        self.load()
        if not services.accounts.is_remote:
            tasks.run(services.moving.pending, self._offer_move, owner=self, local=True)
            self._look_at_book()

    def _make(self) -> None:
        self.banner = Banner("account_banner")
        self.banner.pressed.connect(self.load)
        self.list = self.sessions.list
        self.sessions.load_began.connect(self.banner.hide)
        self.sessions.failed.connect(self._failed)
        self.sessions.everywhere_wanted.connect(self._sign_out)
        self.password = PasswordForm(self._services.accounts.change_password, self._tasks)
        self.password.changed.connect(self._password_changed)
        self._loss = TypedLoss(self.banner, self.password.lines)
        self.password.note.setText(_BY_SERVER if self._services.accounts.is_remote else _BY_CODE)
        self.code_button = button("New recovery code…", "account_new_code", "link")
        self.code_button.clicked.connect(self._new_code)
        self.code_button.hide()
        self.move_button = button("", "account_move", icon="upload")
        self.move_button.clicked.connect(self._move)
        self.move_button.hide()
        self.sign_out_button = button("Sign out", "account_sign_out", icon="log-out")
        self.sign_out_button.clicked.connect(self._sign_out)
        self.close_button = button("Close", "account_close")
        self.close_button.clicked.connect(self.accept)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.addWidget(self.sign_out_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        inner = QWidget()
        around = QVBoxLayout(self)
        around.setContentsMargins(24, 22, 24, 20)
        around.setSpacing(16)
        around.addWidget(DialogRoom(inner, "account_room"), 1)
        around.addLayout(foot)
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(self._head())
        column.addWidget(self.banner)
        column.addSpacing(4)
        column.addWidget(self.sessions, _MOST)
        column.addSpacing(4)
        column.addWidget(label("Password", "heading"))
        column.addWidget(self.password)
        column.addWidget(self.code_button, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch(1)  # for when the sessions are hidden

    def _head(self) -> QHBoxLayout:
        names = QVBoxLayout()
        names.setSpacing(10)
        names.addWidget(ElidedLabel(self._session.user_name, "title"))
        names.addWidget(label(self._services.accounts.words.location, "muted", "account_where"))
        row = QHBoxLayout()
        row.addLayout(names, 1)
        row.addWidget(self.move_button, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def reject(self) -> None:
        """Close the dialog; if a password is typed in it, say first that it would be lost."""
        if self._loss.may_close():
            super().reject()

    def needed_height(self) -> int:
        """Return the height at which nothing scrolls; with a list of sessions, there is room for some."""
        hint = self.sizeHint().height()
        return hint if self.sessions.isHidden() else max(hint, _LIST_HEIGHT)

    def load(self) -> None:
        """Load the user's sessions from the server."""
        self.sessions.load()

    def _failed(self, error: AppError) -> None:
        self.banner.say(error.message, "warn", "Try again")

    def _password_changed(self, ended: int) -> None:
        told = ended and not self.sessions.isHidden()  # no earlier starts of this computer
        others = f" {count_text(ended, 'other session', 'other sessions')} ended." if told else ""
        self.load()
        self.banner.say(f"Your password was changed.{others}", "good")
        if not self._services.accounts.is_remote:
            self._look_at_book()
        self.code_made.emit()

    def _look_at_book(self) -> None:
        """Offer a new recovery code if the book has a password."""
        accounts = self._services.accounts
        self._tasks.run(accounts.local_book, self._show_code_button, lambda _error: None, owner=self)

    def _show_code_button(self, book: "LocalBookFacts") -> None:
        self.code_button.setVisible(book.has_password)

    def _new_code(self) -> None:
        dialog = NewCodeDialog(self._services, self._tasks, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.made.connect(self.code_made)
        dialog.open()

    def _offer_move(self, pending: str) -> None:
        self._pending = pending
        words = "Continue moving…" if pending else "Move this book to a server…"
        self.move_button.setText(words)
        self.move_button.setAccessibleName(words)
        self.move_button.show()

    def _move(self) -> None:
        self.accept()
        self.move_wanted.emit(self._pending)

    def _sign_out(self) -> None:
        self.accept()
        self.sign_out_wanted.emit()
