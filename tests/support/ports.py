"""Ports that stay free during a restart, because they are below those of outgoing connections."""

import os
import random
import socket
from typing import Final

_FIRST: Final = 20_000
_LAST: Final = 31_999
_LANES: Final = 8
_given: Final[set[int]] = set()


def steady_port(host: str = "127.0.0.1") -> int:
    """Return a port that nobody listens on, another at each call of this process.

    It is given before anybody listens there, so the workers of one run choose among ports of their own each.
    """
    chance = random.SystemRandom()  # not the tests' own: several processes choose at once
    ours = range(_FIRST + _lane(), _LAST + 1, _LANES)
    for _ in range(1_000):
        port = chance.choice(ours)
        if port not in _given and _is_free(host, port):
            _given.add(port)
            return port
    raise AssertionError("no port is free")


def _lane() -> int:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    return int(worker) % _LANES if worker.isdecimal() else 0


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
