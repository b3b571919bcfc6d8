"""Texts from right to left: they do not reorder what stands beside them, and no file name hides its end."""

from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryFilter
from app.domain.file_names import shown_name
from app.ui.dialogs.filter_text import filter_text
from app.ui.dialogs.history_text import changes
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.dialogs.test_history_text import BILL, version
from tests.support.fake_services import FakeServices, shop_entries

TAXI, TEA = "\u05de\u05d5\u05e0\u05d9\u05ea 12", "\u0686\u0627\u06d2"


def enclosed(text: str) -> str:
    return f"\u2068{text}\u2069"


@pytest.fixture
def urdu(fake: FakeServices) -> None:
    """The newest entry has texts from right to left, before the book is opened."""
    fake.book.entries[0] = replace(fake.book.entries[0], category=TEA, description=f"{TAXI}\u202e")


def test_the_details_of_an_entry_keep_their_order(
    qtbot: QtBot, urdu: None, book: MainWindow, tasks: Tasks
) -> None:
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    book.listing.table.selectRow(0)
    qtbot.waitUntil(lambda: book.listing.details.facts.isVisible() and not tasks.busy)
    details = book.listing.details
    assert details.description.text() == enclosed(TAXI)
    assert details.facts.text().split("\u00a0· ")[:2] == ["Debit", enclosed(TEA)]


def test_each_text_of_a_change_keeps_its_place() -> None:
    entry = replace(shop_entries(1)[0], category=TEA)
    lines = changes(entry, version(replace(entry, category=TAXI, description=TEA)))
    assert lines == (
        f"Category: {enclosed(TEA)} → {enclosed(TAXI)}",
        f"Description: Taxi to client site → {enclosed(TEA)}",
    )


def test_a_search_keeps_its_quotes() -> None:
    assert filter_text(EntryFilter(TAXI)) == f"with “{enclosed(TAXI)}”"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("bill.pdf", "bill.pdf"),
        ("bill\u202efdp.exe", "billfdp.exe"),
        ("\u200fbill.pdf\u200f.exe\u2066", "bill.pdf.exe"),
        ("tea\u200b\u2060.exe", "tea.exe"),
        (f"{TAXI}.pdf", f"\u2066{TAXI}.pdf\u2069"),
        ("\u0915\u094d\u200d\u0937.pdf", "\u0915\u094d\u200d\u0937.pdf"),
    ],
)
def test_a_file_name_shows_its_end_at_the_end(name: str, shown: str) -> None:
    assert shown_name(name) == shown
    bill = replace(BILL, file_name=name)
    added = version(shop_entries(1)[0], documents_added=(bill,))
    assert changes(added.entry, added) == (f"Bill added: {shown} (K7-000001-1)",)


@pytest.fixture
def disguised(fake: FakeServices, photo: Path) -> None:
    """The newest entry has a bill whose name hides its extension, before the book is opened."""
    made = fake.documents.attach_file(photo)
    bill = replace(BILL, file_name="bill\u202efdp.exe", media_type=made.media_type, sha256=made.sha256)
    fake.book.bills[fake.book.entries[0].id] = (bill,)


def test_a_bill_that_another_program_sent_shows_its_real_extension(
    qtbot: QtBot, disguised: None, book: MainWindow, tasks: Tasks
) -> None:
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    book.listing.table.selectRow(0)
    viewer = book.listing.details.viewer
    qtbot.waitUntil(lambda: viewer.tools.name.text() == "billfdp.exe")
    qtbot.keyClick(book.listing.table, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    assert [tile.name.text() for tile in book.edit.documents.tiles()] == ["billfdp.exe"]
