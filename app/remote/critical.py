"""Critical tasks: saving an entry with its bills is several calls, which must meet one server.

A task says that it is under way, so that a refresh asks to keep the lock. A refresh that did not know of a
task may be moving the lock: a task that begins then waits for its answer.
"""

import contextlib
import threading
from collections.abc import Generator
from typing import Final

_DECISION_SECONDS: Final = 12.0  # longer than a refresh and a look at the roster may take


class CriticalTasks:
    """Usable from several threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._deciding = 0

    @property
    def any(self) -> bool:
        """Say whether a task is under way."""
        return self._under_way > 0

    @contextlib.contextmanager
    def task(self) -> Generator[None, None, None]:
        """Hold the lock where it is meanwhile, if that can be helped."""
        with self._changed:
            self._changed.wait_for(lambda: not self._deciding, _DECISION_SECONDS)
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1

    @contextlib.contextmanager
    def decision(self) -> Generator[bool, None, None]:
        """Let a server decide where the lock is; yields whether a task is under way."""
        with self._changed:
            critical = self._under_way > 0
            self._deciding += not critical
        try:
            yield critical
        finally:
            with self._changed:
                self._deciding -= not critical
                self._changed.notify_all()
