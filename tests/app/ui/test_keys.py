"""Everything by keys: buttons, shortcuts, the form, and the page of the keys."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QLabel,
    QLineEdit,
    QPushButton,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction
from app.errors import StoreError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import EnterButton, EnterToolButton
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier


@pytest.fixture
def active(qtbot: QtBot, book: MainWindow) -> MainWindow:
    """The open book, with the focus in the amount."""
    book.activateWindow()
    qtbot.waitUntil(book.entry.form.amount.hasFocus)
    return book


def press(window: MainWindow, *keys: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    """Press keys, or type texts, as they come from the platform: they go to whatever has the focus."""
    handle = window.windowHandle()
    assert handle is not None
    for key in keys:
        for each in key if isinstance(key, str) else (key,):
            QTest.keyClick(handle, each, modifier)


def focus() -> str:
    """Return the name of the widget that has the focus."""
    widget = QApplication.focusWidget()
    return widget.objectName() if widget is not None else ""


def error(window: MainWindow, name: str) -> str:
    label = window.findChild(QLabel, f"{name}_error")
    assert label is not None
    return label.text()


def test_enter_presses_every_button_of_the_window(book: MainWindow) -> None:
    kinds = (QPushButton, QToolButton)
    buttons = [
        button
        for kind in kinds
        for button in book.findChildren(kind)
        if button.focusPolicy() != Qt.FocusPolicy.NoFocus and not button.objectName().startswith("qt_")
    ]
    assert len(buttons) > 30
    assert [b.objectName() for b in buttons if not isinstance(b, (EnterButton, EnterToolButton))] == []


@pytest.mark.parametrize("key", [Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space])
def test_enter_and_space_press_the_button_that_has_the_focus(
    qtbot: QtBot, active: MainWindow, key: Qt.Key
) -> None:
    for name in ("clear_button", "browse_button", "theme_dark", "nav_entries"):
        button = active.findChild(QAbstractButton, name)
        assert button is not None
        button.setFocus(Qt.FocusReason.TabFocusReason)
        with qtbot.waitSignal(button.clicked):
            press(active, key)


def test_enter_in_a_text_field_of_a_dialog_presses_no_other_button(
    qtbot: QtBot, active: MainWindow, tasks: Tasks
) -> None:
    pressed: list[str] = []
    openings: dict[str, Callable[[], None]] = {
        "account_dialog": active.dialogs.show_account,
        "move_dialog": lambda: active.dialogs.show_move(""),
    }
    for name, show in openings.items():
        show()
        dialog = active.findChild(QDialog, name)
        assert dialog is not None
        qtbot.waitUntil(lambda: not tasks.busy)
        for button in dialog.findChildren(QPushButton):
            own = button.objectName()
            button.clicked.connect(lambda _checked=False, own=own: pressed.append(own))
        lines = [line for line in dialog.findChildren(QLineEdit) if line.isVisible()]
        assert len(lines) >= 2
        for line in lines:
            line.setFocus()
            qtbot.keyClick(line, Qt.Key.Key_Return)
        dialog.close()
    assert set(pressed) <= {"move_start"}, "that is what the fields of the move are for"


def test_a_key_that_is_held_down_presses_a_button_once(qtbot: QtBot, active: MainWindow) -> None:
    pressed: list[bool] = []
    button = active.findChild(QAbstractButton, "theme_dark")
    assert button is not None
    button.clicked.connect(lambda: pressed.append(True))
    QTest.keyPress(button, Qt.Key.Key_Return)
    held = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, PLAIN, "\r", True)
    QApplication.sendEvent(button, held)
    assert len(pressed) == 1


def test_enter_undoes_from_the_toast(qtbot: QtBot, active: MainWindow, fake: FakeServices) -> None:
    press(
        active,
        "85",
        Qt.Key.Key_Return,
        Qt.Key.Key_Return,
        "Travel",
        Qt.Key.Key_Return,
        "x",
        Qt.Key.Key_Return,
    )
    qtbot.waitUntil(lambda: active.book.toast.can_undo)
    active.book.toast.undo_button.setFocus(Qt.FocusReason.TabFocusReason)
    press(active, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: active.book.toast.text().startswith("Undone"))


def test_enter_goes_through_the_form_and_saves_in_its_last_field(qtbot: QtBot, active: MainWindow) -> None:
    active.entry.form.date.setFocus()
    seen = []
    with qtbot.waitSignal(active.entry.saved) as told:
        for typed in ("", "85", "c", "Sales", "Two kettles"):
            seen.append(focus())
            press(active, typed, Qt.Key.Key_Return)
    assert seen == ["date_field", "amount_field", "debit_button", "category_field", "description_field"]
    entry = told.args[0]
    assert (entry.amount, entry.direction, entry.category) == (85, Direction.CREDIT, "Sales")
    assert entry.description == "Two kettles"
    qtbot.waitUntil(lambda: focus() == "amount_field")


def test_letters_arrows_and_space_choose_debit_or_credit(active: MainWindow) -> None:
    direction = active.entry.form.direction
    press(active, Qt.Key.Key_Tab)
    assert focus() == "debit_button"
    out, into = Direction.DEBIT.value, Direction.CREDIT.value
    for key, value in (("c", into), ("d", out), (Qt.Key.Key_Right, into), (Qt.Key.Key_Left, out)):
        press(active, key)
        assert direction.value() == value
    press(active, "c", Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
    assert focus() == "credit_button", "Tab lands on what is chosen"


def test_debit_and_credit_say_what_they_mean_where_they_are_chosen(book: MainWindow) -> None:
    for width in (900, 1180, 1600):
        book.resize(width, 700)
        QApplication.processEvents()
        for name, words in (("debit_button", "Debit · money out"), ("credit_button", "Credit · money in")):
            button = book.findChild(QPushButton, name)
            assert button is not None
            assert button.text() == words
            assert button.width() >= button.sizeHint().width()
        for name, words in (("type_debit", "money out"), ("type_credit", "money in")):
            button = book.findChild(QPushButton, name)
            assert button is not None
            assert words in button.text().lower()


@pytest.mark.parametrize("name", ["amount_field", "description_field", "search_field", "from_field"])
def test_shortcuts_of_the_window_work_in_every_text_field(
    qtbot: QtBot, active: MainWindow, tasks: Tasks, name: str
) -> None:
    if name in {"search_field", "from_field"}:
        active.show_listing()
    field = active.findChild(QWidget, name)
    assert field is not None
    field.setFocus()
    press(active, "5 Nov 2026")
    press(active, Qt.Key.Key_E, modifier=CTRL)
    assert active.findChild(QAbstractButton, "export_start") is not None
    qtbot.waitUntil(lambda: not tasks.busy)


def test_shortcuts_of_the_window_work_while_a_list_of_suggestions_is_open(
    qtbot: QtBot, active: MainWindow
) -> None:
    press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel", Qt.Key.Key_Tab, "Taxi")
    field = active.entry.form.description
    qtbot.waitUntil(field.completer().popup().isVisible)
    with qtbot.waitSignal(active.entry.saved) as told:
        press(active, Qt.Key.Key_S, modifier=CTRL)
    assert told.args[0].description == "Taxi"


@pytest.mark.parametrize("key", [Qt.Key.Key_S, Qt.Key.Key_Return, Qt.Key.Key_Enter])
def test_the_save_keys_save_wherever_the_focus_is(qtbot: QtBot, active: MainWindow, key: Qt.Key) -> None:
    for place in ("amount_field", "clear_button", "nav_entries"):
        qtbot.waitUntil(active.entry.form.amount.hasFocus)
        press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel", Qt.Key.Key_Tab)
        widget = active.findChild(QWidget, place)
        assert widget is not None
        widget.setFocus()
        with qtbot.waitSignal(active.entry.saved):
            press(active, key, modifier=CTRL)


def test_the_save_keys_do_nothing_where_there_is_nothing_to_save(
    active: MainWindow, fake: FakeServices, tasks: Tasks, qtbot: QtBot
) -> None:
    press(active, "85")
    active.show_listing()
    press(active, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert fake.waiting() == []
    assert error(active, "category_field") == ""


def test_f1_and_the_sidebar_open_the_help_with_the_keys(qtbot: QtBot, active: MainWindow) -> None:
    press(active, Qt.Key.Key_F1)
    page = active.findChild(QWidget, "help_dialog")
    assert page is not None
    assert page.width() <= 800
    assert page.height() <= 600
    words = " ".join(label.text() for label in page.findChildren(QLabel))
    for key in ("Ctrl+N", "Ctrl+F", "Ctrl+E", "Ctrl+S", "Ctrl+Z", "Home, End", "Delete", "F4", "Ctrl+O"):
        assert key in words
    page.close()
    qtbot.waitUntil(lambda: active.findChild(QWidget, "help_dialog") is None)
    button = active.findChild(QAbstractButton, "help_button")
    assert button is not None
    button.setFocus()
    press(active, Qt.Key.Key_Return)
    assert active.findChild(QWidget, "help_dialog") is not None


def test_what_is_typed_while_an_entry_is_being_saved_is_for_the_next_one(
    qtbot: QtBot, active: MainWindow, fake: FakeServices
) -> None:
    disk = threading.Event()
    fake.book.gates["save"] = lambda: disk.wait(60)
    press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel")
    press(active, Qt.Key.Key_S, modifier=CTRL)
    press(active, "1250", *[Qt.Key.Key_Tab] * 2, "Off")
    with qtbot.waitSignal(active.entry.saved):
        disk.set()
    form = active.entry.form
    assert form.amount.text() == "1,250.00"
    assert form.category.text() == "Off"
    assert form.category.hasFocus()


def test_what_is_typed_during_a_save_that_fails_is_kept_for_the_next_entry(
    qtbot: QtBot, active: MainWindow, fake: FakeServices
) -> None:
    disk = threading.Event()
    fake.book.gates["save"] = lambda: disk.wait(60)
    fake.book.errors["save"] = StoreError("The disk is full.")
    press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel")
    press(active, Qt.Key.Key_S, modifier=CTRL)
    press(active, "1250", *[Qt.Key.Key_Tab] * 2, "Off")
    disk.set()
    form = active.entry.form
    qtbot.waitUntil(lambda: "The disk is full." in active.entry.banner.text())
    assert "kept for the next entry" in active.entry.banner.text()
    assert (form.amount.text(), form.category.text()) == ("85.00", "Travel")
    fake.book.errors.pop("save", None)
    with qtbot.waitSignal(active.entry.saved) as told:
        press(active, Qt.Key.Key_S, modifier=CTRL)
    assert told.args[0].amount == 85
    assert form.amount.text() == "1,250.00"
    assert form.category.text() == "Off"


# errors


def test_an_error_goes_when_its_text_is_changed(active: MainWindow) -> None:
    press(active, "12,34", Qt.Key.Key_Tab)
    assert error(active, "amount_field")
    press(active, Qt.Key.Key_Backtab, Qt.Key.Key_End, Qt.Key.Key_Backspace)
    assert error(active, "amount_field") == ""
    active.entry.form.date.setFocus()
    press(active, "soon", Qt.Key.Key_Tab)
    assert error(active, "date_field")
    press(active, Qt.Key.Key_Backtab, "5")
    assert error(active, "date_field") == ""


def test_a_second_save_leaves_neither_errors_nor_a_second_entry(
    qtbot: QtBot, active: MainWindow, fake: FakeServices
) -> None:
    press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel")
    with qtbot.waitSignal(active.entry.saved):
        press(active, Qt.Key.Key_S, modifier=CTRL)
    press(active, Qt.Key.Key_S, modifier=CTRL)
    for name in ("date_field", "amount_field", "category_field"):
        assert error(active, name) == ""
    assert active.entry.saved_label.text().startswith("Saved")
    assert fake.book.calls.count("save") == 1


def test_saved_does_not_stay_beside_errors(qtbot: QtBot, active: MainWindow) -> None:
    press(active, "85", *[Qt.Key.Key_Tab] * 2, "Travel")
    with qtbot.waitSignal(active.entry.saved):
        press(active, Qt.Key.Key_S, modifier=CTRL)
    active.entry.form.date.setFocus()
    press(active, "soon", Qt.Key.Key_Tab)
    assert error(active, "date_field")
    assert active.entry.saved_label.text() == ""
