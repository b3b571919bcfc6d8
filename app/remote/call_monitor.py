"""Monitors the calls to servers: their outcomes, and calls that make no progress."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, Literal

from app.domain.stream import Stream

OutcomeKind = Literal["answered", "draining", "busy", "refused", "silent", "unavailable"]


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """The outcome of a call to a server of the roster."""

    server_id: str
    kind: OutcomeKind


@dataclass(slots=True)
class CallInFlight:
    """A call in flight. `last` is the time of its last progress, on the monitor's clock."""

    server_id: str
    last: float
    was_reported: bool = False


class CallMonitor:
    """Monitors the calls to servers of the roster. Thread-safe."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._calls: dict[int, CallInFlight] = {}
        self.outcomes: Stream[CallOutcome] = Stream()
        """Publishes the outcome of each call, in the thread of the call."""
        self.calls: Stream[str] = Stream()
        """Publishes the server id of each call when it begins."""

    @contextmanager
    def track(self, server_id: str) -> Iterator[Callable[[], None]]:
        """Monitor one call. Give a function to call at each progress."""
        if not server_id:  # not a server of the roster
            yield _nothing
            return
        flight = CallInFlight(server_id, self._clock())
        number = next(self._numbers)
        with self._lock:
            self._calls[number] = flight
        self.calls.publish(server_id)

        def progressed() -> None:
            flight.last = self._clock()

        try:
            yield progressed
        finally:
            with self._lock:
                self._calls.pop(number, None)

    def oldest_progress(self) -> float | None:
        """Return the time of the last progress of the call that has waited longest.

        Calls that `silent_servers` has reported are left out. Return None if there is no other call.
        """
        with self._lock:
            return min((f.last for f in self._calls.values() if not f.was_reported), default=None)

    def silent_servers(self, seconds: float) -> set[str]:
        """Return the servers of calls without progress for `seconds`. Each call is reported only once."""
        limit = self._clock() - seconds
        with self._lock:
            silent = [f for f in self._calls.values() if not f.was_reported and f.last <= limit]
        for flight in silent:
            flight.was_reported = True
        return {flight.server_id for flight in silent}


class ProgressFile:
    """A file that is being sent; each read counts as progress. `requests` needs only `len()` and `read`.

    `count` is called with the number of bytes of each read.
    """

    def __init__(
        self, file: BinaryIO, size: int, progressed: Callable[[], None], count: Callable[[int], None]
    ) -> None:
        self._file = file
        self._size = size
        self._progressed = progressed
        self._count = count

    def __len__(self) -> int:
        return self._size

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, at most `size` of them."""
        self._progressed()
        piece = self._file.read(size)
        self._count(len(piece))
        return piece


def _nothing() -> None:
    """Do nothing."""
