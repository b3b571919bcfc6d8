"""Critical tasks: tasks of several calls that should go to one server, such as saving an entry with bills.

While a task is in progress, a refresh asks the server to keep the session pinned. A refresh that began
without a task may move the session, so a task that begins during it waits for its answer.
"""

import contextlib
import threading
from collections.abc import Generator
from typing import Final

_DECISION_SECONDS: Final = 12.0  # longer than a refresh and a look at the roster may take


class CriticalTasks:
    """Counts the tasks in progress. Thread-safe."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._deciding = 0

    @property
    def any(self) -> bool:
        """Whether a task is in progress."""
        return self._under_way > 0

    @contextlib.contextmanager
    def task(self) -> Generator[None, None, None]:
        """Run the block as a task. Wait first for a refresh that may move the session."""
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
        """Run the block as a refresh, which may move the session. Give whether a task is in progress."""
        with self._changed:
            critical = self._under_way > 0
            self._deciding += not critical
        try:
            yield critical
        finally:
            with self._changed:
                self._deciding -= not critical
                self._changed.notify_all()
