"""The difference between this computer's clock and the servers' clocks."""

import time
from collections.abc import Callable
from datetime import datetime

from app.errors import ServerError


class ServerClock:
    """Computes the offset from the times in the servers' answers. Thread-safe."""

    def __init__(self, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._now_us = now_us
        self.offset_us = 0
        """The servers' time minus this computer's time, in µs."""

    @property
    def offset_seconds(self) -> float:
        """The offset in seconds."""
        return self.offset_us / 1_000_000

    def learn(self, server_time: str) -> None:
        """Set the offset from a server's time (RFC 3339). Raises ServerError if it is not a time."""
        try:
            server_us = int(datetime.fromisoformat(server_time).timestamp() * 1_000_000)
        except ValueError as error:
            raise ServerError("The time in the answer could not be understood.", retryable=True) from error
        self.offset_us = server_us - self._now_us()
