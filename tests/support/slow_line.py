"""A slow line to a server: a proxy on loopback that forwards a limited number of bytes per second."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_PIECE: Final = 1_024
_BUFFER: Final = 16 * 1_024
_SEGMENT: Final = 1_400


class SlowLine:
    """Passes on `rate` bytes a second to the server, of all connections together and fairly between them.

    What comes back is not slowed down. `url` is where clients find it.
    """

    def __init__(self, port: int, server_port: int, rate: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._server_port = server_port
        self._rate = rate
        self._line = threading.Lock()
        self._free_at = 0.0
        self._ended = threading.Event()
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._listening = socket.socket()
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Else the client's kernel takes 2.5 MB for as good as sent, as it does on loopback only.
        self._listening.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT)
        self._listening.bind(("127.0.0.1", port))
        self._listening.listen()
        self._start(self._accept)

    def close(self) -> None:
        """Break off every connection."""
        self._ended.set()
        for each in (self._listening, *self._sockets):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        for each in (self._listening, *self._sockets):
            each.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # it is closed
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(("127.0.0.1", self._server_port))
                self._sockets += [client, server]
                self._start(self._pass_on, client, server, True)
                self._start(self._pass_on, server, client, False)

    def _start(self, work: object, *arguments: object) -> None:
        self._threads.append(threading.Thread(target=work, args=arguments, daemon=True))  # type: ignore[arg-type]
        self._threads[-1].start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_slow: bool) -> None:
        with contextlib.suppress(OSError):
            while piece := source.recv(_PIECE):
                if is_slow:
                    self._ended.wait(self._turn(len(piece)))
                target.sendall(piece)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _turn(self, size: int) -> float:
        """Take a place on the line; return for how many seconds to wait for it."""
        with self._line:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self._rate
            return self._free_at - now


@contextmanager
def slow_line(port: int, server_port: int, rate: int) -> Iterator[SlowLine]:
    """Yield a line of `rate` bytes a second from `port` to the server at `server_port`."""
    line = SlowLine(port, server_port, rate)
    try:
        yield line
    finally:
        line.close()
