"""The last entries below the form: what is in them, and Edit and Undo by mouse and by keyboard."""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, EntryDraft, EntryState, ListedEntry
from app.errors import OfflineError
from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from app.ui.models.recent_model import EDIT, UNDO
from app.ui.tasks import Tasks
from app.ui.views.entry_view import EntryView
from app.ui.window_geometry import LEAST_SIZE
from tests.app.ui.conftest import Clock, Person, make_photo
from tests.support.fake_services import TODAY, FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier
PLAIN = Qt.KeyboardModifier.NoModifier
SIZES = (QSize(900, 600), QSize(1180, 760), QSize(1366, 768), QSize(2560, 1440))
LEFT = Qt.MouseButton.LeftButton


def press(window: MainWindow, *keys: Qt.Key | str, modifier: Qt.KeyboardModifier = PLAIN) -> None:
    """Press keys, or type texts, as they come from the platform."""
    handle = window.windowHandle()
    assert handle is not None
    for key in keys:
        for each in key if isinstance(key, str) else (key,):
            QTest.keyClick(handle, each, modifier)


def cell(window: MainWindow, row: int, column: int) -> QPoint:
    table = window.recent.table
    return table.visualRect(window.recent.model.index(row, column)).center()


def click(window: MainWindow, row: int, column: int) -> None:
    QTest.mouseClick(window.recent.table.viewport(), LEFT, PLAIN, cell(window, row, column))


def rows(window: MainWindow) -> list[ListedEntry]:
    model = window.recent.model
    found = [model.entry_at(row) for row in range(model.rowCount())]
    return [entry for entry in found if entry is not None]


def texts(window: MainWindow) -> list[str]:
    return [entry.description for entry in rows(window)]


def save(qtbot: QtBot, window: MainWindow, amount: str, description: str) -> None:
    """Type an entry and save it, with keys alone."""
    press(window, amount, *[Qt.Key.Key_Tab] * 2, "Travel", Qt.Key.Key_Tab, description)
    with qtbot.waitSignal(window.entry.saved):
        press(window, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(lambda: description in texts(window) and window.entry.form.amount.hasFocus())


@pytest.fixture
def shop(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> MainWindow:
    """The open book at rest, with the focus in the amount and the last entries shown."""
    book.activateWindow()
    qtbot.waitUntil(lambda: book.recent.model.rowCount() == 10 and not tasks.busy)
    qtbot.waitUntil(book.entry.form.amount.hasFocus)
    return book


@pytest.fixture
def two(qtbot: QtBot, shop: MainWindow, tasks: Tasks) -> MainWindow:
    """The same after two more entries."""
    save(qtbot, shop, "85", "Auto to the bank")
    save(qtbot, shop, "310", "Tea for the guests")
    qtbot.waitUntil(lambda: not tasks.busy and not shop.sync.waiting)
    return shop


def enter_list(window: MainWindow) -> None:
    """Press Tab until the list has the focus."""
    for _ in range(20):
        if window.recent.table.hasFocus():
            return
        press(window, Qt.Key.Key_Tab)
    raise AssertionError("Tab does not lead to the list")


# --- what is shown ----------------------------------------------------------------------------------


def test_a_saved_entry_is_the_first_of_ten(qtbot: QtBot, two: MainWindow) -> None:
    assert texts(two)[:3] == ["Tea for the guests", "Auto to the bank", "Taxi to client site"]
    assert len(rows(two)) == 10
    qtbot.waitUntil(lambda: rows(two)[0].state is EntryState.CONFIRMED)


def test_nothing_is_read_before_the_form_is_used_or_the_start_is_over(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: None
) -> None:
    window.recent._start.setInterval(3_600_000)
    window.start()
    qtbot.waitUntil(lambda: window.listing.model.rowCount() > 0)
    assert rows(window) == []
    window.activateWindow()
    qtbot.waitUntil(window.entry.form.amount.hasFocus)
    press(window, "1")
    qtbot.waitUntil(lambda: len(rows(window)) == 10)


def test_a_restart_shows_the_same_entries(
    qtbot: QtBot, two: MainWindow, tasks: Tasks, person: Person, clock: Clock, fake: FakeServices
) -> None:
    before = texts(two)
    two.sync.stop()
    again = MainWindow(fake.services(), tasks, two._theme, person.desktop(), clock=lambda: clock.now)
    qtbot.addWidget(again)
    again.show()
    again.start()
    qtbot.waitUntil(lambda: texts(again) == before)
    again.sync.stop()


def test_an_empty_book_says_what_will_be_here(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: None, tasks: Tasks
) -> None:
    fake.book.entries.clear()
    window.start()
    note = window.findChild(QLabel, "recent_note")
    assert note is not None
    qtbot.waitUntil(lambda: "appear here" in note.text())
    window.activateWindow()
    save(qtbot, window, "85", "Auto to the bank")
    qtbot.waitUntil(lambda: note.text() == "" and not tasks.busy)


def test_entries_of_another_computer_are_not_shown(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: None
) -> None:
    others = {entry.human_code for entry in fake.book.entries[:4]}
    fake.book.entries[:4] = [
        replace(entry, human_code=f"9ZZ{entry.human_code[3:]}") for entry in fake.book.entries[:4]
    ]
    window.start()
    qtbot.waitUntil(lambda: len(rows(window)) == 10)
    assert not others & {entry.human_code for entry in rows(window)}
    assert all(entry.human_code.startswith("0K7-") for entry in rows(window))


def test_a_change_made_elsewhere_is_shown(qtbot: QtBot, two: MainWindow, tasks: Tasks) -> None:
    press(two, Qt.Key.Key_F, modifier=CTRL)
    qtbot.waitUntil(lambda: two.listing.selected() is not None and not tasks.busy)
    two.listing.table.selectRow(two.listing.model.row_of(rows(two)[0].id))
    two.listing.table.setFocus()
    press(two, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: two.book.toast.can_undo)
    press(two, Qt.Key.Key_N, modifier=CTRL)
    qtbot.waitUntil(lambda: "Tea for the guests" not in texts(two))
    press(two, Qt.Key.Key_Z, modifier=CTRL)
    qtbot.waitUntil(lambda: texts(two)[0] == "Tea for the guests")


def test_a_screen_reader_hears_the_whole_row(two: MainWindow) -> None:
    role = Qt.ItemDataRole.AccessibleTextRole
    model, code = two.recent.model, rows(two)[0].human_code
    sentence = model.index(0, Column.DATE).data(role)
    assert "Tea for the guests, Travel, Debit ₹310.00" in sentence
    assert sentence.endswith("Saved")
    assert model.index(0, EDIT).data(role) == f"Edit {code}"
    assert model.index(0, UNDO).data(role) == f"Undo {code}"


# --- edit ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["click", "double click", "keys"])
def test_edit_opens_the_entry_and_comes_back(qtbot: QtBot, two: MainWindow, by: str) -> None:
    if by == "click":
        click(two, 1, EDIT)
    elif by == "double click":
        QTest.mouseDClick(two.recent.table.viewport(), LEFT, PLAIN, cell(two, 1, Column.DESCRIPTION))
    else:
        enter_list(two)
        press(two, Qt.Key.Key_Down, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: two.screens.currentWidget() is two.edit)
    assert two.edit.form.description.text() == "Auto to the bank"
    qtbot.waitUntil(two.edit.form.amount.hasFocus)
    press(two, Qt.Key.Key_A, modifier=CTRL)
    press(two, "95")
    press(two, Qt.Key.Key_S, modifier=CTRL)
    qtbot.waitUntil(lambda: two.screens.currentWidget() is two.entry)
    qtbot.waitUntil(lambda: rows(two)[1].amount == Decimal(95))


def test_cancelling_an_edit_comes_back_to_the_form_as_it_was(qtbot: QtBot, two: MainWindow) -> None:
    press(two, "77")
    click(two, 0, EDIT)
    qtbot.waitUntil(lambda: two.screens.currentWidget() is two.edit)
    press(two, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: two.screens.currentWidget() is two.entry)
    assert two.entry.form.amount.text() == "77.00"


# --- undo ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("by", "row"), [("click", 0), ("keys", 1), ("click", 2)])
def test_undo_crosses_out_and_gives_text_and_bills_back(
    qtbot: QtBot, two: MainWindow, fake: FakeServices, by: str, row: int
) -> None:
    wanted = rows(two)[row]
    if by == "click":
        click(two, row, UNDO)
    else:
        enter_list(two)
        press(two, *[Qt.Key.Key_Down] * row, Qt.Key.Key_Delete)
    form = two.entry.form
    qtbot.waitUntil(lambda: form.description.text() == wanted.description)
    assert form.category.text() == wanted.category
    assert len(two.entry.documents.tiles()) == wanted.document_count
    assert fake.entries.detail(wanted.id).entry.voided
    qtbot.waitUntil(lambda: wanted.description not in texts(two))
    assert len(rows(two)) == 10
    assert "and back in the form" in two.book.toast.text()


def test_undo_of_the_undo_restores_the_entry_and_empties_the_form(qtbot: QtBot, two: MainWindow) -> None:
    click(two, 1, UNDO)
    qtbot.waitUntil(lambda: "Auto to the bank" not in texts(two) and two.book.toast.can_undo)
    two.book.toast.undo_button.click()
    qtbot.waitUntil(lambda: texts(two)[1] == "Auto to the bank")
    qtbot.waitUntil(lambda: not two.entry.dirty)


def test_undo_of_the_undo_leaves_what_was_changed_in_the_form(qtbot: QtBot, two: MainWindow) -> None:
    click(two, 1, UNDO)
    qtbot.waitUntil(
        lambda: two.entry.form.description.text() == "Auto to the bank" and two.book.toast.can_undo
    )
    qtbot.waitUntil(two.entry.form.amount.hasFocus)
    press(two, Qt.Key.Key_End, "1")
    changed = two.entry.form.amount.text()
    two.book.toast.undo_button.click()
    qtbot.waitUntil(lambda: "Auto to the bank" in texts(two))
    assert two.entry.form.amount.text() == changed


def test_undo_leaves_an_entry_that_is_being_written(qtbot: QtBot, two: MainWindow) -> None:
    press(two, "77")
    click(two, 0, UNDO)
    qtbot.waitUntil(lambda: "Your new entry stays" in two.book.toast.text())
    assert two.entry.form.amount.text() == "77"
    assert two.entry.form.description.text() == ""


def test_a_double_click_on_undo_takes_back_one_entry(
    qtbot: QtBot, two: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    count = len([entry for entry in fake.book.entries if not entry.voided])
    point = cell(two, 0, UNDO)
    QTest.mouseDClick(two.recent.table.viewport(), LEFT, PLAIN, point)  # only its second half
    click(two, 0, UNDO)
    click(two, 0, UNDO)
    qtbot.waitUntil(lambda: "Tea for the guests" not in texts(two))
    qtbot.waitUntil(lambda: not tasks.busy and not two.sync.waiting)
    assert len([entry for entry in fake.book.entries if not entry.voided]) == count - 1


def test_an_undo_that_cannot_read_the_entry_says_so_and_changes_nothing(
    qtbot: QtBot, two: MainWindow, fake: FakeServices
) -> None:
    fake.book.errors["detail"] = OfflineError("The server cannot be reached right now.")
    click(two, 2, UNDO)
    qtbot.waitUntil(lambda: "cannot be reached" in two.book.banner.text())
    assert not two.entry.dirty
    assert texts(two)[2] == "Taxi to client site"
    fake.book.errors.pop("detail")
    click(two, 2, UNDO)
    qtbot.waitUntil(lambda: two.entry.form.description.text() == "Taxi to client site")


# --- keys -----------------------------------------------------------------------------------------------


def test_arrows_home_and_end_go_from_row_to_row_and_tab_leaves(two: MainWindow) -> None:
    enter_list(two)
    table = two.recent.table
    assert table.selected_row() == 0
    press(two, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Up)
    assert table.selected_row() == 1
    press(two, Qt.Key.Key_End, Qt.Key.Key_Down)
    assert table.selected_row() == 9
    press(two, Qt.Key.Key_Home, Qt.Key.Key_Up)
    assert table.selected_row() == 0
    press(two, Qt.Key.Key_Tab)
    assert not table.hasFocus()
    assert not table.selectionModel().hasSelection()


def test_the_focus_stays_at_an_entry_that_a_newer_one_moved_down(
    qtbot: QtBot, two: MainWindow, fake: FakeServices
) -> None:
    enter_list(two)
    press(two, Qt.Key.Key_Down)
    milk = EntryDraft(TODAY, Decimal(30), Direction.DEBIT, "Food", "Milk")
    fake.entries.save(milk)
    two.recent.refresh()
    qtbot.waitUntil(lambda: texts(two)[0] == "Milk")
    assert two.recent.table.selected_row() == 2


# --- room -------------------------------------------------------------------------------------------------


def test_the_form_keeps_its_room_and_nothing_is_stretched(
    qtbot: QtBot, shop: MainWindow, tmp_path: Path
) -> None:
    for size in (LEAST_SIZE, *SIZES):
        shop.resize(size)
        qtbot.waitUntil(lambda size=size: shop.size() == size)
        QApplication.processEvents()
        _check_room(shop)
    shop.resize(SIZES[0])
    documents = shop.entry.documents
    documents.add_files([make_photo(tmp_path / "bill.png")])
    qtbot.waitUntil(lambda: not documents.attaching)
    _check_room(shop)


def _check_room(shop: MainWindow) -> None:
    view: EntryView = shop.entry
    card, save_button = view.findChild(QWidget, "entry_card"), view.save_button
    assert card is not None
    assert not save_button.visibleRegion().isEmpty()
    assert save_button.visibleRegion().boundingRect() == save_button.rect()
    assert card.width() <= 760
    assert view.documents.width() <= 600
    shown = shop.recent.table.viewport().height() // shop.recent.table.rowHeight(0)
    assert shown >= 2
    assert shop.height() < 1000 or shown == 10
