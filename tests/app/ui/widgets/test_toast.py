"""The toast: ten seconds by the clock, and the way back."""

import pytest
from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.toast import LIFE_S, Toast
from tests.app.ui.conftest import Clock


@pytest.fixture
def parent(qtbot: QtBot, theme: Theme) -> QWidget:
    made = QWidget()
    made.resize(600, 300)
    qtbot.addWidget(made)
    made.show()
    return made


@pytest.fixture
def toast(parent: QWidget, clock: Clock) -> Toast:
    made = Toast(parent, lambda: clock.now)
    made.move_to_corner(QRect(100, 10, 400, 40))
    return made


def test_the_toast_disappears_after_ten_seconds_and_undo_with_it(
    qtbot: QtBot, toast: Toast, clock: Clock
) -> None:
    toast.say("Crossed out 0K7-000042", undo="Undo")
    clock.now += LIFE_S - 0.1
    toast.hide_if_due()
    assert toast.text() == "Crossed out 0K7-000042"
    assert toast.can_undo
    clock.now += 0.2
    assert not toast.can_undo
    qtbot.waitUntil(lambda: toast.text() == "")


def test_undo_is_emitted_once_and_hides_the_toast(qtbot: QtBot, toast: Toast) -> None:
    told: list[bool] = []
    toast.undo_wanted.connect(lambda: told.append(True))
    toast.say("Crossed out 0K7-000042", undo="Undo")
    qtbot.mouseClick(toast.undo_button, Qt.MouseButton.LeftButton)
    toast.undo()
    assert told == [True]
    assert toast.text() == ""


def test_undo_works_as_long_as_the_mouse_is_over_the_toast(toast: Toast, clock: Clock) -> None:
    told: list[bool] = []
    toast.undo_wanted.connect(lambda: told.append(True))
    toast.say("Crossed out 0K7-000042", undo="Undo")
    point = QPointF(5, 5)
    QApplication.sendEvent(toast, QEnterEvent(point, point, point))
    clock.now += LIFE_S + 1
    toast.undo_button.click()
    assert told == [True]
    toast.say("Crossed out 0K7-000043", undo="Undo")
    clock.now += LIFE_S + 1
    assert not toast.can_undo


def test_a_button_that_can_be_seen_works_also_just_after_its_time(
    qtbot: QtBot, toast: Toast, clock: Clock
) -> None:
    told: list[bool] = []
    toast.undo_wanted.connect(lambda: told.append(True))
    toast.say("Crossed out 0K7-000042", undo="Undo")
    clock.now += LIFE_S + 0.1  # it is hidden at the next look at the clock
    assert toast.undo_button.isVisible()
    qtbot.mouseClick(toast.undo_button, Qt.MouseButton.LeftButton)
    assert told == [True]
    assert toast.text() == ""


def test_there_is_no_undo_button_if_nothing_can_be_undone(toast: Toast) -> None:
    toast.say("Undone", undo="")
    assert not toast.undo_button.isVisible()
    assert not toast.can_undo


def test_a_newer_message_has_its_own_ten_seconds(toast: Toast, clock: Clock) -> None:
    toast.say("One", undo="Undo")
    clock.now += 8
    toast.say("Two", undo="Undo")
    clock.now += 8
    toast.hide_if_due()
    assert toast.text() == "Two"


def test_the_toast_is_centred_in_its_area(toast: Toast) -> None:
    toast.say("Crossed out 0K7-000042", undo="Undo")
    assert abs(toast.geometry().center().x() - 299) <= 2
