"""The invitation link that introduces a client to a cluster: address, key fingerprint and code. Pure."""

from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import quote

from server.contract.cluster import is_allowed_url

SCHEME: Final = "bahi"
FINGERPRINT_DIGITS: Final = 64  # a fingerprint that lost one would fail only later, as a wrong cluster key
MAX_LINK: Final = 2_000
"""How long a link may be, in characters."""
LinkKind = Literal["join", "reset"]


@dataclass(frozen=True, slots=True)
class InviteLink:
    """The contents of an invitation link. `code` is "" if the link does not invite anybody to register.

    A link of the kind `reset` has the same form; its code sets a new password.
    """

    address: str
    fingerprint: str
    code: str = ""


def make_link(link: InviteLink, kind: LinkKind = "join") -> str:
    """Return `bahi://join?address=…&key=…&code=…`, or the same with `reset`."""
    values = {"address": link.address, "key": link.fingerprint, "code": link.code}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items() if value)
    return f"{SCHEME}://{kind}?{query}"


def link_of(address: str, fingerprint: str, code: str) -> InviteLink | None:
    """Return the link with these contents; None if it is incomplete, or its address may not be called."""
    is_complete = len(fingerprint) == FINGERPRINT_DIGITS and set(fingerprint) <= set("0123456789abcdef")
    return InviteLink(address, fingerprint, code) if is_complete and is_allowed_url(address) else None
