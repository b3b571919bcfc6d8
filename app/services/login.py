"""Going in: who this installation is, which cluster is at an address, and where one may log in."""

import contextlib
import hmac
import platform
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from app.errors import AppError, InputError, OfflineError, SignInError
from app.remote.endpoint import Endpoint, parse_address
from app.services.session_facts import InviteFacts
from app.store.settings import Settings
from server.contract import join, limits, paths
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.shapes import (
    Credentials,
    Device,
    Registration,
    SignedIn,
)

if TYPE_CHECKING:
    from app.remote.api import Api
    from app.remote.auth import SessionTokens
    from app.remote.client import Client
    from app.remote.cluster import Cluster
    from app.remote.server_clock import ServerClock
    from app.remote.session_runner import SessionRunner

_DAMAGED_LINK: Final = "This invite link is not whole; please copy all of it, from “bahi:” to its end."


@dataclass(frozen=True, slots=True)
class Remote:
    """The network, made when it is first needed: importing it costs more than the first window may."""

    client: "Client"
    tokens: "SessionTokens"
    cluster: "Cluster"
    runner: "SessionRunner"
    api: "Api"
    server_clock: "ServerClock"

    def at_hand(self) -> Endpoint | None:
        """Return the locked server, None while it is away."""
        try:
            return self.runner.endpoint()
        except AppError:
            return None

    def log_out(self, refresh_token: str, at: Endpoint | None) -> None:
        """End a session at the server, where that can be done: an unused one ends by itself."""
        if refresh_token and at is not None:
            with contextlib.suppress(AppError):
                self.tokens.logout(refresh_token, at)


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """What was typed to go in at a server; `address` may be an invite link. `create` makes an account first,
    by an invitation where the server asks for one."""

    address: str
    user_name: str
    password: str
    create: bool = False
    invite_code: str = ""


def device_of(settings: Settings, address: str) -> Device:
    """Return this installation as the server at `address` ("": this computer's own) knows it."""
    name = platform.node().strip()[: limits.MAX_DEVICE_NAME]
    # Another secret for each server: one of them cannot pass for this device at another.
    secret = hmac.digest(settings.device_secret().encode(), address.encode(), "sha256").hex()
    return Device(settings.device_id(), name, secret)


def read_invite(text: str) -> InviteFacts | None:
    """Return what an invite link says; None for a text that is none. Raises InputError at `address`."""
    if not join.is_link(text):
        return None
    link = join.read_link(text)
    if link is None:
        raise InputError(_DAMAGED_LINK, fields={"address": _DAMAGED_LINK})
    return InviteFacts(link.address, link.code)


def read_request(request: LoginRequest) -> tuple[LoginRequest, str]:
    """Return the request with what an invite link says in it, and the link's fingerprint ("").

    Raises AppError, with `fields`, if something is missing or wrong before any server is asked.
    """
    link = join.read_link(request.address) if read_invite(request.address) else None
    bare = link.address if link else parse_address(request.address)
    if not request.user_name.strip():
        raise missing("userName", "Please fill in your user name.")
    if not request.password:
        raise missing("password", "Please fill in your password.")
    code = request.invite_code.strip() or (link.code if link else "")
    read = replace(request, address=bare, user_name=request.user_name.strip(), invite_code=code)
    return read, link.fingerprint if link else ""


def log_in(remote: Remote, settings: Settings, request: LoginRequest) -> tuple[str, SignedIn]:
    """Meet the cluster and log in there; return its bare address and the answer.

    Raises AppError, with `fields` where that is what is wrong.
    """
    read, fingerprint = read_request(request)
    body = Credentials(read.user_name, read.password, device_of(settings, read.address))
    if read.create:
        body = Registration(body.user_name, body.password, body.device, read.invite_code)
    endpoints = _login_endpoints(remote, read.address, fingerprint)
    return read.address, _ask(remote, body, endpoints)


def log_in_again(remote: Remote, body: Credentials, server_id: str) -> SignedIn:
    """Log in at the cluster that is known, by its central address or else at a server. Raises AppError."""
    return _ask(remote, body, remote.cluster.login_endpoints(server_id))


def missing(field: str, sentence: str) -> SignInError:
    """Return the refusal of a form with an empty field."""
    return SignInError(sentence, fields={field: sentence})


def _login_endpoints(remote: Remote, address: str, fingerprint: str) -> list[Endpoint]:
    """Meet the cluster at `address`; where nothing answers there, the servers of last time are doors too."""
    at = Endpoint(address)
    try:
        servers = remote.client.call(Servers, "GET", paths.SERVERS, endpoint=at)
    except OfflineError:
        if fingerprint or not remote.cluster.recall(address):
            raise
        return remote.cluster.login_endpoints("")
    remote.cluster.meet(address, servers.roster, fingerprint)
    return [at]


def _ask(remote: Remote, body: Credentials, endpoints: list[Endpoint]) -> SignedIn:
    """Return what the first of `doors` says that answers at all."""
    answer = _first_answer(endpoints, lambda at: remote.tokens.ask(body, at))
    remote.cluster.endpoint(answer.primary.server_id)  # nobody is sent out of the roster
    return answer


def _first_answer(endpoints: list[Endpoint], ask: Callable[[Endpoint], SignedIn]) -> SignedIn:
    for at in endpoints:
        with contextlib.suppress(OfflineError):
            return ask(at)
    raise OfflineError
