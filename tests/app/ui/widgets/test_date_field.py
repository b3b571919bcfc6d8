"""The date field: keys that move a day, typed dates, and the calendar."""

from collections.abc import Iterator
from datetime import date

import pytest
from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QCalendarWidget, QLineEdit, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.errors import InputError
from app.ui.widgets.date_field import DateField
from tests.support.fake_services import TODAY


@pytest.fixture
def field(qtbot: QtBot) -> Iterator[DateField]:
    form = QWidget()
    qtbot.addWidget(form)
    made = DateField("date_field", lambda: TODAY)
    column = QVBoxLayout(form)
    column.addWidget(made)
    column.addWidget(QLineEdit())
    form.show()
    form.activateWindow()
    made.setFocus()
    qtbot.waitUntil(lambda: made.hasFocus() and made.hasSelectedText())
    yield made
    form.close()


def test_the_field_starts_with_today(field: DateField) -> None:
    assert field.value() == TODAY
    assert field.text() == "22 Nov 2026"


@pytest.mark.parametrize(
    ("keys", "expected"), [("+", date(2026, 11, 23)), ("-", date(2026, 11, 21)), ("---+", date(2026, 11, 20))]
)
def test_plus_and_minus_change_the_date_by_a_day(
    qtbot: QtBot, field: DateField, keys: str, expected: date
) -> None:
    qtbot.keyClicks(field, keys)
    assert field.value() == expected


def test_the_arrow_keys_change_the_date_by_a_day(qtbot: QtBot, field: DateField) -> None:
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert field.value() == date(2026, 11, 21)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert field.value() == TODAY


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("5/4", date(2026, 4, 5)),
        ("yesterday", date(2026, 11, 21)),
        ("22-11-26", date(2026, 11, 22)),
        ("-3", date(2026, 11, 19)),
        ("+1", date(2026, 11, 23)),
    ],
)
def test_a_typed_date_is_parsed_when_the_focus_leaves(
    qtbot: QtBot, field: DateField, typed: str, expected: date
) -> None:
    qtbot.keyClicks(field, typed)
    qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert field.value() == expected


def test_invalid_text_shows_an_error_and_keeps_the_last_date(qtbot: QtBot, field: DateField) -> None:
    qtbot.keyClicks(field, "soon")
    with qtbot.waitSignal(field.error_changed) as told:
        qtbot.keyClick(field, Qt.Key.Key_Tab)
    assert told.args[0]
    assert field.value() == TODAY
    with pytest.raises(InputError):
        field.read()


def test_an_optional_field_may_be_empty(qtbot: QtBot) -> None:
    field = DateField("from_field", lambda: TODAY, optional=True)
    qtbot.addWidget(field)
    assert field.value() is None
    field.set_value(TODAY)
    field.clear()
    assert field.read() is None


def test_a_day_can_be_picked_from_the_calendar(qtbot: QtBot, field: DateField) -> None:
    qtbot.keyClick(field, Qt.Key.Key_F4)
    picker = field.findChild(QCalendarWidget)
    assert picker is not None
    assert picker.selectedDate() == QDate(2026, 11, 22)
    picker.clicked.emit(QDate(2026, 11, 2))
    assert field.value() == date(2026, 11, 2)
