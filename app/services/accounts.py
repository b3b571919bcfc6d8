"""Signing in, on this computer or at a server, and what is known of the session."""

import contextlib
import threading
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final, Literal

from app.domain.session import Machine
from app.domain.stream import Stream
from app.domain.sync_events import MachineChanged, SessionChange
from app.errors import AppError, SignInError, StoreError
from app.remote.endpoint import Endpoint
from app.services.login import LoginRequest, Remote, device_of, log_in, log_in_again, missing, read_invite
from app.services.pending_session import PendingSession
from app.services.session_facts import (
    BookSession,
    InviteFacts,
    LocalBookFacts,
    OpenSession,
    decode_facts,
    encode_facts,
)
from app.services.session_feed import SessionFeed
from app.store.outbox import Outbox
from app.store.settings import Settings
from app.store.vault import Vault
from server.contract.errors import ErrorCode
from server.contract.shapes import Credentials, LocalSignIn, PasswordChange, SignedIn

__all__ = ["Accounts", "BookSession", "LocalBookFacts", "OpenSession", "PendingSession", "Remote"]

_FACTS: Final = "session"
_THIS_COMPUTER: Final = "This computer"
_NOT_THE_PASSWORD: Final = "That is not the password."  # noqa: S105 - a sentence
_RESUME_SECONDS: Final = 12.0
_OTHER_BOOK: Final = "This opens another book than the one that is open here. Sign out first to change to it."


class Accounts:
    """`local_endpoint` starts the server of this computer where it does not run; `vault` is the one that
    `connect` gives to the tokens."""

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
        """What happens to the open session."""
        self._remote: Remote | None = None
        self._feed = SessionFeed(self._moved, self.changes)
        self._address = ""  # of a server; "" for this computer
        self._remember = False
        self.session: BookSession | None = None
        self._changing = threading.Lock()  # what is made of the session from what it was

    @property
    def remote(self) -> Remote:
        """The network."""
        if self._remote is None:
            self._remote = self._connect(self._vault, self._feed)
            self._feed.is_open = True
        return self._remote

    @property
    def offset_us(self) -> int:
        """How far this computer's clock is behind the server's, in µs."""
        return self._remote.server_clock.offset_us if self._remote is not None else 0

    @offset_us.setter
    def offset_us(self, offset_us: int) -> None:
        self.remote.server_clock.offset_us = offset_us

    def require_session(self) -> BookSession:
        """Return the session. Raises SignInError where nobody is signed in."""
        if self.session is None:
            raise SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)
        return self.session

    # --- signing in ------------------------------------------------------------------------------

    def local_book(self) -> LocalBookFacts:
        """Ask what is on this computer; waits for its server to start."""
        book = self.remote.tokens.local_book(self._local_endpoint())
        return LocalBookFacts(book.exists, book.user_name, book.has_password)

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> BookSession:
        """Open the book on this computer; makes it at the first start."""
        body = LocalSignIn(device_of(self._settings, ""), user_name.strip(), password)
        answer = self.remote.tokens.ask_local(body, self._local_endpoint())
        return self._begin("", answer, remember)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> BookSession:
        """Sign in at a server, or make an account there first, by an invitation where it asks for one.

        `address` may be an invite link. Raises AppError, with `fields` where that is what is wrong.
        """
        entry = LoginRequest(address, user_name, password, create, invite_code)
        bare, answer = log_in(self.remote, self._settings, entry)
        self._settings.set("address", bare)
        return self._begin(bare, answer, remember)

    def open_pending(
        self, address: str, user_name: str, password: str, create: bool = False, invite_code: str = ""
    ) -> "PendingSession":
        """Sign in at a server while another book is open, which stays as it is. Raises AppError."""
        feed = SessionFeed(self._moved, self.changes)
        remote = self._connect(Vault(self._settings.device_id, lambda: None), feed)  # in memory for now
        bare, answer = log_in(
            remote, self._settings, LoginRequest(address, user_name, password, create, invite_code)
        )
        remote.runner.begin(answer, bare, remember=False)
        adopt = partial(self._adopt, remote, feed, bare, answer)
        return PendingSession(remote, self._facts(bare, answer), adopt)

    def read_invite(self, text: str) -> InviteFacts | None:
        """Return what an invite link says; None for a text that is none. Raises InputError at `address`."""
        return read_invite(text)

    def resume(self) -> BookSession | None:
        """Go on with the session that was remembered, without a password; None where there is none, or it
        has ended meanwhile. Without a server the book opens too: with what is kept on this computer.
        """
        known = decode_facts(self._settings.get(_FACTS))
        record = self._vault.load() if known else None
        if known is None or record is None:
            return None
        address, session = known
        if (record.server, record.book_id) != (address, session.book_id):  # halves of two sessions
            self._forget()
            return None
        if address and not self.remote.cluster.recall(address):
            self._forget()
            return None
        self._address, self._remember = address, True
        self.session = self._pinned(session, record.pin.rpartition("/")[0])
        self.remote.runner.resume(address)
        if not self.remote.runner.has_session(_RESUME_SECONDS):
            self._forget()
            return None
        return self.session

    def sign_in_again(self, password: str) -> BookSession:
        """Sign in anew as the same user to the same book; what is on the screen and in the outbox stays.

        Raises SignInError, with `fields["password"]` where that is what is wrong.
        """
        session = self.require_session()
        if self._address and not password:
            raise missing("password", "Please fill in your password.")
        try:
            answer = self._ask_again(session.user_name, password)
        except SignInError as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            fields = {"password": _NOT_THE_PASSWORD}
            raise SignInError(_NOT_THE_PASSWORD, fields=fields, code=error.code) from error
        if answer.book_id != session.book_id:
            self.remote.log_out(answer.refresh_token, self.remote.at_hand())
            raise SignInError(_OTHER_BOOK)
        return self._begin(self._address, answer, self._remember)

    def sign_out(self) -> None:
        """Forget the session, here and, where it answers, at the server; what waits in the outbox stays."""
        at = self.remote.at_hand()
        self.remote.log_out(self._forget(), at)

    def remembers(self) -> Literal["keyring", "memory"]:
        """Say where a session would be remembered: with `memory` one signs in again at the next start."""
        return self._vault.place

    # --- the account -----------------------------------------------------------------------------

    def sessions(self) -> list[OpenSession]:
        """Return where the user is signed in, the newest first."""
        return [
            OpenSession(
                s.family,
                s.device_name,
                datetime.fromisoformat(s.created_at),
                datetime.fromisoformat(s.last_used_at),
                s.current,
            )
            for s in self.remote.api.sessions()
        ]

    def end_session(self, family: str) -> None:
        """End one of the user's sessions; for this one there is `sign_out`."""
        self.remote.api.end_session(family)

    def change_password(self, old: str, new: str) -> int:
        """Choose another password; return how many other sessions that ended.

        On this computer's own book "" stands for no password, old or new. Raises InputError with
        `fields["oldPassword"]` or `fields["newPassword"]`.
        """
        return self.remote.api.change_password(PasswordChange(old, new))

    # --- the server ------------------------------------------------------------------------------

    def is_online(self) -> bool:
        """Say whether the server can take a save now."""
        if self.session is None:
            return False
        try:
            self.remote.api.ready()
        except AppError as error:
            return error.code == ErrorCode.DRAINING  # it ends, but first it sends us elsewhere
        return True

    @property
    def is_remote(self) -> bool:
        """Say whether the open book is on a server, not on this computer."""
        return bool(self._address)

    @property
    def regions(self) -> int:
        """Return how many regions the cluster has, 0 for the book on this computer."""
        roster = self._remote.cluster.roster if self._remote is not None else None
        return len({server.region for server in roster.servers}) if roster is not None else 0

    @property
    def machine(self) -> Machine:
        """How the lock stands."""
        return self._remote.runner.machine if self._remote is not None else Machine()

    def connection_clock(self) -> float:
        """Return the time on the machine's clock, in seconds."""
        return self._remote.runner.now() if self._remote is not None else 0.0

    def try_now(self) -> None:
        """Look for a server at once; returns at once."""
        self.remote.runner.try_now()

    def replayed(self, epoch: int, *, complete: bool) -> None:
        """What waited was sent after the move to the lock of this epoch; `complete` says that all recent
        changes are there."""
        self.remote.runner.replayed(epoch, complete=complete)

    def pin_anew(self) -> None:
        """The server that the lock is on was away."""
        with self._changing:
            if self.session is not None:
                self.session = self.session.pinned_anew()

    # --- inside ----------------------------------------------------------------------------------

    def _ask_again(self, user_name: str, password: str) -> SignedIn:
        device = device_of(self._settings, self._address)
        if not self._address:
            body = LocalSignIn(device, user_name, password)
            return self.remote.tokens.ask_local(body, self._local_endpoint())
        credentials = Credentials(user_name, password, device)
        return log_in_again(self.remote, credentials, self.require_session().server_id)

    def _begin(self, address: str, answer: SignedIn, remember: bool) -> BookSession:
        if not address:
            self.remote.cluster.forget()
        session = self._facts(address, answer)
        self._outbox.raise_counter(answer.book_id, answer.code_prefix, answer.last_counter)
        # First the clock: what is done with the token has the right time.
        self.remote.server_clock.learn(answer.server_time)
        self._address, self._remember = address, remember
        with self._changing:
            self.session = session
        self.remote.runner.begin(answer, address, remember=remember)
        self._settings.set(_FACTS, encode_facts(address, session) if remember else "")
        return session

    def _facts(self, address: str, answer: SignedIn) -> BookSession:
        primary = answer.primary
        return BookSession(
            user_name=answer.user_name,
            book_id=answer.book_id,
            code_prefix=answer.code_prefix,
            server_id=primary.server_id,
            region=primary.region,
            server_label=f"{primary.server_id} · {primary.region}" if address else _THIS_COMPUTER,
        )

    def _pinned(self, session: BookSession, server_id: str) -> BookSession:
        """Return the session as it is at another server of the roster."""
        region = self.remote.cluster.region_of(server_id)
        if not region:
            return session
        return session.pinned_to(server_id, region)

    def _moved(self, server_id: str) -> None:
        """The lock is on another server now: on this one, unless it has moved on already."""
        with self._changing:
            if self.session is None:
                return
            self.session = self._pinned(self.session, self.machine.server or server_id)
            if self._remember:
                with contextlib.suppress(StoreError):  # where it was is a hint; the token's record tells
                    self._settings.set(_FACTS, encode_facts(self._address, self.session))

    def close(self) -> None:
        """Let go of the network: the program ends. The session goes on at the next start."""
        if self._remote is not None:
            self._remote.runner.end()
            self._remote.client.close()

    def _adopt(self, remote: Remote, feed: SessionFeed, address: str, answer: SignedIn) -> BookSession:
        """Let the session that was opened beside be the open one, remembered as this one was."""
        at = self.remote.at_hand()
        self.remote.log_out(self.remote.tokens.forget(), at)
        self._feed.is_open = False  # that this session ends here is no news: another one is open
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
        self.changes.publish(MachineChanged(remote.runner.machine))
        return self.session

    def _forget(self) -> str:
        """Drop the session from this computer; return its refresh token, "" where there was none."""
        with self._changing:
            self._settings.set(_FACTS, "")  # first: on a full disk nobody is half signed out
            self.session = None
        refresh_token = self.remote.tokens.forget()
        self.remote.runner.end()
        return refresh_token
