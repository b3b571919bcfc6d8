"""An entry that the server did not accept is corrected in place, through the real window."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryState, ListedEntry
from app.domain.outbox_item import OutboxItem
from app.errors import InputError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import BOOK_ID, FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier
REASON = "The date is more than a year ahead."


@pytest.fixture
def refused(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, tmp_path: Path) -> OutboxItem:
    """An entry with a bill, typed in the window, that the server did not accept because of its date."""
    fake.book.offline = True
    book.show_add()
    book.entry.documents.add_files([make_photo(tmp_path / "bill.png")])
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    for name, text in (("amount_field", "640"), ("category_field", "Travel"), ("description_field", "Taxi")):
        qtbot.keyClicks(field(book, name), text)
    qtbot.keyClick(field(book, "description_field"), Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: fake.outbox.count(BOOK_ID) == 1 and not tasks.busy)
    (item,) = fake.outbox.items(BOOK_ID)
    fake.outbox.refuse(item.op_id, REASON, {"entryDate": REASON})
    book.show_outbox()
    qtbot.waitUntil(lambda: len(book.outbox.list.cards()) == 1)
    return item


def field(book: MainWindow, name: str) -> QLineEdit:
    found = book.findChild(QLineEdit, name)
    assert isinstance(found, QLineEdit)
    return found


def press_correct(qtbot: QtBot, book: MainWindow) -> None:
    button = book.outbox.list.cards()[0].findChild(QPushButton, "item_correct")
    assert isinstance(button, QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(book.edit.isVisible)


def test_a_refused_entry_is_corrected_where_the_server_found_the_error_and_is_sent_once(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, refused: OutboxItem
) -> None:
    press_correct(qtbot, book)
    assert book.edit.form.fields["date"].error.text() == REASON
    qtbot.waitUntil(field(book, "edit_date_field").hasFocus)
    assert field(book, "edit_amount_field").text() == "640.00"
    assert [bill.file_name for bill in book.edit.documents.attachments()] == ["bill.png"]
    field(book, "edit_date_field").selectAll()
    qtbot.keyClicks(field(book, "edit_date_field"), "20/11/2026")
    fake.book.offline = False
    qtbot.keyClick(field(book, "edit_date_field"), Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: any(entry.id == refused.entry_id for entry in fake.book.entries))
    (sent,) = [entry for entry in fake.book.entries if entry.human_code == refused.human_code]
    assert (f"{sent.entry_date}", sent.description, sent.document_count) == ("2026-11-20", "Taxi", 1)
    assert fake.book.versions(sent.id)[0].op_id != refused.op_id
    qtbot.waitUntil(lambda: fake.outbox.count(BOOK_ID) == 0)
    assert book.outbox.isVisible()
    assert book.book.toast.text() == f"Corrected {refused.human_code}"
    assert not book.book.toast.can_undo


def test_leaving_a_correction_keeps_the_entry_and_returns_to_where_it_waits(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, refused: OutboxItem, person: Person
) -> None:
    press_correct(qtbot, book)
    qtbot.keyClicks(field(book, "edit_description_field"), " home")
    qtbot.keyClick(field(book, "edit_description_field"), Qt.Key.Key_Escape)
    qtbot.waitUntil(book.outbox.isVisible)
    assert person.questions == ["Discard your changes?"]
    assert [item.op_id for item in fake.outbox.items(BOOK_ID)] == [refused.op_id]


def test_what_was_typed_stays_if_the_entry_was_sent_meanwhile(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, refused: OutboxItem
) -> None:
    press_correct(qtbot, book)
    fake.outbox.retry(refused.op_id)
    qtbot.keyClicks(field(book, "edit_description_field"), " home")
    qtbot.keyClick(field(book, "edit_description_field"), Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: "can no longer be corrected here" in book.edit.banner.text())
    assert field(book, "edit_description_field").text() == "Taxi home"
    assert [item.op_id for item in fake.outbox.items(BOOK_ID)] == [refused.op_id]


@pytest.mark.parametrize(
    ("change", "offered"),
    [
        (lambda row: replace(row, category="Meals"), True),
        (lambda row: replace(row, voided=True), False),
    ],
)
def test_an_edit_that_was_refused_is_corrected_likewise_and_a_voiding_has_nothing_to_correct(
    qtbot: QtBot,
    book: MainWindow,
    fake: FakeServices,
    tasks: Tasks,
    change: Callable[[ListedEntry], ListedEntry],
    offered: bool,
) -> None:
    fake.book.offline = True
    row = change(fake.book.entries[4])
    fake.wait(replace(row, state=EntryState.REFUSED, note="No such category."))
    book.show_outbox()
    qtbot.waitUntil(lambda: len(book.outbox.list.cards()) == 1)
    found = book.outbox.list.cards()[0].findChild(QPushButton, "item_correct")
    assert (found is not None) is offered
    if offered:
        press_correct(qtbot, book)
        assert book.edit.banner.text() == "No such category."
        field(book, "edit_category_field").selectAll()
        qtbot.keyClicks(field(book, "edit_category_field"), "Food")
        qtbot.keyClick(field(book, "edit_category_field"), Qt.Key.Key_Return, CTRL)
        qtbot.waitUntil(lambda: fake.waiting()[0].category == "Food")
        (item,) = fake.outbox.items(BOOK_ID)
        assert item.base is not None
        assert item.base.entry.category == fake.book.entries[4].category


def test_a_correction_that_the_disk_cannot_store_leaves_the_refused_entry(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, refused: OutboxItem
) -> None:
    press_correct(qtbot, book)
    fake.book.errors["correct"] = InputError("The disk is full.")
    qtbot.keyClicks(field(book, "edit_description_field"), " home")
    qtbot.keyClick(field(book, "edit_description_field"), Qt.Key.Key_Return, CTRL)
    qtbot.waitUntil(lambda: book.edit.banner.text() == "The disk is full.")
    assert field(book, "edit_description_field").text() == "Taxi home"
    assert [item.op_id for item in fake.outbox.items(BOOK_ID)] == [refused.op_id]
