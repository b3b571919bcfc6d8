"""What this server believes of its cluster: the newest roster, and what discovery says of who is alive.

No I/O: texts are offered by whoever fetched them, and each is believed or refused here. One event loop's
object; whoever must know of another roster asks to be told.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from server.contract import cluster
from server.contract.cluster import Directory, Roster, RosterDiscovery, RosterServer
from server.contract.signing import SignatureError

_MS: Final = 1_000


class OfferRefusedError(Exception):
    """What was offered is not believed; the message says why, for a log."""


class _ReceivedDirectory(NamedTuple):
    directory: Directory
    text: str


@dataclass(slots=True)
class Membership:
    """`fingerprint` is that of the cluster key, `clock` gives seconds since 1970; `keep` writes a newer
    roster's text down. `text_of` gives the signed text of `roster`, which a server that is a cluster of its
    own signs only once somebody asks."""

    fingerprint: str
    roster: Roster
    text_of: Callable[[], str]
    clock: Callable[[], float]
    keep: Callable[[str], None] = lambda _: None
    changed: list[Callable[[], None]] = field(default_factory=list)
    _received: dict[str, _ReceivedDirectory] = field(default_factory=dict)

    @property
    def roster_text(self) -> str:
        """The roster in force, signed."""
        return self.text_of()

    def offer_roster(self, text: str) -> bool:
        """Take a newer roster; return whether it was news. Raises OfferRefusedError."""
        if text == self.roster_text:
            return False
        try:
            offered = cluster.read_roster(text, self.fingerprint)
        except SignatureError as error:
            raise OfferRefusedError(f"roster: {error}") from error
        if offered.version < self.roster.version:
            raise OfferRefusedError(f"roster rolled back to version {offered.version}")
        if offered.version == self.roster.version:
            raise OfferRefusedError(f"another roster of version {offered.version}")
        if self.clock() >= offered.expires_at and _members(offered) - _members(self.roster):
            raise OfferRefusedError("an expired roster adds nobody")
        self.keep(text)
        self._believe(offered, lambda: text)
        return True

    def readdress(self, roster: Roster, text_of: Callable[[], str]) -> None:
        """Replace the roster of a server that is a cluster of its own: it knows its address only now."""
        self._believe(roster, text_of)

    def offer_directory(self, text: str) -> bool:
        """Take what a discovery server says; return whether it was news. Raises OfferRefusedError."""
        now = self.clock()
        try:
            offered = cluster.read_directory(text, self.roster, now)
        except SignatureError as error:
            raise OfferRefusedError(f"directory: {error}") from error
        if not offered.is_fresh(now):
            raise OfferRefusedError("directory expired")
        if offered.expires_at_ms - offered.issued_at_ms > cluster.DIRECTORY_SECONDS * _MS:
            raise OfferRefusedError("a directory that says it is good for longer than any")
        known = self._received.get(offered.discovery_id)
        if known and text == known.text:
            return False
        if known and offered.version <= known.directory.version:
            raise OfferRefusedError(f"directory rolled back to version {offered.version}")
        self._received[offered.discovery_id] = _ReceivedDirectory(offered, text)
        return True

    @property
    def directory(self) -> Directory | None:
        """What is known of who is alive, None where nothing is known any more."""
        best = self._best()
        return best.directory if best else None

    @property
    def directory_text(self) -> str:
        """The same, signed, "" for None."""
        best = self._best()
        return best.text if best else ""

    def _best(self) -> _ReceivedDirectory | None:
        """Of what is not expired that which knows most servers, and of those the newest."""
        now = self.clock()
        fresh = [each for each in self._received.values() if each.directory.is_fresh(now)]
        return max(fresh, key=self._rank, default=None)

    def _rank(self, heard: _ReceivedDirectory) -> tuple[int, int]:
        directory = heard.directory
        known = sum(directory.state_of(server.id) != "unknown" for server in self.roster.servers)
        return known, directory.issued_at_ms

    def _believe(self, roster: Roster, text_of: Callable[[], str]) -> None:
        self.roster, self.text_of = roster, text_of
        still = {each.id for each in roster.discovery}
        self._received = {id_: heard for id_, heard in self._received.items() if id_ in still}
        for tell in self.changed:
            tell()


def _members(roster: Roster) -> set[tuple[str, str, str]]:
    """Return who may act, where and by which keys."""
    members: list[RosterServer | RosterDiscovery] = [*roster.servers, *roster.discovery]
    return {(each.id, each.url, key.key) for each in members for key in each.keys}
