"""The session's tokens: kept fresh, refreshed once at a time, and never written to a log."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar
from uuid import uuid4

from app.errors import SignInError
from app.remote.client import Client
from app.store.vault import TokenRecord, Vault
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Credentials,
    LocalBook,
    LocalSignIn,
    LogoutRequest,
    Refreshed,
    RefreshRequest,
    Registration,
    SessionsEnded,
    SignedIn,
)

T = TypeVar("T")
_REFRESH_FROM: Final = 0.6  # of the access token's life …
_REFRESH_TO: Final = 0.8  # … drawn anew each time, so that clients do not come all at once
_LOGOUT_SECONDS: Final = 3.0


@dataclass(slots=True)
class _Access:
    token: str = field(repr=False)
    due: float  # on the monotonic clock


class Tokens:
    """Signs in, and hands a valid access token to each call. Usable from several threads.

    The refresh token lies in the vault only, beside the refreshId by which it will be spent: that id is
    there before anything is sent, and every retry, after a crash too, is the same rotation. The first
    answer replaces both.
    """

    def __init__(
        self,
        client: Client,
        vault: Vault,
        monotonic: Callable[[], float] = time.monotonic,
        draw: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._client = client
        self._vault = vault
        self._monotonic = monotonic
        self._draw = draw
        self._lock = threading.Lock()
        self._access: _Access | None = None
        self.on_server_time: Callable[[str], None] = lambda _: None
        """Hears the server's clock at each refresh."""

    def local_book(self) -> LocalBook:
        """Ask what is on this computer. Raises AppError."""
        return self._client.call(LocalBook, "GET", paths.AUTH_LOCAL)

    def ask_local(self, body: LocalSignIn) -> SignedIn:
        """Open or make the book on this computer. Raises AppError."""
        return self._client.call(SignedIn, "POST", paths.AUTH_LOCAL, body=body)

    def ask(self, body: Credentials) -> SignedIn:
        """Sign in at a server; with a Registration, make an account there. Raises AppError."""
        path = paths.AUTH_REGISTER if isinstance(body, Registration) else paths.AUTH_LOGIN
        return self._client.call(SignedIn, "POST", path, body=body)

    def adopt(self, answer: SignedIn, server: str, *, remember: bool) -> None:
        """Go on with the session of `answer`; `server` is the address, "" for this computer's own."""
        lock = _lock_of(answer.primary.server_id, 0)
        record = TokenRecord(answer.refresh_token, uuid4().hex, server, lock, answer.book_id)
        with self._lock:
            self._vault.begin(record, remember=remember)
            self._take(answer.access_token, answer.expires_in)

    def remembered(self) -> TokenRecord | None:
        """Return the record of the last session, where it was to be remembered."""
        with self._lock:
            return self._vault.load()

    def renew(self) -> None:
        """Refresh now. Raises AppError; SignInError means that the session is over."""
        with self._lock:
            self._refresh()

    def forget(self) -> str:
        """Drop the session here; return its refresh token for `logout`, "" where there was none."""
        with self._lock:
            record = self._vault.load()
            self._access = None
            self._vault.clear()
            return record.refresh_token if record else ""

    def logout(self, refresh_token: str) -> None:
        """End the session at the server. Raises AppError."""
        body = LogoutRequest(refresh_token)
        self._client.call(SessionsEnded, "POST", paths.AUTH_LOGOUT, body=body, seconds=_LOGOUT_SECONDS)

    def run(self, call: Callable[[str], T], book_id: str = "") -> T:
        """Run `call` with an access token; once more with a fresh one where the server no longer takes it.

        With `book_id` only while that book is open: what was begun for one person is never done as another.
        """
        token = self._valid(book_id)
        try:
            return call(token)
        except SignInError as error:
            if error.code != ErrorCode.UNAUTHENTICATED:
                raise
        return call(self._valid(book_id, not_this=token))

    def _valid(self, book_id: str, not_this: str = "") -> str:
        with self._lock:  # two calls never refresh at once
            if book_id:
                self._require(book_id)
            access = self._access
            if access is None or self._monotonic() >= access.due or access.token == not_this:
                return self._refresh()
            return access.token

    def _require(self, book_id: str) -> None:
        record = self._vault.load()
        if record is None or record.book_id != book_id:
            raise SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)

    def _refresh(self) -> str:
        record = self._vault.load()
        if record is None:
            raise SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)
        body = RefreshRequest(record.refresh_token, record.refresh_id)
        try:
            answer = self._client.call(Refreshed, "POST", paths.AUTH_REFRESH, body=body)
        except SignInError:
            self._access = None
            self._vault.clear()  # it is over: what waits here waits for the next log-in
            raise
        lock = _lock_of(answer.primary.server_id, answer.lock_epoch)
        following = TokenRecord(answer.refresh_token, uuid4().hex, record.server, lock, record.book_id)
        self._vault.keep(following)
        self._take(answer.access_token, answer.expires_in)
        self.on_server_time(answer.server_time)
        return answer.access_token

    def _take(self, token: str, expires_in: int) -> None:
        due = self._monotonic() + expires_in * self._draw(_REFRESH_FROM, _REFRESH_TO)
        self._access = _Access(token, due)


def _lock_of(server_id: str, epoch: int) -> str:
    return f"{server_id}/{epoch}"
