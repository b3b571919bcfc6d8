"""Counts down, in the sentence of a field, until another password may be tried. The button waits with it."""

import math
import time
from collections.abc import Callable, Iterable
from typing import Final

from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication, QLineEdit, QWidget

from app.errors import AppError

_TICK_MS: Final = 250
_MINUTE: Final = 60
_TOO_MANY: Final = "Too many wrong passwords."
_TRIES: Final = "Bahi tries it in {seconds} s."


def wait_text(seconds: int) -> str:
    """Return when to try again: `Try again in 42 s.`, from two minutes on `Try again in 3 minutes.`"""
    if seconds < 2 * _MINUTE:
        return f"Try again in {seconds} s."
    return f"Try again in {math.ceil(seconds / _MINUTE)} minutes."


def errors_at(error: AppError, field: str) -> dict[str, str]:
    """Return the errors by field; an error that only asks to wait is one of `field`."""
    return error.fields or ({field: error.message} if error.retry_after else {})


class WaitCountdown(QObject):
    """Disables `button` for some seconds, and shows each of them with `show`.

    `show` gets the sentence with the seconds, and at the end the sentence alone. When a text of `editors`
    changes, the sentence about the old text goes. Enter in one of them during the wait is remembered:
    `submit` is called at its end, unless a text changed after it. `clock` returns seconds.
    """

    def __init__(
        self,
        button: QWidget,
        show: Callable[[str], None],
        submit: Callable[[], None],
        editors: Iterable[QLineEdit],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(button)
        self._button = button
        self._show = show
        self._submit = submit
        self._clock = clock
        self._until = 0.0
        self._sentence = ""
        self._entered = False
        self._timer = QTimer(self)
        self._timer.setInterval(_TICK_MS)
        self._timer.timeout.connect(self._tick)
        for editor in editors:
            editor.textChanged.connect(lambda _text: self._edited())
            editor.returnPressed.connect(self._remember)

    @property
    def is_running(self) -> bool:
        """Return whether the wait is not over."""
        return self._timer.isActive()

    def start(self, seconds: int, sentence: str = "") -> None:
        """Wait for `seconds`; without a sentence, say that there were too many wrong passwords."""
        self._sentence, self._entered = sentence or _TOO_MANY, False
        self._until = self._clock() + seconds
        self._timer.start()
        self._tick()

    def follow(self, error: AppError, field: str) -> None:
        """Wait as long as an error says, with the sentence that it has for `field`; 0 seconds are no wait."""
        if error.retry_after:
            self.start(error.retry_after, error.fields.get(field, ""))

    def stop(self) -> None:
        """Forget the wait, and enable the button. The sentence stays as it is."""
        if self.is_running:
            self._timer.stop()
            self._button.setEnabled(True)

    def _edited(self) -> None:
        if self.is_running:
            self._sentence, self._entered = "", False
            self._tick()

    def _remember(self) -> None:
        if self.is_running:
            self._entered = True
            self._tick()

    def _tick(self) -> None:
        left = math.ceil(self._until - self._clock())
        if left <= 0:
            self._end()
            return
        self._button.setEnabled(False)
        what = _TRIES.format(seconds=left) if self._entered else wait_text(left)
        self._show(f"{self._sentence} {what}".strip())

    def _end(self) -> None:
        self.stop()
        self._show(self._sentence)
        # A window that was closed, or one behind a dialog, must not try anything.
        in_front = QApplication.activeModalWidget() in {None, self._button.window()}
        if self._entered and in_front and self._button.isVisible():
            self._submit()
