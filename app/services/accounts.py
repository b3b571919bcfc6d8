"""Signing in, on this computer or at a server, and what is known of the session."""

import contextlib
import hmac
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal

from app.errors import AppError, SignInError
from app.remote.endpoint import Endpoint, parse_address
from app.services.session_facts import LocalBook, OpenSession, Session, decode_facts, encode_facts
from app.store.outbox import Outbox
from app.store.settings import Settings
from app.store.vault import Vault
from server.contract import limits
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Credentials,
    Device,
    LocalSignIn,
    PasswordChange,
    Registration,
    SignedIn,
)

if TYPE_CHECKING:
    from app.remote.api import Api
    from app.remote.auth import Tokens
    from app.remote.client import Client

__all__ = ["Accounts", "LocalBook", "OpenSession", "Remote", "Session"]

_FACTS: Final = "session"
_THIS_COMPUTER: Final = "This computer"
_NOT_THE_PASSWORD: Final = "That is not the password."  # noqa: S105 - a sentence
_OTHER_BOOK: Final = "This opens another book than the one that is open here. Sign out first to change to it."


@dataclass(frozen=True, slots=True)
class Remote:
    """The network, made when it is first needed: importing it costs more than the first window may."""

    client: "Client"
    tokens: "Tokens"
    api: "Api"


class Accounts:
    """`local_endpoint` starts the server of this computer where it does not run; `vault` is the one that
    `connect` gives to the tokens."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        local_endpoint: Callable[[], Endpoint],
        connect: Callable[[Callable[[], Endpoint]], Remote],
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
        vault: Vault | None = None,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._local_endpoint = local_endpoint
        self._connect = connect
        self._vault = vault or Vault(settings.device_id)
        self._now_us = now_us
        self._remote: Remote | None = None
        self._address = ""  # of a server; "" for this computer
        self._remember = False
        self.session: Session | None = None
        self.offset_us = 0
        """How far this computer's clock is behind the server's."""

    @property
    def remote(self) -> Remote:
        """The network."""
        if self._remote is None:
            self._remote = self._connect(self._endpoint)
            self._remote.tokens.on_server_time = self.learn_server_time
        return self._remote

    def require_session(self) -> Session:
        """Return the session. Raises SignInError where nobody is signed in."""
        if self.session is None:
            raise SignInError("Please sign in.")
        return self.session

    # --- signing in ------------------------------------------------------------------------------

    def local_book(self) -> LocalBook:
        """Ask what is on this computer; waits for its server to start."""
        self._address = ""
        book = self.remote.tokens.local_book()
        return LocalBook(book.exists, book.user_name, book.has_password)

    def sign_in_local(self, user_name: str, password: str, remember: bool = False) -> Session:
        """Open the book on this computer; makes it at the first start."""
        self._address = ""
        body = LocalSignIn(self._device(), user_name.strip(), password)
        return self._begin(self.remote.tokens.ask_local(body), remember)

    def sign_in_remote(
        self,
        address: str,
        user_name: str,
        password: str,
        create: bool = False,
        remember: bool = False,
        invite_code: str = "",
    ) -> Session:
        """Sign in at a server, or make an account there first, by an invitation where it asks for one."""
        self._address = parse_address(address)
        if not user_name.strip():
            raise _missing("userName", "Please fill in your user name.")
        if not password:
            raise _missing("password", "Please fill in your password.")
        body = Credentials(user_name.strip(), password, self._device())
        if create:
            body = Registration(body.user_name, password, body.device, invite_code.strip())
        answer = self.remote.tokens.ask(body)
        self._settings.set("address", self._address)
        return self._begin(answer, remember)

    def resume(self) -> Session | None:
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
        self._address, self._remember = address, True
        try:
            self.remote.tokens.renew()
        except SignInError:
            self._forget()
            return None
        except AppError:
            pass
        self.session = session
        return session

    def sign_in_again(self, password: str) -> Session:
        """Sign in anew as the same user to the same book; what is on the screen and in the outbox stays.

        Raises SignInError, with `fields["password"]` where that is what is wrong.
        """
        session = self.require_session()
        if self._address and not password:
            raise _missing("password", "Please fill in your password.")
        try:
            answer = self._ask_again(session.user_name, password)
        except SignInError as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
            fields = {"password": _NOT_THE_PASSWORD}
            raise SignInError(_NOT_THE_PASSWORD, fields=fields, code=error.code) from error
        if answer.book_id != session.book_id:
            self._log_out(answer.refresh_token)
            raise SignInError(_OTHER_BOOK)
        return self._begin(answer, self._remember)

    def sign_out(self) -> None:
        """Forget the session, here and, where it answers, at the server; what waits in the outbox stays."""
        self._log_out(self._forget())

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
        try:
            self.remote.api.ready()
        except AppError:
            return False
        return True

    def learn_server_time(self, server_time: str) -> None:
        """Correct the offset of this computer's clock by what the server says."""
        self.offset_us = self.remote.client.now_offset_us(server_time, self._now_us())

    # --- inside ----------------------------------------------------------------------------------

    def _endpoint(self) -> Endpoint:
        return Endpoint(self._address) if self._address else self._local_endpoint()

    def _device(self) -> Device:
        name = platform.node().strip()[: limits.MAX_DEVICE_NAME]
        # Another secret for each server: one of them cannot pass for this device at another.
        secret = hmac.digest(self._settings.device_secret().encode(), self._address.encode(), "sha256").hex()
        return Device(self._settings.device_id(), name, secret)

    def _ask_again(self, user_name: str, password: str) -> SignedIn:
        if self._address:
            return self.remote.tokens.ask(Credentials(user_name, password, self._device()))
        return self.remote.tokens.ask_local(LocalSignIn(self._device(), user_name, password))

    def _begin(self, answer: SignedIn, remember: bool) -> Session:
        primary = answer.primary
        session = Session(
            user_name=answer.user_name,
            book_id=answer.book_id,
            code_prefix=answer.code_prefix,
            server_id=primary.server_id,
            region=primary.region,
            server_label=f"{primary.server_id} · {primary.region}" if self._address else _THIS_COMPUTER,
        )
        self._outbox.raise_counter(answer.book_id, answer.code_prefix, answer.last_counter)
        self.remote.tokens.adopt(answer, self._address, remember=remember)
        self._settings.set(_FACTS, encode_facts(self._address, session) if remember else "")
        self.learn_server_time(answer.server_time)
        self.session, self._remember = session, remember
        return session

    def _forget(self) -> str:
        """Drop the session from this computer; return its refresh token, "" where there was none."""
        self._settings.set(_FACTS, "")  # first: on a full disk nobody is half signed out
        self.session = None
        return self.remote.tokens.forget()

    def _log_out(self, refresh_token: str) -> None:
        if refresh_token:
            with contextlib.suppress(AppError):  # an unused session ends by itself
                self.remote.tokens.logout(refresh_token)


def _missing(field: str, sentence: str) -> SignInError:
    return SignInError(sentence, fields={field: sentence})
