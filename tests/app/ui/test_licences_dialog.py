"""The licences in the window: opened from About, readable with the keyboard alone."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QPlainTextEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks


@pytest.fixture
def dialog(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> Iterator[QDialog]:
    """Return the dialog of the licences, opened by two clicks, before its text is read."""
    about_button = book.findChild(QAbstractButton, "about_button")
    qtbot.mouseClick(about_button, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(book.findChild(QPushButton, "about_licences"), Qt.MouseButton.LeftButton)
    found = book.findChild(QDialog, "licences_dialog")
    assert found is not None
    qtbot.waitUntil(found.isVisible)
    yield found
    qtbot.waitUntil(lambda: not tasks.busy)


def test_about_names_the_licence_of_bahi_and_opens_all_of_them(
    qtbot: QtBot, book: MainWindow, dialog: QDialog, tasks: Tasks
) -> None:
    licence = book.findChild(QLabel, "about_licence")
    assert licence is not None
    assert licence.text().startswith("MIT")
    shown = dialog.findChild(QPlainTextEdit, "licences_text")
    assert shown is not None
    qtbot.waitUntil(lambda: not tasks.busy)
    text = shown.toPlainText()
    for part in ("PySide6", "FFmpeg", "OpenSSL", "PostgreSQL", "Inter", "GNU LESSER GENERAL PUBLIC LICENSE"):
        assert part in text


def test_the_window_takes_keys_while_the_licences_are_read_and_escape_closes_them_alone(
    qtbot: QtBot, book: MainWindow, dialog: QDialog, tasks: Tasks
) -> None:
    assert tasks.busy
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: book.findChild(QDialog, "licences_dialog") is None)
    about = book.findChild(QDialog, "about_dialog")
    assert about is not None
    assert about.isVisible()


def test_the_text_can_be_read_by_keys_and_not_be_changed(
    qtbot: QtBot, book: MainWindow, dialog: QDialog, tasks: Tasks
) -> None:
    qtbot.waitUntil(lambda: not tasks.busy)
    shown = dialog.findChild(QPlainTextEdit, "licences_text")
    assert shown is not None
    before = shown.toPlainText()
    qtbot.keyClick(dialog.focusWidget(), Qt.Key.Key_Backtab)
    assert dialog.focusWidget() is shown
    qtbot.keyClick(shown, Qt.Key.Key_PageDown)
    assert shown.verticalScrollBar().value() > 0
    qtbot.keyClicks(shown, "abc")
    assert shown.toPlainText() == before
    qtbot.keyClick(shown, Qt.Key.Key_Tab)
    assert dialog.focusWidget().objectName() == "licences_close"
