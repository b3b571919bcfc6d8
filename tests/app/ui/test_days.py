"""The day and the clock: midnight, a date set by hand, periods, and a clock that is wrong."""

import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QCalendarWidget, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.desktop import Desktop, read_time_zone
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from app.ui.widgets.banner import Banner
from app.ui.widgets.date_field import DateField
from tests.app.ui.conftest import Person
from tests.support.fake_services import NOON, TODAY, FakeServices

TOMORROW = TODAY + timedelta(days=1)
DAY = timedelta(days=1)


def come_back(qtbot: QtBot, book: MainWindow) -> None:
    """Use another window for a moment, then this one again."""
    other = QWidget()
    qtbot.addWidget(other)
    other.show()
    other.activateWindow()
    qtbot.waitUntil(other.isActiveWindow)
    other.close()
    book.activateWindow()
    qtbot.waitUntil(book.isActiveWindow)


def date_field(book: MainWindow) -> DateField:
    field = book.findChild(DateField, "date_field")
    assert isinstance(field, DateField)
    return field


def hint(book: MainWindow) -> str:
    label = book.findChild(QLabel, "date_field_hint")
    assert isinstance(label, QLabel)
    return label.text()


def type_into(qtbot: QtBot, field: QLineEdit, text: str, leave: Qt.Key = Qt.Key.Key_Tab) -> None:
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, leave)


def click(widget: QWidget) -> None:
    """Click as a person does: the system gives the click to the window."""
    window = widget.window().windowHandle()
    assert window is not None
    middle = widget.mapTo(widget.window(), QPoint(widget.width() // 2, widget.height() // 2))
    QTest.mouseClick(window, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, middle)


def save_entry(qtbot: QtBot, book: MainWindow) -> date:
    """Type an entry without a date, save it with Ctrl+Enter, and return its date."""
    form = book.entry.form
    type_into(qtbot, form.amount, "120")
    type_into(qtbot, form.category, "Travel")
    type_into(qtbot, form.description, "Auto")
    with qtbot.waitSignal(book.entry.saved) as told:
        qtbot.keyClick(form.description, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    saved: date = told.args[0].entry_date
    return saved


# --- midnight -------------------------------------------------------------------------------------


def test_a_date_that_nobody_set_follows_the_day(qtbot: QtBot, book: MainWindow, person: Person) -> None:
    type_into(qtbot, book.entry.form.amount, "120")
    person.now += DAY
    come_back(qtbot, book)
    assert (date_field(book).value(), date_field(book).text(), hint(book)) == (
        TOMORROW,
        "23 Nov 2026",
        "Today",
    )


def test_the_day_changes_at_midnight_also_if_nobody_comes_back(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    midnight = datetime(2026, 11, 23).astimezone()
    person.now = midnight - timedelta(milliseconds=20)
    come_back(qtbot, book)
    assert date_field(book).value() == TODAY
    person.now = midnight
    qtbot.waitUntil(lambda: date_field(book).value() == TOMORROW)


def pick_sunday(qtbot: QtBot, field: DateField) -> None:
    qtbot.keyClick(field, Qt.Key.Key_F4)
    picker = field.findChild(QCalendarWidget)
    assert isinstance(picker, QCalendarWidget)
    view = picker.findChild(QWidget, "qt_calendar_calendarview")
    assert isinstance(view, QWidget)
    qtbot.keyClick(view, Qt.Key.Key_Return)


@pytest.mark.parametrize(
    "set_today",
    [
        lambda qtbot, field: type_into(qtbot, field, "today"),
        lambda qtbot, field: type_into(qtbot, field, "22/11"),
        lambda qtbot, field: qtbot.keyClicks(field, "+-"),
        lambda qtbot, field: [qtbot.keyClick(field, key) for key in (Qt.Key.Key_Up, Qt.Key.Key_Down)],
        pick_sunday,
    ],
    ids=["word", "numbers", "plus and minus", "arrows", "calendar"],
)
def test_a_date_set_by_hand_stays_and_is_not_called_today_any_more(
    qtbot: QtBot, book: MainWindow, person: Person, set_today: Callable[[QtBot, DateField], object]
) -> None:
    field = date_field(book)
    field.setFocus()
    qtbot.waitUntil(lambda: field.hasFocus() and field.hasSelectedText())
    set_today(qtbot, field)
    assert (field.value(), hint(book)) == (TODAY, "Today")
    person.now += DAY
    come_back(qtbot, book)
    assert (field.value(), hint(book)) == (TODAY, "Yesterday")


def test_a_calendar_that_is_only_looked_at_sets_nothing(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    field = date_field(book)
    qtbot.keyClick(field, Qt.Key.Key_F4)
    picker = field.findChild(QCalendarWidget)
    assert isinstance(picker, QCalendarWidget)
    qtbot.keyClick(picker.window(), Qt.Key.Key_Escape)
    person.now += DAY
    come_back(qtbot, book)
    assert field.value() == TOMORROW


def test_the_kept_date_of_a_saved_entry_follows_only_if_nobody_set_it(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    assert save_entry(qtbot, book) == TODAY
    person.now += DAY
    come_back(qtbot, book)
    assert save_entry(qtbot, book) == TOMORROW
    type_into(qtbot, date_field(book), "20/11")
    assert save_entry(qtbot, book) == date(2026, 11, 20)
    person.now += DAY
    come_back(qtbot, book)
    assert save_entry(qtbot, book) == date(2026, 11, 20)


def test_a_cleared_form_follows_again(qtbot: QtBot, book: MainWindow, person: Person) -> None:
    type_into(qtbot, date_field(book), "20/11")
    click(book.entry.clear_button)
    assert date_field(book).value() == TODAY
    person.now += DAY
    come_back(qtbot, book)
    assert date_field(book).value() == TOMORROW


def test_an_entry_saved_before_anybody_noticed_midnight_has_the_new_date(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    person.now += DAY
    assert save_entry(qtbot, book) == TOMORROW


def test_a_word_typed_before_midnight_means_its_own_day(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    field = date_field(book)
    field.setFocus()
    qtbot.waitUntil(lambda: field.hasFocus() and field.hasSelectedText())
    qtbot.keyClicks(field, "yesterday")
    person.now += DAY
    come_back(qtbot, book)
    assert field.text() == "yesterday"
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert field.value() == TODAY - DAY


def test_an_edited_entry_keeps_its_date(qtbot: QtBot, book: MainWindow, person: Person) -> None:
    book.show_listing()
    book.listing.table.selectRow(0)
    qtbot.keyClick(book.listing.table, Qt.Key.Key_Return)
    qtbot.waitUntil(book.edit.isVisible)
    field = book.findChild(DateField, "edit_date_field")
    assert isinstance(field, DateField)
    before = field.value()
    person.now += DAY
    come_back(qtbot, book)
    assert field.value() == before
    assert not book.edit.dirty


def choose_period(book: MainWindow, name: str) -> None:
    menu = book.findChild(QMenu, "period_menu")
    assert isinstance(menu, QMenu)
    next(each for each in menu.actions() if each.text() == name).trigger()


def test_a_chosen_period_follows_the_day_and_typed_dates_stay(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    book.show_listing()
    filters = book.listing.filters
    choose_period(book, "This month")
    with qtbot.waitSignal(filters.changed) as told:
        person.now += 9 * DAY  # the first of December
        come_back(qtbot, book)
    assert (told.args[0].first, told.args[0].last) == (date(2026, 12, 1), date(2026, 12, 31))
    assert filters.period_button.text() == "This month"
    type_into(qtbot, filters.last, "30/12")
    type_into(qtbot, filters.last, "31/12")
    assert filters.period_button.text() == "This month"
    person.now += 31 * DAY
    come_back(qtbot, book)
    assert (filters.first.value(), filters.last.value()) == (date(2026, 12, 1), date(2026, 12, 31))
    assert filters.period_button.text() == "Last month"


@pytest.fixture
def time_zone() -> Iterator[Callable[[str], None]]:
    """Sets the time zone of the system."""
    before = os.environ.get("TZ")

    def set_zone(name: str) -> None:
        os.environ["TZ"] = name

    yield set_zone
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


def test_the_day_is_that_of_the_time_zone_that_is_set_now(
    qtbot: QtBot, book: MainWindow, person: Person, time_zone: Callable[[str], None]
) -> None:
    person.now = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
    time_zone("UTC0")
    come_back(qtbot, book)
    assert date_field(book).value() == TODAY
    time_zone("IST-5:30")
    come_back(qtbot, book)
    assert date_field(book).value() == TOMORROW


# --- a clock that is wrong ------------------------------------------------------------------------


def clock_banner(book: MainWindow) -> Banner:
    banner = book.findChild(Banner, "clock_banner")
    assert isinstance(banner, Banner)
    return banner


@pytest.fixture
def late(fake: FakeServices) -> FakeServices:
    """A server whose clock is seven days ahead of this computer's."""
    fake.accounts.offset_us = 7 * 86_400_000_000
    return fake


RIGHT = TODAY + 7 * DAY


def test_every_date_is_the_servers_if_this_clock_is_wrong(
    qtbot: QtBot, late: FakeServices, book: MainWindow, person: Person
) -> None:
    assert clock_banner(book).text() == (
        "This computer's clock is 7 days behind. Bahi uses the right date, 29 Nov 2026. Please set the clock."
    )
    assert (date_field(book).value(), hint(book)) == (RIGHT, "Today")
    type_into(qtbot, date_field(book), "yesterday")
    assert date_field(book).value() == RIGHT - DAY
    type_into(qtbot, date_field(book), "29/12")
    assert date_field(book).value() == date(2026, 12, 29)  # a date without a year is at most 31 days ahead
    choose_period(book, "This month")
    assert book.listing.filters.last.value() == date(2026, 11, 30)
    person.now += 2 * DAY
    come_back(qtbot, book)
    assert book.listing.filters.first.value() == date(2026, 12, 1)
    assert "1 Dec 2026" in clock_banner(book).text()


def test_a_wrong_clock_is_told_once_in_a_session(
    qtbot: QtBot, late: FakeServices, book: MainWindow, person: Person
) -> None:
    button = book.findChild(QPushButton, "clock_banner_button")
    assert isinstance(button, QPushButton)
    click(button)
    assert clock_banner(book).text() == ""
    person.now += DAY
    come_back(qtbot, book)
    assert clock_banner(book).text() == ""
    assert date_field(book).value() == RIGHT + DAY
    book.sign_out()
    qtbot.waitUntil(lambda: not book.signed_in)
    late.accounts.sign_in_local("Asha Rao", "")
    book.start()
    qtbot.waitUntil(lambda: book.signed_in)
    assert "8 days" not in clock_banner(book).text()
    assert "7 days behind" in clock_banner(book).text()


def test_the_sentence_goes_when_the_clock_is_set_right(
    qtbot: QtBot, late: FakeServices, book: MainWindow, person: Person
) -> None:
    assert clock_banner(book).text()
    person.now += 7 * DAY
    late.accounts.offset_us = 0
    come_back(qtbot, book)
    assert clock_banner(book).text() == ""
    assert date_field(book).value() == RIGHT


def test_a_clock_that_is_right_enough_is_not_spoken_of(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    fake.accounts.offset_us = 240_000_000
    come_back(qtbot, book)
    assert clock_banner(book).text() == ""


# --- the filter, the calendar, Enter --------------------------------------------------------------


def test_a_period_chosen_while_the_search_is_too_long_is_kept_and_so_is_the_search(
    qtbot: QtBot, book: MainWindow
) -> None:
    book.show_listing()
    filters, long = book.listing.filters, "taxi " * 300
    filters.search.setFocus()
    filters.search.insert(long.strip())
    assert filters.search_error.text()
    choose_period(book, "This month")
    assert filters.wanted().first == date(2026, 11, 1)
    assert filters.search.text() == long.strip()
    type_into(qtbot, filters.search, "taxi", Qt.Key.Key_Return)
    assert (filters.wanted().text, filters.wanted().first) == ("taxi", date(2026, 11, 1))
    assert filters.period_button.text() == "This month"


def open_calendar(qtbot: QtBot, field: DateField) -> QWidget:
    action = field.findChild(QAction, "date_field_calendar")
    assert isinstance(action, QAction)
    action.trigger()
    picker = field.findChild(QCalendarWidget)
    assert isinstance(picker, QCalendarWidget)
    qtbot.waitUntil(picker.isVisible)
    return picker.window()


def test_the_click_that_closes_the_calendar_acts_on_what_it_hits(qtbot: QtBot, book: MainWindow) -> None:
    open_calendar(qtbot, date_field(book))
    click(book.entry.form.amount)
    qtbot.waitUntil(book.entry.form.amount.hasFocus)
    assert not book.findChildren(QCalendarWidget)
    open_calendar(qtbot, date_field(book))
    entries = book.findChild(QPushButton, "nav_entries")
    assert isinstance(entries, QPushButton)
    click(entries)
    qtbot.waitUntil(book.listing.isVisible)
    assert not book.findChildren(QCalendarWidget)


def test_the_click_that_closes_the_calendar_of_a_dialog_acts_only_in_the_dialog(
    qtbot: QtBot, book: MainWindow
) -> None:
    book.show_listing()
    qtbot.keyClick(book, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = book.findChild(ExportDialog)
    assert isinstance(dialog, ExportDialog)
    dialog.move(book.mapToGlobal(QPoint(300, 300)))
    nav_add = book.findChild(QPushButton, "nav_add")
    assert isinstance(nav_add, QPushButton)
    for target in (nav_add, dialog.setup_page.last):
        qtbot.keyClick(dialog.setup_page.first, Qt.Key.Key_F4)
        click(target)
        qtbot.waitUntil(lambda: not dialog.findChildren(QCalendarWidget))
    qtbot.waitUntil(dialog.setup_page.last.hasFocus)
    assert book.listing.isVisible()
    dialog.close()


def test_the_button_of_the_calendar_closes_it(qtbot: QtBot, book: MainWindow) -> None:
    field = date_field(book)
    icon = next(each for each in field.findChildren(QWidget) if each.inherits("QToolButton"))
    click(icon)
    qtbot.waitUntil(lambda: field.findChild(QCalendarWidget) is not None)
    click(icon)
    qtbot.waitUntil(lambda: field.findChild(QCalendarWidget) is None)
    come_back(qtbot, book)
    assert field.findChild(QCalendarWidget) is None


def error_of(field: DateField) -> str:
    label = field.window().findChild(QLabel, f"{field.objectName()}_error")
    assert isinstance(label, QLabel)
    return label.text() if label.isVisible() else ""


def test_a_wrong_date_is_told_on_enter_in_the_form(qtbot: QtBot, book: MainWindow) -> None:
    type_into(qtbot, date_field(book), "60", Qt.Key.Key_Return)
    assert error_of(date_field(book)) == (
        "There is no day 60 in November. Please type it as 22/11/2026, 22 Nov or yesterday."
    )
    assert hint(book) == ""


def test_a_wrong_date_is_told_on_enter_in_the_filter(qtbot: QtBot, book: MainWindow) -> None:
    book.show_listing()
    filters = book.listing.filters
    type_into(qtbot, filters.first, "31/2", Qt.Key.Key_Return)
    assert "February does not have a day 31" in filters.date_error.text()
    assert filters.first.hasFocus()


def test_a_wrong_date_is_told_on_enter_in_a_dialog(qtbot: QtBot, book: MainWindow) -> None:
    book.show_listing()
    qtbot.keyClick(book, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    dialog = book.findChild(ExportDialog)
    assert isinstance(dialog, ExportDialog)
    qtbot.waitUntil(dialog.setup_page.start_button.isEnabled)
    type_into(qtbot, dialog.setup_page.last, "60", Qt.Key.Key_Enter)
    assert error_of(dialog.setup_page.last).startswith("There is no day 60 in November.")
    assert dialog.setup_page.last.hasFocus()
    assert dialog.setup_page.isVisible()
    dialog.close()


def test_a_date_cannot_be_moved_or_picked_beyond_those_that_are_stored(
    qtbot: QtBot, book: MainWindow
) -> None:
    field = date_field(book)
    last = TODAY + timedelta(days=366)
    type_into(qtbot, field, f"{last.day}/{last.month}/{last.year}", Qt.Key.Key_Return)
    assert field.value() == last
    qtbot.keyClicks(field, "+")
    assert field.value() == last
    picker = open_calendar(qtbot, field).findChild(QCalendarWidget)
    assert isinstance(picker, QCalendarWidget)
    assert picker.maximumDate().toPython() == last
    picker.window().close()


def test_the_rows_are_drawn_again_when_the_day_changes(
    qtbot: QtBot, book: MainWindow, person: Person
) -> None:
    changed: list[object] = []
    book.listing.model.dataChanged.connect(lambda *_: changed.append(1))
    come_back(qtbot, book)
    assert changed == []
    person.now += DAY
    come_back(qtbot, book)
    assert changed


def test_the_clock_is_read_in_the_users_time_zone() -> None:
    read_time_zone()
    desk = Desktop(now=lambda: NOON.astimezone(UTC), offset=lambda: DAY)
    assert (desk.here().date(), desk.there().date(), desk.today()) == (TODAY, TOMORROW, TOMORROW)
