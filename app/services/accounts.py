"""Signing in, on this computer or at a server, and what is known of the session."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.errors import AppError, SignInError
from app.remote.endpoint import Endpoint, parse_address
from app.store.outbox import Outbox
from app.store.settings import Settings
from server.contract import limits
from server.contract.shapes import Credentials, Device, LocalSignIn, SignedIn

if TYPE_CHECKING:
    from app.remote.api import Api
    from app.remote.auth import Tokens
    from app.remote.client import Client


@dataclass(frozen=True, slots=True)
class LocalBook:
    """What is on this computer before anybody signs in."""

    exists: bool
    user_name: str
    has_password: bool


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in, to which book, at which server."""

    user_name: str
    book_id: str
    code_prefix: str
    server_id: str
    region: str
    server_label: str


@dataclass(frozen=True, slots=True)
class Remote:
    """The network, made when it is first needed: importing it costs more than the first window may."""

    client: "Client"
    tokens: "Tokens"
    api: "Api"


class Accounts:
    """`local_endpoint` starts the server of this computer where it does not run."""

    def __init__(
        self,
        settings: Settings,
        outbox: Outbox,
        local_endpoint: Callable[[], Endpoint],
        connect: Callable[[Callable[[], Endpoint]], Remote],
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._settings = settings
        self._outbox = outbox
        self._local_endpoint = local_endpoint
        self._connect = connect
        self._now_us = now_us
        self._remote: Remote | None = None
        self._address = ""  # of a server; "" for this computer
        self.session: Session | None = None
        self.offset_us = 0
        """How far this computer's clock is behind the server's."""

    @property
    def remote(self) -> Remote:
        """The network."""
        if self._remote is None:
            self._remote = self._connect(self._endpoint)
        return self._remote

    def require_session(self) -> Session:
        """Return the session. Raises SignInError where nobody is signed in."""
        if self.session is None:
            raise SignInError("Please sign in.")
        return self.session

    def local_book(self) -> LocalBook:
        """Ask what is on this computer; waits for its server to start."""
        self._address = ""
        book = self.remote.tokens.local_book()
        return LocalBook(book.exists, book.user_name, book.has_password)

    def sign_in_local(self, user_name: str, password: str) -> Session:
        """Open the book on this computer; makes it at the first start."""
        self._address = ""
        body = LocalSignIn(self._device(), user_name.strip(), password)
        return self._begin(self.remote.tokens.sign_in_local(body), "This computer")

    def sign_in_remote(self, address: str, user_name: str, password: str, create: bool = False) -> Session:
        """Sign in at a server, or make an account there first."""
        self._address = parse_address(address)
        if not user_name.strip():
            raise _missing("userName", "Please fill in your user name.")
        if not password:
            raise _missing("password", "Please fill in your password.")
        body = Credentials(user_name.strip(), password, self._device())
        answer = self.remote.tokens.sign_in(body, create=create)
        self._settings.set("address", self._address)
        return self._begin(answer, f"{answer.primary.server_id} · {answer.primary.region}")

    def sign_out(self) -> None:
        """Forget the session; what waits in the outbox stays."""
        self.session = None
        if self._remote is not None:
            self._remote.tokens.forget()

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

    def _endpoint(self) -> Endpoint:
        return Endpoint(self._address) if self._address else self._local_endpoint()

    def _device(self) -> Device:
        return Device(self._settings.device_id(), platform.node().strip()[: limits.MAX_DEVICE_NAME])

    def _begin(self, answer: SignedIn, label: str) -> Session:
        self._outbox.raise_counter(answer.book_id, answer.code_prefix, answer.last_counter)
        self.learn_server_time(answer.server_time)
        self.session = Session(
            user_name=answer.user_name,
            book_id=answer.book_id,
            code_prefix=answer.code_prefix,
            server_id=answer.primary.server_id,
            region=answer.primary.region,
            server_label=label,
        )
        return self.session


def _missing(field: str, sentence: str) -> SignInError:
    return SignInError(sentence, fields={field: sentence})
