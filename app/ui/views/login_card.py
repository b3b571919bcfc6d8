"""The card of the log-in view: its fields and buttons, without any logic."""

from typing import Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QCheckBox, QFrame, QLabel, QLineEdit, QProgressBar, QVBoxLayout

from app.domain.book_location import LOCAL, SERVER
from app.domain.bounds import MAX_PASSWORD, MAX_USER_NAME, prepare_password
from app.ui.bounds import LONGEST_LINK
from app.ui.icons import put_icon
from app.ui.widgets.address_field import AddressField, ReadInvite
from app.ui.widgets.banner import Banner
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import clear_errors, show_errors
from app.ui.widgets.pieces import button, label
from app.ui.widgets.segment import Choice, Segment

_WIDTH: Final = 400
MARGIN: Final = 8
"""The least room above and below the card."""
_AROUND: Final = 2 * MARGIN
_UNKNOWN: Final = 1 << 16
_FORMS: Final = ((True, 32, 28, 14), (False, 20, 14, 9), (False, 10, 7, 4))
"""From roomy to tight: whether the icon is shown, the margins above and below, and the spacing."""
NO_KEY_STORE = "You will have to sign in again next time, because this computer has no key store."


class LoginCard(QFrame):
    """The log-in form.

    `location_picked` carries LOCAL or SERVER. `submitted` is emitted by the button and by Enter.
    `read_invite` parses the address if it is an invite link.
    """

    location_picked = Signal(str)
    submitted = Signal()

    def __init__(self, read_invite: ReadInvite) -> None:
        super().__init__()
        self.setObjectName("login_card")
        self.setProperty("role", "card")
        self.setFixedWidth(_WIDTH)
        self._key_store = True
        self._typed_for = LOCAL
        self._kept: dict[str, tuple[str, str]] = {}  # the user name and the password of the other location
        self._make_head()
        self._make_fields(read_invite)
        self._make_foot()
        self._column = QVBoxLayout(self)
        for widget in self._parts():
            self._column.addWidget(widget)
        self.fit_height(_UNKNOWN)

    def _parts(self) -> list[QLabel | Segment | Field | Banner | QCheckBox | QProgressBar | QFrame]:
        parts = [self.icon, self.title, self.subtitle, self.location, self.banner, *self.fields.values()]
        parts += [
            self.password_note,
            self.forgot_button,
            self.remember,
            self.no_store,
            self.submit_button,
            self.create_button,
            self.progress,
            self.progress_label,
        ]
        return parts  # type: ignore[return-value]

    def fit_height(self, height: int) -> None:
        """Use less room if the card would be higher than the view, which is `height` logical pixels high."""
        self._room = height
        for has_icon, above, below, spacing in _FORMS:
            self.icon.setVisible(has_icon)
            self._column.setContentsMargins(36, above, 36, below)
            self._column.setSpacing(spacing)
            if self.sizeHint().height() + _AROUND <= height:
                break

    def sizeHint(self) -> QSize:
        """Return a size that shows all wrapped labels completely."""
        height = self.heightForWidth(_WIDTH)  # -1 while no wrapped label is shown
        return QSize(_WIDTH, height if height > 0 else super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Return the same size: in a smaller window, the view scrolls."""
        return self.sizeHint()

    def _make_head(self) -> None:
        self.icon = QLabel()
        put_icon(self.icon, "wallet", "accent", size=36)
        self.title = label("Bahi", "title", "login_title")
        self.subtitle = label("", "muted", "login_subtitle", wrap=True)
        self.location = Segment(
            [
                Choice(LOCAL, "On this computer", "place_local"),
                Choice(SERVER, "On a server", "place_server"),
            ],
            "place_segment",
            "Where the book is",
        )
        self.location.picked.connect(self.location_picked)
        self.banner = Banner("login_banner")

    def _make_fields(self, read_invite: ReadInvite) -> None:
        self.address = AddressField("address_field", read_invite)
        self.address.returnPressed.connect(self.submitted)
        self.user_name = self._line("user_name_field")
        self.password = self._line("password_field")
        self.invite = self._line("invite_field")
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self._add_eye()
        self.fields = {
            "address": Field("Server address or invite link", self.address).limit(LONGEST_LINK),
            "userName": Field("User name", self.user_name).limit(MAX_USER_NAME),
            "password": Field("Password", self.password).limit(MAX_PASSWORD, prepare_password),
            "inviteCode": Field("Invitation", self.invite).limit(LONGEST_LINK),
        }
        self.editors = (self.address, self.user_name, self.password, self.invite)
        self.fields["inviteCode"].hint.setText("if the server asks for one")
        self.password_note = label("", "small", "password_note", wrap=True)
        self.forgot_button = button("Forgot your password?", "forgot_button", "link")

    def turn_to(self, location: str) -> None:
        """Show the user name and the password that were typed for `location`, and keep those of the other."""
        if location == self._typed_for:
            return
        self._kept[self._typed_for] = (self.user_name.text(), self.password.text())
        self._typed_for = location
        name, password = self._kept.pop(location, ("", ""))
        self.user_name.setText(name)
        self.password.setText(password)
        self._eye.setChecked(False)

    def forget_passwords(self) -> None:
        """Clear the password, also that of the other location."""
        self.password.clear()
        self._kept.clear()

    def _line(self, name: str) -> QLineEdit:
        made = QLineEdit()
        made.setObjectName(name)
        made.setAcceptDrops(False)
        made.returnPressed.connect(self.submitted)
        return made

    def _add_eye(self) -> None:
        self._eye = QAction("Show the password", self.password)
        self._eye.setObjectName("show_password")
        self._eye.setCheckable(True)
        put_icon(self._eye, "eye")
        self._eye.toggled.connect(self._show_password)
        self.password.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)

    def _show_password(self, shown: bool) -> None:
        mode = QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password
        self.password.setEchoMode(mode)
        self._eye.setText("Hide the password" if shown else "Show the password")
        put_icon(self._eye, "eye-off" if shown else "eye")

    def _make_foot(self) -> None:
        self.remember = QCheckBox("Keep me signed in on this computer")
        self.remember.setObjectName("remember_check")
        self.no_store = label(NO_KEY_STORE, "small", "no_key_store", wrap=True)
        self.no_store.hide()
        self.remember.toggled.connect(lambda _checked: self._show_store())
        self.submit_button = button("Sign in", "submit_button", "primary")
        self.submit_button.clicked.connect(self.submitted)
        self.create_button = button("", "create_button", "link")
        self.progress = QProgressBar()
        self.progress.setObjectName("login_progress")
        self.progress.setRange(0, 0)
        self.progress.setTextVisible(False)
        self.progress_label = label("", "muted", "login_progress_label")
        self.progress_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)

    def show_words(self, title: str, subtitle: str, submit: str) -> None:
        """Set the title, the sentence below it, and the text of the button."""
        self.title.setText(title)
        self.subtitle.setText(subtitle)
        self.subtitle.setVisible(bool(subtitle))
        self.submit_button.setText(submit)
        self.submit_button.setAccessibleName(submit)

    def show_fields(self, *names: str) -> None:
        """Show only the fields `names`; without names, hide the button too."""
        for name, field in self.fields.items():
            field.setVisible(name in names)
        self.submit_button.setVisible(bool(names))
        self.show_remember("password" in names)
        self.show_way_back("", offered=False)

    def show_way_back(self, note: str, *, offered: bool) -> None:
        """Show `note` about a password that is forgotten ("" for none), and whether to offer a way back."""
        self.password_note.setText(note)
        self.password_note.setVisible(bool(note))
        self.forgot_button.setVisible(offered)
        self.fit_height(self._room)

    def show_remember(self, shown: bool) -> None:
        """Show or hide the checkbox to stay signed in, and its hint."""
        self.remember.setVisible(shown)
        self._show_store()

    def set_key_store(self, here: bool) -> None:
        """Set whether this computer has a key store that can keep a session."""
        self._key_store = here
        self._show_store()

    def _show_store(self) -> None:
        wanted = self.remember.isChecked() and not self.remember.isHidden()
        self.no_store.setVisible(wanted and not self._key_store)

    def show_busy(self, text: str) -> None:
        """Show what is being done, and disable the form; "" ends it."""
        self.progress.setVisible(bool(text))
        self.progress_label.setText(text)
        self.progress_label.setVisible(bool(text))
        for widget in (
            *self.fields.values(),
            self.forgot_button,
            self.submit_button,
            self.create_button,
            self.remember,
        ):
            widget.setEnabled(not text)

    def clear_errors(self) -> None:
        """Remove the errors of all fields, and hide the banner."""
        clear_errors(self.fields, self.banner)

    def show_errors(self, message: str, errors: dict[str, str]) -> None:
        """Show each error under its field; show the others, or `message`, in the banner."""
        show_errors(self.fields, self.banner, message, errors)

    def focus_first(self) -> None:
        """Set the focus to the first visible field that is empty, or to the last visible one."""
        names = ("address", "userName", "password")
        shown = [self.fields[name].focus_target for name in names if not self.fields[name].isHidden()]
        for editor in shown:
            if isinstance(editor, QLineEdit) and not editor.text():
                editor.setFocus()
                return
        if shown:
            shown[-1].setFocus()
