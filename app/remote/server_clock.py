"""How far this computer's clock is behind the servers'."""

import time
from collections.abc import Callable
from datetime import datetime

from app.errors import ServerError


class ServerClock:
    """Learns the offset from each time that a server tells. Usable from several threads."""

    def __init__(self, now_us: Callable[[], int] = lambda: time.time_ns() // 1000) -> None:
        self._now_us = now_us
        self.offset_us = 0
        """What is added to this computer's clock to get the server's, in µs."""

    @property
    def offset_seconds(self) -> float:
        """The same in seconds."""
        return self.offset_us / 1_000_000

    def learn(self, server_time: str) -> None:
        """Take the time of a server, RFC 3339. Raises ServerError if it is no time."""
        try:
            told_us = int(datetime.fromisoformat(server_time).timestamp() * 1_000_000)
        except ValueError as error:
            raise ServerError("The server's answer could not be understood.", retryable=True) from error
        self.offset_us = told_us - self._now_us()
