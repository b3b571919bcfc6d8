"""What this server knows of its cluster: the newest roster, and the newest directories of discovery servers.

Pure: whoever fetched a signed text offers it here, and it is verified and then accepted or refused. Used in
one event loop only.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.contract import cluster
from server.contract.cluster import Directory, Roster, RosterDiscovery, RosterServer
from server.contract.signing import SignatureError

_MS: Final = 1_000


class OfferRefusedError(Exception):
    """The offered text was refused. The message says why, for a log."""


class _ReceivedDirectory(NamedTuple):
    directory: Directory
    text: str


@dataclass(slots=True)
class Membership:
    """The roster in force and the directories received.

    `fingerprint` is that of the cluster key, `clock` returns seconds since 1970, `keep` saves the text of a
    newer roster. The callbacks in `changed` are called when the roster has changed. `text_of` returns the
    signed text of `roster`; it is a function because a server without a cluster signs its own roster only
    when somebody asks for it.
    """

    fingerprint: str
    roster: Roster
    text_of: Callable[[], str]
    clock: Callable[[], float]
    keep: Callable[[str], None] = lambda _: None
    changed: list[Callable[[], None]] = field(default_factory=list)
    _received: dict[str, _ReceivedDirectory] = field(default_factory=dict)

    @property
    def roster_text(self) -> str:
        """The signed text of the roster in force."""
        return self.text_of()

    def offer_roster(self, text: str) -> bool:
        """Accept a newer roster; return whether it differs from the present one. Raises OfferRefusedError."""
        if text == self.roster_text:
            return False
        try:
            offered = cluster.read_roster(text, self.fingerprint)
        except SignatureError as error:
            raise OfferRefusedError(f"roster: {error}") from error
        # An attacker could replay an old roster, in which a key that was removed since is still trusted.
        if offered.version < self.roster.version:
            raise OfferRefusedError(f"roster rolled back to version {offered.version}")
        if offered.version == self.roster.version:
            raise OfferRefusedError(f"a different roster of the same version {offered.version}")
        # An expired roster may still remove members: that is how the operator shuts a server out.
        if self.clock() >= offered.expires_at and _members(offered) - _members(self.roster):
            raise OfferRefusedError("an expired roster cannot add members")
        self.keep(text)
        self._set_roster(offered, lambda: text)
        return True

    def readdress(self, roster: Roster, text_of: Callable[[], str]) -> None:
        """Replace the roster of a server without a cluster. It learns its address only once it listens."""
        self._set_roster(roster, text_of)

    def offer_directory(self, text: str) -> bool:
        """Accept a newer directory; return whether it differs from the last one. Raises OfferRefusedError."""
        now = self.clock()
        try:
            offered = cluster.read_directory(text, self.roster, now)
        except SignatureError as error:
            raise OfferRefusedError(f"directory: {error}") from error
        if not offered.is_fresh(now):
            raise OfferRefusedError("directory expired")
        if offered.expires_at_ms - offered.issued_at_ms > cluster.DIRECTORY_SECONDS * _MS:
            raise OfferRefusedError("the directory's lifetime is too long")
        known = self._received.get(offered.discovery_id)
        if known and text == known.text:
            return False
        if known and offered.version <= known.directory.version:
            raise OfferRefusedError(f"directory rolled back to version {offered.version}")
        self._received[offered.discovery_id] = _ReceivedDirectory(offered, text)
        return True

    @property
    def directory(self) -> Directory | None:
        """The directory in force, or None if none was received or all have expired."""
        best = self._best()
        return best.directory if best else None

    @property
    def directory_text(self) -> str:
        """The signed text of the directory in force, or ""."""
        best = self._best()
        return best.text if best else ""

    def _best(self) -> _ReceivedDirectory | None:
        """Return the unexpired directory that knows the state of most servers; of several, the newest."""
        # A discovery server that has just started knows nobody yet. Its directory must not hide an older one.
        now = self.clock()
        fresh = [each for each in self._received.values() if each.directory.is_fresh(now)]
        return max(fresh, key=self._rank, default=None)

    def _rank(self, received: _ReceivedDirectory) -> tuple[int, int]:
        directory = received.directory
        known = sum(directory.state_of(server.id) != "unknown" for server in self.roster.servers)
        return known, directory.issued_at_ms

    def _set_roster(self, roster: Roster, text_of: Callable[[], str]) -> None:
        self.roster, self.text_of = roster, text_of
        # A discovery server that was removed from the roster is not trusted any more.
        members = {each.id for each in roster.discovery}
        self._received = {id_: each for id_, each in self._received.items() if id_ in members}
        for notify in self.changed:
            notify()


def _members(roster: Roster) -> set[tuple[str, str, str]]:
    """Return (id, address, key) of every key of every server."""
    members: list[RosterServer | RosterDiscovery] = [*roster.servers, *roster.discovery]
    return {(each.id, each.url, key.key) for each in members for key in each.keys}
