"""Pages in a small window: banners, the status and the filter have the room that they need."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow


def test_banners_are_above_the_edges_of_the_page(qtbot: QtBot, book: MainWindow) -> None:
    book.resize(900, 600)
    book.book.say("Saved as bill.png", "good")
    for page, show in ((book.entry, book.show_add), (book.listing, book.show_listing)):
        show()
        book.book.say("Saved as bill.png", "good")
        column = page.layout()
        assert column is not None
        qtbot.waitUntil(
            lambda column=column: (
                book.book.banner.geometry().left() == column.contentsMargins().left()
                and book.book.banner.isVisible()
            )
        )


def test_a_short_status_is_one_line_in_a_small_window(qtbot: QtBot, book: MainWindow) -> None:
    status = book.sidebar.status
    book.resize(900, 600)
    book.sidebar.show_status("Saved", "good")
    QApplication.processEvents()
    height = status.height()
    book.sidebar.show_status("Storing 2 entries", "good")
    QApplication.processEvents()
    assert status.height() == height


def test_the_filter_is_one_row_at_the_first_size_of_the_window(book: MainWindow) -> None:
    book.resize(1180, 760)
    book.show_listing()
    QApplication.processEvents()
    filters = book.listing.filters
    parts = (filters.direction, filters.period_button, filters.waiting_only, filters.shown)
    assert len({part.mapTo(filters, QPoint(0, 0)).y() for part in parts}) == 1
