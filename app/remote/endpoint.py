"""The address of a server, and the rules for addresses that may be called."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from app.domain.hosts import ascii_address
from app.domain.text import clean_text
from app.errors import InputError, ServerError
from server.contract.cluster import is_loopback

_NOT_AN_ADDRESS: Final = "That is not a server address. It looks like https://books.example.com."
_NO_HOST: Final = (
    "No server has such an address: it has a character that does not belong there. "
    "Please type the address yourself, such as https://books.example.com."
)
_REORDERS: Final = frozenset("\u202a\u202b\u202d\u202e\u2067")  # would show the letters in another order


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of a server.

    `url` has no trailing slash. `secret` is what the local server requires, "" for any other. `server_id` is
    the id in the roster, "" if it is not known which server answers at the address.
    """

    url: str
    secret: str = ""
    server_id: str = ""

    def owns(self, url: str) -> bool:
        """Return whether `url` is on this server. Tokens, secrets and bills are sent nowhere else."""
        try:
            return _origin(url) == _origin(self.url)
        except ValueError:  # the server sent something that is not a URL
            return False

    def require(self, url: str) -> str:
        """Return `url`. Raises ServerError if it is on another server."""
        if not self.owns(url):
            raise ServerError("The server named an address that is not its own. Nothing was sent there.")
        return url


def parse_address(text: str) -> str:
    """Return the URL of the server address that the user typed.

    HTTPS is allowed anywhere, plain HTTP only on this computer (loopback). The host is in ASCII. Raises
    InputError with `fields["address"]` if it is not such an address.
    """
    if not _REORDERS.isdisjoint(text):
        raise _wrong(_NO_HOST)
    bare = clean_text(text).rstrip("/")
    if not bare:
        raise _wrong("Please type the address of the server.")
    try:
        bare = _with_scheme(bare)
        parts = urlsplit(bare)
    except ValueError as error:  # a bracket that is not closed, or a character that is none of a host's
        raise _wrong(_NOT_AN_ADDRESS) from error
    if parts.scheme not in {"http", "https"} or not _has_host(bare):
        raise _wrong(_NOT_AN_ADDRESS)
    if parts.username or parts.query or parts.fragment or parts.path:
        raise _wrong("Please type only the server's address, such as https://books.example.com.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _wrong("This address is not secure; it must begin with https://.")
    try:
        return ascii_address(bare)
    except ValueError as error:
        raise _wrong(_NO_HOST) from error


def _with_scheme(bare: str) -> str:
    if "://" in bare:
        return bare
    return ("http://" if is_loopback(urlsplit(f"//{bare}").hostname) else "https://") + bare


def is_loopback_url(url: str) -> bool:
    """Return whether `url` is on this computer."""
    return is_loopback(urlsplit(url).hostname)


def _has_host(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:  # the port is not a number, or too large
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)  # https://a and https://a:443 are the same server
    return parts.scheme, parts.hostname, parts.port or default


def _wrong(sentence: str) -> InputError:
    return InputError(sentence, fields={"address": sentence})
