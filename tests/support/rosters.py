"""Cluster keys and signed rosters for tests, without the operator's tool."""

import time
from dataclasses import dataclass, field

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster, signing
from server.contract.cluster import PublicKey, Roster, RosterDiscovery, RosterRegion, RosterServer
from server.tokens.tokens import raw_key

_YEAR_SECONDS = 365 * 86_400


def public_key(key: Ed25519PrivateKey, use_from: int = 0, until: int = 0) -> PublicKey:
    """Return the roster's line of a private key."""
    return PublicKey(signing.encode_key(raw_key(key.public_key())), use_from, until)


def kid_of(key: Ed25519PrivateKey) -> str:
    """Return the `kid` by which a key signs."""
    return signing.key_id(raw_key(key.public_key()))


@dataclass(slots=True)
class TestCluster:
    """A cluster key and the private keys of its servers by id; `roster` is what it signs."""

    __test__ = False

    roster: Roster
    key: Ed25519PrivateKey
    keys: dict[str, Ed25519PrivateKey] = field(default_factory=dict)

    @property
    def fingerprint(self) -> str:
        """The cluster key's fingerprint."""
        return signing.fingerprint(raw_key(self.key.public_key()))

    def signed(self, **changes: object) -> str:
        """Return the signed roster, with `changes`; they stay."""
        self.roster = msgspec.structs.replace(self.roster, **changes)
        return signing.sign(self.key, kid_of(self.key), cluster.ROSTER, self.roster)

    def add_server(self, id_: str, region: str, url: str, key: Ed25519PrivateKey | None = None) -> None:
        """Add a regional server, with a new key where none is given."""
        made = self.keys[id_] = key or Ed25519PrivateKey.generate()
        server = RosterServer(id_, region, url, [public_key(made)])
        self._next(servers=[*self.roster.servers, server])

    def add_discovery(self, id_: str, url: str, key: Ed25519PrivateKey | None = None) -> None:
        """Add a discovery server, with a new key where none is given."""
        made = self.keys[id_] = key or Ed25519PrivateKey.generate()
        server = RosterDiscovery(id_, url, [public_key(made)])
        self._next(discovery=[*self.roster.discovery, server])

    def _next(self, **changes: object) -> None:
        self.roster = msgspec.structs.replace(self.roster, version=self.roster.version + 1, **changes)


def new_cluster(*regions: tuple[str, str], central_url: str = "http://127.0.0.1:1") -> TestCluster:
    """Return a cluster of `regions` ((code, letter) each) without servers."""
    key = Ed25519PrivateKey.generate()
    now = int(time.time())
    roster = Roster(
        cluster_key=public_key(key).key,
        version=1,
        issued_at=now,
        expires_at=now + _YEAR_SECONDS,
        central_url=central_url,
        regions=[RosterRegion(code, letter) for code, letter in regions],
    )
    return TestCluster(roster, key)
