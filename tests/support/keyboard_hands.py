"""A person who has only a keyboard: keys go to whatever has the focus, and are counted."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from app.ui.main_window import MainWindow
from app.ui.widgets.suggest_field import SuggestField

CTRL: Final = Qt.KeyboardModifier.ControlModifier
_PLAIN: Final = Qt.KeyboardModifier.NoModifier
_WAIT_SECONDS: Final = 60.0
_MOST_TABS: Final = 60


class HandsError(AssertionError):
    """Something cannot be reached with the keys, or did not happen."""


@dataclass(slots=True)
class KeyboardHands:
    """Presses keys in the window or in the dialog over it. `keys` counts them; Ctrl counts as a key."""

    window: MainWindow
    keys: int = 0

    def press(self, *keys: Qt.Key, modifier: Qt.KeyboardModifier = _PLAIN) -> None:
        """Press keys, one after the other."""
        for key in keys:
            QTest.keyClick(self._handle(), key, modifier)
            self.keys += 1 if modifier == _PLAIN else 2

    def type(self, text: str) -> None:
        """Type a text in ASCII."""
        for character in text:
            QTest.keyClick(self._handle(), character)  # type: ignore[call-overload]  # a char, as in C++
            self.keys += 1

    def _handle(self) -> QWindow:
        shown = QApplication.activeModalWidget() or self.window
        if QApplication.activeWindow() is None:  # what a window manager does after a window has closed
            shown.activateWindow()
        handle = shown.windowHandle()
        assert handle is not None
        return handle

    def focused(self) -> str:
        """Return the name of the widget that has the focus; "" if nothing has it."""
        widget = QApplication.focusWidget()
        return widget.objectName() if widget is not None else ""

    def tab_to(self, name: str, *, back: bool = False) -> None:
        """Press Tab, or Shift+Tab, until `name` has the focus. Raises HandsError if it never has it."""
        seen = [self.focused()]
        while seen[-1] != name:
            if len(seen) > _MOST_TABS:
                raise HandsError(f"Tab does not lead to {name}: {seen}")
            self.press(Qt.Key.Key_Backtab if back else Qt.Key.Key_Tab)
            seen.append(self.focused())

    def choose(self, field: SuggestField, wanted: str) -> None:
        """Type into the field that has the focus until `wanted` is offered, and choose it from the list."""
        for character in wanted:
            self.type(character)
            if len(field.text()) > 1 and self._is_offered(field, wanted):
                break
        for _ in range(field.offered().index(wanted) + 1):
            self.press(Qt.Key.Key_Down)
        self.press(Qt.Key.Key_Return)
        self.wait(f"“{wanted}” in the field", lambda: field.text() == wanted)

    def _is_offered(self, field: SuggestField, wanted: str) -> bool:
        popup = field.completer().popup()
        assert popup is not None
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and not (popup.isVisible() and wanted in field.offered()):
            QTest.qWait(10)
        return popup.isVisible() and wanted in field.offered()

    def wait(self, what: str, holds: Callable[[], bool]) -> None:
        """Let the program run until `holds()`. Raises HandsError that names what was waited for."""
        deadline = time.monotonic() + _WAIT_SECONDS
        while not holds():
            if time.monotonic() > deadline:
                raise HandsError(f"Waited in vain for {what}; the focus is in “{self.focused()}”.")
            QTest.qWait(10)

    def see(self, name: str) -> QWidget | None:
        """Return the widget of this name if it is visible."""
        for top in (self.window, *QApplication.topLevelWidgets()):
            found = top if top.objectName() == name else top.findChild(QWidget, name)
            if found is not None and found.isVisible():
                return found
        return None
