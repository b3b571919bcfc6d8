"""What can go wrong before a window is shown: no display, no data folder, another program that hangs.

Each is told in a window if there can be one, and on standard error.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from PySide6.QtCore import QMessageLogContext, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox

from app.errors import storage_error
from app.ui.opening import OpeningWindow
from app.ui.single_instance import SingleInstance
from app.ui.window_geometry import restore_geometry

NO_DISPLAY: Final = (
    "Bahi cannot open a window, because there is no display, or a system library of the display is missing. "
    "Please start it on the desktop. After an installation from the source, `make setup` installs the "
    "libraries."
)
SILENT: Final = "Bahi is already open, but it does not answer."
_SILENT_MORE: Final = (
    "It may be busy for a moment: wait, and try again. If you end it, what you saved stays safe, but "
    "what you typed in the last seconds may be lost."
)


@contextmanager
def display_errors_told() -> Iterator[None]:
    """End the process with a sentence and status 1 if Qt ends it because it cannot reach a display."""

    def told(kind: QtMsgType, _context: QMessageLogContext, message: str) -> None:
        sys.stderr.write(message + "\n")
        if kind is QtMsgType.QtFatalMsg:  # Qt would now abort the process
            tell(NO_DISPLAY)
            sys.stderr.flush()
            os._exit(1)

    qInstallMessageHandler(told)
    try:
        yield
    finally:
        qInstallMessageHandler(None)


def tell(sentence: str) -> None:
    """Write `sentence` to standard error."""
    sys.stderr.write(f"bahi: {sentence}\n")


def claim_folder(application: QApplication, home: Path, stored_geometry: str) -> SingleInstance | None:
    """Return what claims the data folder `home`; None if the folder cannot be used and the user gave up."""
    while True:
        try:
            return SingleInstance(home, application)
        except OSError as error:
            sentence = storage_error(error, home).message
        tell(sentence)
        if not _shown_and_tried_again(application, sentence, stored_geometry):
            return None


def _shown_and_tried_again(application: QApplication, sentence: str, stored_geometry: str) -> bool:
    """Show `sentence` until the window is closed. Return whether the user wants to try again."""
    window = OpeningWindow()
    restore_geometry(window, stored_geometry)
    window.again_wanted.connect(application.quit)
    window.show_error(sentence, retryable=True)
    window.show()
    application.exec()
    again = not window.failed
    window.close()
    return again


def ask_about_silent(instance: SingleInstance) -> bool:
    """Ask what to do about the program that has the data folder and does not answer.

    Return whether to claim the folder again; the program may have been ended for it.
    """
    tell(SILENT)
    box = QMessageBox(QMessageBox.Icon.Warning, "Bahi", SILENT)
    box.setObjectName("silent_program")
    box.setInformativeText(_SILENT_MORE)
    wait = box.addButton("Try again", QMessageBox.ButtonRole.AcceptRole)
    end = box.addButton("End it and start", QMessageBox.ButtonRole.DestructiveRole)
    leave = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(wait)
    box.setEscapeButton(leave)
    box.exec()
    if box.clickedButton() is not end:
        return box.clickedButton() is wait
    if not instance.end_other():
        tell("The other program could not be ended.")
    return True
