"""A date: typed in many ways, moved a day by + and −, or picked from a calendar."""

import contextlib
from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import QDate, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QFrame, QLineEdit, QToolButton, QVBoxLayout

from app.domain.dates import format_date, parse_date
from app.errors import InputError
from app.ui.icons import put_icon
from app.ui.theme import colour, figures_font

_STEPS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class DateField(QLineEdit):
    """`date_changed` carries a date or None; `complained` a sentence about what was typed, or an empty text.

    `optional` allows an empty field, which means None.
    """

    date_changed = Signal(object)
    complained = Signal(str)

    def __init__(self, name: str, today: Callable[[], date], *, optional: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFont(figures_font())
        self.setMaxLength(40)
        self.setAcceptDrops(False)
        self._today = today
        self._optional = optional
        self._value: date | None = None if optional else today()
        self._step_base: date | None = None
        self._calendar: QFrame | None = None
        self._add_calendar_action(name)
        self.textEdited.connect(self._forget_step)
        self._show_value()

    def _add_calendar_action(self, name: str) -> None:
        action = QAction("Pick from a calendar (F4)", self)
        action.setObjectName(f"{name}_calendar")
        put_icon(action, "calendar", size=16)
        action.triggered.connect(self.open_calendar)
        self.addAction(action, QLineEdit.ActionPosition.TrailingPosition)

    def value(self) -> date | None:
        """Return the date as last understood; None when empty."""
        return self._value

    def set_value(self, value: date | None) -> None:
        """Show `value` (None only where the field is optional) and tell if it is another."""
        changed = value != self._value
        self._value = value
        self._show_value()
        if changed:
            self.date_changed.emit(value)

    def understood(self) -> date | None:
        """Return what is typed, without tidying it; raises InputError with `fields={"date": …}`."""
        text = self.text().strip()
        if not text and self._optional:
            return None
        if self._value is not None and text == format_date(self._value):
            return self._value
        return parse_date(text, self._today())

    def read(self) -> date | None:
        """Understand what is typed, tidy it and return it; raises InputError as `understood` does."""
        day = self.understood()
        if day != self._value or day is None or self.text().strip() != format_date(day):
            self.set_value(day)
        return self._value

    def show_text(self, text: str) -> None:
        """Show `text` as if it had been typed, right or wrong."""
        self.setText(text)
        with contextlib.suppress(InputError):
            self.read()

    def tidy(self) -> None:
        """Understand what is typed, or complain."""
        try:
            self.read()
        except InputError as error:
            self.complained.emit(error.fields.get("date", error.message))
        else:
            self.complained.emit("")

    def step(self, days: int) -> None:
        """Move by `days`, from today when empty."""
        self.set_value((self._value or self._today()) + timedelta(days=days))
        self.complained.emit("")
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Take + − ↑ ↓ as a day more or less while no other text is being typed; F4 opens the calendar."""
        key = Qt.Key(event.key())
        if key is Qt.Key.Key_F4:
            self.open_calendar()
        elif key in _STEPS and self._untouched():
            self._step_base = self._value if key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus) else None
            self._step_sign = "+" if key is Qt.Key.Key_Plus else "-"
            self.step(_STEPS[key])
        elif self._step_base is not None and event.text().isdigit():
            self._begin_offset(event.text())
        else:
            self._step_base = None
            super().keyPressEvent(event)

    def _begin_offset(self, digit: str) -> None:
        """Make `-` and then `3` mean “three days ago”, as the same keys would if they were only text."""
        self.set_value(self._step_base)
        self._step_base = None
        self.setText(f"{self._step_sign}{digit}")

    def _forget_step(self, _text: str) -> None:
        self._step_base = None

    def _untouched(self) -> bool:
        shown = format_date(self._value) if self._value else ""
        return self.text() == shown

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select everything, so that typing replaces it."""
        super().focusInEvent(event)
        QTimer.singleShot(0, self, self._select)

    def _select(self) -> None:
        if self.hasFocus():
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Understand what was typed, unless only the window lost the focus."""
        super().focusOutEvent(event)
        self._step_base = None
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self.tidy()

    def open_calendar(self) -> None:
        """Show a month under the field; a click or Enter in it picks the day."""
        picker = QCalendarWidget()
        picker.setObjectName(f"{self.objectName()}_month")
        picker.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        picker.setFirstDayOfWeek(Qt.DayOfWeek.Monday)
        _dress(picker)
        shown = self._value or self._today()
        picker.setSelectedDate(QDate(shown.year, shown.month, shown.day))
        popup = QFrame(self, Qt.WindowType.Popup)
        popup.setProperty("role", "calendar")
        popup.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        QVBoxLayout(popup).addWidget(picker)
        picker.clicked.connect(self._pick)
        picker.activated.connect(self._pick)
        self._calendar = popup
        popup.move(self.mapToGlobal(QPoint(0, self.height() + 4)))
        popup.show()
        picker.setFocus()

    def _pick(self, day: QDate) -> None:
        if self._calendar is not None:
            self._calendar.close()
            self._calendar = None
        self.set_value(date(day.year(), day.month(), day.day()))
        self.complained.emit("")
        self.setFocus()

    def _show_value(self) -> None:
        self.setText(format_date(self._value) if self._value else "")


def _dress(picker: QCalendarWidget) -> None:
    """Give the calendar our colours and arrows; Qt paints weekends red."""
    words = QTextCharFormat()
    words.setForeground(colour("text_muted"))
    for day in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
        picker.setWeekdayTextFormat(day, words)
    picker.setHeaderTextFormat(words)
    for name, arrow in (("prevmonth", "chevron-left"), ("nextmonth", "chevron-right")):
        button = picker.findChild(QToolButton, f"qt_calendar_{name}")
        if isinstance(button, QToolButton):
            put_icon(button, arrow)
