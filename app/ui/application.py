"""The Qt application: shows the opening window, opens the book, and shuts down cleanly."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMainWindow

from app import resources
from app.errors import NEWER_BOOK, AppError
from app.ui.crashes import CrashReporter
from app.ui.first_paint import FirstPaint
from app.ui.opening import OpeningWindow
from app.ui.single_instance import SingleInstance
from app.ui.starting import ask_about_silent, claim_folder, display_errors_told, tell
from app.ui.tasks import Tasks
from app.ui.theme import THEME_KEY, Theme
from app.ui.window_geometry import GEOMETRY_KEY, copy_geometry, restore_geometry

if TYPE_CHECKING:
    import socket

    from app.services import Services
    from app.ui.desktop import Desktop
    from app.ui.main_window import MainWindow

DESKTOP_FILE: Final = "org.bahi.Bahi"
"""The name of the menu entry, without `.desktop`: the desktop finds the icon of a window by it."""


def run_program(
    home: Path,
    kept: Callable[[str], str],
    make_services: Callable[[], "Services"],
    argv: list[str],
    desktop: "Desktop | None" = None,
) -> int:
    """Run the program until its window is closed; return the exit status.

    `kept` returns a setting by its key, before the store is open; "" if it was never set. With a `desktop`,
    for example one with cameras that a test feeds, it is used instead of the system's.
    """
    with display_errors_told():
        application = QApplication(argv)
    application.setApplicationName("Bahi")
    application.setDesktopFileName(DESKTOP_FILE)
    application.setWindowIcon(QIcon(str(resources.ROOT / "icons" / "bahi-256.png")))
    theme = Theme(application, kept(THEME_KEY))
    instance = claim_folder(application, home, kept(GEOMETRY_KEY))
    if instance is None:
        return 1
    while not instance.claim():
        if instance.answered:
            return 0
        if not ask_about_silent(instance):
            return 1
    try:
        return _Program(application, instance, theme, kept(GEOMETRY_KEY), make_services, desktop).run()
    finally:
        instance.release()


class _Program:
    """The program from its first window to its last."""

    def __init__(
        self,
        application: QApplication,
        instance: SingleInstance,
        theme: Theme,
        stored_geometry: str,
        make_services: Callable[[], "Services"],
        desktop: "Desktop | None",
    ) -> None:
        self._desktop = desktop
        self._application = application
        self._instance = instance
        self._theme = theme
        self._make_services = make_services
        self._tasks = Tasks(application)
        self._opening = OpeningWindow()
        self._window: MainWindow | None = None
        restore_geometry(self._opening, stored_geometry)
        instance.raised.connect(lambda: _raise(self._window or self._opening))
        self._crashes = CrashReporter(self._opening)
        self._crashes.install()
        self._tasks.crashed.connect(self._crashes.show)

    def run(self) -> int:
        """Show the opening window, then the main window; return the exit status."""
        # Only after the first paint: importing the windows takes longer than showing this one.
        self._opening.painted.connect(self._load)
        self._opening.again_wanted.connect(self._load)
        self._opening.show()
        status = self._application.exec()
        if self._window is not None:
            self._window.sync.stop()
        self._tasks.shutdown()
        return 1 if self._opening.failed else status

    def _load(self) -> None:
        self._instance.listen()
        self._tasks.run(
            lambda: _load_program(self._make_services), self._open_window, self._failed, owner=self._opening
        )

    def _failed(self, error: AppError) -> None:
        if not self._opening.failed:  # `CrashReporter` has said more
            tell(error.message)
            self._opening.show_error(error.message, retryable=error.code != NEWER_BOOK)

    def _open_window(self, services: "Services") -> None:
        from app.ui.main_window import MainWindow

        try:
            window = MainWindow(services, self._tasks, self._theme, self._desktop)
        except AppError as error:
            self._failed(error)
            return
        self._crashes.follow(window, services.unexpected_end)
        _end_on_signals(self._application, window)
        copy_geometry(window, self._opening)
        FirstPaint(window, window.start)
        window.show()
        self._opening.close()
        self._window = window


def _load_program(make_services: Callable[[], "Services"]) -> "Services":
    """Open the services and import the windows, in a thread of the pool."""
    services = make_services()
    import app.ui.main_window  # noqa: F401 - so that `_open_window` imports it at once

    return services


def _raise(window: QMainWindow) -> None:
    window.setWindowState(window.windowState() & ~window.windowState().WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def _end_on_signals(application: QApplication, window: "MainWindow") -> None:
    """On SIGTERM, SIGINT and SIGHUP, save the draft and close the window without asking.

    Python runs signal handlers between bytecodes, and there are none while Qt's event loop waits. So the
    signal writes to a socket that the loop watches.
    """
    if sys.platform == "win32":
        return
    import socket

    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, application)
    notifier.activated.connect(lambda: _end(ours, window, application))
    _OpenProgram(ours, theirs, notifier)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):  # SIGHUP: the session ends
        signal.signal(number, lambda *_: None)  # without a handler Python does not write to the socket


def _end(woken: "socket.socket", window: "MainWindow", application: QApplication) -> None:
    woken.recv(64)
    window.end_unasked()
    application.quit()


class _OpenProgram(QObject):
    """Keeps a reference to the two sockets for as long as the notifier exists."""

    def __init__(self, ours: "socket.socket", theirs: "socket.socket", parent: QObject) -> None:
        super().__init__(parent)
        self.sockets = (ours, theirs)
