"""The cluster that this program uses: its verified roster, which is the only source of server addresses."""

import logging
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, Protocol

from app.errors import InputError, ServerError
from app.remote.endpoint import Endpoint
from server.contract import cluster, signing
from server.contract.cluster import Directory, Roster
from server.contract.signing import SignatureError

_log = logging.getLogger(__name__)
_LOGIN_ENDPOINTS: Final = 3  # asked one after the other, so more would make a failed log-in slow
_OTHER_CLUSTER: Final = (
    "The servers at this address are not the ones that this computer used before. "
    "If they were set up again, ask the person who runs them for an invite link."
)
_NOT_OF_THE_LINK: Final = "The servers at this address are not the ones of the invite link."
_UNSIGNED: Final = "The list of servers at this address could not be verified; nothing was sent there."
_EXPIRED: Final = "The list of servers at this address has expired. Ask the person who runs them to renew it."
_UNKNOWN_SERVER: Final = "The server named another one that is not in its list; nothing was sent there."


class Kept(Protocol):
    """Persistent settings (`app/store/settings.py`)."""

    def get(self, key: str, default: str = "") -> str:
        """Return the value of `key`, or `default` if it was never set."""

    def set(self, key: str, value: str) -> None:
        """Set `key` to `value`."""


@dataclass(frozen=True, slots=True)
class KnownCluster:
    """A verified roster, the fingerprint of its cluster key, and the address that the user typed."""

    fingerprint: str
    roster: Roster
    address: str


class Cluster:
    """The present cluster, or none. Thread-safe: `_known` is immutable and replaced as a whole.

    The cluster key of an address is learned once, from an invite link or at the first log-in over TLS, and is
    never forgotten. A roster of a lower version is never accepted, so that a removed server stays removed.
    """

    def __init__(self, kept: Kept, wall_clock: Callable[[], float] = time.time) -> None:
        self._kept = kept
        self._clock = wall_clock
        self._known: KnownCluster | None = None

    # --- joining it ------------------------------------------------------------------------------

    def meet(self, address: str, text: str, fingerprint: str = "") -> None:
        """Use the cluster at `address`. `text` is its roster, `fingerprint` comes from an invite link.

        Raises InputError with `fields["address"]` if it is not the cluster of the link, or of an earlier
        log-in at this address, or if its roster is invalid or expired.
        """
        known = fingerprint or self._kept.get(_pin(address)) or _claimed(text)
        offered = self._read(text, known, _NOT_OF_THE_LINK if fingerprint else _OTHER_CLUSTER)
        standing = self._remembered(known)
        if standing is None and self._clock() >= offered.expires_at:
            raise _wrong(_EXPIRED)
        # A server that signs its own roster may be met again with a lower version, at another address. There
        # is nobody else in it who could have been removed.
        if standing is None or self._is_newer(offered, standing) or _is_self_signed(offered):
            self._keep(known, text)
            standing = offered
        self._kept.set(_pin(address), known)
        self._known = KnownCluster(known, standing, address)

    def is_known(self, address: str, other: str, fingerprint: str) -> bool:
        """Return whether `other` is the address `address`, or one that its verified roster lists.

        If the cluster key of either address is known, `fingerprint` must be its fingerprint.
        """
        pins = [self._kept.get(_pin(each)) for each in (address, other)]
        if any(pin not in {"", fingerprint} for pin in pins):
            return False
        roster = self._remembered(pins[0]) if pins[0] else None
        listed = [roster.central_url, *(each.url for each in roster.servers)] if roster else []
        return any(Endpoint(each).owns(other) for each in (address, *listed))

    def recall(self, address: str) -> bool:
        """Use the cluster at `address` with its last known roster. Return False if it is not known."""
        fingerprint = self._kept.get(_pin(address))
        roster = self._remembered(fingerprint) if fingerprint else None
        self._known = KnownCluster(fingerprint, roster, address) if roster is not None else None
        return roster is not None

    def learn(self, text: str) -> bool:
        """Accept a newer roster of the same cluster. Return False if it is not newer or not valid."""
        known = self._known
        if known is None:
            return False
        try:
            offered = cluster.read_roster(text, known.fingerprint)
        except SignatureError as error:
            _log.warning("roster rejected", extra={"error": str(error)})
            return False
        if not self._is_newer(offered, known.roster):
            return False
        self._keep(known.fingerprint, text)
        self._known = KnownCluster(known.fingerprint, offered, known.address)
        return True

    def forget(self) -> None:
        """Use no cluster, as for the book on this computer."""
        self._known = None

    # --- reading it ------------------------------------------------------------------------------

    @property
    def roster(self) -> Roster | None:
        """The current roster; None for the book on this computer."""
        return self._known.roster if self._known else None

    @property
    def version(self) -> int:
        """The version of the current roster; 0 if there is none."""
        return self._known.roster.version if self._known else 0

    def endpoint(self, server_id: str) -> Endpoint:
        """Return the address of a server. Raises ServerError if the server is not in the roster."""
        server = self.roster.server(server_id) if self.roster else None
        if server is None or not cluster.is_allowed_url(server.url):
            raise ServerError(_UNKNOWN_SERVER)
        return Endpoint(server.url, server_id=server.id)

    def owner(self, url: str) -> Endpoint:
        """Return the server that `url` belongs to. Raises ServerError if it belongs to none of the roster."""
        servers = self.roster.servers if self.roster else []
        found = (Endpoint(each.url, server_id=each.id) for each in servers)
        owner = next((each for each in found if each.owns(url)), None)
        if owner is None:
            raise ServerError(_UNKNOWN_SERVER)
        return owner

    def central(self) -> Endpoint | None:
        """Return the central address: the typed address, or the roster's if the typed one is a server's."""
        if self._known is None:
            return None
        typed, roster = self._known.address, self._known.roster
        own = any(Endpoint(each.url).owns(typed) for each in roster.servers)
        url = roster.central_url if own else typed
        return Endpoint(url) if cluster.is_allowed_url(url) else None

    def login_endpoints(self, server_id: str) -> list[Endpoint]:
        """Return the endpoints to try for a log-in: the central address, then servers, `server_id` first."""
        central = self.central()
        ids = [server_id, *self.others(server_id, ())] if self.roster else []
        servers = [self.endpoint(id_) for id_ in ids[:_LOGIN_ENDPOINTS] if self.region_of(id_)]
        return [*([central] if central else []), *servers]

    def discovery(self) -> list[Endpoint]:
        """Return the endpoints of the discovery servers."""
        found = self.roster.discovery if self.roster else []
        return [Endpoint(each.url) for each in found if cluster.is_allowed_url(each.url)]

    def is_alone(self, server_id: str) -> bool:
        """Return whether `server_id` is the only server."""
        return not self.others(server_id, ())

    def others(self, server_id: str, excluded: Collection[str]) -> list[str]:
        """Return the ids of the other servers, except `excluded`, those of the same region first."""
        roster = self.roster
        if roster is None:
            return []
        region = roster.region_of(server_id)
        found = [each for each in roster.servers if each.id != server_id and each.id not in excluded]
        return [each.id for each in sorted(found, key=lambda each: each.region != region)]

    def region_of(self, server_id: str) -> str:
        """Return a server's region; "" if the server is not in the roster."""
        return self.roster.region_of(server_id) if self.roster else ""

    def directory(self, text: str, now: float) -> Directory | None:
        """Return the directory in `text`; None if it is not validly signed, or too old at `now`."""
        roster = self.roster
        if roster is None or not text:
            return None
        try:
            found = cluster.read_directory(text, roster, now)
        except SignatureError as error:
            _log.warning("directory rejected", extra={"error": str(error)})
            return None
        return found if found.is_fresh(now) else None

    # --- inside ----------------------------------------------------------------------------------

    def _read(self, text: str, fingerprint: str, sentence: str) -> Roster:
        try:
            return cluster.read_roster(text, fingerprint)
        except SignatureError as error:
            _log.warning("roster rejected", extra={"error": str(error)})
            known_key = fingerprint == _claimed(text)  # the right cluster, but an invalid signature
            raise _wrong(_UNSIGNED if known_key else sentence) from error

    def _is_newer(self, offered: Roster, standing: Roster) -> bool:
        if offered.version <= standing.version:
            return False
        # An expired roster can still remove servers, but not add any.
        added = {each.id for each in offered.servers} - {each.id for each in standing.servers}
        return not added or self._clock() < offered.expires_at

    def _keep(self, fingerprint: str, text: str) -> None:
        self._kept.set(f"roster:{fingerprint}", text)

    def _remembered(self, fingerprint: str) -> Roster | None:
        text = self._kept.get(f"roster:{fingerprint}")
        try:
            return cluster.read_roster(text, fingerprint) if text else None
        except SignatureError:
            return None


def _is_self_signed(roster: Roster) -> bool:
    """Return whether the roster was signed by the only server in it."""
    keys = {key.key for server in roster.servers for key in server.keys}
    return len(roster.servers) == 1 and keys == {roster.cluster_key}


def _pin(address: str) -> str:
    return f"cluster:{address}"


def _claimed(text: str) -> str:
    """Return the fingerprint of the key that a roster claims to be signed with; "" if it names none."""
    try:
        claimed = signing.peek(text, cluster.ROSTER, Roster)
        return signing.fingerprint(signing.decode_key(claimed.cluster_key))
    except SignatureError:
        return ""


def _wrong(sentence: str) -> InputError:
    return InputError(sentence, fields={"address": sentence})
