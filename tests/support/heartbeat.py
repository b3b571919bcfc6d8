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
        self._last = 0.0
        self.longest_gap = 0.0
        """In seconds."""

    def _tick(self) -> None:
        now = time.monotonic()
        self.longest_gap = max(self.longest_gap, now - self._last)
        self._last = now

    def __enter__(self) -> Self:
        self.longest_gap, self._last = 0.0, time.monotonic()
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
