"""The HTTP client for calls to other servers of the cluster: bounded in time and size, without redirects."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import msgspec

from server.contract import cluster, paths
from server.contract.decoding import decode_json
from server.errors import StartError

if TYPE_CHECKING:
    import ssl

    import aiohttp

    from server.cluster.name_lookup import NameLookup

S = TypeVar("S", bound=msgspec.Struct)
# The time limit of `get` and `post`: to connect, to wait for the next bytes, and to read a whole body.
SECONDS: Final = 2.0
_WHOLE_SECONDS: Final = 3 * SECONDS
_MAX_BYTES: Final = 4 * 1024 * 1024
# The limit for one server. There is none for all servers together, because a server that hangs must not use
# up the connections to the others.
_CONNECTIONS: Final = 16


class PeerHttpError(Exception):
    """There is no usable answer. The message gives the reason in a word or two, for a log."""


@dataclass(frozen=True, slots=True)
class Download:
    """An answer whose body is read piece by piece."""

    status: int
    headers: Mapping[str, str]
    _content: "aiohttp.StreamReader"

    async def read(self) -> bytes:
        """Return the bytes that have come, as soon as there are any; b"" at the end. Raises PeerHttpError."""
        with _peer_errors():
            return await self._content.readany()


class PeerHttp:
    """Calls to other servers, from one event loop; `async with` closes the connections.

    `ca_file` has certificates to trust in addition to the system's. If `direct`, each call goes over a new
    connection and never through a proxy. Otherwise connections are kept, and servers on other computers are
    called through the proxy that the environment names.
    """

    def __init__(self, ca_file: str = "", *, direct: bool = False) -> None:
        """Raises StartError if `ca_file` cannot be read."""
        # Without a file the context is made at the first call: a server without a cluster needs none.
        self._tls = _tls_context(ca_file) if ca_file else None
        self._direct = direct
        self._session: aiohttp.ClientSession | None = None
        self._names: NameLookup | None = None
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closed = True
        if self._session is not None:
            await self._session.close()
        if self._names is not None:
            await self._names.close()

    async def open(self) -> None:
        """Import and read what the first call would otherwise wait for."""
        await self._opened()

    async def get(self, url: str, path: str, answer: type[S], *, max_bytes: int = _MAX_BYTES) -> S:
        """Return the answer of the server at `url`. Raises PeerHttpError."""
        return await self._call("GET", url, path, answer, None, max_bytes)

    async def post(self, url: str, path: str, body: msgspec.Struct, answer: type[S]) -> S:
        """Return the answer of the server at `url`. Raises PeerHttpError."""
        return await self._call("POST", url, path, answer, msgspec.json.encode(body), _MAX_BYTES)

    @contextlib.asynccontextmanager
    async def fetch(
        self, url: str, path: str, headers: Mapping[str, str], limits: tuple[float, float]
    ) -> AsyncIterator[Download]:
        """Yield the answer of the server at `url`, whatever its status. Raises PeerHttpError.

        `limits` are the seconds to connect, and to wait for the next bytes; the caller limits the total.
        """
        async with self._request("GET", url, path, headers, limits) as reply:
            yield Download(reply.status, reply.headers, reply.content)

    async def _call(
        self, method: str, url: str, path: str, answer: type[S], data: bytes | None, max_bytes: int
    ) -> S:
        headers = {"Content-Type": "application/json"}
        with _peer_errors():
            async with (
                asyncio.timeout(_WHOLE_SECONDS),  # headers can come one by one, each in time
                self._request(method, url, path, headers, (SECONDS, SECONDS), data) as reply,
            ):
                if reply.status != HTTPStatus.OK:
                    raise PeerHttpError(f"status {reply.status}")
                body = await _read_body(reply, max_bytes)
        try:
            return decode_json(body, answer)
        except msgspec.MsgspecError as error:
            raise PeerHttpError("answer not understood") from error

    @contextlib.asynccontextmanager
    async def _request(
        self,
        method: str,
        url: str,
        path: str,
        headers: Mapping[str, str],
        limits: tuple[float, float],
        data: bytes | None = None,
    ) -> AsyncIterator["aiohttp.ClientResponse"]:
        if not cluster.is_allowed_url(url):
            raise PeerHttpError("address not allowed")
        session = await self._opened()
        from aiohttp import ClientTimeout

        with _peer_errors():
            reply = await session.request(
                method,
                url + path,
                data=data,
                headers={**headers, paths.REQUEST_ID_HEADER: uuid4().hex},
                timeout=ClientTimeout(total=None, connect=limits[0], sock_read=limits[1]),
                allow_redirects=False,
                proxy=None if self._direct else _proxy_for(url),
            )
        async with reply:  # closes the connection if the body was not read to its end
            yield reply

    async def _opened(self) -> "aiohttp.ClientSession":
        if self._session is None:
            # In a thread: to import aiohttp and to read certificates takes some tenths of a second.
            tls = await asyncio.to_thread(_prepare, self._tls)
            if self._session is None and not self._closed:  # another call may have been faster
                self._session, self._names = _new_session(tls, self._direct)
        if self._session is None or self._closed:
            raise PeerHttpError("client closed")
        return self._session


def _prepare(tls: "ssl.SSLContext | None") -> "ssl.SSLContext":
    import server.cluster.name_lookup  # noqa: F401 - it loads aiohttp, for `_new_session`

    return tls or _tls_context()


def _new_session(tls: "ssl.SSLContext", direct: bool) -> "tuple[aiohttp.ClientSession, NameLookup]":
    """Return what to close later, in this order."""
    import aiohttp

    from server.cluster.name_lookup import NameLookup

    names = NameLookup()
    connector = aiohttp.TCPConnector(
        ssl=tls, resolver=names, limit=0, limit_per_host=_CONNECTIONS, force_close=direct
    )
    session = aiohttp.ClientSession(
        connector=connector,
        headers={"Accept-Encoding": "identity"},
        auto_decompress=False,  # a small compressed answer could become a huge one
        cookie_jar=aiohttp.DummyCookieJar(),
    )
    return session, names


def _tls_context(ca_file: str = "") -> "ssl.SSLContext":
    from server.contract.tls import client_context

    try:
        return client_context(ca_file)
    except OSError as error:
        raise StartError(f"The certificates in {ca_file} cannot be read.") from error


async def _read_body(reply: "aiohttp.ClientResponse", max_bytes: int) -> bytes:
    """Return the body if it comes within SECONDS and is not too long. Raises PeerHttpError."""
    body = bytearray()
    with _peer_errors():
        async with asyncio.timeout(SECONDS):
            while piece := await reply.content.readany():
                body += piece
                if len(body) > max_bytes:
                    raise PeerHttpError("answer too long")
    return bytes(body)


def _proxy_for(url: str) -> str | None:
    """Return the proxy for calls to `url`; a server on this computer is never called through one."""
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    if cluster.is_loopback(parts.hostname) or proxy_bypass(parts.netloc):
        return None
    return getproxies().get(parts.scheme)


@contextlib.contextmanager
def _peer_errors() -> Iterator[None]:
    """Turn the errors of aiohttp into PeerHttpError."""
    import aiohttp

    try:
        yield
    except (aiohttp.ClientError, TimeoutError) as error:
        raise PeerHttpError(type(error).__name__) from error
