"""The signed messages of a cluster: the roster (its members), the directory (who is alive) and heartbeats.

The operator's offline cluster key signs the roster. A discovery server signs its directory, and a regional
server signs its heartbeats. Times are whole seconds since 1970 (`issued_at`, `use_from`), or milliseconds
since 1970 if the name ends in `_ms`. Pure.
"""

import ipaddress
from collections.abc import Iterable
from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec

from server.contract import signing
from server.contract.signing import SignatureError

# The `typ` header of each message: a signature on one kind is not valid for another.
ROSTER: Final = "bahi-roster"
DIRECTORY: Final = "bahi-directory"
HEARTBEAT: Final = "bahi-heartbeat"

# How long a directory is valid after it was issued.
DIRECTORY_SECONDS: Final = 120
# A new key is in the roster for this long before it signs, so that every server has the roster by then.
KEY_LEAD_SECONDS: Final = 24 * 3_600

# The state that a server reports of itself, and the state in which discovery sees a server.
Reported = Literal["up", "draining", "left"]
Liveness = Literal["up", "suspect", "down", "draining", "left", "unknown"]


class Signed(msgspec.Struct, frozen=True, rename="camel"):
    """A signed payload. A reader ignores fields that it does not know."""


class PublicKey(Signed, frozen=True):
    """An Ed25519 public key (32 bytes, base64url).

    It signs from `use_from` on. Signatures by it are accepted until `until`; 0 means for ever.
    """

    key: str
    use_from: int = 0
    until: int = 0


class RosterRegion(Signed, frozen=True):
    """A region. The human codes of entries made there begin with its letter."""

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
    """The members of a cluster.

    `cluster_key` is the key that signed the roster. A reader accepts it only if it knows the fingerprint of
    that key already.
    """

    cluster_key: str
    version: int
    issued_at: int
    expires_at: int
    central_url: str
    regions: list[RosterRegion] = []
    servers: list[RosterServer] = []
    discovery: list[RosterDiscovery] = []

    def server(self, id_: str) -> RosterServer | None:
        """Return a regional server, or None if it is not in the roster."""
        return next((each for each in self.servers if each.id == id_), None)

    def region_of(self, id_: str) -> str:
        """Return a server's region, or "" if the server is not in the roster."""
        found = self.server(id_)
        return found.region if found else ""

    def in_region(self, code: str) -> list[RosterServer]:
        """Return the servers of a region."""
        return [each for each in self.servers if each.region == code]


class Load(Signed, frozen=True):
    """The load that a server reports.

    `utilisation` is 0–1, the mean of 15 s. `locks` is the number of sessions pinned to the server, `moves`
    the number of sessions that it sent to another server since it started.
    """

    utilisation: float
    in_flight: int
    capacity: int
    p95_ms: float
    locks: int = 0
    moves: int = 0


class Heartbeat(Signed, frozen=True):
    """A server's report that it is alive. `boot_id` is new at each start; `seq` rises within one boot."""

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
    """One server as discovery sees it, in this state since `since_ms`. `load` is its last report."""

    id: str
    state: Liveness
    since_ms: int
    load: Load | None = None
    version: str = ""


class Directory(Signed, frozen=True):
    """The state and load of every server.

    `version` never falls at one discovery server, not even across restarts. `self_preservation` is set
    while so many servers are silent that discovery suspects its own network.
    """

    discovery_id: str
    version: int
    issued_at_ms: int
    expires_at_ms: int
    roster_version: int
    self_preservation: bool
    servers: list[DirectoryServer]

    def is_fresh(self, now: float) -> bool:
        """Return whether the directory has not expired at `now` (seconds since 1970)."""
        return now * 1_000 < self.expires_at_ms

    def state_of(self, id_: str) -> Liveness:
        """Return a server's state, or `unknown` if the directory does not list it."""
        return next((each.state for each in self.servers if each.id == id_), "unknown")


def read_roster(text: str, cluster_fingerprint: str) -> Roster:
    """Return the roster if the cluster key with this fingerprint signed it. Raises SignatureError."""
    # The roster carries the key that signed it. Only the fingerprint makes that key trustworthy.
    key = signing.decode_key(signing.peek(text, ROSTER, Roster).cluster_key)
    if signing.fingerprint(key) != cluster_fingerprint:
        raise SignatureError("another cluster's key")
    return signing.read(text, {signing.key_id(key): key}, ROSTER, Roster)[1]


def read_directory(text: str, roster: Roster, now: float) -> Directory:
    """Return the directory if a discovery server of the roster signed it. Raises SignatureError."""
    by_kid = {kid: (each.id, key) for each in roster.discovery for kid, key in usable_keys(each.keys, now)}
    keys = {kid: key for kid, (_, key) in by_kid.items()}
    kid, directory = signing.read(text, keys, DIRECTORY, Directory)
    # One discovery server must not speak in the name of another.
    if by_kid[kid][0] != directory.discovery_id:
        raise SignatureError("another discovery server's key")
    return directory


def usable_keys(keys: Iterable[PublicKey], now: float) -> list[tuple[str, bytes]]:
    """Return (kid, raw key) of the keys that are valid at `now`. Raises SignatureError if one is damaged."""
    raw = [signing.decode_key(each.key) for each in keys if not each.until or now < each.until]
    return [(signing.key_id(key), key) for key in raw]


def is_allowed_url(url: str) -> bool:
    """Return whether `url` is an acceptable server address: https, or http on loopback, without user,
    path, query or fragment."""
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
    """Return whether a host name is `localhost` or a loopback address."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
