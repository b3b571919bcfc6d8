"""A description that the book knows brings its category and type: chosen from the list, or typed in full."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.test_keys import CTRL, error, focus, press
from tests.support.fake_services import FakeServices

TAB, RETURN = Qt.Key.Key_Tab, Qt.Key.Key_Return
CREDIT = Direction.CREDIT.value
KNOWN = "Kettle deposit"


@pytest.fixture
def known(fake: FakeServices) -> None:
    """The newest entry of the book, before it is opened."""
    fake.book.entries[0] = replace(
        fake.book.entries[0], description=KNOWN, category="Sales", direction=Direction.CREDIT
    )


@pytest.fixture
def active(qtbot: QtBot, known: None, book: MainWindow, tasks: Tasks) -> MainWindow:
    """The open book, with the focus in the amount."""
    book.activateWindow()
    qtbot.waitUntil(lambda: book.entry.form.amount.hasFocus() and not tasks.busy)
    return book


def brought(window: MainWindow) -> bool:
    form = window.entry.form
    return (form.category.text(), form.direction.value()) == ("Sales", CREDIT)


def choose(qtbot: QtBot, window: MainWindow, typed: str) -> None:
    press(window, typed)
    qtbot.waitUntil(window.entry.form.description.completer().popup().isVisible)
    press(window, Qt.Key.Key_Down, RETURN)


def test_a_choice_brings_both_after_a_save_that_failed(
    qtbot: QtBot, active: MainWindow, tasks: Tasks
) -> None:
    press(active, "700", *[TAB] * 3, "Ket")
    press(active, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(lambda: focus() == "category_field" and not tasks.busy)
    assert error(active, "category_field")
    press(active, TAB)
    active.entry.form.description.selectAll()
    choose(qtbot, active, "Kettle")
    assert active.entry.form.description.text() == KNOWN
    assert brought(active)
    assert error(active, "category_field") == ""


def test_a_choice_brings_both_after_an_unfinished_draft_is_back(
    qtbot: QtBot, active: MainWindow, tasks: Tasks
) -> None:
    press(active, "700", TAB)
    active.entry.form.show_written(active.entry.written())
    press(active, TAB, TAB)
    choose(qtbot, active, "Kettle")
    assert brought(active)


@pytest.mark.parametrize("typed", [KNOWN, "kettle DEPOSIT "])
def test_a_description_typed_in_full_brings_both_when_it_is_left(
    qtbot: QtBot, active: MainWindow, typed: str
) -> None:
    press(active, "700", *[TAB] * 3, typed, TAB)
    qtbot.waitUntil(lambda: brought(active))


@pytest.mark.parametrize("key", [RETURN, Qt.Key.Key_S])
def test_a_description_typed_in_full_brings_both_before_it_is_saved(
    qtbot: QtBot, active: MainWindow, key: Qt.Key
) -> None:
    press(active, "700", *[TAB] * 3, KNOWN)
    with qtbot.waitSignal(active.entry.saved) as told:
        press(active, key, modifier=CTRL if key is Qt.Key.Key_S else Qt.KeyboardModifier.NoModifier)
        press(active, "55")
    entry = told.args[0]
    assert (entry.category, entry.direction) == ("Sales", Direction.CREDIT)
    qtbot.waitUntil(lambda: active.entry.form.amount.text() == "55")


def test_what_was_set_by_hand_stays(qtbot: QtBot, active: MainWindow, tasks: Tasks) -> None:
    form = active.entry.form
    press(active, "700", TAB, "c", "d", TAB, "Travel", TAB, KNOWN, TAB)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert (form.category.text(), form.direction.value()) == ("Travel", Direction.DEBIT.value)


def test_a_save_beside_a_typed_category_changes_no_direction_unseen(qtbot: QtBot, active: MainWindow) -> None:
    press(active, "700", TAB, TAB, "Travel", TAB, KNOWN)
    with qtbot.waitSignal(active.entry.saved) as told:
        press(active, RETURN)
    assert told.args[0].direction is Direction.DEBIT


def test_a_save_works_if_no_server_answers_the_look_up(
    qtbot: QtBot, active: MainWindow, fake: FakeServices
) -> None:
    fake.book.offline = True
    press(active, "700", *[TAB] * 3, "Something new", RETURN)
    qtbot.waitUntil(lambda: focus() == "category_field")
    assert error(active, "category_field")
    press(active, "Travel")
    with qtbot.waitSignal(active.entry.saved):
        press(active, Qt.Key.Key_S, modifier=CTRL)
