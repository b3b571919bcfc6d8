"""What a cluster signs: the roster (what may exist), the directory (who is alive), and heartbeats.

The roster is signed by the operator's offline cluster key, a directory by the key of the discovery server
that made it, a heartbeat by its server's. Instants are whole seconds (`issued_at`, `use_from` …) or, where
named `_ms`, milliseconds since 1970. Pure.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from server.contract import signing
from server.contract.signing import SignatureError

ROSTER: Final = "bahi-roster"
DIRECTORY: Final = "bahi-directory"
HEARTBEAT: Final = "bahi-heartbeat"
"""The `typ` of each."""

DIRECTORY_SECONDS: Final = 120
KEY_LEAD_SECONDS: Final = 24 * 3_600
"""A new key stands in the roster this long before it signs."""

Reported = Literal["up", "draining", "left"]
"""What a server says of itself."""
Liveness = Literal["up", "suspect", "down", "draining", "left", "unknown"]
"""What discovery says of a server."""


class Signed(msgspec.Struct, frozen=True, rename="camel"):
    """A payload; a reader skips fields that it does not know."""


class PublicKey(Signed, frozen=True):
    """An Ed25519 key (32 bytes, base64url): it signs from `use_from` on, and is believed until `until`
    (0: for ever)."""

    key: str
    use_from: int = 0
    until: int = 0


class RosterRegion(Signed, frozen=True):
    """A region; human codes made there begin with its letter."""

    code: str
    letter: str


class RosterServer(Signed, frozen=True):
    """A regional server."""

    id: str
    region: str
    url: str
    keys: list[PublicKey]


class RosterDiscovery(Signed, frozen=True):
    """A discovery server."""

    id: str
    url: str
    keys: list[PublicKey]


class Roster(Signed, frozen=True):
    """What may exist. `cluster_key` is the key that signed it; whoever pinned its fingerprint believes it."""

    cluster_key: str
    version: int
    issued_at: int
    expires_at: int
    central_url: str
    regions: list[RosterRegion] = []
    servers: list[RosterServer] = []
    discovery: list[RosterDiscovery] = []

    def server(self, id_: str) -> RosterServer | None:
        """Return a regional server, None where it is not in the roster."""
        return next((each for each in self.servers if each.id == id_), None)

    def region_of(self, id_: str) -> str:
        """Return a server's region, "" where it is not in the roster."""
        found = self.server(id_)
        return found.region if found else ""

    def in_region(self, code: str) -> list[RosterServer]:
        """Return the servers of a region."""
        return [each for each in self.servers if each.region == code]


class Load(Signed, frozen=True):
    """`utilisation` 0–1, a mean of 15 s; `locks` are the sessions locked there, `moves` those sent elsewhere
    since it started."""

    utilisation: float
    in_flight: int
    capacity: int
    p95_ms: float
    locks: int = 0
    moves: int = 0


class Heartbeat(Signed, frozen=True):
    """`boot_id` is new at each start, `seq` rises within it."""

    server_id: str
    boot_id: str
    seq: int
    sent_at_ms: int
    region: str
    url: str
    state: Reported
    version: str
    load: Load


class DirectoryServer(Signed, frozen=True):
    """One server as discovery sees it; `since_ms` is when it came into this state, `load` its last report."""

    id: str
    state: Liveness
    since_ms: int
    load: Load | None = None
    version: str = ""


class Directory(Signed, frozen=True):
    """Live state and load. `version` only ever rises at one discovery server, over restarts too."""

    discovery_id: str
    version: int
    issued_at_ms: int
    expires_at_ms: int
    roster_version: int
    self_preservation: bool
    servers: list[DirectoryServer]

    def is_fresh(self, now: float) -> bool:
        """Say whether it still tells anything at `now` (seconds since 1970)."""
        return now * 1_000 < self.expires_at_ms

    def state_of(self, id_: str) -> Liveness:
        """Return a server's state, `unknown` where it is not named."""
        return next((each.state for each in self.servers if each.id == id_), "unknown")


def read_roster(text: str, cluster_fingerprint: str) -> Roster:
    """Return a roster that the cluster with this fingerprint signed. Raises SignatureError."""
    key = signing.decode_key(signing.peek(text, ROSTER, Roster).cluster_key)
    if signing.fingerprint(key) != cluster_fingerprint:
        raise SignatureError("another cluster's key")
    return signing.read(text, {signing.key_id(key): key}, ROSTER, Roster)[1]


def read_directory(text: str, roster: Roster, now: float) -> Directory:
    """Return a directory that a discovery server of the roster signed. Raises SignatureError."""
    by_kid = {kid: (each.id, key) for each in roster.discovery for kid, key in usable_keys(each.keys, now)}
    keys = {kid: key for kid, (_, key) in by_kid.items()}
    kid, directory = signing.read(text, keys, DIRECTORY, Directory)
    if by_kid[kid][0] != directory.discovery_id:
        raise SignatureError("another discovery server's key")
    return directory


def usable_keys(keys: Iterable[PublicKey], now: float) -> list[tuple[str, bytes]]:
    """Return (kid, raw key) of those that are believed at `now`. Raises SignatureError for a damaged one."""
    raw = [signing.decode_key(each.key) for each in keys if not each.until or now < each.until]
    return [(signing.key_id(key), key) for key in raw]


def is_allowed_url(url: str) -> bool:
    """Say whether a server may be reached at `url`: https, or http on loopback; no path, user or query."""
    try:
        parts = urlsplit(url)
        if not parts.hostname or parts.port == 0 or url != url.strip():
            return False
    except ValueError:
        return False
    if parts.username or parts.password or parts.path or parts.query or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname))


def is_loopback(host: str | None) -> bool:
    """Say whether a host name is this computer itself."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
