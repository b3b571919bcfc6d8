"""The log-in view: opens the book on this computer, or logs in to a server."""

import getpass
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QResizeEvent
from PySide6.QtWidgets import QGraphicsDropShadowEffect, QLineEdit, QScrollArea, QVBoxLayout, QWidget

from app.domain.book_location import LOCAL, LOCATION_KEY, SERVER
from app.domain.hosts import host_of
from app.domain.text import clean_text, isolated
from app.errors import NEWER_BOOK, AppError
from app.ui.controllers.text_pasting import TextPasting
from app.ui.tasks import Tasks
from app.ui.views.login_card import MARGIN, LoginCard
from app.ui.widgets.form_errors import empty_login_fields, length_errors, name_at
from app.ui.widgets.wait_countdown import WaitCountdown, errors_at

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import BookSession, LocalBookFacts
    from app.services.session_facts import InviteFacts
    from app.ui.dialogs.forgotten_password import ForgottenPasswordDialog

ADDRESS_KEY, USER_KEY, REMEMBER_KEY = "login.address", "login.user", "login.remember"
_TOPIC = "login"
_MOST_SHOWN = 80  # characters of a text that is no address
_OFFER_AFTER_MS = 15_000
"""After this time, a book that is not open yet is no longer waited for without a way to another one."""
_CODE_NOTE = "If you forget it, a recovery code lets you choose a new one. You see it once, after you start."
_SERVER_NOTE = "If you forget it, the person who runs the server can send you a link that sets a new one."


def os_user_name() -> str:
    """Return the user's name in the operating system; "" if it is not known."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def invited_words(facts: "InviteFacts", replaced: str) -> str:
    """Return what was read from an invite link. `replaced` is the address that was there before."""
    host, before = host_of(facts.address), host_of(clean_text(replaced))
    begun = f"Invitation for {host} read." if facts.code else f"Server {host} found in the link."
    if before and before != host:
        begun += f" It replaces {isolated(before[:_MOST_SHOWN])}, which was here before."
    return f"{begun} {'Create your account.' if facts.code else 'Now sign in.'}"


class LoginView(QScrollArea):
    """Logs in. `signed_in` carries the BookSession. The last input is stored in the settings named above."""

    signed_in = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks, proposed_name: str | None = None) -> None:
        super().__init__()
        self.setObjectName("login_view")
        self.setWidgetResizable(True)
        self._services = services
        self._tasks = tasks
        self._proposed_name = os_user_name() if proposed_name is None else proposed_name
        self._book: LocalBookFacts | None = None
        self._too_old = False  # this program, for the book on this computer
        self._creating = False
        self.card = LoginCard(services.accounts.read_invite)
        self._lay_out()
        self.card.location_picked.connect(self._location_picked)
        self.card.submitted.connect(self.submit)
        self.card.create_button.clicked.connect(self._toggle_create)
        self.card.forgot_button.clicked.connect(lambda: self._open_forgotten())
        self.offer_after_ms = _OFFER_AFTER_MS
        self._offer_timer = QTimer(self, singleShot=True)
        self._offer_timer.timeout.connect(self.card.location.show)
        self.card.password.textChanged.connect(self._note_password)
        self._countdown = WaitCountdown(
            self.card.submit_button, self.card.fields["password"].set_error, self.submit, self.card.editors
        )
        self.card.address.invited.connect(self._invited)
        self.card.address.damaged.connect(self._damaged)
        self.card.address.reset_given.connect(self._reset_given)
        TextPasting(self.card, services, self._take_pasted)
        self.card.show_busy("")
        self._show_waiting("Starting…")

    def _lay_out(self) -> None:
        inner = QWidget()
        inner.setProperty("role", "canvas")
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, MARGIN, 24, MARGIN)
        column.addWidget(self.card, 0, Qt.AlignmentFlag.AlignCenter)
        shadow = QGraphicsDropShadowEffect(self.card)
        shadow.setBlurRadius(36)
        shadow.setOffset(0, 8)
        shadow.setColor(QColor(15, 20, 35, 38))
        self.card.setGraphicsEffect(shadow)
        self.setWidget(inner)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Let the card use less room in a low window."""
        self.card.fit_height(event.size().height())
        super().resizeEvent(event)

    @property
    def location(self) -> str:
        """Return LOCAL or SERVER."""
        return self.card.location.value()

    def start(self, *, straight_in: bool = True) -> None:
        """Open the book as soon as possible: resume a remembered session, also offline, or open a local book
        that has no password. Without `straight_in`, show the form instead."""
        self._straight_in = straight_in
        self._show_settings()
        if not straight_in:
            self._show_location()
            return
        self._show_waiting("Opening your book…")
        if self._services.settings.get(LOCATION_KEY, ""):  # not the first start: there is nothing to choose
            self.card.location.hide()
            self._offer_timer.start(self.offer_after_ms)
        accounts = self._services.accounts
        self._tasks.run(
            accounts.resume, self._resumed, lambda _error: self._show_location(), owner=self, topic=_TOPIC
        )

    def _resumed(self, session: "BookSession | None") -> None:
        if session is not None:
            self._signed_in(session)
        else:
            self._show_location()

    def _show_settings(self) -> None:
        self.card.forget_passwords()
        settings = self._services.settings
        self.card.location.set_value(SERVER if settings.get(LOCATION_KEY, LOCAL) == SERVER else LOCAL)
        self.card.address.setText(settings.get(ADDRESS_KEY, ""))
        self.card.remember.setChecked(settings.get(REMEMBER_KEY, "") == "yes")
        accounts = self._services.accounts  # in a task, because the key store may be slow
        self._tasks.run(accounts.remembers, self._show_store, owner=self, topic="store")

    def _show_store(self, kind: str) -> None:
        self.card.set_key_store(kind == "keyring")

    def _location_picked(self, _location: str) -> None:
        self._straight_in = False
        self._creating = False
        self._tasks.supersede(self, _TOPIC)
        self._show_location()

    def _show_location(self) -> None:
        self._countdown.stop()
        self.card.turn_to(self.location)
        self.card.clear_errors()
        if self.location == LOCAL:
            self._open_local()
        else:
            self._show_server()

    def _show_waiting(self, text: str) -> None:
        self.card.show_words("Bahi", "", "Sign in")
        self.card.show_fields()
        self.card.create_button.hide()
        self.card.show_busy(text)

    def _open_local(self) -> None:
        self._show_waiting("Opening your book…")
        accounts = self._services.accounts
        self._tasks.run(accounts.local_book, self._book_found, self._local_failed, owner=self, topic=_TOPIC)

    def _offer_locations(self) -> None:
        self._offer_timer.stop()
        self.card.location.show()

    def _local_failed(self, error: AppError) -> None:
        self._book, self._too_old = None, error.code == NEWER_BOOK
        self._offer_locations()
        self.card.show_busy("")
        again = "Close Bahi" if self._too_old else "Try again"
        self.card.show_words("Bahi", "Your book could not be opened.", again)
        self.card.submit_button.show()
        self.card.banner.say(error.message, "danger")

    def _book_found(self, book: "LocalBookFacts") -> None:
        self._book = book
        self.card.show_busy("")
        if book.exists and not book.has_password and self._straight_in:
            self._sign_in_local(book.user_name, "", "Opening your book…")
            return
        self._offer_locations()
        if not book.exists:
            self._show_first_run()
        elif book.has_password:
            self._show_local_password(book.user_name)
        else:
            self._welcome(book.user_name, "Your book is on this computer.")
            self.card.submit_button.show()
            self.card.submit_button.setFocus()

    def _show_first_run(self) -> None:
        self.card.show_words(
            "Start your book", "It is kept on this computer. Nothing to install, nothing to set up.", "Start"
        )
        self.card.show_fields("userName", "password")
        self.card.show_remember(False)
        self.card.fields["userName"].label.setText("Your name")
        self.card.fields["password"].hint.setText("optional")
        self.card.password.setPlaceholderText("Leave empty for no password")
        self._note_password(self.card.password.text())
        if not self.card.user_name.text():
            self.card.user_name.setText(self._proposed_name)
        self.card.user_name.setFocus()
        self.card.user_name.selectAll()

    def _note_password(self, typed: str) -> None:
        """At the first start, tell of the recovery code those who choose a password, and nobody else."""
        if self.location == LOCAL and self._book is not None and not self._book.exists:
            self.card.show_way_back(_CODE_NOTE if typed else "", offered=False)

    def _show_local_password(self, user_name: str) -> None:
        self._welcome(user_name, "Enter the password of your book.")
        self.card.show_fields("password")
        self.card.show_way_back("", offered=True)
        self._plain_fields()
        self.card.password.setFocus()

    def _welcome(self, user_name: str, subtitle: str) -> None:
        self.card.show_words(f"Welcome back, {isolated(user_name)}", subtitle, "Open")

    def _plain_fields(self) -> None:
        self.card.fields["userName"].label.setText("User name")
        self.card.fields["password"].hint.setText("at least 8 characters" if self._creating else "")
        self.card.password.setPlaceholderText("")

    def _show_server(self) -> None:
        self._offer_locations()
        self.card.show_busy("")
        self.card.show_fields("address", "userName", "password", *(["inviteCode"] if self._creating else []))
        self.card.show_way_back(_SERVER_NOTE if self._creating else "", offered=not self._creating)
        self._plain_fields()
        title = "Create an account" if self._creating else "Sign in"
        subtitle = (
            "Your book will be kept on this server." if self._creating else "Open your book on a server."
        )
        self.card.show_words(title, subtitle, "Create account" if self._creating else "Sign in")
        self.card.create_button.setText(
            "I have an account: sign in" if self._creating else "Create an account"
        )
        self.card.create_button.setAccessibleName(self.card.create_button.text())
        self.card.create_button.show()
        if not self.card.user_name.text():
            self.card.user_name.setText(self._services.settings.get(USER_KEY, ""))
        self.card.focus_first()

    def _toggle_create(self) -> None:
        self._creating = not self._creating
        self.card.clear_errors()
        self._show_server()

    def _take_pasted(self, text: str, editor: QLineEdit | None) -> bool:
        """Read a link that was pasted into any of the fields. Return whether there was one."""
        return self.card.address.take_text(text, editor)

    def _invited(self, facts: "InviteFacts") -> None:
        self._go_to_server(creating=bool(facts.code))
        self.card.invite.setText(facts.code)
        if facts.code and not self.card.user_name.text():
            self.card.user_name.setText(self._proposed_name)
        self.card.banner.say(invited_words(facts, self.card.address.replaced), "good")

    def _damaged(self, sentence: str, editor: QLineEdit) -> None:
        """Show the sentence where the link was pasted. The form stays if it has that field."""
        name = name_at(self.card.fields, editor)
        if not name and self.location != SERVER:
            self._go_to_server(creating=False)
        self.card.clear_errors()
        self.card.show_errors("", {name or "address": sentence})

    def _reset_given(self, facts: "InviteFacts") -> None:
        self._go_to_server(creating=False)
        self._open_forgotten(facts.link)

    def _go_to_server(self, *, creating: bool) -> None:
        """Show the form of a server, because a link was pasted, perhaps into the other form."""
        self._straight_in = False
        self._countdown.stop()
        self._tasks.supersede(self, _TOPIC)
        self.card.location.set_value(SERVER)
        self.card.turn_to(SERVER)
        self._creating = creating
        self.card.clear_errors()
        self._show_server()

    def submit(self) -> None:
        """Handle the button: log in, create an account, or try again."""
        if not self.card.submit_button.isEnabled():
            return
        self.card.clear_errors()
        if self.location == SERVER and self._take_typed_link():
            return
        if too_long := length_errors(self.card.fields):
            self.card.show_errors("", too_long)
        elif self.location == SERVER:
            self._submit_server()
        elif self._book is None and self._too_old:
            self.window().close()
        elif self._book is None:
            self._open_local()
        else:
            self._submit_local(self._book)

    def _take_typed_link(self) -> bool:
        """Read a link that was typed as the address or as the invitation."""
        typed = self.card.invite.text() if self._creating else ""
        return self.card.address.take_link() or self.card.address.take_text(typed, self.card.invite)

    def _submit_local(self, book: "LocalBookFacts") -> None:
        name = book.user_name if book.exists else clean_text(self.card.user_name.text())
        if not name:
            self.card.show_errors("", {"userName": "Enter your name."})
            return
        if book.has_password and not self.card.password.text():
            self.card.show_errors("", {"password": "Enter the password of your book."})
            return
        self._sign_in_local(name, self.card.password.text(), "Opening your book…")

    def _sign_in_local(self, name: str, password: str, text: str) -> None:
        self._remember_choice()
        self.card.show_busy(text)
        remember = bool(password) and self.card.remember.isChecked()
        self._tasks.run(
            lambda: self._services.accounts.sign_in_local(name, password, remember=remember),
            self._signed_in,
            self._refused,
            owner=self,
            topic=_TOPIC,
        )

    def _submit_server(self) -> None:
        address, name = self.card.address.value(), self.card.user_name.text()
        password, creating = self.card.password.text(), self._creating
        if missing := empty_login_fields(address, clean_text(name), password):
            self.card.show_errors("", missing)
            return
        self._remember_choice()
        self.card.show_busy("Creating your account…" if creating else "Signing in…")
        remember, invite = self.card.remember.isChecked(), self.card.invite.text() if creating else ""
        accounts = self._services.accounts
        self._tasks.run(
            lambda: accounts.sign_in_remote(
                address, name, password, create=creating, remember=remember, invite_code=invite
            ),
            self._signed_in,
            self._refused,
            owner=self,
            topic=_TOPIC,
        )

    def _remember_choice(self) -> None:
        settings = self._services.settings
        settings.set(REMEMBER_KEY, "yes" if self.card.remember.isChecked() else "no")
        settings.set(LOCATION_KEY, self.location)
        if self.location == SERVER:
            settings.set(ADDRESS_KEY, clean_text(self.card.address.text()))
            name = self.card.user_name.text().strip()  # an old account may have invisible characters in it
            settings.set(USER_KEY, name)

    def note_server(self, address: str, user_name: str) -> None:
        """Store that the book is on a server now, so that the next log-in proposes it."""
        for key, value in ((LOCATION_KEY, SERVER), (ADDRESS_KEY, address), (USER_KEY, user_name)):
            self._services.settings.set(key, value)

    def _signed_in(self, session: "BookSession") -> None:
        self._offer_locations()
        self.card.show_busy("")
        self._countdown.stop()
        self.card.forget_passwords()
        self.card.invite.clear()
        self._creating = False
        self.signed_in.emit(session)

    def _refused(self, error: AppError) -> None:
        self._offer_locations()
        self.card.show_busy("")
        if (
            self.location == LOCAL
            and self._book is not None
            and self._book.exists
            and not self._book.has_password
        ):
            self.card.submit_button.show()
        self.card.show_errors(error.message, errors_at(error, "password"))
        self._countdown.follow(error, "password")

    def _open_forgotten(self, link: str = "") -> None:
        """Open the dialog that sets a new password without the old one, for a server with `link` if any."""
        from app.ui.dialogs.forgotten_password import ForgottenLocalPassword, ForgottenServerPassword

        remember = self.card.remember.isChecked()
        dialog: ForgottenPasswordDialog | None = None
        if self.location == SERVER:
            shown = self.card.address.replaced if link else self.card.address.value()
            address = shown or self._services.settings.get(ADDRESS_KEY, "")
            dialog = ForgottenServerPassword(self._services, self._tasks, self, address, remember, link)
        elif self._book is not None:
            dialog = ForgottenLocalPassword(self._services, self._tasks, self, self._book, remember)
        if dialog is not None:
            dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
            dialog.signed_in.connect(self._recovered)
            dialog.open()

    def _recovered(self, session: "BookSession") -> None:
        self._services.settings.set(LOCATION_KEY, self.location)
        if self.location == SERVER:  # the address may be that of the link
            self.note_server(self._services.settings.get("address", ""), session.user_name)
        self._signed_in(session)
