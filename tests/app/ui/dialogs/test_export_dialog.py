"""The export: findings, the choice about what waits, cancelling, and the totals at the end."""

import threading
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, EntryFilter, EntryState
from app.errors import StoreError
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.dialogs.filter_text import file_name, filter_text
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.date_field import DateField
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices
from tests.support.heartbeat import WindowHeartbeat


@pytest.fixture
def target(person: Person, tmp_path: Path) -> Path:
    person.save_path = tmp_path / "book.csv"
    return person.save_path


def open_dialog(qtbot: QtBot, book: MainWindow) -> ExportDialog:
    book.dialogs.show_export(book.listing.filters.wanted(), book.sync)
    dialog = book.findChild(ExportDialog, "export_dialog")
    assert dialog is not None
    qtbot.waitUntil(dialog.setup_page.start_button.isEnabled)
    return dialog


def put_waiting(fake: FakeServices, **changes: Any) -> None:
    fake.wait(replace(fake.book.entries[0], id="w", human_code="0K7-000777", **changes))


def test_the_findings_are_shown_before_anything_is_written(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    dialog = open_dialog(qtbot, book)
    assert "120 entries will be in the file." in dialog.setup_page.findings.text()
    assert "no bill" in dialog.setup_page.findings.text()
    assert not dialog.setup_page.waiting_box.isVisible()
    assert not target.exists()


def test_an_export_ends_with_its_rows_and_totals(
    qtbot: QtBot, book: MainWindow, target: Path, person: Person
) -> None:
    dialog = open_dialog(qtbot, book)
    qtbot.mouseClick(dialog.setup_page.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert dialog.result_page.rows.text() == "120 entries written."
    assert dialog.result_page.values["out"].text().startswith("₹")
    assert target.exists()
    qtbot.mouseClick(dialog.result_page.show_button, Qt.MouseButton.LeftButton)
    assert person.opened == [target.parent]


def test_after_a_change_of_dates_the_findings_are_loaded_again(qtbot: QtBot, book: MainWindow) -> None:
    dialog = open_dialog(qtbot, book)
    dialog.setup_page.first.set_value(date(2026, 11, 22))
    qtbot.waitUntil(lambda: "1 entry will be" in dialog.setup_page.findings.text())


@pytest.mark.parametrize("name", ["export_from", "export_to"])
@pytest.mark.parametrize("leave", [Qt.Key.Key_Tab, Qt.Key.Key_Return])
def test_nothing_is_exported_while_a_date_is_invalid(
    qtbot: QtBot, book: MainWindow, target: Path, tasks: Tasks, name: str, leave: Qt.Key
) -> None:
    dialog = open_dialog(qtbot, book)
    page = dialog.setup_page
    field = page.first if name == "export_from" else page.last
    type_date(qtbot, field, "31/2/2026", leave)
    assert page.findings.text() == ""
    assert not page.start_button.isEnabled()
    qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert page.isVisible()
    assert not target.exists()
    type_date(qtbot, field, "", leave)
    qtbot.waitUntil(page.start_button.isEnabled)
    assert "120 entries will be in the file." in page.findings.text()


def test_findings_that_arrive_after_an_invalid_date_are_not_shown(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    dialog = open_dialog(qtbot, book)
    page, gate = dialog.setup_page, threading.Event()
    fake.book.gates["totals"] = lambda: gate.wait(30)
    type_date(qtbot, page.last, "22/11/2026", Qt.Key.Key_Tab)
    type_date(qtbot, page.first, "31/2/2026", Qt.Key.Key_Tab)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert page.findings.text() == ""
    assert not page.start_button.isEnabled()


def test_an_invalid_date_that_is_still_being_typed_gets_its_error_at_export(
    qtbot: QtBot, book: MainWindow, target: Path
) -> None:
    dialog = open_dialog(qtbot, book)
    page = dialog.setup_page
    page.first.setFocus()
    qtbot.keyClicks(page.first, "31/2/2026")
    qtbot.mouseClick(
        page.start_button, Qt.MouseButton.LeftButton
    )  # some systems leave the focus in the field
    assert "does not have a day 31" in page.first_field.error.text()
    assert page.first.hasFocus()
    assert page.isVisible()
    assert not target.exists()


def type_date(qtbot: QtBot, field: DateField, text: str, leave: Qt.Key) -> None:
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, leave)


def test_cancelling_the_file_dialog_changes_nothing(qtbot: QtBot, book: MainWindow) -> None:
    dialog = open_dialog(qtbot, book)
    dialog.begin()
    assert dialog.setup_page.isVisible()


def test_the_export_can_wait_until_everything_is_sent(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    put_waiting(fake)
    dialog = open_dialog(qtbot, book)
    assert "0K7-000777" in dialog.setup_page.waiting_text.text()
    dialog.begin()
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert "0K7-000777" in target.read_text()
    assert dialog.result_page.left_out.text() == ""


def test_the_export_can_leave_out_unsent_entries_and_names_them(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    put_waiting(fake)
    dialog = open_dialog(qtbot, book)
    dialog.setup_page.go_on_choice.setChecked(True)
    dialog.begin()
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert "0K7-000777" in dialog.result_page.left_out.text()
    assert "0K7-000777" not in target.read_text()


def test_the_export_does_not_wait_for_refused_entries(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    put_waiting(fake, state=EntryState.REFUSED, note="Not like this.")
    dialog = open_dialog(qtbot, book)
    dialog.begin()
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert "0K7-000777" in dialog.result_page.left_out.text()


def test_waiting_can_be_cancelled(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path, tasks: Tasks
) -> None:
    put_waiting(fake)
    dialog = open_dialog(qtbot, book)
    gate = threading.Event()
    fake.book.gates["send_pending"] = lambda: gate.wait(60)
    dialog.begin()
    dialog.cancel()
    gate.set()
    assert dialog.setup_page.isVisible()
    with qtbot.waitSignal(book.sync.run_ended):
        book.sync.send_now()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert not target.exists()


def test_a_cancelled_export_leaves_no_file(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    dialog = open_dialog(qtbot, book)
    gate = threading.Event()
    fake.book.gates["write_csv"] = lambda: gate.wait(60)
    dialog.begin()
    qtbot.mouseClick(dialog.work_page.cancel_button, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(lambda: "Cancelled" in dialog.setup_page.banner.text())
    assert not target.exists()


def test_a_full_disk_is_reported(qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path) -> None:
    fake.book.errors["write_csv"] = StoreError("The disk is full.")
    dialog = open_dialog(qtbot, book)
    dialog.begin()
    qtbot.waitUntil(lambda: dialog.setup_page.banner.text() == "The disk is full.")


ENTER = Qt.Key.Key_Return


@pytest.mark.parametrize("field", ["export_from", "export_to", "export_wait", "export_go_on"])
def test_enter_starts_the_export_from_any_field(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path, field: str
) -> None:
    put_waiting(fake)
    dialog = open_dialog(qtbot, book)
    focused = dialog.findChild(QWidget, field)
    assert isinstance(focused, QWidget)
    focused.setFocus()
    qtbot.keyClick(focused, ENTER)
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert target.exists()


def test_enter_after_a_new_date_exports_what_the_date_leaves(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    dialog = open_dialog(qtbot, book)
    gate = threading.Event()
    fake.book.gates["totals"] = lambda: gate.wait(30)
    type_date(qtbot, dialog.setup_page.first, "22/11/2026", ENTER)
    assert not target.exists()
    gate.set()
    qtbot.waitUntil(dialog.result_page.isVisible)
    assert dialog.result_page.rows.text() == "1 entry written."


def test_enter_presses_the_button_that_has_the_focus(qtbot: QtBot, book: MainWindow, target: Path) -> None:
    dialog = open_dialog(qtbot, book)
    dialog.setup_page.cancel_button.setFocus()
    qtbot.keyClick(dialog.setup_page.cancel_button, ENTER)
    qtbot.waitUntil(lambda: book.findChild(ExportDialog, "export_dialog") is None)
    assert not target.exists()


def test_enter_tries_again_after_the_server_was_away(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    fake.book.offline = True
    book.dialogs.show_export(EntryFilter(), book.sync)
    dialog = book.findChild(ExportDialog, "export_dialog")
    assert dialog is not None
    qtbot.waitUntil(dialog.setup_page.banner.isVisible)
    assert "Only the newest entries can be read" in dialog.setup_page.findings.text()
    fake.book.offline = False
    qtbot.keyClick(dialog.setup_page.first, ENTER)
    qtbot.waitUntil(dialog.result_page.isVisible)


def test_the_dialog_says_what_the_file_does_not_hold_and_what_a_spreadsheet_may_change(
    qtbot: QtBot, book: MainWindow
) -> None:
    page = open_dialog(qtbot, book).setup_page
    shown = " ".join(found.text() for found in page.findChildren(QLabel) if found.isVisible())
    assert shown.count("The bills themselves are not in this file.") == 1
    assert shown.count("00012345, 3/4 or 1E5") == 1


def test_the_progress_of_an_export_has_a_length_and_holds_no_window(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path
) -> None:
    rows = [replace(fake.book.entries[0], id=f"x{n:06}", human_code=f"0K9-{n:06}") for n in range(3_000)]
    fake.book.entries.extend(rows)
    dialog = open_dialog(qtbot, book)
    seen: list[tuple[int, int]] = []
    dialog.work_page.bar.valueChanged.connect(
        lambda done: seen.append((done, dialog.work_page.bar.maximum()))
    )
    with WindowHeartbeat() as heartbeat:
        qtbot.keyClick(dialog.setup_page.first, ENTER)
        qtbot.waitUntil(dialog.result_page.isVisible)
    assert dialog.result_page.rows.text() == "3,120 entries written."
    assert {total for _done, total in seen} == {3_120}
    assert seen[-1][0] == 3_120
    assert heartbeat.most_work < 0.1


@pytest.mark.parametrize(
    ("wanted", "words", "name"),
    [
        (EntryFilter(), "All entries", "Bahi all entries.csv"),
        (
            EntryFilter(text="taxi", direction=Direction.DEBIT, first=date(2026, 4, 1)),
            "Debit only · with “taxi”",
            "Bahi 2026-04-01 to today.csv",
        ),
    ],
)
def test_a_filter_is_described_in_words(wanted: EntryFilter, words: str, name: str) -> None:
    assert filter_text(wanted) == words
    assert file_name(wanted) == name


@pytest.mark.parametrize("message", ["a date", "the disk"])
def test_the_dialog_grows_for_a_sentence(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, target: Path, message: str
) -> None:
    dialog = open_dialog(qtbot, book)
    page = dialog.setup_page
    if message == "a date":
        page.first.selectAll()
        qtbot.keyClicks(page.first, "2025-02-29")
        qtbot.keyClick(page.first, Qt.Key.Key_Tab)
        qtbot.waitUntil(page.first_field.error.isVisible)
    else:
        fake.book.errors["write_csv"] = StoreError("The disk is full. Please free some space. " * 4)
        qtbot.mouseClick(page.start_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(page.banner.isVisible)
    shown = [page.first_field.error, page.note, page.findings, page.banner, page.first, page.last]
    qtbot.waitUntil(lambda: all(is_whole(each) for each in shown if each.isVisible()))
    if message == "a date":
        field = page.first_field
        assert field.error.geometry().top() >= page.first.geometry().bottom()
        assert field.height() >= field.error.geometry().bottom()


def is_whole(widget: QWidget) -> bool:
    """Return whether a widget has the height that its text needs."""
    needed = (
        widget.heightForWidth(widget.width())
        if widget.hasHeightForWidth()
        else widget.minimumSizeHint().height()
    )
    return widget.height() >= needed
