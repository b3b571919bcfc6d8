"""When to poll the replication status of changes, and to replay those that a region lacks. Pure.

Times are seconds on a monotonic clock that the caller reads.
"""

import math
from dataclasses import dataclass
from typing import Final

FAST_PAUSE_SECONDS: Final = 0.5
"""The pause between two polls while the user waits for “All your data is here.”"""
PAUSE_SECONDS: Final = 10.0
_MOST_DOUBLINGS: Final = 9


@dataclass(slots=True)
class PollSchedule:
    """`due_at` is when to poll next. Nothing is replayed before `replay_at`.

    A whole poll also includes changes that the present region has, but too few other regions. `failures` and
    `replay_failures` count those since the last success.
    """

    is_polling: bool = False
    is_asked: bool = False
    due_at: float = math.inf
    whole_at: float = -math.inf
    failures: int = 0
    replay_at: float = -math.inf
    replay_failures: int = 0

    def ask(self, now: float) -> None:
        """Request a whole poll at once; during a poll, once more after it."""
        self.is_asked, self.due_at = True, now

    def wake_at(self) -> float:
        """Return when the next poll may be due."""
        return math.inf if self.is_polling else self.due_at

    def is_due(self, now: float) -> bool:
        """Return whether to poll now."""
        return now >= self.wake_at()

    def began(self, now: float) -> bool:
        """Handle the start of a poll. Return whether it must be a whole one."""
        whole = self.is_asked or now - self.whole_at >= PAUSE_SECONDS
        self.is_polling, self.is_asked, self.due_at = True, False, math.inf
        return whole

    def ended(self, now: float, *, whole: bool, left: int, fast: bool, failed: bool) -> None:
        """Handle the end of a poll, and plan the next one.

        `left` changes are not settled yet. `fast` means that the user is waiting for them.
        """
        self.is_polling = False
        self.failures = self.failures + 1 if failed else 0
        if whole:
            self.whole_at = now
        if self.is_asked:
            return
        pause = _pause(self.failures) if fast else PAUSE_SECONDS
        if left or fast:
            self.due_at = min(self.due_at, now + pause)

    def may_replay(self, now: float) -> bool:
        """Return whether a replay that is due may begin now."""
        return now >= self.replay_at

    def replayed(self, now: float, *, failed: bool) -> None:
        """Handle the end of a replay. Poll at once, but not whole; after a failure, delay the next replay."""
        self.replay_failures = self.replay_failures + 1 if failed else 0
        if failed:
            self.replay_at = now + _pause(self.replay_failures)
        else:
            self.due_at = now


def _pause(failures: int) -> float:
    return min(FAST_PAUSE_SECONDS * 2.0 ** min(failures, _MOST_DOUBLINGS), PAUSE_SECONDS)
