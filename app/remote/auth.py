"""The session's tokens: the refresh token in the vault, the access token in memory. Neither is logged."""

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
    LocalRecovery,
    LocalSignIn,
    LogoutRequest,
    PasswordReset,
    Refreshed,
    RefreshRequest,
    Registration,
    SessionsEnded,
    SignedIn,
)

_LOGOUT_SECONDS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Access:
    """An access token, valid until `expires` on the monotonic clock."""

    token: str = field(repr=False)
    expires: float


class SessionTokens:
    """Signs in, rotates the tokens and logs out. Thread-safe.

    The refresh token is kept in the vault only, together with the refreshId of its next rotation. The id is
    stored before the request is sent. Therefore every retry, at any server and also after a crash, is the
    same rotation, and no server takes it for the use of a stolen token. The first answer replaces the token
    and the id; later answers to the same refreshId are ignored.
    """

    def __init__(self, client: Client, vault: Vault) -> None:
        self._client = client
        self._vault = vault
        self._lock = threading.Lock()
        self._access: Access | None = None

    # --- signing in and out ----------------------------------------------------------------------

    def local_book(self, at: Endpoint) -> LocalBook:
        """Return what the local server tells about its book before a log-in. Raises AppError."""
        return self._client.call(LocalBook, "GET", paths.AUTH_LOCAL, endpoint=at)

    def ask_local(self, body: LocalSignIn, at: Endpoint) -> SignedIn:
        """Open or create the book on this computer. Raises AppError."""
        return self._client.call(SignedIn, "POST", paths.AUTH_LOCAL, body=body, endpoint=at)

    def ask(self, body: Credentials, at: Endpoint) -> SignedIn:
        """Log in at a server, or create an account there if `body` is a Registration. Raises AppError."""
        path = paths.AUTH_REGISTER if isinstance(body, Registration) else paths.AUTH_LOGIN
        return self._client.call(SignedIn, "POST", path, body=body, endpoint=at)

    def recover_local(self, body: LocalRecovery, at: Endpoint) -> SignedIn:
        """Set a new password for the book on this computer with its recovery code. Raises AppError."""
        return self._client.call(SignedIn, "POST", paths.AUTH_LOCAL_RECOVER, body=body, endpoint=at)

    def reset(self, body: PasswordReset, at: Endpoint) -> SignedIn:
        """Set a new password at a server with the code of an operator's link. Raises AppError."""
        return self._client.call(SignedIn, "POST", paths.AUTH_RESET, body=body, endpoint=at)

    def adopt(self, answer: SignedIn, server: str, now: float, *, remember: bool) -> None:
        """Use the session of `answer` from now on. `server` is its address, "" for the local server."""
        pin = pin_of(answer.primary.server_id, answer.lock_epoch)
        record = TokenRecord(answer.refresh_token, uuid4().hex, server, pin, answer.book_id)
        with self._lock:
            self._vault.begin(record, remember=remember)
            self._access = Access(answer.access_token, now + answer.expires_in)

    def forget(self) -> str:
        """Delete the session here; return its refresh token for `logout`, "" if there was none."""
        with self._lock:
            record = self._vault.load()
            self._access = None
            self._vault.clear()
            return record.refresh_token if record else ""

    def keep_in(self, vault: Vault, *, remember: bool) -> None:
        """Move the session to another vault."""
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

    # --- reading them ----------------------------------------------------------------------------

    def record(self) -> TokenRecord | None:
        """Return the current record, after a start the remembered one; None if there is no session."""
        with self._lock:
            return self._vault.load()

    def access(self, now: float) -> str:
        """Return the access token; "" if there is none or it has expired."""
        access = self._access
        return access.token if access is not None and now < access.expires else ""

    def require_book(self, book_id: str) -> None:
        """Raise SignInError if there is no session, or if `book_id` is not "" and not the open book."""
        record = self.record()
        if record is None or (book_id and record.book_id != book_id):
            raise signed_out()

    def drop_access(self, token: str) -> bool:
        """Discard an access token. Return False if another one has replaced it already."""
        with self._lock:
            if self._access is None or self._access.token != token:
                return False
            self._access = None
            return True

    # --- rotating them ---------------------------------------------------------------------------

    def rotate(
        self, record: TokenRecord, at: Endpoint, closest: str, reason: str, *, critical: bool, seconds: float
    ) -> Refreshed:
        """Request the next generation of `record` at a server. `take` applies the answer. Raises AppError.

        `closest` is the id of the closest server, "" if unknown. `critical` asks to keep the pin as it is.
        """
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
        """Apply the answer to the rotation of `asked`. Return False if another answer was applied before, or
        the session has ended."""
        with self._lock:
            record = self._vault.load()
            if record is None or record.refresh_id != asked.refresh_id:
                return False
            pin = pin_of(answer.primary.server_id, answer.lock_epoch)
            self._vault.keep(
                TokenRecord(answer.refresh_token, uuid4().hex, record.server, pin, record.book_id)
            )
            self._access = Access(answer.access_token, now + answer.expires_in)
            return True

    def end(self, asked: TokenRecord) -> bool:
        """Delete the session of `asked`, which a server has ended. The outbox is kept for the next log-in.

        Return False if there is another session, or a later generation of this one, by now.
        """
        with self._lock:
            record = self._vault.load()
            if record is None or record.refresh_id != asked.refresh_id:
                return False
            self._access = None
            self._vault.clear()
            return True


def pin_of(server_id: str, epoch: int) -> str:
    """Return the pin in the form of the token record, `server/epoch`."""
    return f"{server_id}/{epoch}"


def read_pin(pin: str) -> tuple[str, int]:
    """Return the server id and epoch of a token record's pin; ("", 0) if it is malformed."""
    server_id, _, epoch = pin.rpartition("/")
    return (server_id, int(epoch)) if server_id and epoch.isdigit() else ("", 0)


def signed_out(ended: str = "") -> SignInError:
    """Return the error of a call that needs a session. `ended` is why the last one is over, if known."""
    detail = {"ended": ended} if ended else None
    return SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED, detail=detail)
