"""Which sessions are locked to this server now, as far as their access tokens tell. Pure."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(slots=True)
class PinnedSessions:
    """Sessions with an access token for this server that was issued or seen here and has not expired; times
    are seconds since 1970. A session that was sent elsewhere does not count, though its last token lives on:
    only a token that expires later than that one shows that it came back.
    """

    _until: dict[UUID, float] = field(default_factory=dict)
    _gone: dict[UUID, float] = field(default_factory=dict)

    def issued(self, session: UUID, until: float) -> None:
        """A token for this server was given out."""
        self._gone.pop(session, None)
        self._until[session] = until

    def seen(self, session: UUID, until: float) -> None:
        """A token for this server came in that may be another's work."""
        if until > self._gone.get(session, 0.0):
            self._until[session] = max(until, self._until.get(session, 0.0))

    def left(self, session: UUID, until: float) -> None:
        """The session ended or was sent elsewhere; no token for this server outlives `until`."""
        self._until.pop(session, None)
        self._gone[session] = until

    def count(self, now: float) -> int:
        """Return how many there are."""
        self._until = {session: until for session, until in self._until.items() if now < until}
        self._gone = {session: until for session, until in self._gone.items() if now < until}
        return len(self._until)
