"""Ends calls that take too long: small ones as a whole, transfers when too few bytes move.

The time limit of a socket is one for each part: with a byte a second, a server keeps a call alive for ever.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

WINDOW_SECONDS: Final = 30.0
MIN_BYTES_PER_SECOND: Final = 1024
_LINGER_SECONDS: Final = 60.0


class Breakable(Protocol):
    """The connection of a call."""

    def break_off(self) -> None:
        """Make the call fail at once."""


class CallLimit:
    """The limit of one call."""

    def __init__(self, seconds: float, *, is_transfer: bool = False) -> None:
        """Allow `seconds` for the whole call; or for a transfer, for each WINDOW_SECONDS and each pause."""
        self.pause = seconds
        self.was_cut = False
        self.ends = time.monotonic() + (WINDOW_SECONDS if is_transfer else seconds)
        self._is_transfer = is_transfer
        self._moved = 0
        self._connection: Breakable | None = None

    def is_on(self, connection: Breakable) -> None:
        """Note the connection that the call uses. Raises TimeoutError if the time is over already."""
        self._connection = connection
        self.require()

    def require(self) -> None:
        """Raise TimeoutError if the call was cut. To its reader that may look like the end of the answer."""
        if self.was_cut:
            raise TimeoutError("the call took too long")

    def count(self, moved: int) -> None:
        """Note that bytes were sent or received."""
        self._moved += moved

    def end_in(self, seconds: float) -> None:
        """Allow `seconds` for all that is left of a transfer."""
        self._is_transfer = False
        self.ends = time.monotonic() + seconds

    def check(self, now: float) -> None:
        """Cut the call if its time is over; begin the next window of a transfer that moved enough."""
        if self.was_cut or now < self.ends:
            return
        if self._is_transfer and self._moved >= WINDOW_SECONDS * MIN_BYTES_PER_SECOND:
            self._moved, self.ends = 0, now + WINDOW_SECONDS
            return
        self.was_cut = True
        if self._connection is not None:
            self._connection.break_off()


class Watchdog:
    """Checks the calls in flight in a thread of its own, which ends when there have been none for a while."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._calls: set[CallLimit] = set()
        self._wakes = 0.0
        self._runs = False

    @contextmanager
    def limiting(self, call: CallLimit) -> Iterator[None]:
        """Cut `call` if it exceeds its limit within the block. After the block it is never cut."""
        self._add(call)
        try:
            yield
        finally:
            with self._changed:
                self._calls.discard(call)

    def shorten(self, call: CallLimit, seconds: float) -> None:
        """Allow `seconds` for all that is left of a call."""
        call.end_in(seconds)
        self._add(call)

    def _add(self, call: CallLimit) -> None:
        with self._changed:
            self._calls.add(call)
            if not self._runs:
                self._runs = True
                threading.Thread(target=self._run, name="watchdog", daemon=True).start()
            elif call.ends < self._wakes:
                self._changed.notify_all()

    def _run(self) -> None:
        with self._changed:
            while True:
                now = time.monotonic()
                for call in self._calls:
                    call.check(now)
                waiting = [call.ends for call in self._calls if not call.was_cut]
                self._wakes = min(waiting, default=now + _LINGER_SECONDS)
                woken = self._changed.wait(max(self._wakes - now, 0))
                if not (woken or self._calls):
                    self._runs = False
                    return
