"""What this server says of itself: up, draining, or left; and whether a drain is over."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from server.contract.cluster import Reported

_QUIET_SECONDS: Final = 1.0
_UNPINNED_SECONDS: Final = 10.0
"""Calls of nobody who is locked here (a probe, a stranger at the door) hold up the end for this long."""
_ANNOUNCED_SECONDS: Final = 6.0
"""Until they look at discovery again (every 5 s), others send clients here whom nobody here has seen yet."""


@dataclass(slots=True)
class Lifecycle:
    """`drain_until` is the second since 1970 at which a drain ends whatever goes on, 0 without one."""

    state: Reported = "up"
    drain_until: float = 0.0
    changed: list[Callable[[], None]] = field(default_factory=list)
    _began: float = 0.0
    _pinned_at: float = 0.0
    _called_at: float = 0.0

    @property
    def is_draining(self) -> bool:
        """Say whether this server takes no more clients."""
        return self.state != "up"

    def drain(self, now: float, seconds: float) -> None:
        """Take no more clients from now on; those that are here move when they may."""
        self.drain_until = now + seconds
        self._began = self._pinned_at = self._called_at = now
        self._become("draining")

    def leave(self) -> None:
        """Be gone."""
        self._become("left")

    def is_drained(self, now: float, pinned: bool, called: bool) -> bool:
        """Say whether a drain is over: everybody has heard of it and nobody was here for a short while, or
        its time is up. `locked`: clients are still locked to this server; `called`: it answers a call.
        """
        self._pinned_at = now if pinned else self._pinned_at
        self._called_at = now if called else self._called_at
        unlocked, silent, heard = now - self._pinned_at, now - self._called_at, now - self._began
        alone = unlocked >= _QUIET_SECONDS and (silent >= _QUIET_SECONDS or unlocked >= _UNPINNED_SECONDS)
        return (alone and heard >= _ANNOUNCED_SECONDS) or now >= self.drain_until

    def _become(self, state: Reported) -> None:
        if state != self.state:
            self.state = state
            for tell in self.changed:
                tell()
