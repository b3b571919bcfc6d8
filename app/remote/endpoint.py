"""Where the server is, and which addresses may be called at all."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from app.errors import InputError, ServerError
from server.contract.cluster import is_loopback


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server: `url` without a trailing slash; `secret` is what a local server asks for, "" elsewhere;
    `server_id` is its name in the roster, "" for whoever answers at an address."""

    url: str
    secret: str = ""
    server_id: str = ""

    def owns(self, url: str) -> bool:
        """Return whether `url` is on this server: only there go tokens, secrets and bills."""
        return _origin(url) == _origin(self.url)

    def require(self, url: str) -> str:
        """Return `url`. Raises ServerError where a server sends us elsewhere."""
        if not self.owns(url):
            raise ServerError("The server named an address that is not its own; nothing was sent there.")
        return url


def parse_address(text: str) -> str:
    """Return the URL of a server that somebody typed. Raises InputError at `address`.

    HTTPS anywhere; plain HTTP only on this computer (loopback).
    """
    bare = text.strip().rstrip("/")
    if not bare:
        raise _wrong("Please fill in the address of the server.")
    if "://" not in bare:
        bare = ("http://" if is_loopback(urlsplit(f"//{bare}").hostname) else "https://") + bare
    parts = urlsplit(bare)
    if parts.scheme not in {"http", "https"} or not _has_host(bare):
        raise _wrong("That is not the address of a server, such as https://books.example.com.")
    if parts.username or parts.query or parts.fragment or parts.path:
        raise _wrong("Please give only the server's address, such as https://books.example.com.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise _wrong("This address is not protected; it must begin with https://.")
    return bare


def is_loopback_url(url: str) -> bool:
    """Return whether `url` stays on this computer."""
    return is_loopback(urlsplit(url).hostname)


def _has_host(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return bool(parts.hostname) and parts.port != 0 and " " not in url
    except ValueError:  # a port that is no number, or too large
        return False


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, parts.port or default


def _wrong(sentence: str) -> InputError:
    return InputError(sentence, fields={"address": sentence})
