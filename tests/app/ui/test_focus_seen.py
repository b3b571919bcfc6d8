"""The focus can be seen wherever Tab leads, in both themes."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from app.ui.views.sidebar import Screen

_MOST = 60


def seen(window: MainWindow, widget: QWidget) -> QImage:
    """Return the place of `widget` in the window as it is painted now, without a cursor that blinks."""
    place = QRect(widget.mapTo(window, QPoint(0, 0)), widget.size())
    return window.grab(place).toImage()


@pytest.mark.parametrize("screen", list(Screen))
def test_the_focus_is_seen_wherever_tab_leads(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, theme: Theme, screen: Screen
) -> None:
    book.book.show_screen(screen)
    book.activateWindow()
    QApplication.setCursorFlashTime(0)
    for mode in (Mode.LIGHT, Mode.DARK):
        theme.set_mode(mode)
        follow_tab(qtbot, book, tasks)


def follow_tab(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    """Press Tab until it comes back, and look at each stop."""
    qtbot.waitUntil(lambda: not tasks.busy and QApplication.focusWidget() is not None)
    first, unseen, stops = QApplication.focusWidget(), [], 0
    while stops == 0 or (QApplication.focusWidget() is not first and stops < _MOST):
        widget = QApplication.focusWidget()
        assert widget is not None
        with_focus = seen(book, widget)
        QTest.keyClick(book.windowHandle(), Qt.Key.Key_Tab)
        if seen(book, widget) == with_focus:
            unseen.append(widget.objectName())
        stops += 1
    assert unseen == []
    assert 5 <= stops < _MOST, "Tab comes back to where it began"
