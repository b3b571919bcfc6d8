"""The field for a date: typed in many forms, changed by a day with + and −, or picked from a calendar."""

import contextlib
from collections.abc import Callable
from datetime import date, timedelta

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtGui import QAction, QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QLineEdit, QStyle, QStyleOptionFrame

from app.domain.bounds import LONGEST_TYPED
from app.domain.dates import MONTHS, date_limits, format_date, parse_date
from app.domain.text import is_blank
from app.errors import InputError
from app.ui.icons import put_icon
from app.ui.theme import figures_font
from app.ui.widgets.calendar_popup import CalendarPopup
from app.ui.widgets.tidied_line import TidiedLine

_CURSOR = 6
"""The room at the sides of the text, for the cursor."""
_STEPS = {Qt.Key.Key_Plus: 1, Qt.Key.Key_Minus: -1, Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}


class DateField(TidiedLine):
    """`date_changed` carries a date or None. `error_changed` carries a sentence if the text is not a valid
    date, otherwise "". If `optional`, the field may be empty, which means None; otherwise the date is today
    until one is set, also after midnight (`follow_day`).
    """

    date_changed = Signal(object)
    error_changed = Signal(str)

    def __init__(self, name: str, today: Callable[[], date], *, optional: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setFont(figures_font())
        self.setMaxLength(LONGEST_TYPED)
        self.setAcceptDrops(False)  # a dropped file is for the window
        self._today = today
        self._optional = optional
        self._value: date | None = None if optional else today()
        self._is_set = optional
        self._typed_on: date | None = None  # tomorrow, `yesterday` would mean another day
        self._step_base: date | None = None
        self._add_calendar_action(name)
        self.textEdited.connect(self._edited)
        self.returnPressed.connect(self.tidy)  # before a dialog presses its default button
        self._show_value()

    def _add_calendar_action(self, name: str) -> None:
        action = QAction("Pick from a calendar (F4)", self)
        action.setObjectName(f"{name}_calendar")
        put_icon(action, "calendar", size=16)
        action.triggered.connect(self.open_calendar)
        self.addAction(action, QLineEdit.ActionPosition.TrailingPosition)

    def least_width(self) -> int:
        """Return the width in pixels at which every date is shown in full."""
        style, metrics = self.style(), self.fontMetrics()
        text = max(metrics.horizontalAdvance(f"28 {month} 2028") for month in MONTHS)
        icon = style.pixelMetric(QStyle.PixelMetric.PM_LineEditIconSize, None, self)
        gap = style.pixelMetric(QStyle.PixelMetric.PM_LineEditIconMargin, None, self)
        option = QStyleOptionFrame()
        self.initStyleOption(option)
        option.rect = QRect(0, 0, 500, 50)
        inner = style.subElementRect(QStyle.SubElement.SE_LineEditContents, option, self)
        return text + 500 - inner.width() + icon + 6 + gap + _CURSOR

    def value(self) -> date | None:
        """Return the last valid date; None if the field is empty."""
        return self._value

    def set_value(self, value: date | None) -> None:
        """Set the date; emit `date_changed` if it is a different one. None requires an optional field."""
        self._is_set = True
        self._put(value)

    def set_today(self) -> None:
        """Set today's date, which follows the day from now on."""
        self._is_set = self._optional
        self.setModified(False)  # Ctrl+Z does not give back a date that was cleared
        self._put(self._today())

    def follow_day(self) -> None:
        """Set today's date, unless another date was set. Call this when the day may have changed."""
        if self._is_set or not self._is_unedited() or self._value == self._today():
            return
        selected = self.hasSelectedText()
        self._put(self._today())
        if selected:
            self.selectAll()

    def _put(self, value: date | None) -> None:
        changed = value != self._value
        self._value, self._typed_on = value, None
        self._show_value()
        if changed:
            self.date_changed.emit(value)

    def parsed(self) -> date | None:
        """Return the typed date, without changing the text. Raises InputError with `fields["date"]`."""
        text = self.text()
        if self._optional and is_blank(text):
            return None
        if self._value is not None and text == format_date(self._value):
            return self._value
        return parse_date(text, self._typed_on or self._today())

    def read(self) -> date | None:
        """Parse the text, format it, and return the date. Raises InputError as `parsed` does."""
        day = self.parsed()
        if day != self._value or day is None or self.text() != format_date(day):
            self.set_value(day)
        return self._value

    def show_text(self, text: str) -> None:
        """Set `text` as if it had been typed, valid or not."""
        self._is_set, self._typed_on = True, None
        self.setText(text)
        with contextlib.suppress(InputError):
            self.read()

    def tidy(self) -> None:
        """Format a valid date, and emit `error_changed`."""
        try:
            self.read()
        except InputError as error:
            self.error_changed.emit(error.fields.get("date", error.message))
        else:
            self.error_changed.emit("")

    def step(self, days: int) -> None:
        """Change the date by `days`, starting from today if the field is empty."""
        first, last = date_limits(self._today())
        self.set_value(min(last, max(first, (self._value or self._today()) + timedelta(days=days))))
        self.error_changed.emit("")
        self.selectAll()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Change the date by a day with + − ↑ ↓, unless other text is being typed. F4 opens the calendar."""
        key = Qt.Key(event.key())
        if key is Qt.Key.Key_F4:
            self.open_calendar()
        elif key in _STEPS and self._is_unedited():
            self._step_base = self._value if key in (Qt.Key.Key_Plus, Qt.Key.Key_Minus) else None
            self._step_sign = "+" if key is Qt.Key.Key_Plus else "-"
            self.step(_STEPS[key])
        elif self._step_base is not None and event.text().isdigit():
            self._begin_offset(event.text())
        else:
            self._step_base = None
            super().keyPressEvent(event)

    def _begin_offset(self, digit: str) -> None:
        """Turn `-` followed by `3` into the text `-3`, which means “three days ago”.

        The `-` alone has already changed the date by a day; undo that.
        """
        self.set_value(self._step_base)
        self._step_base = None
        self.setText(f"{self._step_sign}{digit}")

    def _edited(self, _text: str) -> None:
        self._is_set, self._typed_on = True, self._today()
        self._step_base = None

    def _is_unedited(self) -> bool:
        shown = format_date(self._value) if self._value else ""
        return self.text() == shown

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Format the date, unless only the window lost the focus."""
        self._step_base = None
        super().focusOutEvent(event)

    def open_calendar(self) -> None:
        """Show a calendar under the field, at the typed date if it is valid. A click or Enter picks a day."""
        shown = self._value
        with contextlib.suppress(InputError):
            shown = self.parsed()
        popup = CalendarPopup(self, shown or self._today(), self._today())
        popup.picked.connect(self._pick)
        popup.open()

    def _pick(self, day: date) -> None:
        self.set_value(day)
        self.error_changed.emit("")
        self.setFocus()

    def _show_value(self) -> None:
        text = format_date(self._value) if self._value else ""
        if not self.isModified():
            self.setText(text)
            return
        is_set = self._is_set
        self.replace_text(text)  # counts as typed, unlike `setText`
        self._is_set, self._typed_on = is_set, None
