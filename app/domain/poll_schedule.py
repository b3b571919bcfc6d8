"""When the replication status of changes is polled. Pure; times are seconds on a monotonic clock."""

import math
from dataclasses import dataclass
from typing import Final

FAST_PAUSE_SECONDS: Final = 0.5
"""Between two polls while somebody waits for “All your data is here.”"""
PAUSE_SECONDS: Final = 10.0
_MOST_DOUBLINGS: Final = 9


@dataclass(slots=True)
class PollSchedule:
    """A poll is whole when it also asks about changes that are here and in too few other regions."""

    is_polling: bool = False
    is_asked: bool = False
    due_at: float = math.inf
    whole_at: float = -math.inf
    failures: int = 0

    def ask(self, now: float) -> None:
        """Poll at once; if a poll is under way, once more after it."""
        self.is_asked, self.due_at = True, now

    def is_due(self, now: float) -> bool:
        """Return whether to poll now."""
        return not self.is_polling and now >= self.due_at

    def began(self, now: float) -> bool:
        """A poll begins; return whether it is to be whole."""
        whole = self.is_asked or now - self.whole_at >= PAUSE_SECONDS
        self.is_polling, self.is_asked, self.due_at = True, False, math.inf
        return whole

    def ended(self, now: float, *, whole: bool, left: int, fast: bool, failed: bool) -> None:
        """A poll ended; `left` changes are not settled yet, `fast` if somebody waits for them."""
        self.is_polling = False
        self.failures = self.failures + 1 if failed else 0
        if whole:
            self.whole_at = now
        if self.is_asked:
            return
        pause = PAUSE_SECONDS
        if fast:
            pause = min(FAST_PAUSE_SECONDS * 2 ** min(self.failures, _MOST_DOUBLINGS), PAUSE_SECONDS)
        self.due_at = now + pause if left or fast else math.inf
