"""The filter of the listing: search words, dates, direction, document, and state."""

from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Final

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QMenu, QPushButton, QVBoxLayout, QWidget

from app.domain.bounds import LONGEST_TYPED, search_error
from app.domain.dates import Preset, order_error, presets
from app.domain.entry import Direction, EntryFilter, Shown
from app.domain.text import clean_text
from app.domain.wording import CROSSED_OUT_MEANS, Words, words_of
from app.ui.icons import put_icon
from app.ui.widgets.date_field import DateField
from app.ui.widgets.direction_segment import CREDIT_WORDS, DEBIT_WORDS
from app.ui.widgets.flow import FlowLayout
from app.ui.widgets.pieces import button, label, set_look
from app.ui.widgets.segment import Choice, Segment

DEBOUNCE_MS: Final = 150
_NARROW: Final = 800
_SEARCH: Final = "Search description, category, code or amount"
_GAP: Final = 10
_WIDE: Final = 1000
_OLD_DATES: Final = "The list still shows the dates from before."
_DATE: Final = 142
_ROOM_FOR_DATES: Final = 470
"""The width from which on the date fields have room to spare."""


class FilterBar(QWidget):
    """Edits the filter. `changed` carries the EntryFilter, 150 ms after typing, otherwise at once."""

    changed = Signal(object)

    def __init__(self, today: Callable[[], date]) -> None:
        super().__init__()
        self.setObjectName("filter_bar")
        self._today = today
        self._applied = EntryFilter()
        self._words = words_of(is_local=True)
        self._chosen = ""  # the period in the menu that both dates follow; "" if they were set otherwise
        self._make_search()
        self._make_dates()
        self._make_choices()
        self._lay_out()
        self._show_state()

    def _make_search(self) -> None:
        self.search = QLineEdit()
        self.search.setObjectName("search_field")
        self.search.setAccessibleName("Search")
        self.search.setPlaceholderText(_SEARCH)
        self.search.setMaxLength(LONGEST_TYPED)
        self.search.setClearButtonEnabled(True)
        self.search.setAcceptDrops(False)
        self.search.setToolTip("Search (Ctrl+F)")
        icon = QAction("Search", self.search)
        put_icon(icon, "search", size=16)
        self.search.addAction(icon, QLineEdit.ActionPosition.LeadingPosition)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self.apply)
        self.search_error = label("", "error", "search_error", wrap=True)
        self.search_error.hide()
        self.search.textChanged.connect(self._search_changed)
        self.search.returnPressed.connect(self.apply)

    def _make_dates(self) -> None:
        self.first = DateField("from_field", self._today, optional=True)
        self.last = DateField("to_field", self._today, optional=True)
        self._date_errors: dict[DateField, str] = {}  # those that are invalid now
        self.date_error = label("", "error", "dates_error", wrap=True)
        self.date_error.hide()
        for field, words in ((self.first, "From"), (self.last, "To")):
            field.setPlaceholderText(words)
            field.setAccessibleName(f"{words} date")
            field.setFixedWidth(_DATE)
            field.date_changed.connect(lambda _date: self._date_typed())
            field.error_changed.connect(partial(self._note_error, field))
        self.period_button = button("Period", "period_button", icon="chevron-down")
        menu = QMenu(self.period_button)
        menu.setObjectName("period_menu")
        for preset in presets(self._today()):
            action = menu.addAction(preset.name)
            action.triggered.connect(lambda _checked=False, name=preset.name: self._take_preset(name))
        self.period_button.setMenu(menu)
        self.period_button.setProperty("role", "chip")

    def _make_choices(self) -> None:
        choices = [
            Choice("", "All", "type_all"),
            Choice(Direction.DEBIT.value, DEBIT_WORDS, "type_debit"),
            Choice(Direction.CREDIT.value, CREDIT_WORDS, "type_credit"),
        ]
        self.direction = Segment(choices, "type_segment", "Debit, Credit or all", small=True)
        self.direction.picked.connect(lambda _value: self.apply())
        shown = [
            Choice(Shown.ACTIVE.value, "Active", "shown_active"),
            Choice(Shown.VOIDED.value, "Crossed out", "shown_voided"),
            Choice(Shown.ALL.value, "All", "shown_all"),
        ]
        self.shown = Segment(shown, "shown_segment", "Show crossed-out entries", small=True)
        self.shown.picked.connect(lambda _value: self.apply())
        self.without_document = self._chip("Without bill", "without_document")
        self.waiting_only = self._chip("Waiting", "not_confirmed")
        self.shown.setToolTip(f"Show crossed-out entries. {CROSSED_OUT_MEANS}")
        self.meaning = label("", "muted", "filter_meaning", wrap=True)
        self.clear_button = button("Clear filters", "clear_filters", "link")
        self.clear_button.clicked.connect(self.clear)

    def speak(self, words: Words) -> None:
        """Use the words for the place of the open book."""
        self._words = words
        self.waiting_only.setToolTip(words.waiting_means)
        self._show_state()

    def _chip(self, text: str, name: str) -> QPushButton:
        made = button(text, name, "chip")
        made.setCheckable(True)
        made.clicked.connect(lambda _checked: self.apply())
        return made

    def _lay_out(self) -> None:
        above = QHBoxLayout()
        above.setSpacing(10)
        above.addWidget(self.search, 1)
        for widget in (self.first, self.last):
            above.addWidget(widget)
        self._below = below = FlowLayout(spacing=_GAP)
        for part in (self.direction, self.period_button, self.without_document, self.waiting_only):
            below.addWidget(part)
        below.addWidget(self.shown)
        below.addWidget(self.clear_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(above)
        column.addWidget(self.search_error)
        column.addWidget(self.date_error)
        column.addLayout(below)
        column.addWidget(self.meaning)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Use shorter texts if the buttons would not fit into one row, and leave room for the search."""
        super().resizeEvent(event)
        tight = event.size().width() < _ROOM_FOR_DATES
        for field in (self.first, self.last):
            set_look(field, "tight", "true" if tight else "")
            field.setFixedWidth(max(0 if tight else _DATE, field.least_width()))
        self.search.setPlaceholderText("Search" if tight else _SEARCH)
        narrow = event.size().width() < _NARROW
        self.without_document.setText("No bill" if narrow else "Without bill")
        self.clear_button.setText("Clear" if narrow else "Clear filters")
        for segment in (self.direction, self.shown):
            segment.set_tight(narrow)
        for chip in (self.period_button, self.without_document, self.waiting_only):
            set_look(chip, "tight", "true" if narrow else "")
        wide = event.size().width() >= _WIDE
        self.direction.set_text(Direction.DEBIT.value, DEBIT_WORDS if wide else "Money out")
        self.direction.set_text(Direction.CREDIT.value, CREDIT_WORDS if wide else "Money in")
        self._below.setSpacing(_GAP // 2 if narrow else _GAP)

    def _search_changed(self, typed: str) -> None:
        error = search_error(typed)
        self.search_error.setText(error)
        self.search_error.setVisible(bool(error))
        self.search.setAccessibleDescription(error)
        self._timer.start()

    def wanted(self) -> EntryFilter:
        """Return the filter as it is set now. A search or dates with an error leave those of before."""
        wrong = bool(self.search_error.text())
        value = self.direction.value()
        dates = self._applied if self._order_error() else self._typed_dates()
        return EntryFilter(
            text=self._applied.text if wrong else clean_text(self.search.text()),
            first=dates.first,
            last=dates.last,
            direction=Direction(value) if value else None,
            without_document=self.without_document.isChecked(),
            waiting_only=self.waiting_only.isChecked(),
            shown=Shown(self.shown.value()),
        )

    def _typed_dates(self) -> EntryFilter:
        return EntryFilter(first=self.first.value(), last=self.last.value())

    def _order_error(self) -> str:
        return order_error(self.first.value(), self.last.value())

    def apply(self) -> None:
        """Emit `changed`, if the filter is different from the last one."""
        self._timer.stop()
        self._show_state()
        wanted = self.wanted()
        if wanted != self._applied:
            self._applied = wanted
            self.changed.emit(wanted)

    def show_filter(self, wanted: EntryFilter) -> None:
        """Set all widgets to `wanted`, and emit `changed` at most once."""
        self.search.setText(wanted.text)  # with its signal: the button that empties it shall follow
        self._set_dates(wanted.first, wanted.last)
        self.direction.set_value(wanted.direction.value if wanted.direction else "")
        self.without_document.setChecked(wanted.without_document)
        self.waiting_only.setChecked(wanted.waiting_only)
        self.shown.set_value(wanted.shown.value)
        self.apply()

    def clear(self) -> None:
        """Reset the filter."""
        self.show_filter(EntryFilter())

    def _take_preset(self, name: str) -> None:
        preset: Preset = next(each for each in presets(self._today()) if each.name == name)
        self._set_dates(preset.first, preset.last)
        self._chosen = name
        self.apply()

    def _set_dates(self, first: date | None, last: date | None) -> None:
        self._chosen = ""
        for field, day in ((self.first, first), (self.last, last)):
            with QSignalBlocker(field):
                field.set_value(day)
            self._note_error(field, "")

    def _date_typed(self) -> None:
        self._chosen = ""
        self._show_date_errors()
        self.apply()

    def follow_day(self) -> None:
        """Handle that the day may have changed: `This month` may be another one."""
        if self._chosen:
            self._take_preset(self._chosen)
        else:
            self._show_state()

    def _note_error(self, field: DateField, sentence: str) -> None:
        self._date_errors.pop(field, None)
        if sentence:
            self._date_errors[field] = f"{field.accessibleName()}: {sentence}"
        self._show_date_errors()

    def _show_date_errors(self) -> None:
        """Say which dates are invalid; if none is, whether they are in the wrong order."""
        errors = list(self._date_errors.values()) or list(filter(None, [self._order_error()]))
        self.date_error.setText("\n".join((*errors, _OLD_DATES)) if errors else "")
        self.date_error.setVisible(bool(errors))

    def settle_dates(self) -> bool:
        """Read both dates as typed. Return whether they are valid and in order; if not, focus a wrong one."""
        for field in (self.first, self.last):
            field.tidy()
        wrong = list(self._date_errors) or ([self.last] if self._order_error() else [])
        for field in wrong:
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        return not wrong

    def _meaning(self, wanted: EntryFilter) -> str:
        """Return what the words of the filter mean, if they are used."""
        crossed_out = CROSSED_OUT_MEANS if wanted.shown is not Shown.ACTIVE else ""
        return "\n".join(
            filter(None, (self._words.waiting_means if wanted.waiting_only else "", crossed_out))
        )

    def _show_state(self) -> None:
        wanted = self.wanted()
        self.clear_button.setVisible(wanted != EntryFilter() or bool(self._order_error()))
        self.meaning.setText(self._meaning(wanted))
        self.meaning.setVisible(bool(self.meaning.text()))
        dates = (wanted.first, wanted.last)
        named = [each.name for each in presets(self._today()) if (each.first, each.last) == dates]
        words = named[0] if named else "Custom dates"
        self.period_button.setText(words)
        self.period_button.setAccessibleName(f"Period: {words}")
