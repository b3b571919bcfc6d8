"""The Qt application: one window, one bridge to threads, a clean end."""

import signal
import socket
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSocketNotifier
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication, QMessageBox

from app import resources
from app.ui.main_window import THEME_KEY, MainWindow
from app.ui.single_instance import SingleInstance
from app.ui.tasks import Tasks
from app.ui.theme import Theme

if TYPE_CHECKING:
    from app.services import Services


def run_program(home: Path, make_services: Callable[[], "Services"], argv: list[str]) -> int:
    """Show the window until it is closed; return the exit status."""
    application = QApplication(argv)
    application.setApplicationName("Bahi")
    application.setWindowIcon(QIcon(str(resources.ROOT / "icons" / "bahi-256.png")))
    instance = SingleInstance(home, application)
    if not instance.claim():
        return 0
    try:
        return _show(application, instance, make_services())
    finally:
        instance.release()


def _show(application: QApplication, instance: SingleInstance, services: "Services") -> int:
    theme = Theme(application, services.settings.get(THEME_KEY, "system"))
    tasks = Tasks(application)
    window = MainWindow(services, tasks, theme)
    tasks.crashed.connect(lambda error: show_crash(window, error))
    instance.raised.connect(lambda: _raise(window))
    _end_on_signals(application)
    window.show()
    window.start()
    status = application.exec()
    window.sync.stop()
    tasks.shutdown()
    return status


def show_crash(window: MainWindow, error: Exception) -> None:
    """Say that something unexpected happened; what is typed stays where it is."""
    text = "".join(traceback.format_exception(error))
    sys.stderr.write(text)
    box = QMessageBox(QMessageBox.Icon.Warning, "Bahi", "Something unexpected went wrong.", parent=window)
    box.setInformativeText("What you saved is safe, and what you typed is still there.")
    box.setDetailedText(text)
    box.open()


def _raise(window: MainWindow) -> None:
    window.setWindowState(window.windowState() & ~window.windowState().WindowMinimized)
    window.show()
    window.raise_()
    window.activateWindow()


def _end_on_signals(application: QApplication) -> None:
    """Close as if the window was closed, on SIGTERM and SIGINT.

    Python runs its handlers between bytecodes, and Qt's loop runs none: a socket wakes it.
    """
    if sys.platform == "win32":
        return
    ours, theirs = socket.socketpair()
    for end in (ours, theirs):
        end.setblocking(False)
    signal.set_wakeup_fd(theirs.fileno(), warn_on_full_buffer=False)
    notifier = QSocketNotifier(ours.fileno(), QSocketNotifier.Type.Read, application)
    notifier.activated.connect(lambda: (ours.recv(64), application.quit()))
    _Held(ours, theirs, notifier)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)


class _Held(QObject):
    """Keeps the two sockets as long as the notifier lives."""

    def __init__(self, ours: socket.socket, theirs: socket.socket, parent: QObject) -> None:
        super().__init__(parent)
        self.sockets = (ours, theirs)
