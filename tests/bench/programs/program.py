"""The real program, which reports when its first window accepts a key, or when the listing shows entries.

The program itself is not changed: the checks run after its window's `start`.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication

from app.__main__ import main
from app.ui.opening import OpeningWindow
from tests.bench.programs.first_key import FirstKey, tell

if TYPE_CHECKING:
    from app.ui.main_window import MainWindow


def first_key() -> None:
    """Print the moment at which the first screen takes a key."""
    made = OpeningWindow.__init__

    def make(window: OpeningWindow) -> None:
        made(window)
        FirstKey(window, lambda at: tell(at=at))

    OpeningWindow.__init__ = make  # type: ignore[method-assign, assignment]


def main_key() -> None:
    """Print the moment at which the window that follows it, with the log-in or the book, takes a key."""
    _when_shown(lambda window: FirstKey(window, lambda at: tell(at=at)))


def amount_key() -> None:
    """Print the moment at which the amount field of the book takes a key."""

    def watch(window: "MainWindow") -> None:
        FirstKey(window, lambda at: tell(at=at))
        assert window.focusWidget() is window.entry.form.amount

    _when_shown(lambda window: window.login.signed_in.connect(lambda _session: watch(window)))


def _when_shown(call: Callable[["MainWindow"], object]) -> None:
    """Call `call` with the main window before its first paint: the opening window is closed before that."""
    closed = OpeningWindow.close

    def close(window: OpeningWindow) -> bool:
        shown = QApplication.topLevelWidgets()
        call(next(each for each in shown if each.objectName() == "main_window"))  # type: ignore[arg-type]
        return closed(window)

    OpeningWindow.close = close  # type: ignore[method-assign, assignment]


def entries() -> None:
    """Print the moment at which rows of the listing are painted, and the memory in MiB then and 2 s on."""
    from app.ui.main_window import MainWindow

    entered = MainWindow.enter

    def enter(window: MainWindow, session: object) -> None:
        entered(window, session)  # type: ignore[arg-type]
        window.show_listing()
        _Rows(window)

    MainWindow.enter = enter  # type: ignore[method-assign, assignment]


class _Rows(QObject):
    """Waits for the paint of the table once it has rows."""

    def __init__(self, window: "MainWindow") -> None:
        super().__init__(window)
        self._model = window.listing.model
        self._at = 0.0
        window.listing.table.viewport().installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Note the first paint with rows."""
        if event.type() is QEvent.Type.Paint and self._model.rowCount() and not self._at:
            QTimer.singleShot(0, self._painted)
            self._at = -1.0
        return False

    def _painted(self) -> None:
        at, rows, now = time.monotonic(), self._model.rowCount(), resident_mib()
        sys.stdout.write(json.dumps({"at": at, "rows": rows, "mib": now}) + "\n")
        sys.stdout.flush()
        QTimer.singleShot(2000, lambda: tell(mib=resident_mib()))


def resident_mib() -> float:
    """Return VmRSS."""
    status = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    line = next(line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


if __name__ == "__main__":
    checks = {"first_key": first_key, "main_key": main_key, "amount_key": amount_key, "entries": entries}
    checks[sys.argv.pop(1)]()
    sys.exit(main())
