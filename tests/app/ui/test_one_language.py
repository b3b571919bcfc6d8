"""Names of days and months are in the language of the other texts, whatever the system's language is."""

import os
import subprocess
import sys
from typing import Final

import pytest

_PROGRAM: Final = """
from datetime import date
from decimal import Decimal

from PySide6.QtCore import QLocale, Qt
from PySide6.QtWidgets import QApplication, QCalendarWidget, QTableView, QToolButton

from app.domain.dates import format_date, weekday_name
from app.domain.money import format_amount
from app.ui.widgets.date_field import DateField

application = QApplication([])
day = date(2026, 3, 4)
field = DateField("date_field", lambda: day)
field.show()
field.open_calendar()
calendar = field.findChild(QCalendarWidget)
months = calendar.findChild(QToolButton, "qt_calendar_monthbutton")
model = calendar.findChild(QTableView, "qt_calendar_calendarview").model()
print(QLocale().name())
print(months.text(), *(each.text() for each in months.menu().actions()))
print(*(model.data(model.index(0, column)) for column in range(model.columnCount())))
print(calendar.findChild(QToolButton, "qt_calendar_yearbutton").text())
print(weekday_name(day), format_date(day), field.text(), format_amount(Decimal("1234567.50")))
"""
_MONTHS: Final = "March January February March April May June July August September October November December"


@pytest.mark.parametrize("language", ["en_IN", "hi_IN", "de_DE", "ar_EG"])
def test_days_and_months_have_english_names(language: str) -> None:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "LC_ALL": f"{language}.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
        check=True,
    )
    assert done.stdout.splitlines() == [
        language,
        _MONTHS,
        "Mon Tue Wed Thu Fri Sat Sun",
        "2026",
        "Wednesday 4 Mar 2026 4 Mar 2026 ₹12,34,567.50",
    ]
