"""Pages in a small window: banners, the status and the filter have the room that they need."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.errors import SignInError
from app.ui.main_window import MainWindow
from app.ui.views.entry_columns import EntryColumns
from app.ui.views.totals_foot import TotalsFoot
from app.ui.widgets.scroll_room import ScrollRoom


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


def test_the_last_entries_do_not_scroll_inside_a_page_that_scrolls(qtbot: QtBot, book: MainWindow) -> None:
    """Of two scroll bars beside each other, one had two rows to itself."""
    qtbot.waitUntil(lambda: book.recent.model.rowCount() == 10)
    columns = book.entry.findChild(EntryColumns)
    assert columns is not None
    page = columns.parentWidget().parentWidget()
    assert isinstance(page, ScrollRoom)
    scrolled = set()
    for height in (560, 620, 700, 800, 1000):
        book.resize(900, height)
        for _ in range(3):  # the layouts of the page, the card and the table
            QApplication.processEvents()
        bars = [part.verticalScrollBar().maximum() > 0 for part in (page, book.recent.table)]
        scrolled.add(tuple(bars))
    assert scrolled == {(True, False), (False, True), (False, False)}


def test_the_question_for_the_password_leaves_the_totals_their_room(qtbot: QtBot, book: MainWindow) -> None:
    """On a screen of 1366 by 768 that is set to 150 %, the sums lay over their names."""
    book.resize(905, 472)
    book.show_listing()
    book.book.again.set_user("Asha Rao")
    book.book.again.ask(SignInError("The session is over.", detail={"ended": "ended"}))
    for _ in range(3):
        QApplication.processEvents()
    foot = book.listing.findChild(TotalsFoot)
    assert foot is not None
    assert foot.height() >= foot.minimumSizeHint().height()
