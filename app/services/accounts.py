"""Log-in on this computer or at a server, and the open session."""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, Literal

from app.domain.session import Machine
from app.domain.stream import Stream
from app.domain.sync_events import SessionChange
from app.domain.text import clean_text
from app.domain.wording import Words, words_of
from app.errors import NEWER_BOOK, AppError, InputError, OfflineError, SignInError, StoreError
from app.remote.endpoint import Endpoint
from app.remote.translate import bounded_name
from app.services.login import (
    LoginRequest,
    Remote,
    device_of,
    first_accepted_again,
    log_in,
    log_in_again,
    missing,
    read_invite,
    refuse_typed,
)
from app.services.pending_session import PendingSession
from app.services.session_facts import (
    BookFacts,
    BookSession,
    InviteFacts,
    LocalBookFacts,
    OpenSession,
    decode_facts,
    encode_facts,
    facts_of,
)
from app.services.session_feed import SessionFeed
from app.store.outbox import Outbox
from app.store.settings import Settings
from app.store.vault import Vault
from server.contract import limits
from server.contract.errors import ErrorCode
from server.contract.passwords import check_typed_password, password_forms, prepare_password
from server.contract.shapes import Credentials, LocalSignIn, PasswordChange, SignedIn

__all__ = ["Accounts", "BookSession", "LocalBookFacts", "OpenSession", "PendingSession", "Remote"]

_FACTS: Final = "session"
_WRONG_PASSWORD: Final = "Wrong password."  # noqa: S105 - a sentence
_RESUME_SECONDS: Final = 12.0
_OTHER_BOOK: Final = "This account has another book than the open one. Please sign out first, then sign in."


class Accounts:
    """Opens and closes the session of a book.

    `local_endpoint` returns the address of the local server, and starts it if necessary. `connect` builds the
    network for a vault, which stores the session's token.
    """

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        local_endpoint: Callable[[], Endpoint],
        connect: Callable[[Vault, SessionFeed], Remote],
        vault: Vault | None = None,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._local_endpoint = local_endpoint
        self._connect = connect
        self._vault = vault or Vault(settings.device_id)
        self.changes: Stream[SessionChange] = Stream()
        """The events of the open session."""
        self._remote: Remote | None = None
        self._feed = SessionFeed(self._moved, self.changes)
        self._address = ""  # the address typed at the log-in; "" for the book on this computer
        self._remember = False
        self.new_code = ""
        """A new recovery code that was not shown yet. It is kept in memory only."""
        self.session: BookSession | None = None
        self._changing = threading.Lock()  # held while `session` is read and replaced

    @property
    def remote(self) -> Remote:
        """The network. Built at the first use, because importing it takes long."""
        if self._remote is None:
            self._remote = self._connect(self._vault, self._feed)
            self._feed.is_open = True
        return self._remote

    @property
    def offset_us(self) -> int:
        """How far this computer's clock is behind the server's, in µs; 0 for the book on this computer."""
        if self._remote is None or not self.is_remote:
            return 0  # the local server has the same clock, also just after that was set
        return self._remote.server_clock.offset_us

    @offset_us.setter
    def offset_us(self, offset_us: int) -> None:
        self.remote.server_clock.offset_us = offset_us

    def require_session(self) -> BookSession:
        """Return the session. Raises SignInError if no book is open."""
        if self.session is None:
            raise SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)
        return self.session

    # --- signing in ------------------------------------------------------------------------------

    def local_book(self) -> LocalBookFacts:
        """Return the facts about the book on this computer. Waits for the local server to start."""
        book = self.remote.tokens.local_book(self._local_endpoint())
        return LocalBookFacts(book.exists, book.user_name, book.has_password, book.has_recovery_code)

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> BookSession:
        """Open the book on this computer; create it if there is none. Raises AppError."""
        if check_typed_password(password) and not self.local_book().exists:
            refuse_typed(password)
        return self.begin("", self._ask_local(clean_text(user_name), password), remember)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> BookSession:
        """Log in at a server. With `create`, create an account first, with an invite code if the server
        requires one.

        `address` may be an invite link. Raises AppError, with `fields` if the input is the reason.
        """
        request = LoginRequest(address, user_name, password, create, invite_code)
        bare, answer = log_in(self.remote, self._settings, request)
        self._settings.set("address", bare)
        return self.begin(bare, answer, remember)

    def open_pending(
        self, address: str, user_name: str, password: str, create: bool = False, invite_code: str = ""
    ) -> "PendingSession":
        """Log in at a server while another book stays open. Raises AppError."""
        feed = SessionFeed(self._moved, self.changes)
        # Its vault is in memory: the keyring holds one record, which is that of the open session.
        remote = self._connect(Vault(self._settings.device_id, lambda: None), feed)
        bare, answer = log_in(
            remote, self._settings, LoginRequest(address, user_name, password, create, invite_code)
        )
        remote.runner.begin(answer, bare, remember=False)
        adopt = partial(self._adopt, remote, feed, bare, answer)
        return PendingSession(remote, self._facts(bare, answer), adopt)

    def read_invite(self, text: str) -> InviteFacts | None:
        """Return the content of an invite link; None if `text` is not one. Raises InputError if damaged."""
        return read_invite(text)

    def resume(self) -> BookSession | None:
        """Open the remembered session without a password; return None if there is none, or it has ended.

        The book opens even if no server answers; it then shows what is stored on this computer. Raises
        OfflineError with the code NEWER_BOOK if this program is too old for the book on this computer.
        """
        known = decode_facts(self._settings.get(_FACTS))
        record = self._vault.load() if known else None
        if known is None or record is None:
            return None
        address, session = known
        # After a crash during a log-in, the settings and the keyring may be of two different sessions.
        if (record.server, record.book_id) != (address, session.book_id):
            self._forget()
            return None
        if address and not self.remote.cluster.recall(address):
            self._forget()
            return None
        if not address:
            self._refuse_newer_book()
        self._address, self._remember = address, True
        self.session = self._pinned(session, record.pin.rpartition("/")[0])
        self.remote.runner.resume(address)
        if not self.remote.runner.has_session(_RESUME_SECONDS):
            self._forget()
            return None
        return self.session

    def _refuse_newer_book(self) -> None:
        try:
            self._local_endpoint()
        except OfflineError as error:  # for any other reason, the book can still be opened without it
            if error.code == NEWER_BOOK:
                raise

    def sign_in_again(self, password: str) -> BookSession:
        """Log in again as the same user to the same book. Forms and outbox stay as they are.

        Raises SignInError, with `fields["password"]` if the password is wrong.
        """
        session = self.require_session()
        if self._address and not password:
            raise missing("password", "Please enter your password.")
        try:
            answer = self._ask_again(session.user_name, password)
        except SignInError as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            fields = {"password": _WRONG_PASSWORD}
            raise SignInError(_WRONG_PASSWORD, fields=fields, code=error.code, detail=error.detail) from error
        if answer.book_id != session.book_id:
            self.remote.log_out(answer.refresh_token, self.remote.at_hand())
            raise SignInError(_OTHER_BOOK)
        return self.begin(self._address, answer, self._remember)

    def sign_out(self) -> None:
        """End the session here and, if the server answers, at the server. The outbox is kept."""
        at = self.remote.at_hand()
        self.remote.log_out(self._forget(), at)

    def remembers(self) -> Literal["keyring", "memory"]:
        """Return where a session would be remembered; with "memory", the next start needs a log-in."""
        return self._vault.kind

    # --- the account -----------------------------------------------------------------------------

    def sessions(self) -> list[OpenSession]:
        """Return the user's sessions on all devices, newest first. Raises AppError."""
        return [
            OpenSession(
                s.family,
                bounded_name(s.device_name),
                datetime.fromisoformat(s.created_at),
                datetime.fromisoformat(s.last_used_at),
                s.current,
                bounded_name(s.address),
                bounded_name(s.region),
            )
            for s in self.remote.api.sessions()
        ]

    def end_session(self, family: str) -> None:
        """End a session on another device. Raises AppError. For this session, use `sign_out`."""
        self.remote.api.end_session(family)

    def end_other_sessions(self) -> int:
        """End all sessions of the user but this one. Return their number. Raises AppError."""
        others = [each.family for each in self.sessions() if not each.this_one]
        for family in others:
            self.end_session(family)
        return len(others)

    def change_password(self, old: str, new: str) -> int:
        """Change the password. Return the number of other sessions that this ended.

        For the book on this computer, "" means no password. Raises InputError with `fields["oldPassword"]` or
        `fields["newPassword"]`.
        """
        refuse_typed(new, "newPassword")
        prepared = prepare_password(new)
        first, *others = password_forms(old)
        if not self._address:
            ended = self.remote.api.change_password(PasswordChange(first, prepared, next(iter(others), "")))
            self.new_code = ended.recovery_code
            return ended.ended
        try:
            return self.remote.api.change_password(PasswordChange(first, prepared)).ended
        except InputError as error:
            if "oldPassword" not in error.fields or not others:
                raise
        return self.remote.api.change_password(PasswordChange(others[0], prepared)).ended

    # --- the server ------------------------------------------------------------------------------

    def is_online(self) -> bool:
        """Return whether the server can save an entry now. Also finds out whether the session has ended."""
        if self.session is None:
            return False
        try:
            self.remote.api.ready()
        except AppError as error:
            return error.code == ErrorCode.DRAINING  # a draining server still answers calls
        return True

    @property
    def is_remote(self) -> bool:
        """Whether the open book is on a server, not on this computer."""
        return bool(self._address)

    @property
    def words(self) -> Words:
        """The words for the place of the open book."""
        return words_of(is_local=not self.is_remote)

    def book_facts(self) -> BookFacts:
        """Return the facts about the open book. Raises SignInError if none is open."""
        return facts_of(self._address, self.require_session(), self._settings.folder)

    @property
    def regions(self) -> int:
        """The number of regions of the cluster; 0 for the book on this computer."""
        roster = self._remote.cluster.roster if self._remote is not None else None
        return len({server.region for server in roster.servers}) if roster is not None else 0

    @property
    def machine(self) -> Machine:
        """The state of the session machine."""
        return self._remote.runner.machine if self._remote is not None else Machine()

    def connection_clock(self) -> float:
        """Return the time on the machine's clock, in seconds."""
        return self._remote.runner.now() if self._remote is not None else 0.0

    def try_now(self) -> None:
        """Look for a server now, without blocking."""
        self.remote.runner.try_now()

    def replayed(self, epoch: int, *, complete: bool) -> None:
        """Report that the outbox was sent after the move to the pin with this `epoch`.

        `complete` means that the server has all recent changes.
        """
        self.remote.runner.replayed(epoch, complete=complete)

    def pin_anew(self) -> None:
        """Give the session a new pin, because its server was away and is back."""
        with self._changing:
            if self.session is not None:
                self.session = self.session.pinned_anew()

    # --- inside ----------------------------------------------------------------------------------

    def _ask_again(self, user_name: str, password: str) -> SignedIn:
        if not self._address:
            return self._ask_local(user_name, password)
        device, server_id = device_of(self._settings, self._address), self.require_session().server_id
        return first_accepted_again(
            self._settings,
            self._address,
            user_name,
            password_forms(password),
            lambda form: log_in_again(self.remote, Credentials(user_name, form, device), server_id),
        )

    def _ask_local(self, user_name: str, password: str) -> SignedIn:
        device, at = device_of(self._settings, ""), self._local_endpoint()
        form, *older = password_forms(password)
        body = LocalSignIn(device, user_name, form, next(iter(older), ""))
        return self.remote.tokens.ask_local(body, at)

    def begin(self, address: str, answer: SignedIn, remember: bool) -> BookSession:
        """Open the session of a log-in. `address` is "" for the local server."""
        if not address:
            self.remote.cluster.forget()
        session = self._facts(address, answer)
        self.new_code = answer.recovery_code[: limits.MAX_DEVICE_SECRET]
        self._outbox.raise_counter(answer.book_id, answer.code_prefix, answer.last_counter)
        # The clock first: work that starts with the new token needs the right time.
        self.remote.server_clock.learn(answer.server_time)
        self._address, self._remember = address, remember
        with self._changing:
            self.session = session
        self.remote.runner.begin(answer, address, remember=remember)
        self._settings.set(_FACTS, encode_facts(address, session) if remember else "")
        return session

    def _facts(self, address: str, answer: SignedIn) -> BookSession:
        primary, region = answer.primary, bounded_name(answer.primary.region)
        return BookSession(
            user_name=bounded_name(answer.user_name),
            book_id=answer.book_id,
            code_prefix=answer.code_prefix,
            server_id=primary.server_id,
            region=region,
            server_label=f"{primary.server_id} · {region}" if address else words_of(is_local=True).location,
        )

    def _pinned(self, session: BookSession, server_id: str) -> BookSession:
        """Return the session pinned to another server of the roster."""
        region = self.remote.cluster.region_of(server_id)
        if not region:
            return session
        return session.pinned_to(server_id, region)

    def _moved(self, server_id: str) -> None:
        """Pin the session to the server that the machine names; `server_id` is its server at the event."""
        with self._changing:
            if self.session is None:
                return
            self.session = self._pinned(self.session, self.machine.server or server_id)
            if self._remember:
                with contextlib.suppress(StoreError):  # the token's record also names the server
                    self._settings.set(_FACTS, encode_facts(self._address, self.session))

    def close(self) -> None:
        """Close the network at the end of the program. A remembered session is resumed at the next start."""
        if self._remote is not None:
            self._remote.runner.end()
            self._remote.client.close()

    def _adopt(self, remote: Remote, feed: SessionFeed, address: str, answer: SignedIn) -> BookSession:
        """Replace the open session by a pending one, which is remembered if the open one was."""
        at = self.remote.at_hand()
        self.remote.log_out(self.remote.tokens.forget(), at)
        self._feed.is_open = False  # the end of the old session must not reach the windows
        self.remote.runner.end()
        remote.tokens.keep_in(self._vault, remember=self._remember)
        self._remote, self._feed, self._address = remote, feed, address
        feed.is_open = True
        self._outbox.raise_counter(answer.book_id, answer.code_prefix, answer.last_counter)
        with self._changing:
            self.session = self._pinned(self._facts(address, answer), remote.runner.machine.server)
        facts = encode_facts(address, self.session) if self._remember else ""
        self._settings.set(_FACTS, facts)
        self._settings.set("address", address)
        remote.runner.announce()
        return self.session

    def _forget(self) -> str:
        """Delete the session on this computer. Return its refresh token, "" if there was none."""
        with self._changing:
            self._settings.set(_FACTS, "")  # the only step that can fail (on a full disk), so it comes first
            self.session = None
        refresh_token = self.remote.tokens.forget()
        self.remote.runner.end()
        return refresh_token
