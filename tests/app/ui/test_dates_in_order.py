"""From later than To: said at the dates, in the filter and in the export, and nothing is done."""

from datetime import date

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryFilter
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.test_keys import error, focus, press

TAB, RETURN = Qt.Key.Key_Tab, Qt.Key.Key_Return
CTRL = Qt.KeyboardModifier.ControlModifier
WRONG = "From is later than To."


@pytest.fixture
def listed(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> MainWindow:
    """The list, with the focus in From."""
    book.activateWindow()
    book.show_listing()
    book.listing.filters.first.setFocus()
    qtbot.waitUntil(lambda: book.listing.filters.first.hasFocus() and not tasks.busy)
    return book


def test_the_filter_says_that_from_is_later_than_to(qtbot: QtBot, listed: MainWindow, tasks: Tasks) -> None:
    shown = listed.findChild(QLabel, "dates_error")
    assert shown is not None
    press(listed, "22 Nov 2026", TAB, "1 Nov 2026", TAB)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert shown.text() == f"{WRONG}\nThe list still shows the dates from before."
    assert shown.isVisible()
    filters = listed.listing.filters
    assert filters.wanted() == EntryFilter(first=date(2026, 11, 22))
    assert listed.listing.model.rowCount() > 0
    assert filters.clear_button.isVisible()
    press(listed, Qt.Key.Key_E, modifier=CTRL)
    assert listed.findChild(ExportDialog) is None
    assert focus() == "to_field"
    press(listed, "30 Nov 2026", TAB)
    assert shown.isHidden()
    assert filters.wanted() == EntryFilter(first=date(2026, 11, 22), last=date(2026, 11, 30))
    qtbot.waitUntil(lambda: not tasks.busy)


def test_the_export_says_that_from_is_later_than_to(qtbot: QtBot, listed: MainWindow, tasks: Tasks) -> None:
    listed.dialogs.show_export(EntryFilter(), listed.sync)
    dialog = listed.findChild(ExportDialog)
    assert dialog is not None
    page = dialog.setup_page
    dialog.activateWindow()
    page.first.setFocus()
    qtbot.waitUntil(lambda: page.first.hasFocus() and page.start_button.isEnabled())
    press(dialog, "22 Nov 2026", TAB, "1 Nov 2026", RETURN)
    assert error(listed, "export_to") == WRONG
    assert page.findings.text() == ""
    assert not page.start_button.isEnabled()
    assert page.isVisible()
    assert focus() == "export_to"
    page.last.selectAll()
    press(dialog, "30 Nov 2026", TAB)
    assert error(listed, "export_to") == ""
    qtbot.waitUntil(page.start_button.isEnabled)
    assert "will be in the file" in page.findings.text()
    qtbot.waitUntil(lambda: not tasks.busy)
