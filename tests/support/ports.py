"""Ports that stay ours over a restart: below those that the system gives to outgoing connections."""

import random
import socket
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 31_999
_given: Final[set[int]] = set()


def steady_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on, another at each call of this process."""
    chance = random.SystemRandom()  # not the tests' own: several processes choose at once
    for _ in range(1_000):
        port = chance.randint(_FIRST, _LAST)
        if port not in _given and _is_free(host, port):
            _given.add(port)
            return port
    raise AssertionError("no port is free")


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
