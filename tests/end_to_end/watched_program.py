"""The real program, which writes what its windows show, and presses the buttons that it is told to.

Standard output: a line of JSON whenever the visible windows change, a list of {"name", "title", "texts",
"area"}. Standard input: lines `press TEXT` for a button, `type FIELD TEXT`, `close`, `hang` for a program
that answers no more, `fail TEXT` and `fail-thread TEXT` for an unexpected error, `abort` for a fatal signal.
"""

import json
import os
import sys
import threading
import time

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QPlainTextEdit, QWidget

import app.ui.application as program
from app.__main__ import main

_EVERY_MS = 40


class _Watched(QApplication):
    """The application of the program, with a timer that looks at its windows."""

    def __init__(self, argv: list[str]) -> None:
        super().__init__(argv)
        self._last = ""
        self._hand = _Hand()
        self._hand.told.connect(_obey)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(_EVERY_MS)
        threading.Thread(target=self._hand.listen, daemon=True).start()

    def _look(self) -> None:
        shown = json.dumps([_window(each) for each in self.topLevelWidgets() if each.isVisible()])
        if shown != self._last:
            self._last = shown
            sys.stdout.write(shown + "\n")
            sys.stdout.flush()


class _Hand(QObject):
    told = Signal(str)

    def listen(self) -> None:
        """Pass on what comes on standard input."""
        for line in sys.stdin:
            self.told.emit(line.strip())


def _window(window: QWidget) -> dict[str, object]:
    parts = [*window.findChildren(QLabel), *window.findChildren(QAbstractButton)]
    long_texts = [each for each in window.findChildren(QPlainTextEdit) if each.isVisible()]
    area = window.geometry()
    return {
        "name": window.objectName(),
        "title": window.windowTitle(),
        "texts": [each.text() for each in parts if each.isVisible() and each.text()]
        + [each.toPlainText() for each in long_texts],
        "area": [area.x(), area.y(), area.width(), area.height()],
    }


def _fail(text: str) -> None:
    raise RuntimeError(text)


def _fail_in_thread(text: str) -> None:
    threading.Thread(target=_fail, args=(text,)).start()


def _abort(_text: str) -> None:
    os.abort()


def _type(named: str) -> None:
    name, _, text = named.partition(" ")
    for window in QApplication.topLevelWidgets():
        for each in window.findChildren(QWidget, name):
            QTest.keyClicks(each, text)


def _hang(_text: str) -> None:
    sys.stdout.write("hanging\n")
    sys.stdout.flush()
    while True:
        time.sleep(60)


def _press(text: str) -> None:
    for window in QApplication.topLevelWidgets():
        for each in window.findChildren(QAbstractButton):
            if each.isVisible() and each.text().replace("&", "") == text:
                QTimer.singleShot(0, each.click)
                return


def _close(_text: str) -> None:
    for window in QApplication.topLevelWidgets():
        window.close()


_VERBS = {
    "press": _press,
    "type": _type,
    "close": _close,
    "hang": _hang,
    "fail": _fail,
    "fail-thread": _fail_in_thread,
    "abort": _abort,
}


def _obey(line: str) -> None:
    verb, _, text = line.partition(" ")
    _VERBS[verb](text)


if __name__ == "__main__":
    program.QApplication = _Watched  # type: ignore[misc]
    sys.exit(main())
