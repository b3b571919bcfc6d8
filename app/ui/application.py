"""The Qt application: one window, one bridge to threads, a clean end."""

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
    """Show the window until it is closed; return the exit status. `mode` is the theme's."""
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

    def say(error: AppError) -> None:
        opening.say(error.message)

    def read() -> None:
        instance.listen()
        tasks.run(lambda: _read_program(make_services), open_window, say, owner=opening)

    opening.painted.connect(read)
    opening.show()
    status = application.exec()
    for window in opened:
        window.sync.stop()
    tasks.shutdown()
    return status


def _read_program(make_services: Callable[[], "Services"]) -> "Services":
    """Open the services and import the windows, off the GUI thread."""
    services = make_services()
    import app.ui.main_window  # noqa: F401 - for those who import it next

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
    """Say that something unexpected happened; what is typed stays where it is."""
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
    """Close the window without a question, on SIGTERM and SIGINT; the draft is kept.

    Python runs its handlers between bytecodes, and Qt's loop runs none: a socket wakes it.
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
        signal.signal(number, lambda *_: None)


def _end(woken: "socket.socket", window: "MainWindow", application: QApplication) -> None:
    woken.recv(64)
    window.end_unasked()
    application.quit()


class _OpenProgram(QObject):
    """Keeps the two sockets as long as the notifier lives."""

    def __init__(self, ours: "socket.socket", theirs: "socket.socket", parent: QObject) -> None:
        super().__init__(parent)
        self.sockets = (ours, theirs)
