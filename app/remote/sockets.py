"""HTTP connections that another thread can close, so that a call that hangs on a dead server fails at once.

`requests.Session.close()` closes only idle connections. Here, those in use are registered too.
"""

import contextlib
import socket
import threading
import weakref
from typing import Any
from urllib.parse import urlsplit

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from server.contract.tls import client_context

_DEFAULT_PORT = {"http": 80, "https": 443}


class Sockets:
    """The registered connections. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: weakref.WeakSet[HTTPConnection] = weakref.WeakSet()

    def note(self, connection: HTTPConnection) -> None:
        """Register a new connection."""
        with self._lock:
            self._open.add(connection)

    def break_off(self, url: str) -> int:
        """Shut down every connection to the server at `url`, so that its calls fail. Return their number."""
        parts = urlsplit(url)
        wanted = (parts.hostname, parts.port or _DEFAULT_PORT.get(parts.scheme))
        with self._lock:
            found = [each for each in self._open if (each.host, each.port) == wanted]
        return sum(_shut(each) for each in found)


def _shut(connection: HTTPConnection) -> bool:
    open_socket = connection.sock
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
        super().init_poolmanager(*arguments, ssl_context=client_context(self._ca_file), **more)
        self.poolmanager.pool_classes_by_scheme = _pool_classes(self._sockets)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ARG002 - as it is called
        """Require a certificate that the TLS context trusts; `requests` would add its own CA store."""
        if url.lower().startswith("https"):
            conn.cert_reqs = "CERT_REQUIRED"


def _pool_classes(sockets: Sockets) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            sockets.note(self)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            sockets.note(self)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
