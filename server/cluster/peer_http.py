"""Calls of this server to others of its cluster: short, bounded, without redirects or proxies of loopback."""

import ssl
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from server.contract import cluster, paths

if TYPE_CHECKING:
    import requests

S = TypeVar("S", bound=msgspec.Struct)
SECONDS: Final = 2.0
_MOST_BYTES: Final = 4 * 1024 * 1024
_PIECE: Final = 64 * 1024


class PeerHttpError(Exception):
    """There was no good answer; the message says why in a word or two, for a log."""


@dataclass(slots=True)
class PeerHttp:
    """Calls the server at `url`, from one thread; `ca_file` has certificates to trust beside the system's."""

    url: str
    ca_file: str = ""
    _session: "requests.Session | None" = field(default=None, repr=False)

    def get(self, path: str, answer: type[S]) -> S:
        """Return the answer. Raises PeerHttpError."""
        return self._call("GET", path, answer, None)

    def post(self, path: str, body: msgspec.Struct, answer: type[S]) -> S:
        """Return the answer. Raises PeerHttpError."""
        return self._call("POST", path, answer, msgspec.json.encode(body))

    def close(self) -> None:
        """Close the kept connection."""
        if self._session is not None:
            self._session.close()

    def _call(self, method: str, path: str, answer: type[S], data: bytes | None) -> S:
        import requests

        if not cluster.is_allowed_url(self.url):
            raise PeerHttpError("address not allowed")
        headers = {paths.REQUEST_ID_HEADER: uuid4().hex, "Content-Type": "application/json"}
        try:
            with self.opened().request(
                method,
                self.url + path,
                data=data,
                headers=headers,
                timeout=SECONDS,
                allow_redirects=False,
                stream=True,
            ) as reply:
                if reply.status_code != requests.codes.ok:
                    raise PeerHttpError(f"status {reply.status_code}")
                return msgspec.json.decode(_bounded(reply), type=answer)
        except requests.RequestException as error:
            raise PeerHttpError(type(error).__name__) from error
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise PeerHttpError("answer not understood") from error

    def opened(self) -> "requests.Session":
        """Return the connections, kept from call to call."""
        if self._session is None:
            import requests

            self._session = requests.Session()
            self._session.trust_env = not cluster.is_loopback(urlsplit(self.url).hostname)
            self._session.mount("https://", _adapter(self.ca_file))
        return self._session


def _bounded(reply: "requests.Response") -> bytes:
    """Return the body of an answer that comes in time and is not endless. Raises PeerHttpError."""
    deadline = time.monotonic() + SECONDS
    body = bytearray()
    for piece in reply.iter_content(_PIECE):
        body += piece
        if len(body) > _MOST_BYTES or time.monotonic() > deadline:
            raise PeerHttpError("answer too long")
    return bytes(body)


def _adapter(ca_file: str) -> Any:
    import truststore
    from requests.adapters import HTTPAdapter

    class SystemTrust(HTTPAdapter):
        """Believes what the operating system believes, and the operator's own certificates."""

        def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
            context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            if ca_file:
                context.load_verify_locations(ca_file)
            super().init_poolmanager(*arguments, **named, ssl_context=context)

    return SystemTrust()
