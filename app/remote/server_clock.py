"""The difference between this computer's clock and the servers' clocks."""

import time
from collections.abc import Callable
from datetime import datetime
from typing import Final

from app.errors import ServerError

_SMALLEST_JUMP_US: Final = 2_000_000
# Linux has the first; on macOS the second runs in sleep too.
_AWAKE_OR_ASLEEP: Final[int | None] = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def _now_us() -> int:
    return time.time_ns() // 1_000


def elapsed_us() -> int:
    """Return a time in µs that also runs while the computer sleeps, and that nobody can set."""
    if _AWAKE_OR_ASLEEP is None:
        return time.monotonic_ns() // 1_000  # Windows: runs in sleep too
    return time.clock_gettime_ns(_AWAKE_OR_ASLEEP) // 1_000


class ServerClock:
    """Computes the offset from the times in the servers' answers. Thread-safe.

    If this computer's clock is set, the offset changes by as much at once, without a server's answer.
    """

    def __init__(
        self, now_us: Callable[[], int] = _now_us, elapsed_us: Callable[[], int] = elapsed_us
    ) -> None:
        self._now_us = now_us
        self._elapsed_us = elapsed_us
        self._learned: tuple[int, int, int] | None = None  # the offset, and both times when it was learned

    @property
    def offset_us(self) -> int:
        """The servers' time minus this computer's time, in µs; 0 until a server has answered."""
        if self._learned is None:
            return 0
        offset_us, now_us, elapsed_us = self._learned
        jump_us = (self._now_us() - now_us) - (self._elapsed_us() - elapsed_us)
        return offset_us if abs(jump_us) < _SMALLEST_JUMP_US else offset_us - jump_us

    @offset_us.setter
    def offset_us(self, offset_us: int) -> None:
        self._learned = (offset_us, self._now_us(), self._elapsed_us())

    @property
    def offset_seconds(self) -> float:
        """The offset in seconds."""
        return self.offset_us / 1_000_000

    def learn(self, server_time: str) -> None:
        """Set the offset from a server's time (RFC 3339). Raises ServerError if it is not a time."""
        try:
            server_us = int(datetime.fromisoformat(server_time).timestamp() * 1_000_000)
        except (ValueError, OverflowError) as error:
            raise ServerError("The time in the answer could not be understood.", retryable=True) from error
        self.offset_us = server_us - self._now_us()
