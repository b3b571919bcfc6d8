"""What a call tells of its server: it answered, it failed, or it is silent."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, Literal

from app.domain.stream import Stream

OutcomeKind = Literal["answered", "draining", "busy", "refused", "silent", "unavailable"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call to a server of the roster went."""

    server_id: str
    kind: OutcomeKind


@dataclass(slots=True)
class CallInFlight:
    """A call under way: `last` is when it last made progress, on the clock of the watch."""

    server_id: str
    last: float
    said_silent: bool = False


class CallMonitor:
    """Follows the calls to servers of the roster. Usable from several threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._calls: dict[int, CallInFlight] = {}
        self.outcomes: Stream[Outcome] = Stream()
        """Each outcome, in the thread of the call."""
        self.calls: Stream[str] = Stream()
        """The server id of each call that begins."""

    @contextmanager
    def track(self, server_id: str) -> Iterator[Callable[[], None]]:
        """Follow one call; yields what is to be called at each progress."""
        if not server_id:
            yield _nothing
            return
        flight = CallInFlight(server_id, self._clock())
        number = next(self._numbers)
        with self._lock:
            self._calls[number] = flight
        self.calls.publish(server_id)

        def moved() -> None:
            flight.last = self._clock()

        try:
            yield moved
        finally:
            with self._lock:
                self._calls.pop(number, None)

    def oldest_progress(self) -> float | None:
        """Return when the call that has been silent longest last made progress; None where all was said."""
        with self._lock:
            return min((f.last for f in self._calls.values() if not f.said_silent), default=None)

    def silent_servers(self, seconds: float) -> set[str]:
        """Return the servers of calls that have been silent so long; each call is told of once."""
        limit = self._clock() - seconds
        with self._lock:
            silent = [f for f in self._calls.values() if not f.said_silent and f.last <= limit]
        for flight in silent:
            flight.said_silent = True
        return {flight.server_id for flight in silent}


class MovingFile:
    """A file being sent; each piece read is progress. `len()` and reading are all that requests needs."""

    def __init__(self, file: BinaryIO, size: int, moved: Callable[[], None]) -> None:
        self._file = file
        self._size = size
        self._moved = moved

    def __len__(self) -> int:
        return self._size

    def read(self, most: int = -1) -> bytes:
        """Return the next piece."""
        self._moved()
        return self._file.read(most)


def _nothing() -> None:
    """Take note of nothing."""
