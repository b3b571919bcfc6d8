"""Log-in at a server: identifies this installation, verifies the cluster, and finds a server to ask."""

import contextlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeVar

from app.domain.invite_text import FoundLinks, find_code, find_links, starts_like_link
from app.domain.text import clean_text
from app.domain.wording import NO_INVITE
from app.errors import AppError, InputError, OfflineError, ServerError, SignInError, StoreError
from app.remote.endpoint import Endpoint, parse_address
from app.remote.trouble import ConnectionTrouble
from app.services.session_facts import InviteFacts
from app.services.this_computer import this_device
from app.store.settings import Settings
from server.contract import join, paths
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.errors import ErrorCode
from server.contract.passwords import check_typed_password, password_forms, prepare_password
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

_Form = TypeVar("_Form")
_Answer = TypeVar("_Answer")
_DAMAGED_LINK: Final = (
    "This invite link is incomplete. Please copy all of it, from “bahi:” to its end, "
    "or ask the person who runs the server for a new one."
)
_TWO_LINKS: Final = "There are two different links in this text. Please paste only the one that is for you."


@dataclass(frozen=True, slots=True)
class Remote:
    """The network of a session. Built late: importing it takes longer than the first window may wait."""

    client: "Client"
    tokens: "SessionTokens"
    cluster: "Cluster"
    runner: "SessionRunner"
    api: "Api"
    server_clock: "ServerClock"

    def at_hand(self) -> Endpoint | None:
        """Return the pinned server; None if it cannot be reached."""
        try:
            return self.runner.endpoint()
        except AppError:
            return None

    def log_out(self, refresh_token: str, at: Endpoint | None) -> None:
        """End a session at the server if possible. Otherwise it expires after some days without use."""
        if refresh_token and at is not None:
            with contextlib.suppress(AppError):
                self.tokens.logout(refresh_token, at)


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """The input of a log-in. `address` may be an invite link. `create` means to create an account first, with
    `invite_code` if the server requires one."""

    address: str
    user_name: str
    password: str
    create: bool = False
    invite_code: str = ""

    def forms(self) -> list[tuple[str, str]]:
        """Return the names and passwords with which the account may have been created, the likeliest first.

        Older versions sent both as typed.
        """
        name, (prepared, *raw) = clean_text(self.user_name), password_forms(self.password)
        older = raw[0] if raw else prepared
        return list(dict.fromkeys([(name, prepared), (name, older), (self.user_name.strip(), older)]))


def device_of(settings: Settings, address: str) -> Device:
    """Return what identifies this installation to the server at `address` ("" means the local server)."""
    # A different secret for each server, so that no server can pose as this device at another one.
    secret = hmac.digest(settings.device_secret().encode(), address.encode(), "sha256").hex()
    return Device(settings.device_id(), this_device(), secret)


def read_invite(text: str) -> InviteFacts | None:
    """Return the content of the link in `text`, also of one for a new password; None if there is no link.

    Raises InputError with `fields["address"]` if the link is incomplete, or there are two different ones.
    """
    found = find_links(text)
    if found.resets and not found.links:
        link = _only(found.resets)
        return InviteFacts(link.address, "", join.make_link(link, "reset"), sets_password=True)
    invite = _invite_of(text, found)
    return InviteFacts(invite.address, invite.code, join.make_link(invite)) if invite else None


def _invite_of(text: str, found: FoundLinks) -> join.InviteLink | None:
    if found.links:
        return _only(found.links)
    if found.resets:
        raise InputError(NO_INVITE, fields={"address": NO_INVITE})
    if found.is_damaged or starts_like_link(text):
        raise InputError(_DAMAGED_LINK, fields={"address": _DAMAGED_LINK})
    return None


def _only(links: Sequence[join.InviteLink]) -> join.InviteLink:
    if len(links) > 1:
        raise InputError(_TWO_LINKS, fields={"address": _TWO_LINKS})
    return links[0]


def read_request(request: LoginRequest) -> tuple[LoginRequest, str]:
    """Return the request with what an invite link says in it, and the link's fingerprint ("").

    To create an account, the name and the password are prepared; to log in, they stay as typed. Raises
    AppError, with `fields`, if something is missing or wrong before any server is asked.
    """
    link = _invite_of(request.address, find_links(request.address))
    bare = link.address if link else parse_address(request.address)
    if not clean_text(request.user_name):
        raise missing("userName", "Please enter your user name.")
    if not request.password:
        raise missing("password", "Please enter your password.")
    code = find_code(request.invite_code) or (link.code if link else "")
    read = replace(request, address=bare, invite_code=code)
    if request.create:
        refuse_typed(request.password)
        name, password = clean_text(request.user_name), prepare_password(request.password)
        read = replace(read, user_name=name, password=password)
    return read, link.fingerprint if link else ""


def refuse_typed(new: str, field: str = "password") -> None:
    """Raise InputError, with `fields[field]`, if a new password has a character that it must not have."""
    for error in check_typed_password(new, field):
        raise InputError(error.message, fields={field: error.message})


def first_accepted(forms: Sequence[_Form], ask: Callable[[_Form], _Answer]) -> _Answer:
    """Return the answer of `ask` to the first form that it does not refuse as wrong credentials.

    Raises AppError: if every form is wrong, that of the last one.
    """
    for form in forms[:-1]:
        try:
            return ask(form)
        except SignInError as error:
            if error.code != ErrorCode.WRONG_CREDENTIALS:
                raise
    return ask(forms[-1])


def first_accepted_again(
    settings: Settings, address: str, user_name: str, forms: Sequence[_Form], ask: Callable[[_Form], _Answer]
) -> _Answer:
    """Return the answer as `first_accepted` does. The form that was accepted last time is asked first.

    Otherwise each log-in with a password that an older version set would count as one wrong attempt. The
    settings contain only the number of the form, for this address ("" means this computer) and user.
    """
    key = f"password_form {address} {clean_text(user_name).casefold()}"
    known = settings.get(key)
    first = min(int(known), len(forms) - 1) if known else 0
    order = sorted(range(len(forms)), key=lambda at: at != first)
    accepted, answer = first_accepted(order, lambda at: (at, ask(forms[at])))
    if accepted != first:
        with contextlib.suppress(StoreError):  # the log-in has succeeded
            settings.set(key, str(accepted))
    return answer


def log_in(remote: Remote, settings: Settings, request: LoginRequest) -> tuple[str, SignedIn]:
    """Verify the cluster and log in there. Return the address without an invite code, and the answer.

    Raises AppError, with `fields` if the input is the reason.
    """
    read, fingerprint = read_request(request)
    device = device_of(settings, read.address)
    endpoints = login_endpoints(remote, read.address, fingerprint)
    if read.create:
        body = Registration(read.user_name, read.password, device, read.invite_code)
        return read.address, _ask(remote, body, endpoints)
    return read.address, first_accepted_again(
        settings,
        read.address,
        read.user_name,
        read.forms(),
        lambda form: _ask(remote, Credentials(*form, device), endpoints),
    )


def log_in_again(remote: Remote, body: Credentials, server_id: str) -> SignedIn:
    """Log in again at the present cluster: at its central address, or else at a server. Raises AppError."""
    return _ask(remote, body, remote.cluster.login_endpoints(server_id))


def missing(field: str, sentence: str) -> SignInError:
    """Return the error for an empty field of a form."""
    return SignInError(sentence, fields={field: sentence})


def login_endpoints(remote: Remote, address: str, fingerprint: str) -> list[Endpoint]:
    """Verify the cluster at `address`, and return the endpoints to log in at.

    If nothing answers at `address`, they are those of the last known roster.
    """
    at = Endpoint(address)
    try:
        servers = remote.client.call(Servers, "GET", paths.SERVERS, endpoint=at)
    except OfflineError as error:
        if fingerprint or not remote.cluster.recall(address):
            raise at_address(error) from error
        return remote.cluster.login_endpoints("")
    except ServerError as error:
        raise at_address(error) from error
    remote.cluster.meet(address, servers.roster, fingerprint)
    return [at]


def at_address(error: AppError) -> AppError:
    """Return the error of a call to a typed address, next to the address if that is probably the reason."""
    if error.code in {*ConnectionTrouble}:
        error.fields.setdefault("address", error.message)
    return error


def _ask(remote: Remote, body: Credentials, endpoints: list[Endpoint]) -> SignedIn:
    """Return the answer of the first endpoint that answers. Raises AppError."""
    answer = first_answer(endpoints, lambda at: remote.tokens.ask(body, at))
    remote.cluster.endpoint(answer.primary.server_id)  # raises if the server is not in the roster
    return answer


def first_answer(endpoints: list[Endpoint], ask: Callable[[Endpoint], SignedIn]) -> SignedIn:
    first: OfflineError | None = None  # about the central address, or the one that was typed
    for at in endpoints:
        try:
            return ask(at)
        except OfflineError as error:
            first = first or error
    raise first or OfflineError
