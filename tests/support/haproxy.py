"""HAProxy as the central address. It replaces Route 53 with geoproximity and health checks.

Each location of clients has its own frontend, as a DNS name has a different answer in each location. HAProxy
forwards whole TCP connections, because DNS leads to a server and not to a proxy: all requests of a
connection go to one server, and none is repeated on the way.
"""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from server.contract import paths
from tests.support.waiting import wait_until

CHECK_MS: Final = 500
FALL: Final = 2
_SECONDS: Final = 15.0

_HEAD: Final = """global
    maxconn 4000

defaults
    mode tcp
    timeout connect 2s
    timeout check 1s
    timeout client 1h
    timeout server 1h
    retries 2
    option redispatch 1
    balance roundrobin
    default-server check inter {check}ms fastinter {check}ms downinter {check}ms fall {fall} rise 1
"""
_PLACE: Final = """
listen {name}
    bind 127.0.0.1:{port}
    option httpchk GET {path}
    option allbackups
{servers}
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where clients are: the port that they call, the servers near them as (id, URL), and the others, to
    whom they come only when none of the near ones is healthy."""

    name: str
    port: int
    near: Sequence[tuple[str, str]]
    far: Sequence[tuple[str, str]] = ()

    @property
    def url(self) -> str:
        """What clients here know as the address of the cluster."""
        return f"http://127.0.0.1:{self.port}"


def program() -> str | None:
    """Return where HAProxy is, None where it is not installed."""
    return shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin:/usr/local/sbin")


def configuration(places: Sequence[Place]) -> str:
    """Return HAProxy's configuration file."""
    return _HEAD.format(check=CHECK_MS, fall=FALL) + "".join(_listen(place) for place in places)


def _listen(place: Place) -> str:
    lines = [_server(*each) for each in place.near] + [_server(*each) + " backup" for each in place.far]
    servers = "\n".join(lines)
    return _PLACE.format(name=place.name, port=place.port, path=paths.HEALTH_READY, servers=servers)


def _server(id_: str, url: str) -> str:
    return f"    server {id_} {urlsplit(url).netloc}"


class HAProxy:
    """One HAProxy over `places`; it never sees a signal but from us."""

    def __init__(self, folder: Path, places: Sequence[Place]) -> None:
        self._folder = folder
        self._places = places
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it takes connections. Raises AssertionError."""
        found = program()
        assert found, "HAProxy is not installed"
        file = self._folder / "haproxy.cfg"
        file.write_text(configuration(self._places), encoding="utf-8")
        log = self._folder / "haproxy.log"
        with log.open("ab") as out:
            self._process = subprocess.Popen([found, "-db", "-f", str(file)], stdout=out, stderr=out)
        wait_until(self._answers, _SECONDS)

    def end(self) -> None:
        """End it, and every connection through it."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            process.wait(_SECONDS)

    def _answers(self) -> bool:
        import socket

        assert self._process is not None
        assert self._process.poll() is None, (self._folder / "haproxy.log").read_text()[-2000:]
        try:
            for place in self._places:
                socket.create_connection(("127.0.0.1", place.port), 1).close()
        except OSError:
            return False
        return True
