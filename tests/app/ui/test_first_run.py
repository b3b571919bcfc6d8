"""The first minute of somebody who has never seen Bahi: few keys, and the focus is where it is needed."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow

ENTER = Qt.Key.Key_Return


@pytest.fixture
def first(qtbot: QtBot, window: MainWindow) -> MainWindow:
    """The first start, with the form of the log-in."""
    window.activateWindow()
    window.start()
    qtbot.waitUntil(window.login.card.submit_button.isVisible)
    qtbot.waitUntil(lambda: focused() == "user_name_field")
    return window


def focused() -> str:
    """Return the name of what has the focus."""
    widget = QApplication.focusWidget()
    return widget.objectName() if widget is not None else ""


def press(qtbot: QtBot, *keys: Qt.Key | str) -> None:
    """Press keys, or type texts, where the focus is."""
    for each in keys:
        widget = QApplication.focusWidget()
        assert widget is not None
        if isinstance(each, str):
            qtbot.keyClicks(widget, each)
        else:
            qtbot.keyClick(widget, each)


def in_the_book(qtbot: QtBot, window: MainWindow) -> None:
    """Wait until the form of the first entry has the focus."""
    qtbot.waitUntil(lambda: window.signed_in and focused() == "amount_field")


def test_one_key_starts_the_book_and_five_more_save_the_first_entry(qtbot: QtBot, first: MainWindow) -> None:
    assert first.login.card.user_name.text() == "asha"
    press(qtbot, ENTER)
    in_the_book(qtbot, first)
    with qtbot.waitSignal(first.entry.saved) as told:
        press(qtbot, "1250", ENTER, ENTER, "Travel", ENTER, "Taxi to the client", ENTER)
    saved = told.args[0]
    written = (f"{saved.amount}", saved.category, saved.description)
    assert written == ("1250.00", "Travel", "Taxi to the client")
    qtbot.waitUntil(lambda: focused() == "amount_field")


def test_ctrl_enter_saves_from_any_field(qtbot: QtBot, first: MainWindow) -> None:
    press(qtbot, ENTER)
    in_the_book(qtbot, first)
    press(qtbot, "85", ENTER, ENTER, "Meals")
    widget = QApplication.focusWidget()
    assert widget is not None
    with qtbot.waitSignal(first.entry.saved) as told:
        qtbot.keyClick(widget, ENTER, Qt.KeyboardModifier.ControlModifier)
    assert told.args[0].category == "Meals"


def test_the_recovery_code_is_spoken_of_only_to_those_who_choose_a_password(
    qtbot: QtBot, first: MainWindow
) -> None:
    note = first.login.card.password_note
    assert not note.isVisible()
    press(qtbot, Qt.Key.Key_Tab, "kettle and tea 5")
    assert "recovery code" in note.text()
    assert note.isVisible()
    first.login.card.password.clear()
    assert not note.isVisible()
    press(qtbot, "kettle and tea 5", ENTER)
    # A second Enter does not close what is shown only once.
    qtbot.waitUntil(lambda: focused() == "recovery_code_save")
    press(qtbot, Qt.Key.Key_Tab, Qt.Key.Key_Tab, ENTER)
    first.activateWindow()  # as the window manager does when the dialog closes
    in_the_book(qtbot, first)


def test_each_field_of_the_first_entry_says_what_it_wants(qtbot: QtBot, first: MainWindow) -> None:
    press(qtbot, ENTER)
    in_the_book(qtbot, first)
    wanted = {}
    for name in ("amount_field", "category_field", "description_field"):
        field = first.entry.findChild(QLineEdit, name)
        assert field is not None
        wanted[name] = field.placeholderText()
        room = field.contentsRect().width() - field.fontMetrics().horizontalAdvance(wanted[name])
        assert room > 0, "the text is cut"
    assert wanted == {
        "amount_field": "0.00",
        "category_field": "For example Travel, Stock or Rent",
        "description_field": "What it was for",
    }


def test_there_is_little_to_read_before_the_book_is_open(first: MainWindow) -> None:
    parts = [*first.login.findChildren(QLabel), *first.login.findChildren(QPushButton)]
    shown = [each.text() for each in parts if each.isVisible() and each.text()]
    assert len(" ".join(shown).split()) <= 32
    assert not [each for each in first.findChildren(QWidget) if each.isWindow() and each.isVisible()]
