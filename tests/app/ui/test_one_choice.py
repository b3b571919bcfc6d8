"""Choices of which exactly one is checked: Tab, Shift+Tab and Enter land on that one, whoever checked it."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QButtonGroup
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, EntryFilter, Shown
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode
from app.ui.views.entry_form import EntryForm
from tests.app.ui.test_keys import CTRL, focus, press
from tests.support.fake_services import FakeServices

TAB, BACKTAB, RETURN = Qt.Key.Key_Tab, Qt.Key.Key_Backtab, Qt.Key.Key_Return


@pytest.fixture
def active(qtbot: QtBot, book: MainWindow) -> MainWindow:
    """The open book, with the focus in the amount."""
    book.activateWindow()
    qtbot.waitUntil(book.entry.form.amount.hasFocus)
    return book


def save(qtbot: QtBot, window: MainWindow, direction: str) -> None:
    """Save an entry by keys, with `direction` chosen by its first letter."""
    press(window, "700", TAB, direction, TAB, "Sales", TAB)
    with qtbot.waitSignal(window.entry.saved):
        press(window, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(window.entry.form.amount.hasFocus)


def visited(window: MainWindow, form: EntryForm, key: Qt.Key) -> str:
    """Return where `key` leads from the field beside the direction."""
    start = form.category if key is BACKTAB else form.amount
    start.setFocus()
    press(window, key)
    return focus()


def check_keys(window: MainWindow, form: EntryForm, chosen: str, prefix: str = "") -> None:
    for key in (TAB, RETURN, BACKTAB):
        assert visited(window, form, key) == f"{prefix}{chosen}_button", key


def test_the_keys_land_on_debit_after_a_credit_entry_was_saved(qtbot: QtBot, active: MainWindow) -> None:
    save(qtbot, active, "c")
    check_keys(active, active.entry.form, "debit")
    press(active, Qt.Key.Key_Right)
    assert (focus(), active.entry.form.direction.value()) == ("credit_button", Direction.CREDIT.value)
    press(active, Qt.Key.Key_Left)
    assert (focus(), active.entry.form.direction.value()) == ("debit_button", Direction.DEBIT.value)


def test_the_saved_line_says_the_direction(qtbot: QtBot, active: MainWindow) -> None:
    save(qtbot, active, "c")
    assert active.entry.saved_label.text().endswith("· ₹700.00 money in")
    save(qtbot, active, "d")
    assert active.entry.saved_label.text().endswith("· ₹700.00 money out")


def test_the_keys_land_on_the_direction_of_the_entry_that_is_edited(
    qtbot: QtBot, active: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    active.show_listing()
    for wanted in (Direction.CREDIT, Direction.DEBIT, Direction.CREDIT):
        row = next(n for n, each in enumerate(fake.book.entries) if each.direction is wanted)
        active.listing.table.selectRow(row)
        active.listing.table.setFocus()
        press(active, RETURN)
        qtbot.waitUntil(lambda: active.edit.isVisible() and not tasks.busy)
        chosen = "credit" if wanted is Direction.CREDIT else "debit"
        check_keys(active, active.edit.form, chosen, "edit_")
        press(active, Qt.Key.Key_Escape)
        qtbot.waitUntil(active.listing.isVisible)


def test_the_keys_land_on_the_chosen_direction_after_it_was_proposed_cleared_and_undone(
    qtbot: QtBot, active: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    form = active.entry.form
    check_keys(active, form, "debit")
    form.direction.set_value(Direction.CREDIT.value)
    check_keys(active, form, "credit")
    press(active, Qt.Key.Key_Escape)
    check_keys(active, form, "debit")
    form.amount.setFocus()
    save(qtbot, active, "c")
    check_keys(active, form, "debit")
    form.amount.setFocus()
    press(active, Qt.Key.Key_Z, modifier=CTRL)
    qtbot.waitUntil(lambda: form.category.text() == "Sales" and not tasks.busy)
    check_keys(active, form, "credit")


def test_a_choice_that_code_changes_keeps_the_focus_in_it(active: MainWindow) -> None:
    press(active, TAB)
    active.entry.form.direction.set_value(Direction.CREDIT.value)
    assert focus() == "credit_button"


def test_tab_goes_to_the_checked_button_of_every_choice(
    qtbot: QtBot, active: MainWindow, tasks: Tasks
) -> None:
    active.show_listing()
    filters = active.listing.filters
    filters.show_filter(EntryFilter(direction=Direction.CREDIT, shown=Shown.ALL))
    active.sidebar.show_mode(Mode.DARK)
    for group in active.findChildren(QButtonGroup):
        for checked in group.buttons():
            checked.setChecked(True)
            by_tab = [each for each in group.buttons() if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
            assert by_tab == [checked]
    qtbot.waitUntil(lambda: not tasks.busy)


@pytest.mark.parametrize("name", ["type_all", "shown_active", "place_local", "theme_system"])
def test_tab_goes_back_to_the_checked_button_after_another_one_was_left(
    active: MainWindow, name: str
) -> None:
    button = active.findChild(QAbstractButton, name)
    assert button is not None
    group = button.group()
    assert group is not None
    first, last = group.buttons()[0], group.buttons()[-1]
    first.setChecked(True)
    last.setFocus()
    QApplication.sendPostedEvents()
    active.entry.form.amount.setFocus()
    by_tab = [each for each in group.buttons() if each.focusPolicy() & Qt.FocusPolicy.TabFocus]
    assert by_tab == [first]
