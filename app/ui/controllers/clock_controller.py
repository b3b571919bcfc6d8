"""Follows the day while a book is open, and says once that this computer's clock is wrong."""

import math
from datetime import date, datetime, time, timedelta
from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget

from app.domain.clock_error import clock_error
from app.ui.book_frame import BookFrame
from app.ui.desktop import Desktop, read_time_zone

_LONGEST_MS: Final = 20_000
"""A timer stands still while the computer sleeps, and nobody tells that the clock was set."""
_SHORTEST_MS: Final = 50


class ClockController(QObject):
    """Asks for the day at midnight, when the window becomes active, and every 20 seconds."""

    def __init__(self, desktop: Desktop, book: BookFrame, window: QWidget) -> None:
        super().__init__(window)
        self._desktop = desktop
        self._book = book
        self._day: date | None = None
        self._started = self._told = self._closed = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self.check)
        book.clock.pressed.connect(self._close)
        window.installEventFilter(self)

    def start(self) -> None:
        """Follow the day, because a book is open."""
        self._started, self._told, self._closed, self._day = True, False, False, None
        self.check()

    def stop(self) -> None:
        """Stop following the day, for example after a sign-out."""
        self._started = False
        self._timer.stop()
        self._book.show_clock("")

    def check(self) -> None:
        """Compare the day with the one that is shown, and the clock with the server's."""
        if not self._started:
            return
        read_time_zone()
        day = self._desktop.today()
        if day != self._day:
            self._day = day
            self._book.follow_day()
        self._tell(clock_error(self._desktop.here(), self._desktop.there()))
        self._timer.start(_wait_ms(self._desktop.there()))

    def _tell(self, sentence: str) -> None:
        """Show the sentence until the clock is right or the user closes it; afterwards not again."""
        self._closed = self._closed or (self._told and not sentence)
        self._told = self._told or bool(sentence)
        self._book.show_clock("" if self._closed else sentence)

    def _close(self) -> None:
        self._closed = True
        self._book.show_clock("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Check when the user comes back to the window."""
        if event.type() == QEvent.Type.WindowActivate:
            self.check()
        return super().eventFilter(watched, event)


def _wait_ms(now: datetime) -> int:
    """Return the time until the next check."""
    midnight = datetime.combine(now.date() + timedelta(days=1), time(), now.tzinfo)
    until = math.ceil((midnight - now).total_seconds() * 1_000)
    return max(_SHORTEST_MS, min(_LONGEST_MS, until))
