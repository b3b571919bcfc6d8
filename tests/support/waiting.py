"""Waits for a condition, and no longer than necessary."""

import time
from collections.abc import Callable


def wait_until(happened: Callable[[], object], seconds: float = 60, pause: float = 0.005) -> None:
    """Return as soon as `happened()` is true; fail after `seconds`, which bound a failure and say nothing of
    how long it may take on a busy machine. `pause` is between two looks."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(pause)
