"""The three pages of the dialog that moves a book to a server: form, progress, result."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QLineEdit, QProgressBar, QWidget

from app.domain.bounds import MAX_PASSWORD, MAX_USER_NAME, prepare_password
from app.domain.hosts import host_of
from app.domain.money import group_digits
from app.domain.text import clean_text
from app.domain.wording import NO_INVITE
from app.ui.bounds import LONGEST_LINK, count_text, size_text
from app.ui.dialogs.export_pages import button_row, page_column
from app.ui.icons import put_icon
from app.ui.widgets.address_field import AddressField, ReadInvite
from app.ui.widgets.banner import Banner
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import clear_errors, empty_login_fields, length_errors, name_at, show_errors
from app.ui.widgets.pieces import button, label
from app.ui.widgets.scroll_room import DialogRoom
from app.ui.widgets.segment import Choice, Segment

if TYPE_CHECKING:
    from app.services.moving import MoveProgress, MoveResult
    from app.services.session_facts import InviteFacts

CREATE, SIGN_IN = "create", "sign_in"
KEPT: Final = "Nothing is lost. You can continue later."
_WHAT: Final = (
    "Your entries, their history and their bills are copied. The copy on this computer stays as it is."
)
_TITLE_AND_BUTTONS: Final = 92  # they stay in sight when the fields scroll
_STAGES: Final = {
    "connecting": "Connecting to the server",
    "copying": "Copying your book",
    "verifying": "Checking that everything arrived",
    "done": "Done",
}


class MoveFormPage(QWidget):
    """The server's address and the account. `submitted` is emitted by the button and by Enter."""

    submitted = Signal()

    def __init__(self, read_invite: ReadInvite, pending: str, pending_user: str) -> None:
        super().__init__()
        title = "Continue moving" if pending else "Move this book to a server"
        self.title = label(title, "title", "move_title")
        self.banner = Banner("move_banner")
        self._make_fields(read_invite)
        self.how = Segment(
            [
                Choice(CREATE, "Create an account", "move_create"),
                Choice(SIGN_IN, "I have an account", "move_sign_in"),
            ],
            "move_how",
            "The account on the server",
        )
        self.how.picked.connect(lambda _how: self._show_how())
        self.cancel_button = button("Cancel", "move_cancel")
        self.start_button = button("Continue" if pending else "Move", "move_start", "primary")
        self.start_button.setDefault(True)
        self.start_button.clicked.connect(self.submitted)
        self._lay_out()
        self._propose(pending, pending_user)

    def _make_fields(self, read_invite: ReadInvite) -> None:
        self.address = AddressField("move_address_field", read_invite)
        self.user_name = _line("move_user_field")
        self.password = _line("move_password_field")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.invite = _line("move_code_field")
        self.fields = {
            "address": Field("Server address or invite link", self.address).limit(LONGEST_LINK),
            "userName": Field("User name", self.user_name).limit(MAX_USER_NAME),
            "password": Field("Password", self.password).limit(MAX_PASSWORD, prepare_password),
            "inviteCode": Field("Invitation", self.invite).limit(LONGEST_LINK),
        }
        self.fields["inviteCode"].hint.setText("if the server asks for one")
        self.address.invited.connect(self._invited)
        self.address.damaged.connect(self._damaged)
        self.address.reset_given.connect(lambda _facts: self.show_errors("", {"address": NO_INVITE}))
        for line in (self.address, self.user_name, self.password, self.invite):
            line.returnPressed.connect(self.submitted)

    def _lay_out(self) -> None:
        inner = QWidget()
        column = page_column(inner, 12)
        column.addWidget(label(_WHAT, "muted", "move_what", wrap=True))
        column.addWidget(self.banner)
        column.addWidget(self.fields["address"])
        column.addWidget(self.how)
        for name in ("userName", "password", "inviteCode"):
            column.addWidget(self.fields[name])
        column.addStretch(1)
        around = page_column(self, 12)
        around.addWidget(self.title)
        around.addWidget(DialogRoom(inner, "move_room", rest=_TITLE_AND_BUTTONS), 1)
        around.addLayout(button_row(self.cancel_button, self.start_button))

    def _propose(self, pending: str, pending_user: str) -> None:
        self.address.setText(pending)
        self.address.take_link()
        self.user_name.setText(pending_user)
        self.how.set_value(SIGN_IN if pending else CREATE)
        if pending:
            self.banner.say("Part of your book is already there. Sign in to continue.", "good")
        self._show_how()

    def _show_how(self) -> None:
        self.fields["inviteCode"].setVisible(self.creating)
        self.fields["password"].hint.setText("at least 8 characters" if self.creating else "")

    def _damaged(self, sentence: str, editor: QLineEdit) -> None:
        self.clear_errors()
        self.show_errors("", {name_at(self.fields, editor) or "address": sentence})

    def _invited(self, facts: "InviteFacts") -> None:
        self.clear_errors()
        if facts.code:
            self.how.set_value(CREATE)
            self.invite.setText(facts.code)
            self.banner.say(f"Invitation for {host_of(facts.address)} read. Create your account.", "good")
        self._show_how()
        self.user_name.setFocus()

    @property
    def creating(self) -> bool:
        """Return whether to create an account."""
        return self.how.value() == CREATE

    def missing(self) -> dict[str, str]:
        """Return a sentence for each field that is empty or has a text that is too long, by its name."""
        name = clean_text(self.user_name.text())
        empty = empty_login_fields(self.address.value(), name, self.password.text())
        return empty | length_errors(self.fields)

    def clear_errors(self) -> None:
        """Remove the errors of all fields, and hide the banner."""
        clear_errors(self.fields, self.banner)

    def show_errors(self, message: str, errors: dict[str, str]) -> None:
        """Show each error under its field; show the others, or `message`, in the banner."""
        show_errors(self.fields, self.banner, message, errors)

    def offer_to_continue(self) -> None:
        """Offer to continue an unfinished move. Its account exists already, so the choice is to sign in."""
        self.how.set_value(SIGN_IN)
        self._show_how()
        self.title.setText("Continue moving")
        self.start_button.setText("Continue")
        self.start_button.setAccessibleName("Continue")


class MoveWorkPage(QWidget):
    """The progress, and Stop."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = label("", "title", "move_stage")
        self.text = label("", "muted", "move_progress_text", wrap=True)
        self.bar = QProgressBar()
        self.bar.setObjectName("move_progress")
        self.bar.setAccessibleName("Progress")
        self.bar.setTextVisible(False)
        self.stop_button = button("Stop", "move_stop")
        column = page_column(self, 12)
        column.addWidget(self.stage)
        column.addWidget(self.text)
        column.addWidget(self.bar)
        column.addWidget(label(f"You can stop at any time. {KEPT}", "small", "move_kept", wrap=True))
        column.addStretch(1)
        column.addLayout(button_row(self.stop_button))

    def begin(self, address: str) -> None:
        """Show the start of a move."""
        self.stop_button.setEnabled(True)
        self.stage.setText(f"{_STAGES['connecting']}…")
        self.text.setText("Looking for the server…")
        self.text.setToolTip(address)
        self.bar.setRange(0, 0)

    def show_progress(self, progress: "MoveProgress") -> None:
        """Show the stage and the progress of the move."""
        self.stage.setText(f"{_STAGES[progress.stage]}…")
        if words := progress_words(progress):
            self.text.setText(words)
        counted = progress.stage == "copying" and progress.entries_total > 0
        self.bar.setRange(0, progress.entries_total if counted else 0)
        self.bar.setValue(progress.entries_done if counted else 0)

    def show_stopping(self) -> None:
        """Show that the move is being stopped."""
        self.stop_button.setEnabled(False)
        self.stage.setText("Stopping…")


def progress_words(progress: "MoveProgress") -> str:
    """Return `87 of 124 entries · 12.4 MB of bills`; "" while the number of entries is not known."""
    if not progress.entries_total:
        return ""
    done = group_digits(str(progress.entries_done))
    words = f"{done} of {count_text(progress.entries_total, 'entry', 'entries')}"
    return f"{words} · {size_text(progress.bytes_sent)} of bills" if progress.bytes_sent else words


class MoveResultPage(QWidget):
    """What was moved to the server."""

    def __init__(self) -> None:
        super().__init__()
        icon = QLabel()
        put_icon(icon, "check-double", "credit", size=32)
        self.text = label("", "", "move_done_text", wrap=True)
        self.text.setAlignment(Qt.AlignmentFlag.AlignLeft)
        self.close_button = button("Done", "move_done", "primary")
        column = page_column(self, 12)
        column.addWidget(icon)
        column.addWidget(label("Your book is on the server", "title"))
        column.addWidget(self.text)
        column.addStretch(1)
        column.addLayout(button_row(self.close_button))

    def show_result(self, result: "MoveResult") -> None:
        """Show what was moved."""
        self.text.setText(result_words(result))
        self.text.setToolTip(result.session.server_label)


def result_words(result: "MoveResult") -> str:
    """Return `124 entries and 31 bills are on the server, verified. The copy …`."""
    entries = count_text(result.entries, "entry", "entries")
    bills = f" and {count_text(result.documents, 'bill', 'bills')}" if result.documents else ""
    are = "is" if result.entries == 1 and not result.documents else "are"
    where = f"{entries}{bills} {are} on the server, verified."
    return f"{where} The copy on this computer stays as it is."


def _line(name: str) -> QLineEdit:
    made = QLineEdit()
    made.setAcceptDrops(False)  # otherwise it would take the path of a dropped file as text
    made.setObjectName(name)
    return made
