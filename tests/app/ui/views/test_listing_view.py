"""The listing: search, filters, details, totals, and what it says when there is nothing."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QMenu, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, DocumentInfo, EntryFilter, EntryState
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.document_viewer import DocumentViewer
from app.ui.views.listing_view import ListingView
from tests.app.ui.conftest import make_photo
from tests.support.fake_services import FakeServices


@pytest.fixture
def listing(qtbot: QtBot, book: MainWindow) -> ListingView:
    book.show_listing()
    return book.listing


def settle(qtbot: QtBot, tasks: Tasks) -> None:
    qtbot.waitUntil(lambda: not tasks.busy)


def click(qtbot: QtBot, listing: ListingView, name: str) -> None:
    button = listing.findChild(QAbstractButton, name)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def test_typing_searches_after_a_pause_and_updates_the_totals(
    qtbot: QtBot, listing: ListingView, fake: FakeServices
) -> None:
    qtbot.keyClicks(listing.filters.search, "parking")
    expected = [row for row in fake.book.entries if "parking" in row.description]
    qtbot.waitUntil(lambda: listing.model.rowCount() == len(expected))
    qtbot.waitUntil(lambda: listing.foot.count.text() == f"{len(expected)} entries")
    assert listing.foot.out.text() == "₹5,400.00"
    assert fake.book.calls.count("totals") == 2


def test_each_filter_reduces_the_rows(qtbot: QtBot, listing: ListingView) -> None:
    told: list[EntryFilter] = []
    listing.filters.changed.connect(told.append)
    click(qtbot, listing, "type_credit")
    click(qtbot, listing, "without_document")
    click(qtbot, listing, "not_confirmed")
    listing.filters.first.set_value(date(2026, 11, 1))
    assert told[-1] == EntryFilter("", date(2026, 11, 1), None, Direction.CREDIT, True, True)


def test_clearing_the_filters_shows_everything_with_one_query(
    qtbot: QtBot, listing: ListingView, tasks: Tasks
) -> None:
    click(qtbot, listing, "type_credit")
    listing.filters.search.setText("rent")
    listing.filters.apply()
    told: list[EntryFilter] = []
    listing.filters.changed.connect(told.append)
    click(qtbot, listing, "clear_filters")
    assert told == [EntryFilter()]
    settle(qtbot, tasks)
    assert listing.model.rowCount() >= 50


def test_a_period_sets_both_dates(listing: ListingView) -> None:
    menu = listing.findChild(QMenu, "period_menu")
    assert menu is not None
    this_month = next(action for action in menu.actions() if action.text() == "This month")
    this_month.trigger()
    wanted = listing.filters.wanted()
    assert (wanted.first, wanted.last) == (date(2026, 11, 1), date(2026, 11, 30))
    assert listing.filters.period_button.text() == "This month"


def test_an_invalid_date_shows_an_error(listing: ListingView) -> None:
    listing.filters.first.setText("soon")
    listing.filters.first.tidy()
    assert listing.filters.date_error.text()


def test_an_invalid_date_says_so_until_it_is_right_and_nothing_is_exported(
    qtbot: QtBot, listing: ListingView
) -> None:
    filters = listing.filters
    exported: list[EntryFilter] = []
    listing.export_wanted.connect(exported.append)
    filters.first.setFocus()
    qtbot.keyClicks(filters.first, "31/2/2026")
    qtbot.keyClick(filters.first, Qt.Key.Key_Tab)
    qtbot.keyClicks(filters.last, "22/11/2026")
    qtbot.keyClick(filters.last, Qt.Key.Key_Return)
    assert "From date: " in filters.date_error.text()
    assert "still shows the dates from before" in filters.date_error.text()
    click(qtbot, listing, "export_button")
    assert exported == []
    assert filters.first.hasFocus()
    filters.first.selectAll()
    qtbot.keyClicks(filters.first, "1/2/2026")
    click(qtbot, listing, "export_button")
    assert filters.date_error.text() == ""
    assert exported == [EntryFilter(first=date(2026, 2, 1), last=date(2026, 11, 22))]


def test_nothing_found_offers_to_clear_the_filters(qtbot: QtBot, listing: ListingView) -> None:
    listing.filters.search.setText("no such thing")
    qtbot.waitUntil(lambda: listing.empty.isVisible())
    assert listing.empty.title() == "Nothing matches"
    qtbot.mouseClick(listing.empty.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: listing.table.isVisible())


def test_an_empty_book_offers_to_add_an_entry(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.book.entries.clear()
    book.show_listing()
    book.listing.open()
    qtbot.waitUntil(lambda: book.listing.empty.isVisible())
    assert book.listing.empty.title() == "No entries yet"
    qtbot.mouseClick(book.listing.empty.button, Qt.MouseButton.LeftButton)
    assert book.entry.isVisible()
    settle(qtbot, tasks)


def test_without_a_server_the_cache_is_shown_until_a_server_is_back(
    qtbot: QtBot, listing: ListingView, fake: FakeServices
) -> None:
    fake.book.offline = True
    listing.refresh()
    qtbot.waitUntil(lambda: "last entries that were shown" in listing.banner.text())
    qtbot.waitUntil(lambda: "not known yet" in listing.foot.count.text())
    fake.book.offline = False
    listing.refresh()
    qtbot.waitUntil(lambda: listing.banner.text() == "")


def test_the_selected_entry_is_shown_in_the_details(qtbot: QtBot, listing: ListingView, tasks: Tasks) -> None:
    listing.table.selectRow(2)
    facts = listing.details.facts.text().replace("\u00a0", " ")
    assert facts == "Credit · Travel · 21 Nov 2026 · 0K7-000118"
    assert listing.details.amount.text() == "+₹1,120.00"
    settle(qtbot, tasks)


def give_bills(fake: FakeServices, tmp_path: Path, row: int, *colours: str) -> None:
    for number, colour in enumerate(colours):
        make_photo(tmp_path / f"{number}.png", colour)
    attach_bills(fake, row, [tmp_path / f"{number}.png" for number in range(len(colours))])


def attach_bills(fake: FakeServices, row: int, files: list[Path]) -> None:
    bills = []
    for number, file in enumerate(files):
        made = fake.documents.attach_file(file)
        bills.append(
            DocumentInfo(
                made.id, f"K7-{number}", made.file_name, made.media_type, made.byte_size, made.sha256
            )
        )
    fake.book.bills[fake.book.entries[row].id] = tuple(bills)


def test_the_pages_of_all_bills_can_be_turned(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, tmp_path: Path, tasks: Tasks
) -> None:
    give_bills(fake, tmp_path, 3, "#110000", "#220000")
    listing.table.selectRow(3)
    viewer = listing.details.viewer
    qtbot.waitUntil(lambda: viewer.canvas.has_image() and viewer.tools.position.text() == "Bill 1 of 2")
    assert not viewer.tools.previous.isEnabled()
    qtbot.mouseClick(viewer.tools.next, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: viewer.canvas.has_image() and viewer.tools.position.text() == "Bill 2 of 2")
    assert not viewer.tools.next.isEnabled()
    assert viewer.tools.name.text().startswith("1.png")
    settle(qtbot, tasks)


def test_a_damaged_bill_shows_an_error(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, tmp_path: Path, tasks: Tasks
) -> None:
    broken = make_photo(tmp_path / "broken.png")
    broken.write_bytes(broken.read_bytes()[:40])
    attach_bills(fake, 3, [broken])
    listing.table.selectRow(3)
    qtbot.waitUntil(lambda: "damaged" in listing.details.viewer.canvas.message())
    settle(qtbot, tasks)


def test_a_page_can_be_zoomed_and_fitted(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, tmp_path: Path, tasks: Tasks
) -> None:
    give_bills(fake, tmp_path, 3, "#110000")
    listing.table.selectRow(3)
    viewer = listing.details.viewer
    qtbot.waitUntil(viewer.canvas.has_image)
    fitted = viewer.canvas.zoom
    qtbot.mouseClick(viewer.tools.zoom_in, Qt.MouseButton.LeftButton)
    assert viewer.canvas.zoom > fitted
    qtbot.mouseClick(viewer.tools.fit, Qt.MouseButton.LeftButton)
    assert viewer.canvas.zoom == fitted
    settle(qtbot, tasks)


def test_the_selection_stays_on_its_entry_when_one_is_added_above(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, tasks: Tasks
) -> None:
    listing.table.selectRow(4)
    shown = listing.details.description.text()
    settle(qtbot, tasks)
    fresh = replace(fake.book.entries[0], id="f", human_code="0K7-000999", state=EntryState.WAITING)
    fake.wait(fresh)
    listing.refresh()
    qtbot.waitUntil(lambda: listing.model.row_of("f") >= 0)
    assert listing.table.currentIndex().row() == 5
    assert listing.details.description.text() == shown
    settle(qtbot, tasks)


def test_unsent_entries_are_counted_in_the_foot(
    qtbot: QtBot, listing: ListingView, fake: FakeServices, tasks: Tasks
) -> None:
    fake.wait(replace(fake.book.entries[0], id="f", state=EntryState.WAITING))
    listing.refresh()
    qtbot.waitUntil(lambda: listing.foot.waiting.text() == "· 1 waiting")
    settle(qtbot, tasks)


@pytest.mark.parametrize("height", [40, 100, 140, 400])
def test_the_viewer_hides_rows_that_do_not_fit(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, height: int
) -> None:
    room = QWidget()
    qtbot.addWidget(room)
    viewer = DocumentViewer(fake.services(), tasks)
    viewer.setParent(room)
    viewer.resize(230, height)
    room.show()
    shown = [button for button in viewer.findChildren(QToolButton) if button.isVisible()]
    assert viewer.tools.open in shown
    qtbot.waitUntil(lambda: all(each.height() >= each.minimumSizeHint().height() for each in shown))
    assert viewer.canvas.isVisible() is (height == 400)


def test_without_a_server_a_search_says_that_only_this_computer_was_searched(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    book.show_listing()
    fake.book.offline = True
    searched = book.listing.foot.searched
    qtbot.keyClicks(book.listing.filters.search, "zzz")
    qtbot.waitUntil(lambda: searched.isVisible() and not tasks.busy)
    assert searched.text() == fake.accounts.words.searched("120 entries")
    assert "120 entries" in searched.text()
    assert book.listing.empty.isVisible()
    book.listing.filters.search.clear()
    qtbot.waitUntil(lambda: not searched.isVisible() and not tasks.busy)
    fake.book.offline = False
    qtbot.keyClicks(book.listing.filters.search, "zzz")
    qtbot.waitUntil(lambda: book.listing.foot.count.text() == "0 entries" and not tasks.busy)
    assert not searched.isVisible()
