"""Verifies heartbeats: signed by that server, sent recently, and consistent with the roster. Pure."""

from typing import Final, Literal, NamedTuple

from server.contract import cluster, signing
from server.contract.cluster import Heartbeat, Roster, RosterServer
from server.contract.errors import ErrorCode
from server.contract.signing import SignatureError
from server.errors import ApiError

# How far the clock of a server may differ from ours.
CLOCK_SECONDS: Final = 60.0

Refusal = Literal[
    "unsigned",
    "kind",
    "algorithm",
    "unknown_key",
    "unknown_server",
    "signature",
    "damaged",
    "another_servers_key",
    "region",
    "url",
    "clock",
    "replayed",
]
_SENTENCES: Final[dict[Refusal, str]] = {
    "unsigned": "This is not a signed message.",
    "kind": "This is another kind of signed message.",
    "algorithm": "A heartbeat must be signed with EdDSA.",
    "unknown_key": "The roster has no such key in use.",
    "unknown_server": "The roster has no such server.",
    "signature": "The signature is not valid.",
    "damaged": "The heartbeat does not have the expected fields.",
    "another_servers_key": "The heartbeat is signed with another server's key.",
    "region": "The roster lists this server in another region.",
    "url": "The roster lists this server with another address.",
    "clock": "The heartbeat was not sent recently; check the clock of its server.",
    "replayed": "This heartbeat, or a later one, was received before.",
}


class _KnownServer(NamedTuple):
    server: RosterServer
    until: int


class HeartbeatReader:
    """Verifies heartbeats of the servers of one roster."""

    def __init__(self, roster: Roster) -> None:
        self._roster = roster
        self._keys: dict[str, bytes] = {}
        self._known: dict[str, _KnownServer] = {}
        for server in roster.servers:
            for key in server.keys:
                raw = signing.decode_key(key.key)
                self._keys[signing.key_id(raw)] = raw
                self._known[signing.key_id(raw)] = _KnownServer(server, key.until)

    def read(self, text: str, now: float) -> Heartbeat:
        """Return the heartbeat that was received at `now` (seconds since 1970).

        Raises ApiError (heartbeat_refused, with a Refusal in `detail.reason`).
        """
        try:
            kid, beat = signing.read(text, self._keys, cluster.HEARTBEAT, Heartbeat)
        except SignatureError as error:
            raise refused(self._reason(text, error)) from error
        known = self._known[kid]
        if known.until and now >= known.until:
            raise refused("unknown_key")
        if beat.server_id != known.server.id:
            raise refused("another_servers_key" if self._is_member(beat) else "unknown_server")
        if beat.region != known.server.region:
            raise refused("region")
        if beat.url != known.server.url:
            raise refused("url")
        if abs(now - beat.sent_at_ms / 1_000) > CLOCK_SECONDS:
            raise refused("clock")
        return beat

    def _reason(self, text: str, error: SignatureError) -> Refusal:
        # An unknown key is mostly the key of a server that the operator has not added to the roster yet. That
        # is the more helpful answer, although the server id it depends on is not verified.
        if error.reason != "unknown_key":
            return error.reason
        try:
            claimed = signing.peek(text, cluster.HEARTBEAT, Heartbeat)
        except SignatureError as unreadable:
            return unreadable.reason
        return error.reason if self._is_member(claimed) else "unknown_server"

    def _is_member(self, beat: Heartbeat) -> bool:
        return self._roster.server(beat.server_id) is not None


def refused(reason: Refusal) -> ApiError:
    """Return the error that refuses a heartbeat."""
    return ApiError(ErrorCode.HEARTBEAT_REFUSED, _SENTENCES[reason], {"reason": reason})
