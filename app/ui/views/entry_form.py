"""The form of one entry: date, amount, direction, category and description, each with its error."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.domain.bounds import MAX_CATEGORY, MAX_DESCRIPTION
from app.domain.dates import format_date, weekday_name
from app.domain.entry import Attachment, Direction, EntryDraft, Suggestion
from app.domain.form_draft import FormDraft
from app.domain.money import format_amount, parse_amount
from app.domain.text import clean_text, is_blank
from app.errors import InputError
from app.ui.controllers.completing import Completing
from app.ui.tasks import Tasks
from app.ui.widgets.amount_field import AmountField
from app.ui.widgets.category_field import CategoryField
from app.ui.widgets.date_field import DateField
from app.ui.widgets.direction_segment import direction_segment
from app.ui.widgets.field import Field
from app.ui.widgets.form_errors import focus_first_error
from app.ui.widgets.pieces import is_enter
from app.ui.widgets.suggest_field import SuggestField

if TYPE_CHECKING:
    from app.services import Services

_Cells = dict[str, tuple[int, int, int, int]]
# The row, column, rows and columns of each field.
_TWO_COLUMNS: Final[_Cells] = {
    "date": (0, 0, 1, 1),
    "amount": (0, 1, 1, 1),
    "direction": (1, 0, 1, 2),
    "category": (2, 0, 1, 2),
    "description": (3, 0, 1, 2),
}
_ONE_COLUMN: Final[_Cells] = {name: (row, 0, 1, 1) for row, name in enumerate(_TWO_COLUMNS)}
_GAP: Final = 18
_AMOUNT_ROOM: Final = 150
"""The width at which an amount of lakhs is shown in full."""


class EntryForm(QWidget):
    """Edits the fields of an entry. `changed` is emitted when something is typed or picked.

    Enter goes to the next field; `finished` is emitted when it is pressed in the last one. `prefix` is the
    first part of all object names, because there are two of these forms.
    """

    changed = Signal()
    finished = Signal()

    def __init__(
        self, services: "Services", tasks: Tasks, today: Callable[[], date], prefix: str = ""
    ) -> None:
        super().__init__()
        self._services = services
        self._tasks = tasks
        self._today = today
        self._make_editors(prefix)
        self.completing = Completing(services, tasks, self.description, self.category, self.direction)
        self._lay_out()
        self._connect()
        self._show_weekday(self.date.value())

    def _make_editors(self, prefix: str) -> None:
        self.date = DateField(f"{prefix}date_field", self._today)
        self.date.setProperty("role", "tall")  # as tall as the amount next to it
        self.amount = AmountField(f"{prefix}amount_field")
        self.direction = direction_segment(prefix)
        self.category = CategoryField(f"{prefix}category_field")
        self.description = SuggestField(f"{prefix}description_field")
        self.fields = {
            "date": Field("Date", self.date),
            "amount": Field("Amount", self.amount),
            "direction": Field("Type", self.direction),
            "category": Field("Category", self.category).limit(MAX_CATEGORY),
            "description": Field("Description", self.description).limit(MAX_DESCRIPTION),
        }
        self.amount.setAccessibleName("Amount in rupees")
        self.category.setPlaceholderText("For example Travel, Stock or Rent")
        self.description.setPlaceholderText("What it was for")
        self.date.setToolTip("Press + or − to change the day, or type 5/4, 22 Nov or yesterday")

    def _lay_out(self) -> None:
        grid = self._grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(_GAP)
        grid.setVerticalSpacing(16)
        grid.setColumnStretch(0, 1)
        self._cells: _Cells = {}
        self._arrange(_TWO_COLUMNS)

    def _arrange(self, cells: _Cells) -> None:
        if cells is not self._cells:
            self._cells = cells
            for name, cell in cells.items():
                self._grid.addWidget(self.fields[name], *cell)
            self._grid.setColumnStretch(1, 0 if cells is _ONE_COLUMN else 1)

    def minimumSizeHint(self) -> QSize:
        """Return the width of the widest field: `resizeEvent` can put all fields below each other."""
        widths = [field.minimumSizeHint().width() for field in self.fields.values()]
        return QSize(max(widths), super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Put fields below each other if there is no room for them side by side."""
        super().resizeEvent(event)
        column = (event.size().width() - _GAP) // 2
        self._arrange(_TWO_COLUMNS if column >= _AMOUNT_ROOM else _ONE_COLUMN)

    def _connect(self) -> None:
        self.date.error_changed.connect(self._date_error_changed)
        self.amount.error_changed.connect(self.fields["amount"].set_error)
        self.date.date_changed.connect(self._show_weekday)
        self.direction.picked.connect(lambda _value: self.changed.emit())
        self.direction.entered.connect(self._go_on)
        entries = self._services.entries
        self.category.asked.connect(partial(self._suggest, self.category, entries.suggest_categories))
        self.description.asked.connect(partial(self._suggest, self.description, entries.suggest_descriptions))
        for editor in (self.date, self.amount, self.category, self.description):
            editor.textChanged.connect(lambda _text: self.changed.emit())
        self.category.entered.connect(self._ask_known)
        self.category.unknown.connect(self._ask_spelling)
        self.category.hinted.connect(self._hint)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Go to the next field with Enter, which the field itself has no use for."""
        if not is_enter(event):
            super().keyPressEvent(event)
        elif not event.isAutoRepeat():
            self._go_on()

    def _go_on(self) -> None:
        names = list(self.fields)
        at = next((n for n, name in enumerate(names) if self._has_focus(self.fields[name])), 0)
        if at == len(names) - 1:
            self.finished.emit()
        else:
            self._enter(names[at + 1])

    def _has_focus(self, field: Field) -> bool:
        return field.isAncestorOf(self.focusWidget() or self)

    def _enter(self, name: str) -> None:
        target = self.direction.checked_button() if name == "direction" else self.fields[name].focus_target
        target.setFocus(Qt.FocusReason.TabFocusReason)

    def _date_error_changed(self, sentence: str) -> None:
        self.fields["date"].set_error(sentence)
        self._show_weekday(None if sentence else self.date.value())

    def _hint(self, sentence: str) -> None:
        self.fields["category"].hint.setText(sentence)
        self.category.setAccessibleDescription(sentence)

    def _ask_known(self) -> None:
        known = self._services.entries.known_categories
        self._tasks.run(known, self.category.learn, owner=self.category, topic="known", local=True)

    def _ask_spelling(self, text: str) -> None:
        if not self.isVisible():  # the book is being closed
            return
        entries = self._services.entries
        self._tasks.run(
            partial(entries.suggest_categories, text),
            partial(self._take_spelling, text),
            owner=self.category,
            topic="spelling",
        )

    def _take_spelling(self, text: str, known: list[Suggestion]) -> None:
        self.category.learn(known)
        if self.category.text() == text and not self.category.hasFocus():
            self.category.settle()

    def _suggest(
        self,
        field: SuggestField,
        ask: Callable[[str], "tuple[Suggestion, ...] | list[Suggestion]"],
        prefix: str,
    ) -> None:
        self._tasks.run(partial(ask, prefix), partial(field.offer, prefix), owner=field, topic="suggest")

    def _show_weekday(self, day: date | None) -> None:
        today = self._today()
        near = {today: "Today", today - timedelta(days=1): "Yesterday", today + timedelta(days=1): "Tomorrow"}
        self.fields["date"].hint.setText(near.get(day, weekday_name(day)) if day else "")

    def follow_day(self) -> None:
        """Handle that the day may have changed: a date that the user did not set is today."""
        self.date.follow_day()
        if not self.fields["date"].error_text:
            self._show_weekday(self.date.value())

    @property
    def typed(self) -> bool:
        """Return whether the user has typed anything; a date alone does not count."""
        return not all(is_blank(field.text()) for field in (self.amount, self.category, self.description))

    def written(self, attachments: tuple[Attachment, ...] = ()) -> FormDraft:
        """Return the form's content, valid or not, together with `attachments`."""
        return FormDraft(
            self._date_text(),
            self.amount.text(),
            self.direction.value(),
            self.category.text(),
            self.description.text(),
            attachments,
        )

    def _date_text(self) -> str:
        """Return the date in full if it is valid: tomorrow, `yesterday` would mean another day."""
        try:
            day = self.date.parsed()
        except InputError:
            return self.date.text()
        return format_date(day) if day else ""

    def show_written(self, written: FormDraft) -> None:
        """Restore the content that `written` returned. Completions do not change it."""
        self.date.show_text(written.date)
        self.amount.setText(written.amount)
        if written.direction in set(Direction):
            self.direction.set_value(written.direction)
        self.category.show_text(written.category)
        self.description.setText(written.description)
        self.completing.follow(written)

    def draft(self) -> EntryDraft | None:
        """Return the entry without bills; or None, and show the errors, if a field is not valid."""
        self.category.settle()
        self.follow_day()
        day, amount = self._read(self.date.read, "date"), self._read(self.amount.amount, "amount")
        category = self._text("category", self.category, "Choose a category, such as Travel or Stock.")
        description = self._text("description", self.description)
        if not isinstance(day, date) or not isinstance(amount, Decimal) or None in (category, description):
            self.focus_first_error()
            return None
        assert category is not None
        assert description is not None
        return EntryDraft(day, amount, Direction(self.direction.value()), category, description)

    def _read(self, read: Callable[[], object], name: str) -> object:
        try:
            value = read()
        except InputError as error:
            self.fields[name].set_error(error.fields.get(name, error.message))
            if name == "date":
                self._show_weekday(None)
            return None
        self.fields[name].set_error("")
        return value

    def _text(self, name: str, editor: SuggestField, if_empty: str = "") -> str | None:
        """Return the text as it is stored; or None, and show the error, if it cannot be."""
        text, field = clean_text(editor.text()), self.fields[name]
        field.set_error(field.length_error or ("" if text else if_empty))
        return None if field.error_text else text

    def show_errors(self, errors: dict[str, str]) -> dict[str, str]:
        """Show each error under its field. Return those that belong to no field of this form."""
        names = {"entryDate": "date", "entry_date": "date"}
        rest = {}
        for key, sentence in errors.items():
            field = self.fields.get(names.get(key, key))
            if field is None:
                rest[key] = sentence
            else:
                field.set_error(sentence)
        self.focus_first_error()
        return rest

    def focus_first_error(self) -> None:
        """Set the focus to the first field with an error."""
        focus_first_error(self.fields.values())

    def clear(self, *, keep_date: bool) -> None:
        """Empty the form. The direction becomes Debit, and the date today unless `keep_date`."""
        if not keep_date:
            self.date.set_today()
        self.amount.setText("")  # Ctrl+Z would undo a clear(), but it shall undo the entry saved last
        self.category.forget()
        self.description.forget()
        self.direction.set_value(Direction.DEBIT.value)
        self.completing.forget()
        for field in self.fields.values():
            field.set_error("")


def written_of(draft: EntryDraft) -> FormDraft:
    """Return the content of a form that shows `draft`."""
    return FormDraft(
        format_date(draft.entry_date),
        format_amount(draft.amount, symbol=False),
        draft.direction.value,
        draft.category,
        draft.description,
        draft.attachments,
    )


def same_written(first: FormDraft, second: FormDraft) -> bool:
    """Return whether two forms would save the same entry: `1250` equals `1,250.00`, and what nobody
    sees does not count."""
    return _normalized(first) == _normalized(second)


def _normalized(form: FormDraft) -> tuple[object, ...]:
    try:
        amount: object = parse_amount(form.amount)
    except InputError:
        amount = form.amount
    texts = (clean_text(text) for text in (form.date, form.category, form.description))
    return (amount, form.direction, *texts, {bill.id for bill in form.attachments})
