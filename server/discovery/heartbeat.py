"""Whether a heartbeat is its server's own word, of now, and as the roster has that server. Pure."""

from typing import Final, Literal, NamedTuple

from server.contract import cluster, signing
from server.contract.cluster import Heartbeat, Roster, RosterServer
from server.contract.errors import ErrorCode
from server.contract.signing import SignatureError
from server.errors import ApiError

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
    "unsigned": "This is no signed message.",
    "kind": "This is another kind of signed message.",
    "algorithm": "A heartbeat is signed with EdDSA only.",
    "unknown_key": "The roster has no such key in use.",
    "unknown_server": "The roster has no such server.",
    "signature": "The signature does not hold.",
    "damaged": "The heartbeat does not fit.",
    "another_servers_key": "Another server's key signed this.",
    "region": "The roster has this server in another region.",
    "url": "The roster has this server at another address.",
    "clock": "This was not sent just now; is that server's clock right?",
    "replayed": "This heartbeat, or a later one, came before.",
}


class _KnownServer(NamedTuple):
    server: RosterServer
    until: int


class HeartbeatReader:
    """Reads heartbeats of the servers of one roster."""

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
        """Return a heartbeat that came at `now` (s since 1970).

        Raises ApiError (heartbeat_refused, with a Refusal in `detail.reason`).
        """
        try:
            kid, beat = signing.read(text, self._keys, cluster.HEARTBEAT, Heartbeat)
        except SignatureError as error:
            raise refused(self._why(text, error)) from error
        known = self._known[kid]
        if known.until and now >= known.until:
            raise refused("unknown_key")
        if beat.server_id != known.server.id:
            raise refused("another_servers_key" if self._has(beat) else "unknown_server")
        if beat.region != known.server.region:
            raise refused("region")
        if beat.url != known.server.url:
            raise refused("url")
        if abs(now - beat.sent_at_ms / 1_000) > CLOCK_SECONDS:
            raise refused("clock")
        return beat

    def _why(self, text: str, error: SignatureError) -> Refusal:
        """An unknown key is most often that of a server that was not added yet: say that, then."""
        if error.reason != "unknown_key":
            return error.reason
        try:
            return (
                error.reason
                if self._has(signing.peek(text, cluster.HEARTBEAT, Heartbeat))
                else "unknown_server"
            )
        except SignatureError as unreadable:
            return unreadable.reason

    def _has(self, beat: Heartbeat) -> bool:
        return self._roster.server(beat.server_id) is not None


def refused(reason: Refusal) -> ApiError:
    """Return the refusal of a heartbeat."""
    return ApiError(ErrorCode.HEARTBEAT_REFUSED, _SENTENCES[reason], {"reason": reason})
