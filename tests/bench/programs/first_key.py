"""Posts a key event at the first paint of a window, and reports when the window receives it."""

import json
import os
import sys
import time
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget


def tell(**values: float) -> None:
    """Print what was measured and end at once, as `kill` would: only what came before counts."""
    sys.stdout.write(json.dumps(values) + "\n")
    sys.stdout.flush()
    os._exit(0)


class FirstKey(QObject):
    """`arrived` is called once, with the monotonic clock, when the key has come through the event loop."""

    def __init__(self, window: QWidget, arrived: Callable[[float], None]) -> None:
        super().__init__(window)
        self._window = window
        self._arrived = arrived
        self._sent = False
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Watch the window for its paint, and the widget with the focus for the key."""
        if event.type() is QEvent.Type.Paint and not self._sent:
            self._sent = True
            target = self._window.focusWidget() or self._window
            target.installEventFilter(self)
            key = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Shift, Qt.KeyboardModifier.NoModifier)
            QCoreApplication.postEvent(target, key)
        elif event.type() is QEvent.Type.KeyPress:
            self._arrived(time.monotonic())
        return False
