"""The export dialog: the filter and the findings, the progress, and the result."""

import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QStackedWidget, QVBoxLayout, QWidget

from app.domain.entry import EntryFilter
from app.domain.money import group_digits
from app.errors import AppError, CancelledError, OfflineError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.dialogs.export_pages import ExportResultPage, ExportSetupPage, ExportWorkPage
from app.ui.dialogs.filter_text import file_name
from app.ui.tasks import Relay, Tasks
from app.ui.widgets.growing_dialog import GrowingDialog

if TYPE_CHECKING:
    from app.services import Services
    from app.services.exports import ExportResult, Preflight

_WAITING: Final = "Waiting until everything is sent"
_WRITING: Final = "Writing the file"


class ExportDialog(GrowingDialog):
    """Exports one CSV file.

    `send_wanted` requests that the outbox is sent. `sending_ended` must then be called with the number of
    items that are left.
    """

    send_wanted = Signal()

    def __init__(
        self, services: "Services", tasks: Tasks, desktop: Desktop, wanted: EntryFilter, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setObjectName("export_dialog")
        self.setWindowTitle("Export CSV")
        self.setMinimumWidth(520)
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._wanted = wanted
        self._preflight: Preflight | None = None
        self._path: Path | None = None
        self._waiting = 0  # operations that were to be sent when waiting began
        self._total = 0  # rows, as far as they are known
        self._checking = self._begin_when_checked = False
        self._stop = threading.Event()  # read by the task that writes
        self._relay = Relay(self)
        self._build()
        self._connect()
        self.check()

    def _build(self) -> None:
        self.setup_page = ExportSetupPage(self._wanted, self._desktop.today)
        self.work_page = ExportWorkPage()
        self.result_page = ExportResultPage()
        self._stack = QStackedWidget()
        for page in (self.setup_page, self.work_page, self.result_page):
            self._stack.addWidget(page)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 22)
        column.addWidget(self._stack)
        self.setup_page.start_button.setDefault(True)  # has an effect only on a button of a dialog

    def _connect(self) -> None:
        self._relay.reported.connect(self._progressed)
        self.setup_page.dates_changed.connect(self.check)
        self.setup_page.cancel_button.clicked.connect(self.reject)
        self.setup_page.start_button.clicked.connect(self.begin)
        self.work_page.cancel_button.clicked.connect(self.cancel)
        self.result_page.close_button.clicked.connect(self.accept)
        self.result_page.show_button.clicked.connect(self._show_folder)

    def wanted(self) -> EntryFilter:
        """Return the filter with the dates that are set in this dialog."""
        return replace(self._wanted, first=self.setup_page.first.value(), last=self.setup_page.last.value())

    def check(self) -> None:
        """Load the findings: what the file would contain, and what it would leave out.

        While a date is invalid, there are none.
        """
        wanted = self.wanted()
        self.setup_page.banner.hide()
        self.setup_page.show_checking()
        self._preflight, self._begin_when_checked = None, False
        self._checking = self.setup_page.dates_valid
        if not self.setup_page.dates_valid:
            self._tasks.supersede(self, "preflight")
            return
        self._tasks.run(
            lambda: self._services.exports.preflight(wanted),
            self._checked,
            self._check_failed,
            owner=self,
            topic="preflight",
        )

    def _checked(self, found: "Preflight") -> None:
        self._preflight, self._checking = found, False
        self.setup_page.show_findings(found.count, found.without_document, found.waiting)
        if self._begin_when_checked:
            self.begin()

    def _check_failed(self, error: AppError) -> None:
        self._checking = self._begin_when_checked = False
        not_all = self._services.accounts.words.not_all_here
        self.setup_page.findings.setText(not_all if isinstance(error, OfflineError) else "")
        self.setup_page.banner.say(error.message, "danger")

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Enter press the focused button, or else start the export."""
        is_enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        on_setup = self._stack.currentWidget() is self.setup_page
        if is_enter and on_setup and not isinstance(self.focusWidget(), QPushButton):
            if not event.isAutoRepeat():
                self.begin()
        else:
            super().keyPressEvent(event)

    def begin(self) -> None:
        """Ask for a place; wait until the outbox is sent, if the user chose that; then write the file.

        If the entries are still being checked, because a date has just been typed, this begins afterwards.
        """
        self.setup_page.settle_dates()  # a date may still be being typed
        found, self._begin_when_checked = self._preflight, False
        if found is None:
            if self.setup_page.dates_valid and not self._checking:  # the last check failed
                self.check()
            self._begin_when_checked = self._checking
            return
        if not self.setup_page.start_button.isEnabled():
            return
        proposed = self._services.folders.path_to_save(file_name(self.wanted()))
        path = self._desktop.choose_save_path(self, proposed)
        if path is None:
            return
        self._path = path
        self._stop.clear()
        self._stack.setCurrentWidget(self.work_page)
        if found.waiting and self.setup_page.wait_choice.isChecked():
            self._wait(len(found.waiting))
        else:
            self._write(path)

    def _wait(self, count: int) -> None:
        self._waiting = count
        text = f"{count_text(count, 'entry is', 'entries are')} {self._services.accounts.words.being_sent}."
        self.work_page.show_progress(_WAITING, text, 0, count)
        self.send_wanted.emit()

    def sending_ended(self, waiting: int) -> None:
        """Handle the end of sending with `waiting` items left. If none is left, write the file."""
        if self._waiting and waiting:
            self._waiting = max(self._waiting, waiting)
            text = f"{count_text(waiting, 'entry', 'entries')} to go."
            self.work_page.show_progress(_WAITING, text, self._waiting - waiting, self._waiting)
        elif self._waiting and self._path is not None:
            self._waiting = 0
            self._write(self._path)

    def _write(self, path: Path) -> None:
        wanted, report, stopped = self.wanted(), self._relay.report, self._stop.is_set
        self._total = self._preflight.count if self._preflight else 0
        self.work_page.show_progress(_WRITING, "Starting…", 0, self._total)
        exports, folders = self._services.exports, self._services.folders

        def work() -> "ExportResult":
            result = exports.write_csv(wanted, path, report, stopped)
            folders.note_saved(path.parent)
            return result

        self._tasks.run(
            work,
            self._written,
            self._write_failed,
            owner=self,
            topic="write",
        )

    def _progressed(self, rows: object) -> None:
        if isinstance(rows, int) and not self._stop.is_set():
            self._total = max(self._total, rows)  # what waited has been sent meanwhile
            text = f"{count_text(rows, 'entry', 'entries')} of {group_digits(str(self._total))} written."
            if rows == self._total:
                text = "Checking the totals…"
            self.work_page.show_progress(_WRITING, text, rows, self._total)

    def _written(self, result: "ExportResult") -> None:
        self.result_page.show_result(result.rows, result.totals, str(result.path), result.left_out)
        self._stack.setCurrentWidget(self.result_page)
        self.result_page.show_button.setFocus()

    def _write_failed(self, error: AppError) -> None:
        self._stack.setCurrentWidget(self.setup_page)
        if isinstance(error, CancelledError):
            self.setup_page.banner.say("Cancelled. No file was written.", "warn")
        else:
            self.setup_page.banner.say(error.message, "danger")

    def cancel(self) -> None:
        """Stop waiting or writing. The service deletes the partial file."""
        if self._waiting:
            self._waiting = 0
            self._stack.setCurrentWidget(self.setup_page)
            return
        self._stop.set()
        self.work_page.show_progress(_WRITING, "Stopping…")

    def reject(self) -> None:
        """Close the dialog; or, during an export, only cancel the export."""
        if self._stack.currentWidget() is self.work_page:
            self.cancel()
        else:
            super().reject()

    def _show_folder(self) -> None:
        if self._path is not None:
            self._desktop.open_path(self._path.parent)
