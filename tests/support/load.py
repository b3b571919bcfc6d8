"""A load generator in its own process: raw HTTP/1.1 over persistent connections to a server on loopback.

It does as little as possible, so that it takes little processor time from the server that it measures.
"""

import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from itertools import cycle
from pathlib import Path
from typing import Final

import msgspec

MOST_CONNECTIONS: Final = 64
MOST_SECONDS: Final = 60.0
_ROOT: Final = Path(__file__).parents[2]
_BUFFER: Final = 256 * 1024


class Order(msgspec.Struct, frozen=True):
    """What to send to 127.0.0.1:`port`; `again` says whether to begin anew when all `requests` are sent."""

    port: int
    requests: list[bytes]
    connections: int
    seconds: float
    again: bool = True


class Outcome(msgspec.Struct, frozen=True):
    """What came back: `latencies` in ms, of 2xx answers only; `refused` are the others."""

    seconds: float
    latencies: list[float]
    refused: int

    @property
    def per_second(self) -> float:
        """Return the rate of 2xx answers."""
        return len(self.latencies) / self.seconds


def request(
    method: str, path: str, headers: dict[str, str], body: bytes = b"", host: str = "127.0.0.1"
) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in headers.items())]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def drive(order: Order) -> Outcome:
    """Run `order` in another process and return what it measured. Raises CalledProcessError."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.load"],
        input=msgspec.msgpack.encode(order),
        stdout=subprocess.PIPE,
        check=True,
        cwd=_ROOT,
        timeout=MOST_SECONDS * 2,
    )
    return msgspec.msgpack.decode(done.stdout, type=Outcome)


class _Connection:
    """One kept connection with one request on its way."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._missing = 0
        self._head = b""
        self.began = 0.0
        self.ok = False

    def send(self, data: bytes) -> None:
        self.began, self._missing, self._head = time.perf_counter(), -1, b""
        self.socket.sendall(data)

    def receive(self) -> bool:
        """Take what has come; True when the answer is whole. Raises ConnectionError."""
        piece = self.socket.recv(_BUFFER)
        if not piece:
            raise ConnectionError("the server closed the connection")
        if self._missing >= 0:
            self._missing -= len(piece)
            return self._missing <= 0
        self._head += piece
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            return False
        self.ok = self._head[9:10] == b"2"
        self._missing = _length(self._head[:end].lower()) - (len(self._head) - end - 4)
        return self._missing <= 0


def _length(head: bytes) -> int:
    _, found, rest = head.partition(b"content-length:")
    if not found:
        raise ConnectionError("an answer without a length")
    return int(rest.partition(b"\r\n")[0])


def _run(order: Order) -> Outcome:
    if not 0 < order.connections <= MOST_CONNECTIONS or not 0 < order.seconds <= MOST_SECONDS:
        raise ValueError("more load than a shared machine should bear")
    requests = _source(order)
    selector = selectors.DefaultSelector()
    began = time.perf_counter()
    for _ in range(order.connections):
        connection = _Connection(order.port)
        selector.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(next(requests))
    latencies, refused = _answers(selector, requests, began + order.seconds)
    return Outcome(time.perf_counter() - began, latencies, refused)


def _source(order: Order) -> Iterator[bytes]:
    source: Iterable[bytes] = cycle(order.requests) if order.again else order.requests
    return iter(source)


def _answers(
    selector: selectors.BaseSelector, requests: Iterator[bytes], deadline: float
) -> tuple[list[float], int]:
    latencies: list[float] = []
    refused = 0
    while selector.get_map():
        for key, _ in selector.select(10):
            connection: _Connection = key.data
            if not connection.receive():
                continue
            now = time.perf_counter()
            if connection.ok:
                latencies.append((now - connection.began) * 1000)
            else:
                refused += 1
            data = next(requests, None) if now < deadline else None
            if data is None:
                selector.unregister(connection.socket)
                connection.socket.close()
            else:
                connection.send(data)
    return latencies, refused


if __name__ == "__main__":
    outcome = _run(msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order))
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcome))
