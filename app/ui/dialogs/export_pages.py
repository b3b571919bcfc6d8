"""The three pages of the export dialog: settings, progress, result."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from app.domain.dates import order_error
from app.domain.entry import EntryFilter, Totals
from app.domain.money import format_amount
from app.ui.bounds import count_text
from app.ui.dialogs.filter_text import filter_text
from app.ui.theme import figures_font
from app.ui.widgets.banner import Banner
from app.ui.widgets.date_field import DateField
from app.ui.widgets.field import Field
from app.ui.widgets.one_choice import OneChoice
from app.ui.widgets.pieces import ElidedLabel, button, label

_NOTE: Final = (
    "The bills themselves are not in this file. If you open it with a double click, a spreadsheet program "
    "may change what looks like a number or a date, such as 00012345, 3/4 or 1E5."
)


def button_row(*buttons: QPushButton) -> QHBoxLayout:
    """Return a row of right-aligned buttons."""
    row = QHBoxLayout()
    row.setSpacing(10)
    row.addStretch(1)
    for each in buttons:
        row.addWidget(each)
    return row


def page_column(page: QWidget, spacing: int) -> QVBoxLayout:
    """Return a layout for the page of a dialog, which has margins of its own."""
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(spacing)
    return column


class ExportSetupPage(QWidget):
    """The filter, the dates and the findings. After `dates_changed` the findings must be loaded again.

    While a date is invalid, there are no findings and nothing can be exported.
    """

    dates_changed = Signal()

    def __init__(self, wanted: EntryFilter, today: Callable[[], date]) -> None:
        super().__init__()
        self._make_dates(wanted, today)
        self.findings = label("", "", "export_findings", wrap=True)
        self.note = label(_NOTE, "muted", "export_note", wrap=True)
        self.banner = Banner("export_banner")
        self._make_waiting()
        self.cancel_button = button("Cancel", "export_cancel")
        self.start_button = button("Export…", "export_start", "primary", "download", "on_accent")
        column = page_column(self, 14)
        column.addWidget(label("Export CSV", "title"))
        column.addWidget(label(filter_text(wanted), "muted", "export_filter", wrap=True))
        dates = QHBoxLayout()
        dates.setSpacing(14)
        dates.addWidget(self.first_field, 1)
        dates.addWidget(self.last_field, 1)
        column.addLayout(dates)
        for widget in (self.findings, self.waiting_box, self.note, self.banner):
            column.addWidget(widget)
        column.addStretch(1)
        column.addLayout(button_row(self.cancel_button, self.start_button))

    def _make_dates(self, wanted: EntryFilter, today: Callable[[], date]) -> None:
        self.first = DateField("export_from", today, optional=True)
        self.last = DateField("export_to", today, optional=True)
        self.first.setPlaceholderText("The first entry")
        self.last.setPlaceholderText("The last entry")
        self.first.set_value(wanted.first)
        self.last.set_value(wanted.last)
        self.first_field = Field("From", self.first)
        self.last_field = Field("To", self.last)
        self._invalid: dict[DateField, str] = {}
        for editor in (self.first, self.last):
            editor.error_changed.connect(partial(self._note_error, editor))
            editor.date_changed.connect(self._date_changed)
        self._show_errors()

    def _note_error(self, editor: DateField, sentence: str) -> None:
        was_wrong = editor in self._invalid
        self._invalid.pop(editor, None)
        if sentence:
            self._invalid[editor] = sentence
        self._show_errors()
        if bool(sentence) or was_wrong:
            self.dates_changed.emit()

    def _date_changed(self, _date: object) -> None:
        self._show_errors()
        self.dates_changed.emit()

    def _errors(self) -> dict[DateField, str]:
        """Return the errors of the dates; if both are valid, that of their order, which is told at To."""
        order = order_error(self.first.value(), self.last.value())
        return self._invalid or ({self.last: order} if order else {})

    def _show_errors(self) -> None:
        errors = self._errors()
        for editor, field in ((self.first, self.first_field), (self.last, self.last_field)):
            field.set_error(errors.get(editor, ""))

    @property
    def dates_valid(self) -> bool:
        """Return whether both dates are valid, or empty, and From is not later than To."""
        return not self._errors()

    def settle_dates(self) -> None:
        """Read both dates as they are typed now. The focus goes to the first that is wrong."""
        for editor in (self.first, self.last):
            editor.tidy()
        wrong = self._errors()
        for editor in (self.last, self.first):
            if editor in wrong:
                editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _make_waiting(self) -> None:
        self.wait_choice = QRadioButton("Wait for them")
        self.go_on_choice = QRadioButton("Continue without them")
        self.wait_choice.setObjectName("export_wait")
        self.go_on_choice.setObjectName("export_go_on")
        self.wait_choice.setChecked(True)
        self._group = OneChoice(self)
        self.waiting_text = label("", "", "export_waiting", wrap=True)
        self.waiting_box = QWidget()
        box = QVBoxLayout(self.waiting_box)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(8)
        box.addWidget(self.waiting_text)
        for choice in (self.wait_choice, self.go_on_choice):
            self._group.add(choice)
            box.addWidget(choice)
        self.waiting_box.hide()

    def show_findings(self, count: int, without_document: int, waiting: Sequence[str]) -> None:
        """Show what the file will contain, and which entries it would leave out."""
        lines = [f"{count_text(count, 'entry', 'entries')} will be in the file."]
        if without_document:
            lines.append(f"{count_text(without_document, 'entry has', 'entries have')} no bill.")
        self.findings.setText("\n".join(lines))
        self.waiting_box.setVisible(bool(waiting))
        if waiting:
            are = "entry is" if len(waiting) == 1 else "entries are"
            codes = ", ".join(waiting[:4]) + (" and more" if len(waiting) > 4 else "")
            self.waiting_text.setText(f"{len(waiting)} {are} waiting: {codes}")
        self.start_button.setEnabled(count > 0 or bool(waiting))

    def show_checking(self) -> None:
        """Show that the findings are being loaded; nothing while a date is invalid."""
        self.findings.setText("Checking the entries…" if self.dates_valid else "")
        self.waiting_box.hide()
        self.start_button.setEnabled(False)


class ExportWorkPage(QWidget):
    """The progress, and Cancel."""

    def __init__(self) -> None:
        super().__init__()
        self.title = label("", "title", "export_work_title")
        self.text = label("", "muted", "export_progress_text", wrap=True)
        self.bar = QProgressBar()
        self.bar.setObjectName("export_progress")
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 0)
        self.cancel_button = button("Cancel", "export_stop")
        column = page_column(self, 14)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addWidget(self.bar)
        column.addStretch(1)
        column.addLayout(button_row(self.cancel_button))

    def show_progress(self, title: str, text: str, done: int = 0, total: int = 0) -> None:
        """Show the present step and its progress. The bar has no end while `total` is 0."""
        self.title.setText(title)
        self.text.setText(text)
        self.bar.setRange(0, total)
        self.bar.setValue(min(done, total))


class ExportResultPage(QWidget):
    """What was written, with its totals."""

    def __init__(self) -> None:
        super().__init__()
        self.rows = label("", "", "export_rows", wrap=True)
        self.path = ElidedLabel("", "muted", "export_path")
        self.left_out = label("", "error", "export_left_out", wrap=True)
        self.values = {name: label("", "strong", f"export_{name}") for name in ("out", "in", "net")}
        self.show_button = button("Show in folder", "export_show", icon="folder-open")
        self.close_button = button("Done", "export_done", "primary")
        column = page_column(self, 14)
        column.addWidget(label("Exported", "title"))
        column.addWidget(self.rows)
        column.addLayout(self._totals())
        column.addWidget(self.path)
        column.addWidget(self.left_out)
        column.addStretch(1)
        column.addLayout(button_row(self.show_button, self.close_button))

    def _totals(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        for row, (name, words) in enumerate((("out", "Money out"), ("in", "Money in"), ("net", "Net"))):
            value = self.values[name]
            value.setFont(figures_font())
            grid.addWidget(label(words, "muted"), row, 0)
            grid.addWidget(value, row, 1)
        return grid

    def show_result(self, rows: int, totals: Totals, path: str, left_out: Sequence[str]) -> None:
        """Show the counts and totals of the file."""
        self.rows.setText(f"{count_text(rows, 'entry', 'entries')} written.")
        amounts = {"out": totals.money_out, "in": totals.money_in, "net": totals.net}
        for name, amount in amounts.items():
            self.values[name].setText(format_amount(amount))
        self.path.setText(path)
        self.left_out.setText(f"Left out because still waiting: {', '.join(left_out)}" if left_out else "")
        self.left_out.setVisible(bool(left_out))
