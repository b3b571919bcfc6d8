"""The Qt application: shows the opening window, opens the book, and shuts down cleanly."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app import resources
from app.errors import AppError
from app.ui.opening import OpeningWindow
from app.ui.single_instance import SingleInstance
from app.ui.tasks import Tasks
from app.ui.theme import Theme

if TYPE_CHECKING:
    import socket

    from app.services import Services
    from app.ui.main_window import MainWindow


def run_program(home: Path, mode: str, make_services: Callable[[], "Services"], argv: list[str]) -> int:
    """Run the program until its window is closed; return the exit status. `mode` is a `theme.Mode`."""
    application = QApplication(argv)
    application.setApplicationName("Bahi")
    application.setWindowIcon(QIcon(str(resources.ROOT / "icons" / "bahi-256.png")))
    instance = SingleInstance(home, application)
    if not instance.claim():
        return 0
    try:
        return _show(application, instance, Theme(application, mode), make_services)
    finally:
        instance.release()


def _show(
    application: QApplication, instance: SingleInstance, theme: Theme, make_services: Callable[[], "Services"]
) -> int:
    tasks = Tasks(application)
    opening = OpeningWindow()
    opened: list[MainWindow] = []

    def open_window(services: "Services") -> None:
        opened.append(_open_window(application, instance, theme, tasks, services, opening))

    def show_error(error: AppError) -> None:
        opening.show_error(error.message)

    def load() -> None:
        instance.listen()
        tasks.run(lambda: _load_program(make_services), open_window, show_error, owner=opening)

    # Only after the first paint: importing the windows takes longer than showing this one.
    opening.painted.connect(load)
    opening.show()
    status = application.exec()
    for window in opened:
        window.sync.stop()
    tasks.shutdown()
    return status


def _load_program(make_services: Callable[[], "Services"]) -> "Services":
    """Open the services and import the windows, in a thread of the pool."""
    services = make_services()
    import app.ui.main_window  # noqa: F401 - so that `_open_window` imports it at once

    return services


def _open_window(
    application: QApplication,
    instance: SingleInstance,
    theme: Theme,
    tasks: Tasks,
    services: "Services",
    opening: OpeningWindow,
) -> "MainWindow":
    from app.ui.main_window import MainWindow

    window = MainWindow(services, tasks, theme)
    tasks.crashed.connect(lambda error: show_crash(window, error))
    instance.raised.connect(lambda: _raise(window))
    _end_on_signals(application, window)
    window.setGeometry(opening.geometry())
    window.show()
    opening.close()
    window.start()
    return window


def show_crash(window: "MainWindow", error: Exception) -> None:
    """Show a message box with an unexpected exception, and print it. The window stays as it is."""
    import traceback

    text = "".join(traceback.format_exception(error))
    sys.stderr.write(text)
    box = QMessageBox(QMessageBox.Icon.Warning, "Bahi", "Something unexpected went wrong.", parent=window)
    box.setInformativeText("What you saved is safe, and what you typed is still there.")
    box.setDetailedText(text)
    box.open()


def _raise(window: "MainWindow") -> None:
    window.setWindowState(window.windowState() & ~window.windowState().WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def _end_on_signals(application: QApplication, window: "MainWindow") -> None:
    """On SIGTERM and SIGINT, save the draft and close the window without asking.

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
    for number in (signal.SIGTERM, signal.SIGINT):
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
