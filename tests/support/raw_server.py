"""A server on plain sockets, for answers that no real server would send."""

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Talk = Callable[[socket.socket], None]
"""What happens on one connection, until it returns; then the connection is closed."""


@dataclass(slots=True)
class RawServer:
    """`asked` are the requests; of the connections that were accepted, `hung_up` are those that the caller
    closed, and `over` those that are closed here."""

    port: int
    asked: list[bytes] = field(default_factory=list)
    accepted: list[socket.socket] = field(default_factory=list)
    hung_up: list[socket.socket] = field(default_factory=list)
    over: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    def take_request(self, connection: socket.socket) -> bool:
        """Read one request, and note it; return whether there was one."""
        text = b""
        while not _is_whole(text):
            piece = b""
            with contextlib.suppress(ConnectionError):
                piece = connection.recv(65_536)
            if not piece:
                self.hung_up.append(connection)
                return False
            text += piece
        self.asked.append(text)
        return True

    def answers(self, answer: bytes) -> Talk:
        """Return a talk that gives every request the same answer."""

        def talk(connection: socket.socket) -> None:
            while self.take_request(connection):
                connection.sendall(answer)

        return talk

    def answers_once(self, answer: bytes) -> Talk:
        """Return a talk that answers one request and closes the connection."""

        def talk(connection: socket.socket) -> None:
            if self.take_request(connection):
                connection.sendall(answer)

        return talk

    def hangs(self, connection: socket.socket) -> None:
        """Answer nothing until the caller gives up."""
        while self.take_request(connection):
            pass


def ok(body: bytes, *headers: bytes) -> bytes:
    """Return a whole answer."""
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Content-Length: %d" % len(body), *headers, b"", body])


@contextlib.contextmanager
def raw_server(
    talk: Callable[[RawServer], Talk], tls: tuple[str, str] | None = None, host: str = "127.0.0.1"
) -> Iterator[RawServer]:
    """Serve each connection in a thread; `tls` are the files of a certificate and its key."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) if tls else None
    if context and tls:
        context.load_cert_chain(*tls)
    with socket.create_server((host, 0)) as listening:
        server = RawServer(listening.getsockname()[1])
        threads: list[threading.Thread] = []

        def serve(connection: socket.socket) -> None:
            with contextlib.suppress(OSError), connection:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                with connection:
                    talk(server)(connection)
            server.over.append(connection)

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    server.accepted.append(connection)
                    connection.settimeout(30)
                    threads.append(threading.Thread(target=serve, args=(connection,), daemon=True))
                    threads[-1].start()

        accepting = threading.Thread(target=accept, daemon=True)
        accepting.start()
        try:
            yield server
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            accepting.join(30)
            for thread in threads:
                thread.join(40)


def _is_whole(text: bytes) -> bool:
    head, end, body = text.partition(b"\r\n\r\n")
    lengths = re.findall(rb"(?im)^content-length: *(\d+)", head)
    return bool(end) and len(body) >= int(lengths[0] if lengths else 0)
