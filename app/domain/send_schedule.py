"""When to send the outbox: at once after a save, and after growing pauses while sending fails. Pure.

Times are seconds on a monotonic clock that the caller reads.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FIRST_PAUSE_SECONDS: Final = 1.0
LONGEST_PAUSE_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 20.0
"""How often the server is probed while there is nothing to send."""
_JITTER: Final = 0.25

Draw = Callable[[float, float], float]
"""Returns a random number between two numbers, evenly distributed."""


@dataclass(slots=True)
class SendSchedule:
    """`due_at` is when to send or probe next. It has no effect during a run, or while
    sending is paused.

    `is_open`: a book is open. `is_paused`: no server can be reached, so nothing is sent. `is_asked`: somebody
    has requested to send.
    """

    draw: Draw
    is_open: bool = False
    is_paused: bool = False
    is_sending: bool = False
    is_asked: bool = False
    due_at: float = math.inf
    pause: float = FIRST_PAUSE_SECONDS

    def start(self, now: float) -> None:
        """Handle that a book was opened: send at once."""
        self.is_open, self.is_paused = True, False
        self.start_over()
        self.ask(now)

    def stop(self) -> None:
        """Handle that the book was closed: start no more runs."""
        self.is_open = self.is_asked = False
        self.due_at = math.inf

    def start_over(self) -> None:
        """Reset the pause, so that the next one is short."""
        self.pause = FIRST_PAUSE_SECONDS

    def ask(self, now: float) -> None:
        """Request to send at once; during a run, once more after it."""
        if self.is_open:
            self.is_asked = True
            self.due_at = now

    def set_paused(self, paused: bool, now: float) -> None:
        """Set whether sending is paused because no server can be reached. When that ends, send at once."""
        if paused == self.is_paused:
            return
        self.is_paused = paused
        self.start_over()
        if paused:
            self.is_asked, self.due_at = False, math.inf
        else:
            self.ask(now)

    def wake_at(self) -> float:
        """Return when the next run or probe may be due."""
        return math.inf if self.is_sending or self.is_paused else self.due_at

    def is_due(self, now: float) -> bool:
        """Return whether to send or probe now."""
        return self.is_open and now >= self.wake_at()

    def began(self) -> None:
        """Handle the start of a run or a replay. No other may start until `ended`."""
        self.is_sending = True

    def run_began(self) -> None:
        """Handle the start of a run, which fulfils the requests so far."""
        self.began()
        self.is_asked, self.due_at = False, math.inf

    def ended(self) -> None:
        """Handle the end of a run or a replay."""
        self.is_sending = False

    def plan(self, now: float, *, better: bool, troubled: bool) -> None:
        """Plan the next run or probe, unless a run has been requested meanwhile.

        `troubled` means that something is still to be sent, or no server answered. The pause then doubles
        each time, until `better` resets it. Otherwise there is only a probe after `PROBE_SECONDS`.
        """
        if not self.is_open or self.is_asked:
            return
        pause = self.pause if troubled else PROBE_SECONDS
        self.pause = FIRST_PAUSE_SECONDS if better else min(2 * self.pause, LONGEST_PAUSE_SECONDS)
        self.due_at = now + pause * self.draw(1 - _JITTER, 1 + _JITTER)
