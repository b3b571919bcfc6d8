"""The heartbeat of the windows: how long the GUI thread was held at most."""

import time
from types import TracebackType
from typing import Final, Self

from PySide6.QtCore import QObject, Qt, QTimer

_TICK_MS: Final = 5


class WindowHeartbeat(QObject):
    """Ticks every 5 ms on the GUI thread between its begin and its end, and records the longest gap."""

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self, interval=_TICK_MS, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._last = self._worked = 0.0
        self.longest_gap = 0.0
        """In seconds."""
        self.most_work = 0.0
        """CPU time of the GUI thread between two ticks, at most, in seconds. On a busy machine, a gap can be
        longer than the work in it."""

    def _tick(self) -> None:
        now, worked = time.monotonic(), time.thread_time()
        self.longest_gap = max(self.longest_gap, now - self._last)
        self.most_work = max(self.most_work, worked - self._worked)
        self._last, self._worked = now, worked

    def __enter__(self) -> Self:
        self.longest_gap = self.most_work = 0.0
        self._last, self._worked = time.monotonic(), time.thread_time()
        self._timer.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tick()  # the gap that has not ended yet counts too
        self._timer.stop()
