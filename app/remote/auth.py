"""The session's tokens: one record in the vault, one access token in memory, none of them ever in a log."""

import threading
from dataclasses import dataclass, field
from typing import Final
from uuid import uuid4

from app.errors import SignInError
from app.remote.client import Client
from app.remote.endpoint import Endpoint
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

_LOGOUT_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Access:
    """An access token; it is of no use from `expires` on (on the monotonic clock)."""

    token: str = field(repr=False)
    expires: float


class SessionTokens:
    """Signs in, rotates and logs out. Usable from several threads.

    The refresh token lies in the vault only, beside the refreshId by which it will be spent: that id is
    there before anything is sent, and every retry, at whatever server and after a crash too, is the same
    rotation. The first answer replaces both; later answers to the same refreshId are ignored.
    """

    def __init__(self, client: Client, vault: Vault) -> None:
        self._client = client
        self._vault = vault
        self._lock = threading.Lock()
        self._access: Access | None = None

    # --- signing in and out ----------------------------------------------------------------------

    def local_book(self, at: Endpoint) -> LocalBook:
        """Ask what is on this computer. Raises AppError."""
        return self._client.call(LocalBook, "GET", paths.AUTH_LOCAL, endpoint=at)

    def ask_local(self, body: LocalSignIn, at: Endpoint) -> SignedIn:
        """Open or make the book on this computer. Raises AppError."""
        return self._client.call(SignedIn, "POST", paths.AUTH_LOCAL, body=body, endpoint=at)

    def ask(self, body: Credentials, at: Endpoint) -> SignedIn:
        """Sign in at a server; with a Registration, make an account there. Raises AppError."""
        path = paths.AUTH_REGISTER if isinstance(body, Registration) else paths.AUTH_LOGIN
        return self._client.call(SignedIn, "POST", path, body=body, endpoint=at)

    def adopt(self, answer: SignedIn, server: str, now: float, *, remember: bool) -> None:
        """Go on with the session of `answer`; `server` is the address, "" for this computer's own."""
        lock = pin_of(answer.primary.server_id, answer.lock_epoch)
        record = TokenRecord(answer.refresh_token, uuid4().hex, server, lock, answer.book_id)
        with self._lock:
            self._vault.begin(record, remember=remember)
            self._access = Access(answer.access_token, now + answer.expires_in)

    def forget(self) -> str:
        """Drop the session here; return its refresh token for `logout`, "" where there was none."""
        with self._lock:
            record = self._vault.load()
            self._access = None
            self._vault.clear()
            return record.refresh_token if record else ""

    def keep_in(self, vault: Vault, *, remember: bool) -> None:
        """Go on with the same session in another vault."""
        with self._lock:
            record = self._vault.load()
            if record is not None:
                vault.begin(record, remember=remember)
            self._vault = vault

    def logout(self, refresh_token: str, at: Endpoint) -> None:
        """End the session at the server. Raises AppError."""
        body = LogoutRequest(refresh_token)
        self._client.call(
            SessionsEnded, "POST", paths.AUTH_LOGOUT, body=body, seconds=_LOGOUT_SECONDS, endpoint=at
        )

    # --- having them -----------------------------------------------------------------------------

    def record(self) -> TokenRecord | None:
        """Return the record in force, after a start the one that was remembered."""
        with self._lock:
            return self._vault.load()

    def access(self, now: float) -> str:
        """Return the access token, "" where there is none that is still good."""
        access = self._access
        return access.token if access is not None and now < access.expires else ""

    def require_book(self, book_id: str) -> None:
        """Refuse where another book is open by now, or none. Raises SignInError."""
        record = self.record()
        if record is None or (book_id and record.book_id != book_id):
            raise signed_out()

    def drop_access(self, token: str) -> bool:
        """Use an access token no more; False where another one is in force already."""
        with self._lock:
            if self._access is None or self._access.token != token:
                return False
            self._access = None
            return True

    # --- rotating them ---------------------------------------------------------------------------

    def rotate(
        self, record: TokenRecord, at: Endpoint, closest: str, reason: str, *, critical: bool, seconds: float
    ) -> Refreshed:
        """Ask `at` for the next generation of `record`. Raises AppError; `take` makes the answer count."""
        body = RefreshRequest(
            record.refresh_token,
            record.refresh_id,
            closest,
            critical,
            "unreachable" if reason == "unreachable" else "expiry",
        )
        return self._client.call(
            Refreshed, "POST", paths.AUTH_REFRESH, body=body, endpoint=at, seconds=seconds
        )

    def take(self, answer: Refreshed, asked: TokenRecord, now: float) -> bool:
        """Go on with the first answer to `asked`; False for a later one, and after the session's end."""
        with self._lock:
            record = self._vault.load()
            if record is None or record.refresh_id != asked.refresh_id:
                return False
            lock = pin_of(answer.primary.server_id, answer.lock_epoch)
            self._vault.keep(
                TokenRecord(answer.refresh_token, uuid4().hex, record.server, lock, record.book_id)
            )
            self._access = Access(answer.access_token, now + answer.expires_in)
            return True

    def end(self, asked: TokenRecord) -> bool:
        """The server said that the session of `asked` is over: what waits here waits for the next log-in.
        False where another session, or a later generation, is in force by now."""
        with self._lock:
            record = self._vault.load()
            if record is None or record.refresh_id != asked.refresh_id:
                return False
            self._access = None
            self._vault.clear()
            return True


def pin_of(server_id: str, epoch: int) -> str:
    """Return the lock as the record holds it."""
    return f"{server_id}/{epoch}"


def read_pin(lock: str) -> tuple[str, int]:
    """Return server and epoch of a record's lock; ("", 0) for what is none."""
    server_id, _, epoch = lock.rpartition("/")
    return (server_id, int(epoch)) if server_id and epoch.isdigit() else ("", 0)


def signed_out() -> SignInError:
    """Return the refusal of a call without a session."""
    return SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)
