"""The outbox: what waits, how the sending goes, and what can be done about it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.entry import DocumentInfo, EntryState
from app.errors import OfflineError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.outbox_view import OutboxView
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import FakeServices

REASON = "The description holds a character that cannot be kept."


@pytest.fixture
def outbox(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, tmp_path: Path) -> OutboxView:
    """A new entry with a bill that was tried, an edit, a voiding, a new one that was refused; no server."""
    entries = fake.book.entries
    fake.book.offline = True
    fake.book.errors["send_pending"] = OfflineError()  # before anything counts as tried
    photo = make_photo(tmp_path / "bill.png")
    made = fake.documents.attach_file(photo)
    bill = DocumentInfo(made.id, "K7-000121-1", made.file_name, made.media_type, made.byte_size, made.sha256)
    new = replace(entries[0], id="n1", human_code="0K7-000121")
    fake.wait(new, bills=(bill,), attempts=3, error="The server cannot be reached right now.")
    fake.wait(
        replace(entries[4], category="Meals"),
        replace(entries[5], voided=True),
        replace(entries[8], id="n2", human_code="0K7-000122", state=EntryState.REFUSED, note=REASON),
    )
    book.show_outbox()
    book.sync.send_now()
    qtbot.waitUntil(lambda: len(book.outbox.list.cards()) == 4 and not tasks.busy)
    return book.outbox


def texts(outbox: OutboxView, name: str) -> list[str]:
    return [found.text() for card in outbox.list.cards() for found in card.findChildren(QLabel, name)]


def press(qtbot: QtBot, outbox: OutboxView, card: int, name: str) -> None:
    button = outbox.list.cards()[card].findChild(QPushButton, name)
    assert isinstance(button, QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_each_item_shows_its_operation_and_its_attempts(outbox: OutboxView) -> None:
    assert texts(outbox, "item_kind") == ["New", "Changed", "Crossed out", "New"]
    assert texts(outbox, "item_code")[0] == "0K7-000121"
    assert texts(outbox, "item_amount")[3] == "+₹12,34,567.00"
    facts = texts(outbox, "item_facts")
    assert "since 22 Nov 2026" in facts[0]
    assert "3 attempts" in facts[0]
    assert "not tried yet" in facts[1]
    assert texts(outbox, "item_error") == ["The server cannot be reached right now.", f"Not stored: {REASON}"]


def test_the_badge_shows_the_number_of_items(outbox: OutboxView, book: MainWindow) -> None:
    assert book.sidebar.badge.text() == "4"
    assert book.sidebar.badge.isVisible()


def test_only_a_refused_item_can_be_discarded_and_only_after_asking(
    qtbot: QtBot, outbox: OutboxView, fake: FakeServices, person: Person, book: MainWindow
) -> None:
    assert outbox.list.cards()[0].findChild(QPushButton, "item_discard") is None
    person.agrees = False
    press(qtbot, outbox, 3, "item_discard")
    assert len(fake.waiting()) == 4
    person.agrees = True
    press(qtbot, outbox, 3, "item_discard")
    qtbot.waitUntil(lambda: len(outbox.list.cards()) == 3)
    assert person.questions == ["Discard this new entry 0K7-000122?"] * 2
    qtbot.waitUntil(lambda: book.sidebar.badge.text() == "3")


def test_retry_sends_the_item_and_empties_the_outbox(
    qtbot: QtBot, outbox: OutboxView, fake: FakeServices, book: MainWindow
) -> None:
    fake.book.offline = False
    fake.book.errors.clear()
    press(qtbot, outbox, 3, "item_retry")
    qtbot.waitUntil(lambda: outbox.empty.isVisible())
    assert outbox.empty.title() == "Nothing is waiting"
    qtbot.waitUntil(lambda: not book.sidebar.badge.isVisible())  # the outbox may be read before it is told
    assert any(entry.id == "n2" for entry in fake.book.entries)


def test_send_now_sends_all_items(qtbot: QtBot, outbox: OutboxView, fake: FakeServices) -> None:
    fake.book.offline = False
    fake.book.errors.clear()
    qtbot.mouseClick(outbox.send_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(outbox.list.cards()) == 1)
    assert texts(outbox, "item_error") == [f"Not stored: {REASON}"]


def test_a_copy_contains_the_entry_as_json_and_its_bills(
    qtbot: QtBot, outbox: OutboxView, person: Person, tmp_path: Path
) -> None:
    assert "1 bill" in texts(outbox, "item_facts")[0]
    person.folder = tmp_path / "copies"
    person.folder.mkdir()
    for _ in range(2):
        outbox.banner.hide()
        press(qtbot, outbox, 0, "item_copy")
        qtbot.waitUntil(lambda: outbox.banner.text().startswith("Saved in "))
    assert sorted(path.name for path in person.folder.iterdir()) == [
        "Bahi 0K7-000121",
        "Bahi 0K7-000121 (2)",
    ]
    copy = person.folder / "Bahi 0K7-000121"
    found = json.loads((copy / "0K7-000121.json").read_text(encoding="utf-8"))
    assert (found["amount"], found["crDr"], found["date"]) == ("640.00", "DR", "2026-11-22")
    assert (copy / found["documents"][0]["file"]).read_bytes() == (tmp_path / "bill.png").read_bytes()


def test_an_error_is_shown_if_the_copy_cannot_be_written(
    qtbot: QtBot, outbox: OutboxView, person: Person, tmp_path: Path
) -> None:
    person.folder = tmp_path / "missing"
    press(qtbot, outbox, 0, "item_copy")
    qtbot.waitUntil(lambda: "cannot be found" in outbox.banner.text())


def test_the_next_user_does_not_see_the_items(qtbot: QtBot, book: MainWindow, outbox: OutboxView) -> None:
    book.sign_out()
    qtbot.waitUntil(lambda: not book.signed_in)
    assert outbox.list.cards() == []


def test_cards_are_not_stretched_on_a_large_screen(
    qtbot: QtBot, book: MainWindow, outbox: OutboxView
) -> None:
    book.resize(2560, 1400)
    qtbot.waitUntil(lambda: outbox.width() > 2000)
    first = outbox.list.cards()[0]
    assert first.width() <= 1376
    assert first.mapTo(outbox, QPoint()).x() == 24
