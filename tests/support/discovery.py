"""Discovery servers as processes, and heartbeats as the servers of a roster send them."""

import contextlib
import itertools
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import msgspec
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster, paths, signing
from server.contract.cluster import Directory, DirectoryServer, Heartbeat, Load
from server.contract.cluster_calls import (
    HeartbeatRequest,
    Servers,
    SuspicionRequest,
)
from server.tokens.keys import KEY, load_or_make_key
from tests.support.rosters import TestCluster, kid_of
from tests.support.servers import ServerProcess, server_process

_SECONDS: Final = 30.0
LOAD: Final = Load(utilisation=0.25, in_flight=3, capacity=64, p95_ms=12.0, locks=2, moves=1)


@dataclass(slots=True)
class Beater:
    """Sends beats as one server of a roster does."""

    id: str
    region: str
    url: str
    key: Ed25519PrivateKey
    boot_id: str = field(default_factory=lambda: uuid4().hex)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def beat(self, **changes: Any) -> Heartbeat:
        """Return the next beat, with `changes`."""
        beat = Heartbeat(
            server_id=self.id,
            boot_id=self.boot_id,
            seq=next(self.numbers),
            sent_at_ms=time.time_ns() // 1_000_000,
            region=self.region,
            url=self.url,
            state="up",
            version="0.1.0",
            load=LOAD,
        )
        return msgspec.structs.replace(beat, **changes)

    def signed(self, **changes: Any) -> str:
        """Return the same, signed."""
        return sign_beat(self.key, self.beat(**changes))


def sign_beat(key: Ed25519PrivateKey, beat: Heartbeat) -> str:
    """Return a signed heartbeat."""
    return signing.sign(key, kid_of(key), cluster.HEARTBEAT, beat)


def beater(cluster_: TestCluster, id_: str) -> Beater:
    """Return the sender of a server of the roster."""
    server = cluster_.roster.server(id_)
    assert server is not None
    return Beater(id_, server.region, server.url, cluster_.keys[id_])


@dataclass(frozen=True, slots=True)
class DiscoveryClient:
    """Calls a discovery server of `cluster_`."""

    url: str
    cluster_: TestCluster

    def send(self, text: str) -> requests.Response:
        """Post a heartbeat's text."""
        return self.post(paths.HEARTBEATS, HeartbeatRequest(text))

    def post(self, path: str, body: msgspec.Struct) -> requests.Response:
        """Post a body."""
        data = msgspec.json.encode(body)
        return requests.post(self.url + path, data=data, timeout=_SECONDS, allow_redirects=False)

    def servers(self) -> Servers:
        """Return roster and directory."""
        found: Servers = self.get(paths.SERVERS, Servers)
        return found

    def directory(self) -> Directory:
        """Return the directory, verified."""
        return cluster.read_directory(self.servers().directory, self.cluster_.roster, time.time())

    def server(self, id_: str) -> DirectoryServer:
        """Return what the directory says of one server."""
        return next(each for each in self.directory().servers if each.id == id_)

    def state(self, id_: str, wait: float = 0, known: str = "") -> str:
        """Ask for a state, waiting for a change."""
        path = paths.SERVER_STATE.format(id=id_)
        answer = requests.get(
            self.url + path, params={"wait": str(wait), "known": known}, timeout=_SECONDS + wait
        )
        assert answer.ok, answer.text
        found: str = answer.json()["state"]
        return found

    def suspect(self, id_: str) -> requests.Response:
        """Report that a server does not answer."""
        return self.post(paths.SERVER_SUSPICIONS.format(id=id_), SuspicionRequest("silent"))

    def get(self, path: str, kind: type[Any]) -> Any:
        """Return an answer."""
        answer = requests.get(self.url + path, timeout=_SECONDS)
        assert answer.ok, answer.text
        return msgspec.json.decode(answer.content, type=kind)


def write_config(folder: Path, cluster_: TestCluster, id_: str, roster: Path, **more: Any) -> Path:
    """Write the configuration of a discovery server of the roster, and give it its key."""
    folder.mkdir(parents=True, exist_ok=True)
    if id_ in cluster_.keys and not (folder / KEY).exists():
        write_key(folder, cluster_.keys[id_])
    values = {
        "data": str(folder),
        "discovery_id": id_,
        "roster": str(roster),
        "cluster_key": cluster_.fingerprint,
        **more,
    }
    path = folder / "discovery.toml"
    lines = (f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    path.write_text("".join(lines), encoding="utf-8")
    return path


def write_key(folder: Path, key: Ed25519PrivateKey, name: str = KEY) -> None:
    """Put a private key where a server keeps its own."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    folder.mkdir(parents=True, exist_ok=True)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / name).write_bytes(pem)
    assert kid_of(load_or_make_key(folder / name)) == kid_of(key)


@contextlib.contextmanager
def discovery_process(
    folder: Path, cluster_: TestCluster, id_: str = "disc-1", *options: str, **more: Any
) -> Iterator[tuple[ServerProcess, DiscoveryClient]]:
    """Run a discovery server of the roster from `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    roster = folder / "roster.txt"
    roster.write_text(cluster_.signed(), encoding="ascii")
    config = write_config(folder / "data", cluster_, id_, roster, **more)
    with server_process(*options, "discovery", "--config", str(config)) as process:
        yield process, DiscoveryClient(str(process.ready["url"]), cluster_)
