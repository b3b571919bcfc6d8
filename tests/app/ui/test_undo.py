"""Undo: what was typed first, then the last change of an entry, and a word when there is nothing."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from app.errors import ServerError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Clock
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
NOTHING = "There is nothing to undo."


@pytest.fixture
def offline(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The open book with a server that takes nothing just now, and the focus in the amount."""
    fake.book.errors["send_pending"] = ServerError("The server is busy.", retryable=True)
    book.activateWindow()
    qtbot.waitUntil(lambda: not tasks.busy and book.entry.form.amount.hasFocus())
    return book


def press(window: MainWindow, *keys: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    """Press keys, or type texts, as they come from the platform."""
    handle = window.windowHandle()
    assert handle is not None
    for key in keys:
        for each in key if isinstance(key, str) else (key,):
            QTest.keyClick(handle, each, modifier)


def undo(window: MainWindow) -> None:
    press(window, Qt.Key.Key_Z, modifier=CTRL)


def save(qtbot: QtBot, window: MainWindow, amount: str, description: str) -> None:
    press(window, amount, *[Qt.Key.Key_Tab] * 2, "Travel", Qt.Key.Key_Tab, description)
    with qtbot.waitSignal(window.entry.saved):
        press(window, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(lambda: window.book.toast.can_undo and window.entry.form.amount.hasFocus())


def test_undo_of_a_saved_entry_gives_text_and_bills_back(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    offline.entry.documents.add_files([photo])
    qtbot.waitUntil(lambda: not offline.entry.documents.attaching)
    save(qtbot, offline, "85", "Auto to the bank")
    undo(offline)
    form, documents = offline.entry.form, offline.entry.documents
    qtbot.waitUntil(lambda: form.description.text() == "Auto to the bank")
    assert fake.waiting()[-1].voided
    assert form.amount.text() == "85.00"
    assert form.category.text() == "Travel"
    assert [bill.file_name for bill in documents.attachments()] == [photo.name]
    assert "crossed out, and back in the form" in offline.book.toast.text()
    assert offline.entry.saved_label.text() == ""
    qtbot.waitUntil(lambda: not tasks.busy)
    with qtbot.waitSignal(offline.entry.saved) as told:
        press(offline, Qt.Key.Key_S, modifier=CTRL)
    assert told.args[0].document_count == 1


def test_undo_of_a_saved_entry_leaves_one_that_was_begun_meanwhile(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    save(qtbot, offline, "85", "Auto to the bank")
    press(offline, "7", *[Qt.Key.Key_Tab] * 2)
    undo(offline)
    qtbot.waitUntil(lambda: "Your new entry stays" in offline.book.toast.text())
    assert fake.waiting()[-1].voided
    assert offline.entry.form.amount.text() == "7.00"
    assert offline.entry.form.description.text() == ""


def test_undo_gives_typed_text_back_before_it_touches_an_entry(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    save(qtbot, offline, "85", "Auto to the bank")
    form = offline.entry.form
    press(offline, "1250", Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
    assert form.amount.text() == "1,250.00"
    undo(offline)
    assert form.amount.text() == "1250"
    undo(offline)
    assert form.amount.text() == ""
    press(offline, Qt.Key.Key_Z, modifier=CTRL | Qt.KeyboardModifier.ShiftModifier)
    assert form.amount.text() == "1250", "Redo"
    assert not fake.waiting()[-1].voided


def test_undo_gives_a_typed_date_back(qtbot: QtBot, offline: MainWindow, fake: FakeServices) -> None:
    save(qtbot, offline, "85", "Auto to the bank")
    date = offline.entry.form.date
    press(offline, Qt.Key.Key_Backtab, "5/11", Qt.Key.Key_Tab, Qt.Key.Key_Backtab)
    assert date.text() == "5 Nov 2026"
    undo(offline)
    assert date.text() == "5/11"
    assert not fake.waiting()[-1].voided


def test_undo_gives_the_typed_text_back_after_a_suggestion_was_chosen(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    save(qtbot, offline, "85", "Auto to the bank")
    field = offline.entry.form.description
    press(offline, *[Qt.Key.Key_Tab] * 3, "Taxi")
    qtbot.waitUntil(field.completer().popup().isVisible)
    press(offline, Qt.Key.Key_Down, Qt.Key.Key_Return)
    assert field.text().startswith("Taxi to")
    undo(offline)
    assert field.text() == "Taxi"
    assert not fake.waiting()[-1].voided


def test_undo_says_when_there_is_nothing_to_undo(
    qtbot: QtBot, offline: MainWindow, clock: Clock, fake: FakeServices
) -> None:
    undo(offline)
    assert offline.book.toast.text() == NOTHING
    save(qtbot, offline, "85", "Auto to the bank")
    clock.now += 11
    undo(offline)
    assert offline.book.toast.text() == NOTHING
    assert not fake.waiting()[-1].voided


def test_undo_undoes_a_change_that_is_still_being_made(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    save(qtbot, offline, "85", "Auto to the bank")
    offline.show_listing()
    offline.listing.table.selectRow(4)
    entry = offline.listing.selected()
    assert entry is not None
    gate = threading.Event()
    fake.book.gates["detail"] = lambda: gate.wait(60)
    press(offline, Qt.Key.Key_Delete)
    undo(offline)
    gate.set()
    qtbot.waitUntil(lambda: offline.book.toast.text().startswith(f"Undone: {entry.human_code}"))
    assert [row.voided for row in fake.waiting()] == [False, True, False]


def test_undo_takes_back_each_of_the_changes_that_were_made_in_a_row(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    """A slow hand presses Delete three times: the next row is selected after each."""
    book.show_listing()
    qtbot.waitUntil(lambda: book.listing.model.rowCount() > 3 and not tasks.busy)
    book.listing.table.setFocus()
    before = [book.listing.model.entry_at(row).human_code for row in range(3)]
    for gone in range(3):
        left = book.listing.model.rowCount()
        press(book, Qt.Key.Key_Delete)
        qtbot.waitUntil(lambda left=left: book.listing.model.rowCount() == left - 1 and not tasks.busy)
        assert book.listing.model.entry_at(0).human_code not in before[: gone + 1]
    for back in range(3):
        left = book.listing.model.rowCount()
        undo(book)
        qtbot.waitUntil(lambda left=left: book.listing.model.rowCount() == left + 1 and not tasks.busy)
        assert book.book.toast.undo_button.text() == ("Undo the one before" if back < 2 else "")
    assert [book.listing.model.entry_at(row).human_code for row in range(3)] == before
    undo(book)
    qtbot.waitUntil(lambda: NOTHING in book.book.toast.text())


def test_undo_says_how_to_get_a_crossed_out_entry_back_when_its_time_is_over(
    qtbot: QtBot, offline: MainWindow, clock: Clock, fake: FakeServices, tasks: Tasks
) -> None:
    offline.show_listing()
    qtbot.waitUntil(offline.listing.table.hasFocus)
    press(offline, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: offline.book.toast.can_undo and not tasks.busy)
    clock.now += 11
    undo(offline)
    assert offline.book.toast.text() == ""
    told = offline.book.banner.text()
    assert told.startswith(f"{NOTHING} Crossed-out entries can be restored: choose Crossed out in the filter")
    assert fake.waiting()[-1].voided
    press(offline, Qt.Key.Key_N, modifier=CTRL)
    assert offline.book.banner.text() == ""


def clear_form(window: MainWindow) -> None:
    press(window, Qt.Key.Key_Escape)


def test_undo_gives_a_cleared_form_back_with_its_bills(
    qtbot: QtBot, offline: MainWindow, photo: Path, fake: FakeServices
) -> None:
    offline.entry.documents.add_files([photo])
    qtbot.waitUntil(lambda: not offline.entry.documents.attaching)
    press(offline, "85", *[Qt.Key.Key_Tab] * 2, "Travel", Qt.Key.Key_Tab, "Auto to the bank")
    clear_form(offline)
    assert not offline.entry.dirty
    undo(offline)
    form = offline.entry.form
    assert (form.amount.text(), form.description.text()) == ("85.00", "Auto to the bank")
    assert [bill.file_name for bill in offline.entry.documents.attachments()] == [photo.name]
    assert fake.waiting() == []
    undo(offline)
    assert offline.book.toast.text() == NOTHING


def test_undo_of_clear_leaves_what_was_typed_since(qtbot: QtBot, offline: MainWindow) -> None:
    press(offline, "85", Qt.Key.Key_Tab)
    clear_form(offline)
    qtbot.waitUntil(offline.entry.form.amount.hasFocus)
    press(offline, "7", *[Qt.Key.Key_Tab] * 2)
    undo(offline)
    assert offline.entry.form.amount.text() == "7.00"
    assert "Your new entry stays" in offline.book.toast.text()


def test_after_clear_and_a_save_undo_is_of_the_saved_entry(
    qtbot: QtBot, offline: MainWindow, fake: FakeServices
) -> None:
    press(offline, "85", Qt.Key.Key_Tab)
    clear_form(offline)
    qtbot.waitUntil(offline.entry.form.amount.hasFocus)
    save(qtbot, offline, "310", "Tea for the guests")
    undo(offline)
    qtbot.waitUntil(lambda: offline.entry.form.description.text() == "Tea for the guests")
    assert fake.waiting()[-1].voided
