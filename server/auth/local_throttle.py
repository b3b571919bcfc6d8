"""The wait after wrong passwords for a book on its owner's computer. Pure: the clock is an argument.

Whoever sits at the computer types one password at a time, so a wait of seconds is enough. The first mistake
costs nothing; the waits after the next ones are 1, 2, 4, 8 and then always 10 seconds. So nobody can keep the
owner out for longer.
"""

from dataclasses import dataclass
from typing import Final

from server.auth.throttle import Attempt

LONGEST_WAIT: Final = 10.0
_FORGOTTEN_AFTER: Final = 900.0


@dataclass(slots=True)
class LocalThrottle:
    """Limits all attempts on the only account of a local server. Times are in seconds, on any clock."""

    _wrong: int = 0
    _last: float = 0.0

    def share_by(self, servers: int) -> None:
        """Do nothing: a local server shares its account with no other one."""

    def wait(self, _attempt: Attempt, now: float) -> float:
        """Return the seconds until one more attempt is allowed; 0 if it is allowed now."""
        if self._wrong < 2:
            return 0.0
        self._last = min(self._last, now)  # the clock may have been set back
        return max(0.0, round(min(2.0 ** (self._wrong - 2), LONGEST_WAIT) - (now - self._last), 3))

    def admit(self, attempt: Attempt, now: float) -> float:
        """Count the attempt as wrong and return 0, or count nothing and return the seconds to wait."""
        if wait := self.wait(attempt, now):
            return wait
        if now - self._last > _FORGOTTEN_AFTER:
            self._wrong = 0
        self._wrong, self._last = self._wrong + 1, now
        return 0.0

    def succeeded(self, _attempt: Attempt, _now: float) -> None:
        """Forget the wrong attempts: the last one was right."""
        self._wrong = 0
