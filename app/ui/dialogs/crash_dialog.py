"""Tells an error of the program, and shows the report about it before anybody saves it."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.domain.text import isolated
from app.errors import AppError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.widgets.banner import Banner
from app.ui.widgets.growing_dialog import GrowingDialog
from app.ui.widgets.pieces import button, label

FILE_NAME: Final = "Bahi report.txt"
_ABOUT_REPORT: Final = (
    "The report below helps to mend the error. There are no amounts, texts, names or passwords in it. It is "
    "sent to nobody: save it if you want to give it to the person who helps you with Bahi."
)
_SIZE: Final = (600, 470)
_LEAST_REPORT: Final = 110


class CrashDialog(GrowingDialog):
    """Shows a title, a sentence and a report. `close_wanted` is emitted by *Close Bahi*.

    With `may_close`, the program has just met an error: the buttons are *Go on* and *Close Bahi*. Without it,
    the error is one of the last time, and the button is *Close*.
    Object names: crash_dialog, crash_title, crash_what, crash_count, crash_report, crash_banner(_text),
    crash_go_on, crash_close, crash_save.
    """

    close_wanted = Signal()

    def __init__(
        self, title: str, sentence: str, report: str, desktop: Desktop, parent: QWidget, *, may_close: bool
    ) -> None:
        super().__init__(parent)
        self.setObjectName("crash_dialog")
        self.setWindowTitle("Bahi")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowModality(Qt.WindowModality.ApplicationModal)
        self._desktop = desktop
        self._count = 1
        self._make(title, sentence, report, may_close=may_close)
        self._lay_out()
        self.resize(*_SIZE)
        self.go_on_button.setFocus()

    def _make(self, title: str, sentence: str, report: str, *, may_close: bool) -> None:
        self._title = label(title, "title", "crash_title", wrap=True)
        self._what = label(sentence, "", "crash_what", wrap=True)
        self._counted = label("", "muted", "crash_count", wrap=True)
        self._counted.hide()
        self.report = QPlainTextEdit(report)
        self.report.setObjectName("crash_report")
        self.report.setAccessibleName("The report")
        self.report.setReadOnly(True)
        self.report.setTabChangesFocus(True)
        self.report.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.report.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.report.setMinimumHeight(_LEAST_REPORT)
        self.banner = Banner("crash_banner")
        self.save_button = button("Save report…", "crash_save", icon="download")
        self.save_button.clicked.connect(self._save)
        self.close_button = button("Close Bahi", "crash_close")
        self.close_button.clicked.connect(self.close_wanted)
        self.close_button.setVisible(may_close)
        self.go_on_button = button("Go on" if may_close else "Close", "crash_go_on", "primary")
        self.go_on_button.setDefault(True)
        self.go_on_button.clicked.connect(self.accept)

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self.save_button)
        foot.addStretch(1)
        foot.addWidget(self.close_button)
        foot.addWidget(self.go_on_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        for each in (self._title, self._what, self._counted, label(_ABOUT_REPORT, "muted", wrap=True)):
            column.addWidget(each)
        column.addWidget(self.report, 1)
        column.addWidget(self.banner)
        column.addLayout(foot)

    def count(self) -> None:
        """Count one error more, which this dialog stands for too."""
        self._count += 1
        more = count_text(self._count - 1, "more error has", "more errors have")
        self._counted.setText(f"{more} happened since.")
        self._counted.show()

    def _save(self) -> None:
        from app.services.crash_reports import save_report

        path = self._desktop.choose_save_path(self, FILE_NAME)
        if path is None:
            return
        try:
            save_report(self.report.toPlainText(), path)  # here: the threads may be what has failed
        except AppError as error:
            self.banner.say(error.message, "danger")
            return
        self.banner.say(f"Saved as {isolated(str(path))}", "good")
