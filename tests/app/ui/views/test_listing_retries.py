"""The listing loads its rows again by itself after a failure that can pass, such as a full disk."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices


def fail(qtbot: QtBot, book: MainWindow, fake: FakeServices) -> None:
    """Let the rows of the listing not be readable."""
    book.listing.retry_ms = 50
    fake.book.errors["page"] = StoreError("The disk is full.", retryable=True)
    book.listing.model.set_filter(book.listing.filters.wanted())
    qtbot.waitUntil(lambda: book.listing.banner.text() == "The disk is full.")


def open_entries(qtbot: QtBot, book: MainWindow) -> None:
    button = book.findChild(QWidget, "nav_entries")
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def is_shown_again(book: MainWindow) -> bool:
    return book.listing.model.rowCount() > 0 and not book.listing.banner.isVisible()


def test_the_rows_come_back_without_being_asked_for(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    open_entries(qtbot, book)
    fail(qtbot, book, fake)
    del fake.book.errors["page"]
    qtbot.waitUntil(lambda: is_shown_again(book) and not tasks.busy)


def test_the_rows_come_back_when_their_page_is_opened(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fail(qtbot, book, fake)
    assert not book.listing.isVisible()
    del fake.book.errors["page"]
    open_entries(qtbot, book)
    qtbot.waitUntil(lambda: is_shown_again(book) and not tasks.busy)
