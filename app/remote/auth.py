"""The session's tokens: kept fresh, refreshed once at a time, and never written to a log."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar
from uuid import uuid4

from app.errors import SignInError
from app.remote.client import Client
from server.contract import paths
from server.contract.errors import ErrorCode
from server.contract.shapes import Credentials, LocalBook, LocalSignIn, Refreshed, RefreshRequest, SignedIn

T = TypeVar("T")
_REFRESH_AT = 0.7  # of the access token's life


@dataclass(slots=True)
class _Tokens:
    access: str
    refresh: str
    refresh_id: str
    due: float  # on the monotonic clock


class Tokens:
    """Signs in, and hands a valid access token to each call. Usable from several threads."""

    def __init__(self, client: Client, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._tokens: _Tokens | None = None

    def local_book(self) -> LocalBook:
        """Ask what is on this computer. Raises AppError."""
        return self._client.call(LocalBook, "GET", paths.AUTH_LOCAL)

    def sign_in_local(self, body: LocalSignIn) -> SignedIn:
        """Open or make the book on this computer. Raises AppError."""
        return self._take(self._client.call(SignedIn, "POST", paths.AUTH_LOCAL, body=body))

    def sign_in(self, body: Credentials, *, create: bool) -> SignedIn:
        """Sign in at a server, or make an account there. Raises AppError."""
        path = paths.AUTH_REGISTER if create else paths.AUTH_LOGIN
        return self._take(self._client.call(SignedIn, "POST", path, body=body))

    def forget(self) -> None:
        """Drop the tokens."""
        with self._lock:
            self._tokens = None

    def run(self, call: Callable[[str], T]) -> T:
        """Run `call` with an access token; once more with a fresh one where the server no longer takes it."""
        token = self._valid()
        try:
            return call(token)
        except SignInError as error:
            if error.code != ErrorCode.UNAUTHENTICATED:
                raise
        return call(self._valid(not_this=token))

    def _valid(self, not_this: str = "") -> str:
        with self._lock:  # two calls never refresh at once
            if self._tokens is None:
                raise SignInError("Please sign in.", code=ErrorCode.UNAUTHENTICATED)
            if self._monotonic() >= self._tokens.due or self._tokens.access == not_this:
                self._refresh(self._tokens)
            return self._tokens.access

    def _refresh(self, tokens: _Tokens) -> None:
        # The id was chosen before anything was sent, and stays until an answer has come: every retry of this
        # generation is the same rotation.
        body = RefreshRequest(tokens.refresh, tokens.refresh_id)
        answer = self._client.call(Refreshed, "POST", paths.AUTH_REFRESH, body=body)
        self._keep(answer.access_token, answer.refresh_token, answer.expires_in)

    def _take(self, answer: SignedIn) -> SignedIn:
        with self._lock:
            self._keep(answer.access_token, answer.refresh_token, answer.expires_in)
        return answer

    def _keep(self, access: str, refresh: str, expires_in: int) -> None:
        due = self._monotonic() + expires_in * _REFRESH_AT
        self._tokens = _Tokens(access, refresh, uuid4().hex, due)
