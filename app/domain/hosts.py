"""The host of a server's address, in the form in which it is called. Pure.

Letters of other scripts can look like those of the Latin one. So a host is shown, stored and called in ASCII:
with two Cyrillic letters, “books.example” becomes `xn--bks-seda.example`.
"""

import re
from ipaddress import IPv6Address
from typing import Final
from urllib.parse import urlsplit

from app.domain.text import is_invisible

_JOINERS: Final = "\u200c\u200d"  # Hindi and Urdu names have them
_HOST: Final = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?", re.IGNORECASE | re.ASCII)


def ascii_address(address: str) -> str:
    """Return a server's URL with its host in ASCII. Raises ValueError if no server can have that host."""
    parts = urlsplit(address)
    host = parts.hostname or ""
    if ":" in host:
        if IPv6Address(host).scope_id is not None:
            raise ValueError("a scope")
        return address
    if any(is_invisible(char) and char not in _JOINERS for char in host):
        raise ValueError("a character that nobody sees")
    called = host if host.isascii() else host.encode("idna").decode("ascii")
    if not _HOST.fullmatch(called):
        raise ValueError("not a host")
    if called == host:
        return address
    return f"{parts.scheme}://{called}{f':{parts.port}' if parts.port is not None else ''}"


def host_of(address: str) -> str:
    """Return the host of a server's address, with its port if it has one, as it is shown."""
    return urlsplit(address).netloc or address
