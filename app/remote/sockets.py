"""HTTP connections that another thread can close, so that a call that hangs on a dead server fails at once.

`requests.Session.close()` closes only idle connections. Here, those in use are registered too.
"""

import contextlib
import socket
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection

from app.remote.watchdog import CallLimit
from server.contract.tls import client_context

_DEFAULT_PORT = {"http": 80, "https": 443}
_UNSENT_BYTES: Final = 128 * 1024


class Sockets:
    """The registered connections. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()
        self._calls = threading.local()

    @contextlib.contextmanager
    def calling(self, call: CallLimit) -> Iterator[None]:
        """Let `call` limit what this thread sends within the block."""
        self._calls.call = call
        try:
            yield
        finally:
            self._calls.call = None

    def note(self, connection: HTTPConnection) -> None:
        """Register a new connection."""
        with self._lock:
            self._open.add(connection)

    def use(self, connection: "_UsedSocket") -> None:
        """Note the connection of this thread's call. Raises TimeoutError if its time is over already."""
        call: CallLimit | None = getattr(self._calls, "call", None)
        if call is None:
            return
        call.is_on(connection)
        assert isinstance(connection, HTTPConnection)
        if connection.sock is not None:
            # Otherwise, the time limit to connect would be that of each part of an upload too.
            connection.sock.settimeout(call.pause)

    def break_off(self, url: str) -> int:
        """Shut down every connection to the server at `url`, so that its calls fail. Return their number."""
        parts = urlsplit(url)
        wanted = (parts.hostname, parts.port or _DEFAULT_PORT.get(parts.scheme))
        with self._lock:
            found = [each for each in self._open if (each.host, each.port) == wanted]
        return sum(_shut(each) for each in found)


def _shut(connection: HTTPConnection) -> bool:
    # A connection gives its socket away if the answer ends with the connection; the answer still reads it.
    open_socket = connection.sock or getattr(connection, "used_socket", None)
    if open_socket is None:
        return False
    with contextlib.suppress(OSError):
        open_socket.shutdown(socket.SHUT_RDWR)
    return True


class MonitoredAdapter(HTTPAdapter):
    """Registers its connections in `sockets`. Trusts the CA certificates of the system and of `ca_file`."""

    def __init__(self, sockets: Sockets, ca_file: str = "") -> None:
        self._sockets = sockets
        self._ca_file = ca_file
        super().__init__(pool_maxsize=8)

    def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
        """Use pools whose connections are registered."""
        super().init_poolmanager(*arguments, **(more | self._settings()))
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._sockets)

    def proxy_manager_for(self, proxy: str, **more: Any) -> ProxyManager:
        """Use such pools through a proxy too."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **(more | self._settings()))
        manager.pool_classes_by_scheme = _pool_classes(self._sockets)
        return manager

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - as it is called
        """Require a certificate that the TLS context trusts; `requests` would add its own CA store."""
        if url.lower().startswith("https"):
            conn.cert_reqs = "CERT_REQUIRED"

    def _settings(self) -> dict[str, Any]:
        return {"ssl_context": client_context(self._ca_file), "socket_options": _socket_options()}


def _socket_options() -> list[tuple[int, int, int]]:
    options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
    if sys.platform == "linux":
        # The kernel buffers megabytes, and reports progress only when a third of them has gone: on a slow
        # line that takes longer than an upload may stand still.
        options.append((socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _UNSENT_BYTES))
    return options


class _UsedSocket:
    """Keeps the socket of the last request."""

    used_socket: socket.socket | None = None

    def break_off(self) -> None:
        """Make the call on this connection fail at once."""
        assert isinstance(self, HTTPConnection)
        _shut(self)


def _pool_classes(sockets: Sockets) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(_UsedSocket, HTTPConnection):
        def connect(self) -> None:
            sockets.use(self)
            super().connect()
            sockets.note(self)

        def send(self, data: Any) -> None:
            sockets.use(self)
            super().send(data)
            self.used_socket = self.sock

    class Secure(_UsedSocket, HTTPSConnection):
        def connect(self) -> None:
            sockets.use(self)
            super().connect()
            sockets.note(self)

        def send(self, data: Any) -> None:
            sockets.use(self)
            super().send(data)
            self.used_socket = self.sock

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
