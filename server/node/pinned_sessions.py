"""The sessions pinned to this server, as far as their access tokens show it. Pure."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class PinnedSessions:
    """The sessions with an unexpired access token for this server. Times are in seconds since 1970.

    A session that was moved to another server does not count, although its last token here is still valid.
    """

    _until: dict[UUID, float] = field(default_factory=dict)
    _gone: dict[UUID, float] = field(default_factory=dict)

    def issued(self, session: UUID, until: float) -> None:
        """Note that this server issued a token for itself."""
        self._gone.pop(session, None)
        self._until[session] = until

    def seen(self, session: UUID, until: float) -> None:
        """Note that a call carried a token for this server. Another server may have issued it."""
        # Only a token that expires later than the last one from here shows that the session came back.
        if until > self._gone.get(session, 0.0):
            self._until[session] = max(until, self._until.get(session, 0.0))

    def left(self, session: UUID, until: float) -> None:
        """Note that a session ended or moved elsewhere. Its tokens for this server expire by `until`."""
        self._until.pop(session, None)
        self._gone[session] = until

    def count(self, now: float) -> int:
        """Return the number of pinned sessions."""
        # Nobody else removes expired entries. Heartbeats call this every few seconds.
        self._until = {session: until for session, until in self._until.items() if now < until}
        self._gone = {session: until for session, until in self._gone.items() if now < until}
        return len(self._until)
