"""The invite link, by which a client meets a cluster: address, key fingerprint, one-time code. Pure."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from server.contract.cluster import is_allowed_url

SCHEME: Final = "bahi"
_FINGERPRINT_DIGITS: Final = 64
MAX_LINK: Final = 2_000


@dataclass(frozen=True, slots=True)
class InviteLink:
    """`code` is "" where the link only introduces the cluster."""

    address: str
    fingerprint: str
    code: str = ""


def make_link(link: InviteLink) -> str:
    """Return `bahi://join?address=…&key=…&code=…`."""
    values = {"address": link.address, "key": link.fingerprint, "code": link.code}
    query = "&".join(f"{name}={quote(value, safe='')}" for name, value in values.items() if value)
    return f"{SCHEME}://join?{query}"


def is_link(text: str) -> bool:
    """Say whether somebody pasted a link rather than typed an address."""
    return text.strip().lower().startswith(f"{SCHEME}:")


def read_link(text: str) -> InviteLink | None:
    """Return what a link says, None for what is no whole link of ours."""
    bare = "".join(text.split())  # mail programs break long lines
    if len(bare) > MAX_LINK or not is_link(bare):
        return None
    try:
        parts = urlsplit(bare)
        values = parse_qs(parts.query, strict_parsing=True)
    except ValueError:
        return None
    address = values.get("address", [""])[-1].rstrip("/")
    fingerprint = values.get("key", [""])[-1].lower()
    code = values.get("code", [""])[-1]
    whole = len(fingerprint) == _FINGERPRINT_DIGITS and set(fingerprint) <= set("0123456789abcdef")
    if parts.netloc != "join" or not whole or not is_allowed_url(address):
        return None
    return InviteLink(address, fingerprint, code)
