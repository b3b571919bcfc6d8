"""The state that this server reports of itself (up, draining, left), and when a drain has finished. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from server.contract.cluster import Reported

# For how long no session must be pinned here, and no call in progress, before a drain is over.
_QUIET_SECONDS: Final = 1.0
# Calls without a session (health checks, somebody trying to log in) delay the end at most for this long.
_UNPINNED_SECONDS: Final = 10.0
# Other servers fetch the directory every 5 s. Until then they may still pin sessions to this server, of which
# it learns only when they call.
_ANNOUNCED_SECONDS: Final = 6.0


@dataclass(slots=True)
class Lifecycle:
    """The state of this server. The callbacks in `changed` are called when it changes.

    A drain ends at `drain_until` (seconds since 1970; 0 if there is no drain), even if sessions are left.
    """

    state: Reported = "up"
    drain_until: float = 0.0
    changed: list[Callable[[], None]] = field(default_factory=list)
    _began: float = 0.0
    _pinned_at: float = 0.0
    _called_at: float = 0.0

    @property
    def is_draining(self) -> bool:
        """Return whether this server takes no new sessions, because it is draining or has left."""
        return self.state != "up"

    def drain(self, now: float, seconds: float) -> None:
        """Take no new sessions from now on, and give the pinned ones up to `seconds` to move elsewhere."""
        self.drain_until = now + seconds
        self._began = self._pinned_at = self._called_at = now
        self._become("draining")

    def leave(self) -> None:
        """Report that this server has left the cluster."""
        self._become("left")

    def is_drained(self, now: float, pinned: bool, called: bool) -> bool:
        """Return whether the drain is over.

        It is over once the other servers know of it and this server has been unused for a moment, or once
        its time is up. `pinned` says that sessions are pinned to this server, `called` that it is answering
        a call.
        """
        self._pinned_at = now if pinned else self._pinned_at
        self._called_at = now if called else self._called_at
        unpinned, silent, announced = now - self._pinned_at, now - self._called_at, now - self._began
        unused = unpinned >= _QUIET_SECONDS and (silent >= _QUIET_SECONDS or unpinned >= _UNPINNED_SECONDS)
        return (unused and announced >= _ANNOUNCED_SECONDS) or now >= self.drain_until

    def _become(self, state: Reported) -> None:
        if state != self.state:
            self.state = state
            for notify in self.changed:
                notify()
