"""A listing of more rows than are loaded at first, by keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.listing_view import ListingView
from tests.support.fake_services import FakeServices, shop_entries

COUNT = 450


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[FakeServices]:
    folder = tmp_path / "bills"
    folder.mkdir()
    made = FakeServices(folder, shop_entries(COUNT))
    yield made
    made.close()


@pytest.fixture
def listing(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> ListingView:
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert book.listing.model.rowCount() < COUNT
    return book.listing


@pytest.mark.parametrize("modifier", [Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier])
def test_end_and_home_go_to_the_last_and_first_entry_of_the_book(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, modifier: Qt.KeyboardModifier
) -> None:
    qtbot.keyClick(listing.table, Qt.Key.Key_End, modifier)
    qtbot.waitUntil(lambda: listing.table.currentIndex().row() == COUNT - 1)
    selected = listing.selected()
    assert selected is not None
    assert selected.id == fake.book.entries[-1].id
    assert listing.table.rows_in_sight()[-1] == COUNT - 1
    assert not listing.banner.isVisible()
    qtbot.keyClick(listing.table, Qt.Key.Key_Home, modifier)
    assert listing.table.currentIndex().row() == 0


def test_end_then_delete_voids_the_last_entry_of_the_book(
    qtbot: QtBot, listing: ListingView, fake: FakeServices
) -> None:
    last = fake.book.entries[-1].id
    qtbot.keyClick(listing.table, Qt.Key.Key_End)
    qtbot.keyClick(listing.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: any(entry.voided for entry in fake.book.entries))
    assert [entry.id for entry in fake.book.entries if entry.voided] == [last]


def test_another_key_stops_going_to_the_end(qtbot: QtBot, listing: ListingView, tasks: Tasks) -> None:
    qtbot.keyClick(listing.table, Qt.Key.Key_End)
    qtbot.keyClick(listing.table, Qt.Key.Key_Delete)
    qtbot.keyClick(listing.table, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert listing.table.currentIndex().row() == 1
    assert not any(entry.voided for entry in listing.model._services.entries.pending(listing._wanted))


def test_the_search_has_no_cross_when_it_was_emptied(
    qtbot: QtBot, listing: ListingView, tasks: Tasks
) -> None:
    search = listing.filters.search

    def shown() -> int:
        buttons = search.findChildren(QToolButton)
        return sum(button.isVisible() and button.property("opacity") > 0 for button in buttons)

    assert shown() == 1, "the lens"
    qtbot.keyClicks(search, "taxi")
    qtbot.waitUntil(lambda: shown() == 2 and not tasks.busy)
    listing.filters.clear()
    assert search.text() == ""
    qtbot.waitUntil(lambda: shown() == 1)
