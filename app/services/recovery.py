"""Getting in again after a forgotten password: with a recovery code, or with an operator's link."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.domain.hosts import host_of
from app.domain.invite_text import MAX_TEXT, FoundLinks, find_code, find_links
from app.domain.text import clean_text, visible
from app.errors import AppError, InputError, storage_error
from app.remote.endpoint import Endpoint, parse_address
from app.services.accounts import Accounts, BookSession
from app.services.login import at_address, device_of, first_answer, login_endpoints, refuse_typed
from app.store.settings import Settings
from server.contract import join, limits, paths
from server.contract.cluster_calls import Servers
from server.contract.durable_files import write_file
from server.contract.passwords import password_forms, prepare_password
from server.contract.recovery_codes import code_mistake
from server.contract.shapes import LocalRecovery, PasswordReset, RecoveryCodeRequest

__all__ = ["Recovery", "ResetTarget", "check_agreed", "check_code", "read_reset", "save_code", "target_of"]

_ON_PAPER: Final = (
    "If you forget your password, type this code at the log-in under “Forgot your password?”. Print this "
    "page, keep it with your papers, and delete the file."
)
_NO_LINK: Final = "That is not the link that you were sent. Please copy all of it, from “bahi:” to its end."
_EMPTY: Final = "Please paste the link that you were sent."
_CODE: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+\Z", re.ASCII)
_OTHER_SERVER: Final = (
    "This link is for {host}, which is not the server of your log-in ({known}). Your new password would be "
    "sent to {host}. Go on only if you are sure that this is right: ask the person who runs your server."
)
_OTHER_KEY: Final = (
    "The server of this link is not the one that this computer knows at {host}: it has another key. Go on "
    "only if you are sure that this is right: ask the person who runs your server."
)
_MOST_SHOWN: Final = 80  # characters of a text that is no address


@dataclass(frozen=True, slots=True)
class ResetTarget:
    """The server that a new password would be sent to.

    `doubt` is a sentence if it is not the server of the log-in. The user must agree then, before anything is
    sent. It is "" otherwise.
    """

    address: str
    doubt: str = ""

    @property
    def host(self) -> str:
        """Return the host, as it is shown."""
        return host_of(self.address)


@dataclass(frozen=True, slots=True)
class Recovery:
    """Sets new passwords without the old one, and makes recovery codes.

    `local_endpoint` returns the address of the local server. `local_command` returns the command line of
    `command`.
    """

    accounts: Accounts
    settings: Settings
    local_endpoint: Callable[[], Endpoint]
    local_command: Callable[[str], str]

    def with_code(self, code: str, new: str, remember: bool = False) -> BookSession:
        """Set a new password for the book on this computer, and open it. There is a new code then.

        Raises AppError, with `fields["recoveryCode"]` or `fields["newPassword"]`.
        """
        check_code(code)
        refuse_typed(new, "newPassword")
        body = LocalRecovery(device_of(self.settings, ""), code.strip(), prepare_password(new))
        answer = self.accounts.remote.tokens.recover_local(body, self.local_endpoint())
        return self.accounts.begin("", answer, remember)

    def target(self, link: str, address: str) -> ResetTarget:
        """Return where `with_link` would send a new password. Raises InputError."""
        return target_of(read_reset(link), address, self.accounts.remote.cluster.is_known)

    def with_link(
        self, link: str, address: str, new: str, remember: bool = False, agreed: str = ""
    ) -> BookSession:
        """Set a new password with the link, or only its code, that an operator has sent, and sign in.

        `address` is that of the log-in, and is used if there is only a code. If the link is for another
        server, nothing is sent unless `agreed` is the address of the link. Raises AppError, with
        `fields["resetCode"]`, `fields["newPassword"]` or `fields["address"]`.
        """
        found = read_reset(link)
        refuse_typed(new, "newPassword")
        bare = check_agreed(target_of(found, address, self.accounts.remote.cluster.is_known), agreed)
        remote, device = self.accounts.remote, device_of(self.settings, bare)
        endpoints = login_endpoints(remote, bare, found.fingerprint)
        body = PasswordReset(found.code, prepare_password(new), device)
        answer = first_answer(endpoints, lambda at: remote.tokens.reset(body, at))
        remote.cluster.endpoint(answer.primary.server_id)  # raises if the server is not in the roster
        self.settings.set("address", bare)
        return self.accounts.begin(bare, answer, remember)

    def contact(self, address: str) -> str:
        """Return whom the operator of a server names to ask for help; "" if nobody. Raises AppError."""
        at = Endpoint(_bare(address))
        try:
            servers = self.accounts.remote.client.call(Servers, "GET", paths.SERVERS, endpoint=at)
        except AppError as error:
            raise at_address(error) from error
        return clean_text(servers.contact[: limits.MAX_CONTACT])

    def replace_code(self, password: str) -> None:
        """Make a new recovery code; `take_code` returns it. The one before is not valid any more.

        Raises AppError, with `fields["password"]` if the password is wrong.
        """
        prepared, *older = password_forms(password)
        body = RecoveryCodeRequest(prepared, next(iter(older), ""))
        self.accounts.new_code = self.accounts.remote.api.new_recovery_code(body)

    def save_code(self, code: str, file: Path) -> None:
        """Write a code into a text file that only its owner can read. Raises StoreError."""
        save_code(code, file)

    def command(self, user_name: str) -> str:
        """Return the command line with which the owner of the files sets a new password for a user."""
        return self.local_command(user_name)

    def take_code(self) -> str:
        """Return a code that was made and not shown yet, once; "" if there is none."""
        code, self.accounts.new_code = self.accounts.new_code, ""
        return code


def save_code(code: str, file: Path) -> None:
    """Write a code into a text file that only its owner can read. Raises StoreError."""
    text = f"Bahi: the recovery code of your book\n\n{code}\n\n{_ON_PAPER}\n"
    try:
        write_file(file, text.encode(), private=True)
    except OSError as error:
        raise storage_error(error, file) from error


def check_code(typed: str) -> None:
    """Raise InputError, with `fields["recoveryCode"]`, if a text cannot be a recovery code."""
    if mistake := code_mistake(typed):
        raise InputError(mistake, fields={"recoveryCode": mistake})


def target_of(found: join.InviteLink, address: str, is_known: Callable[[str, str, str], bool]) -> ResetTarget:
    """Return where a new password would be sent. `address` is that of the log-in, or an invite link, or "".

    `is_known` is that of the cluster. Raises InputError if neither has an address.
    """
    if not found.address:
        return ResetTarget(_bare(address))
    typed = clean_text(address)
    try:
        known = _bare(address) if typed else found.address
    except InputError:
        known = typed[:_MOST_SHOWN]
    if is_known(known, found.address, found.fingerprint):
        return ResetTarget(found.address)
    host, shown = host_of(found.address), host_of(known)
    doubt = _OTHER_KEY.format(host=host) if host == shown else _OTHER_SERVER.format(host=host, known=shown)
    return ResetTarget(found.address, doubt)


def check_agreed(target: ResetTarget, agreed: str) -> str:
    """Return the address of `target`. Raises InputError if there is a doubt, and the user did not agree."""
    if target.doubt and agreed != target.address:
        raise InputError(target.doubt, fields={"resetCode": target.doubt})
    return target.address


def _bare(address: str) -> str:
    links = find_links(address).links
    return links[0].address if links else parse_address(address)


def read_reset(typed: str) -> join.InviteLink:
    """Return the link in a pasted text. With only a code, its address is "". Raises InputError."""
    if not visible(typed[:MAX_TEXT]).strip():
        raise InputError(_EMPTY, fields={"resetCode": _EMPTY})
    found, code = find_links(typed), find_code(typed)
    if len(found.resets) == 1:
        return found.resets[0]
    if found == FoundLinks() and _CODE.match(code):
        return join.InviteLink("", "", code)
    raise InputError(_NO_LINK, fields={"resetCode": _NO_LINK})
