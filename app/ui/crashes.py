"""Errors that nobody expected: of the GUI thread, of tasks and of other threads. They are told once.

The draft is kept first. While the dialog is open, further errors are counted in it. An error that is told
already is told again only above the views.
"""

import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

import shiboken6
from PySide6.QtCore import QObject, QSysInfo, Qt, qVersion
from PySide6.QtWidgets import QApplication, QWidget

from app import resources
from app.errors import AppError
from app.ui.tasks import Relay

if TYPE_CHECKING:
    from app.domain.crash_report import ProgramFacts
    from app.ui.desktop import Desktop
    from app.ui.dialogs.crash_dialog import CrashDialog
    from app.ui.main_window import MainWindow
    from app.ui.opening import OpeningWindow

UNEXPECTED: Final = "Something went wrong in Bahi"
_YOURS: Final = "This is an error of the program, and not yours."
_SAFE: Final = "What you saved is safe, and what you are typing is kept."
_NOT_KEPT: Final = "What you saved is safe, but the entry that you are typing could not be kept: "
_NEXT: Final = "You can go on. If it happens again, close Bahi and start it again."
_AGAIN: Final = "The same error has happened again. Nothing is lost. Please close Bahi and start it again."
_NOT_STARTED: Final = f"{UNEXPECTED}, and it could not start. What you saved is safe."
ENDED: Final = "Bahi ended unexpectedly last time."


class CrashReporter(QObject):
    """Tells unexpected errors over the window that is shown: first the opening window, then the main one."""

    def __init__(self, opening: "OpeningWindow", desktop: "Desktop | None" = None) -> None:
        super().__init__(opening)
        self._opening = opening
        self._desktop = desktop
        self._window: MainWindow | None = None
        self._dialog: CrashDialog | None = None
        self._is_keeping = self._is_telling = False
        self._told: set[tuple[str, str, int]] = set()
        self._relay = Relay(self)
        self._relay.reported.connect(self.show, Qt.ConnectionType.QueuedConnection)

    def install(self) -> None:
        """Let Python report here what nobody handles, on any thread."""
        sys.excepthook = ErrorHook(self)
        threading.excepthook = ThreadErrorHook(self)

    def follow(self, window: "MainWindow", unexpected_end: str | None = None) -> None:
        """Show errors over `window` from now on. `unexpected_end` is that of `Services`, told once."""
        self._window = window
        if unexpected_end is None:
            return
        window.login.signed_in.connect(self._tell_last_end, Qt.ConnectionType.SingleShotConnection)
        window.book.ended.pressed.connect(lambda: self.show_last_end(unexpected_end))
        for shown in (window.book.ended.pressed, window.book.ended.closed):
            shown.connect(lambda: window.book.show_ended(""))

    def _tell_last_end(self) -> None:
        assert self._window is not None
        back = "Your draft is back." if self._window.entry.dirty else "What you saved is safe."
        self._window.book.show_ended(f"{ENDED} {back}")

    def report(self, error: BaseException) -> None:
        """Tell `error`. May be called from any thread."""
        self._relay.report(error)

    def show(self, error: BaseException) -> None:
        """Keep the draft, then tell `error`: in a dialog, or if it was told before, above the views."""
        if self._dialog is not None and shiboken6.isValid(self._dialog) and self._dialog.isVisible():
            self._dialog.count()  # and nothing more: there may be thousands
            return
        trouble = self._keep_draft()
        if self._is_telling:  # telling an error is what has failed
            sys.stderr.write(f"bahi: {type(error).__name__}\n")
            return
        self._is_telling = True
        report, origin = _noted(error)
        if origin in self._told and self._window is not None and self._window.signed_in:
            self._window.book.show_error(_AGAIN)
        else:
            self._open(report, trouble)
        self._told.add(origin)
        self._is_telling = False

    def _keep_draft(self) -> str:
        """Save what is being typed. Return why that failed, or ""."""
        if self._window is None or not self._window.signed_in:
            return ""
        if self._is_keeping:  # it is what has failed
            return "this is what went wrong."
        self._is_keeping, trouble = True, ""
        try:
            self._window.exit_guard.keep_draft()
        except AppError as error:
            trouble = error.message
        self._is_keeping = False
        return trouble

    def _open(self, report: str, trouble: str) -> None:
        if self._window is None:
            self._opening.show_error(_NOT_STARTED)
        kept = f"{_NOT_KEPT}{trouble}" if trouble else _SAFE
        self._dialog = self._shown(UNEXPECTED, f"{_YOURS} {kept} {_NEXT}", report, may_close=True)
        self._dialog.close_wanted.connect(self._close_program)

    def _shown(self, title: str, sentence: str, report: str, *, may_close: bool) -> "CrashDialog":
        from app.ui.desktop import Desktop
        from app.ui.dialogs.crash_dialog import CrashDialog
        from app.ui.widgets.scroll_room import bound_to_screen

        above: QWidget = QApplication.activeModalWidget() or self._window or self._opening
        dialog = CrashDialog(title, sentence, report, self._desktop or Desktop(), above, may_close=may_close)
        bound_to_screen(dialog)
        dialog.show()
        return dialog

    def _close_program(self) -> None:
        """End the program without a question: the draft is kept."""
        if self._window is not None:
            self._window.end_unasked()
        else:
            self._opening.close()
        QApplication.quit()

    def show_last_end(self, trace: str) -> None:
        """Show the report about the last time, when the program ended with `trace`."""
        from app.domain.crash_report import end_report

        report = end_report(trace, program_facts())
        sentence = "It was started again since then. What you saved is safe, and your draft is kept."
        self._shown(ENDED, sentence, report, may_close=False)


class ErrorHook:
    """Reports an exception that nobody handles on the GUI thread. It would else be only printed."""

    def __init__(self, reporter: CrashReporter) -> None:
        self._reporter = reporter

    def __call__(self, _kind: type[BaseException], error: BaseException, _trace: object) -> None:
        """Report `error`. Python calls this."""
        self._reporter.report(error)


class ThreadErrorHook:
    """Reports an exception that ends another thread."""

    def __init__(self, reporter: CrashReporter) -> None:
        self._reporter = reporter

    def __call__(self, failed: threading.ExceptHookArgs) -> None:
        """Report the exception. Python calls this."""
        if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
            self._reporter.report(failed.exc_value)


def _noted(error: BaseException) -> tuple[str, tuple[str, str, int]]:
    """Note `error` in the log and on standard error. Return its report, and where it came from."""
    import logging
    import traceback

    from app.domain.crash_report import error_report, origin_of
    from app.log import recent_events

    report = error_report(error, program_facts(), recent_events())
    _log = logging.getLogger(__name__)
    _log.error("unexpected error", exc_info=error)
    # The whole error, with its values, is only for `python -X dev`: standard error may end in a log.
    sys.stderr.write("".join(traceback.format_exception(error)) if sys.flags.dev_mode else report)
    return report, origin_of(error)


def program_facts() -> "ProgramFacts":
    """Return what a report says about this program and this computer."""
    import platform
    from importlib import metadata

    from app.domain.crash_report import ProgramFacts

    system = f"{QSysInfo.prettyProductName()}, {QSysInfo.kernelType()} {QSysInfo.currentCpuArchitecture()}"
    # The folders of the program, of Python's own modules, and of the packages; in the bundle all are one.
    modules = (resources.__file__, os.__file__, str(Path(shiboken6.__file__).parent))
    roots = (str(resources.ROOT.parent), *(str(Path(each).parent) for each in modules))
    return ProgramFacts(metadata.version("bahi"), system, platform.python_version(), qVersion(), roots)
