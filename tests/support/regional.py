"""Regional servers of one cluster in threads, and the directories that discovery would give them."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from server.config import Config
from server.contract import cluster, signing
from server.contract.cluster import Directory, DirectoryServer, Liveness, Load
from tests.support.ports import steady_port
from tests.support.rosters import TestCluster, kid_of, new_cluster
from tests.support.servers import RunningServer, region_config

MUMBAI: Final = "ap-south-1"
SINGAPORE: Final = "ap-southeast-1"
DISCOVERY: Final = "disc-1"


def write_key(path: Path, key: Ed25519PrivateKey) -> None:
    """Put a private key where a server looks for its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


@dataclass(slots=True)
class Regional:
    """A cluster whose servers are named `in-…` (Mumbai) and `sg-…` (Singapore); its one discovery server
    answers nothing, what it would say is `told` to the servers."""

    folder: Path
    ids: tuple[str, ...]
    discovery_url: str = "http://127.0.0.1:9"
    cluster: TestCluster = field(init=False)
    _version: int = 0

    def __post_init__(self) -> None:
        self.cluster = new_cluster((MUMBAI, "M"), (SINGAPORE, "S"))
        self.cluster.add_discovery(DISCOVERY, self.discovery_url)
        for id_ in self.ids:
            region = MUMBAI if id_.startswith("in-") else SINGAPORE
            self.cluster.add_server(id_, region, f"http://127.0.0.1:{steady_port()}")
            write_key(self.data(id_) / "server-key.pem", self.cluster.keys[id_])
        self.publish()

    def data(self, id_: str) -> Path:
        """A server's data folder."""
        return self.folder / id_

    @property
    def roster_file(self) -> Path:
        """What every configuration names."""
        return self.folder / "roster.jws"

    def publish(self, **changes: object) -> str:
        """Sign the roster, with `changes`, into the file; return its text."""
        text = self.cluster.signed(**changes)
        self.write_roster(text)
        return text

    def write_roster(self, text: str) -> None:
        """Put a text into the roster's file, at once: servers may be looking at it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / "roster.new"
        new.write_text(text, encoding="ascii")
        new.replace(self.roster_file)

    def url(self, id_: str) -> str:
        """A server's address."""
        server = self.cluster.roster.server(id_)
        assert server is not None
        return server.url

    def config(self, id_: str, database_url: str, **settings: Any) -> Config:
        """Return the configuration of a server."""
        values = {
            "server_id": id_,
            "region": "local",
            "region_letter": "0",
            "port": int(self.url(id_).rpartition(":")[2]),
            "roster": str(self.roster_file),
            "cluster_key": self.cluster.fingerprint,
        }
        return region_config(database_url, self.data(id_), **{**values, **settings})

    def directory(self, states: dict[str, Liveness] | None = None, **more: Any) -> str:
        """Return the signed word of discovery: `up`, but for `states`; `used` gives utilisations."""
        used, now_ms = more.pop("used", {}), int(more.pop("now", time.time()) * 1_000)
        self._version = max(self._version + 1, now_ms)
        servers = [
            DirectoryServer(
                each.id, (states or {}).get(each.id, "up"), now_ms, Load(used.get(each.id, 0.2), 0, 64, 1.0)
            )
            for each in self.cluster.roster.servers
        ]
        values = {
            "discovery_id": DISCOVERY,
            "version": self._version,
            "issued_at_ms": now_ms,
            "expires_at_ms": now_ms + cluster.DIRECTORY_SECONDS * 1_000,
            "roster_version": self.cluster.roster.version,
            "self_preservation": False,
            "servers": servers,
        }
        key = self.cluster.keys[DISCOVERY]
        return signing.sign(key, kid_of(key), cluster.DIRECTORY, Directory(**{**values, **more}))

    def tell(self, server: RunningServer, states: dict[str, Liveness] | None = None, **more: Any) -> None:
        """Let a server hear from discovery."""
        text = self.directory(states, **more)

        async def hear() -> bool:
            return server.services.membership.offer_directory(text)

        assert server.run(hear())
