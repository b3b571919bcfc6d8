"""A double click, or a key that is held down, does once what must not be done to the next thing."""

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from app.errors import ServerError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.document_tile import DocumentTile
from tests.app.ui.conftest import make_photo
from tests.support.fake_services import FakeServices

_LEFT, _NO_KEYS = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


@pytest.fixture
def listing_open(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The listing, of which all changes stay in the outbox."""
    fake.book.errors["send_pending"] = ServerError("The server is busy.", retryable=True)
    book.show_listing()
    qtbot.waitUntil(lambda: not tasks.busy)
    return book


class Pause(QObject):
    """Lets all work of the first click be done before the second press of a double click arrives."""

    def __init__(self, qtbot: QtBot, tasks: Tasks) -> None:
        super().__init__()
        self._qtbot, self._tasks, self.presses = qtbot, tasks, 0

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Count the presses, and pause before the second."""
        if event.type() is QEvent.Type.MouseButtonPress:
            self.presses += 1
            if self.presses == 2:
                self._qtbot.wait(20)
                self._qtbot.waitUntil(lambda: not self._tasks.busy)
        return False


def double_click(qtbot: QtBot, window: MainWindow, widget: QWidget, tasks: Tasks) -> None:
    """Click twice at one place, as the platform tells it."""
    handle = window.windowHandle()
    assert handle is not None
    pause = Pause(qtbot, tasks)
    handle.installEventFilter(pause)
    QTest.mouseDClick(handle, _LEFT, _NO_KEYS, widget.mapTo(window, widget.rect().center()))
    qtbot.wait(20)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert pause.presses == 2


@pytest.mark.parametrize("action", ["void_button", "restore_button"])
def test_a_double_click_changes_one_entry(
    qtbot: QtBot, listing_open: MainWindow, fake: FakeServices, tasks: Tasks, action: str
) -> None:
    listing, details = listing_open.listing, listing_open.listing.details
    if action == "restore_button":
        void_two(qtbot, listing_open, tasks)
        QTest.mouseClick(listing.filters.findChild(QWidget, "shown_voided"), _LEFT)
        qtbot.waitUntil(lambda: listing.model.rowCount() == 2 and not tasks.busy)
    before = len(fake.waiting())
    listing.table.selectRow(0)
    qtbot.waitUntil(lambda: not tasks.busy)
    button = details.findChild(QWidget, action)
    assert isinstance(button, QWidget)
    double_click(qtbot, listing_open, button, tasks)
    assert len(fake.waiting()) == before + 1
    assert listing_open.book.toast.text()


def void_two(qtbot: QtBot, window: MainWindow, tasks: Tasks) -> None:
    for _ in range(2):
        QTest.keyClick(window.listing.table, Qt.Key.Key_Delete)
        qtbot.waitUntil(lambda: not tasks.busy)


def test_after_a_double_click_the_next_single_click_acts(
    qtbot: QtBot, listing_open: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    details = listing_open.listing.details
    listing_open.listing.table.selectRow(0)
    qtbot.waitUntil(lambda: not tasks.busy)
    double_click(qtbot, listing_open, details.void_button, tasks)
    QTest.mouseClick(details.void_button, _LEFT)
    qtbot.waitUntil(lambda: len(fake.waiting()) == 2)


def attach_two(qtbot: QtBot, window: MainWindow, tmp_path: Path, tasks: Tasks) -> list[DocumentTile]:
    window.entry.documents.add_files([make_photo(tmp_path / f"{n}.png", f"#0{n}0{n}0{n}") for n in (1, 2)])
    qtbot.waitUntil(lambda: len(tiles(window)) == 2 and not tasks.busy)
    QApplication.processEvents()
    return tiles(window)


def tiles(window: MainWindow) -> list[DocumentTile]:
    return [each for each in window.entry.findChildren(DocumentTile) if each.isVisible()]


def test_a_double_click_removes_one_bill(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, tmp_path: Path
) -> None:
    first, _ = attach_two(qtbot, book, tmp_path, tasks)
    double_click(qtbot, book, first.remove_button, tasks)
    assert len(tiles(book)) == 1


def repeated(widget: QWidget, key: Qt.Key) -> None:
    """Send the key as the platform repeats it while it is held down."""
    QApplication.sendEvent(widget, QKeyEvent(QKeyEvent.Type.KeyPress, key, _NO_KEYS, "", True))


def test_a_key_that_is_held_down_removes_one_bill(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, tmp_path: Path
) -> None:
    first, second = attach_two(qtbot, book, tmp_path, tasks)
    QTest.keyPress(first, Qt.Key.Key_Delete)
    repeated(second, Qt.Key.Key_Delete)
    assert tiles(book) == [second]


def test_a_key_that_is_held_down_voids_one_entry(
    qtbot: QtBot, listing_open: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    table = listing_open.listing.table
    table.selectRow(0)
    QTest.keyPress(table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: len(fake.waiting()) == 1 and not tasks.busy)
    repeated(table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert len(fake.waiting()) == 1


def test_a_double_click_on_undo_undoes_one_change(
    qtbot: QtBot, listing_open: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    void_two(qtbot, listing_open, tasks)
    toast = listing_open.book.toast
    qtbot.waitUntil(lambda: toast.can_undo)
    double_click(qtbot, listing_open, toast.undo_button, tasks)
    assert len(fake.waiting()) == 3
    assert toast.text().startswith("Undone")
