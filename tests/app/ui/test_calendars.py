"""The calendar of every date field, by keys: it opens at what is typed, and Esc closes only the calendar."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QApplication, QCalendarWidget, QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryFilter
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.date_field import DateField
from tests.app.ui.conftest import Person
from tests.app.ui.test_keys import press
from tests.support.fake_services import FakeServices

F4, ESCAPE, RETURN = Qt.Key.Key_F4, Qt.Key.Key_Escape, Qt.Key.Key_Return
FIELDS = ["date_field", "edit_date_field", "from_field", "to_field", "export_from", "export_to"]

Opener = Callable[[str], DateField]


@pytest.fixture
def field_named(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> Opener:
    """Shows the view with a date field, and gives the field the focus."""

    def show(name: str) -> DateField:
        book.activateWindow()
        if name != "date_field":
            book.show_listing()
        if name.startswith("edit_"):
            book.changes.open(fake.book.entries[0])
            qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
        if name.startswith("export_"):
            book.dialogs.show_export(EntryFilter(), book.sync)
        field = book.findChild(DateField, name)
        assert field is not None
        qtbot.waitUntil(lambda: field.isVisible() and not tasks.busy)
        field.window().activateWindow()
        field.setFocus()
        qtbot.waitUntil(field.hasFocus)
        return field

    return show


def popup() -> QWidget | None:
    return QApplication.activePopupWidget()


@pytest.mark.parametrize("name", FIELDS)
def test_the_calendar_opens_at_what_is_typed_and_escape_closes_only_the_calendar(
    field_named: Opener, person: Person, name: str
) -> None:
    field = field_named(name)
    press(field.window(), "5 Apr 2026", RETURN if name in {"from_field", "to_field"} else F4)
    if popup() is not None:
        press(field.window(), ESCAPE)
    field.setFocus()
    field.selectAll()
    press(field.window(), "yesterday", F4)
    calendar = popup()
    assert calendar is not None
    picker = calendar.findChild(QCalendarWidget)
    assert picker is not None
    assert picker.selectedDate() == QDate(2026, 11, 21)
    press(field.window(), ESCAPE)
    assert popup() is None
    assert field.isVisible()
    assert person.questions == []
    press(field.window(), F4, RETURN)
    assert popup() is None
    assert field.text() == "21 Nov 2026"
    assert person.questions == []


def test_the_calendar_opens_at_the_last_date_if_the_typed_one_cannot_be_read(field_named: Opener) -> None:
    field = field_named("date_field")
    press(field.window(), "soon", F4)
    calendar = popup()
    assert calendar is not None
    picker = calendar.findChild(QCalendarWidget)
    assert picker is not None
    assert picker.selectedDate() == QDate(2026, 11, 22)
    press(field.window(), ESCAPE)
    assert field.text() == "soon"


def test_one_escape_closes_one_thing(field_named: Opener, qtbot: QtBot, person: Person) -> None:
    person.agrees = False
    field = field_named("date_field")
    window = field.window()
    press(window, Qt.Key.Key_Tab, "85", Qt.Key.Key_Tab, Qt.Key.Key_Tab, "Off")
    qtbot.waitUntil(lambda: popup() is not None)
    press(window, ESCAPE)
    assert (popup(), person.questions) == (None, [])
    field.setFocus()
    press(window, F4, ESCAPE)
    assert (popup(), person.questions) == (None, [])
    press(window, ESCAPE)
    assert person.questions == ["Clear this entry?"]
