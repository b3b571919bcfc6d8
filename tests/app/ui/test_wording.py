"""The words on the screens: a book on this computer speaks of no server, a server's book of no host."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QDialog, QWidget
from pytestqt.qtbot import QtBot

from app.domain.connection_status import Moved, Phase
from app.domain.entry import EntryState
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Person
from tests.support.fake_connection import MUMBAI, PUNE
from tests.support.fake_services import ABROAD, HOME, FakeServices
from tests.support.shown_texts import Kind, ScreenReader, with_words

OF_A_SERVER: Final = (
    *("server", "online", "offline", "region", "outbox", "void", "refuse", "confirm", "pending", "unsent"),
    *("127.0.0.1", "localhost", "host", "ap-south", "in-mum", "document"),
)
OLD: Final = (*("outbox", "void", "refuse", "confirm", "pending", "unsent", "online", "offline", "document"),)
OF_A_HOST: Final = ("books.example.com", "in-mum", "in-pun", "ie-dub", HOME, ABROAD)
MOVE: Final = ("account_move", "move_dialog")
"""Where a book on this computer may be moved to a server: only these may name one."""
ADDRESS: Final = "https://books.example.com"
REASON: Final = "The description holds a character that cannot be kept."


@pytest.fixture
def reader(window: MainWindow) -> Iterator[ScreenReader]:
    made = ScreenReader()
    yield made
    made.stop()


class Hand:
    """Walks through all screens and dialogs, as a person does."""

    def __init__(self, qtbot: QtBot, window: MainWindow, tasks: Tasks, reader: ScreenReader) -> None:
        self._qtbot = qtbot
        self._window = window
        self._tasks = tasks
        self._reader = reader

    def click(self, name: str) -> None:
        found = self._window.findChild(QAbstractButton, name)
        assert found is not None
        assert found.isVisible(), name
        self._qtbot.mouseClick(found, Qt.MouseButton.LeftButton)
        self.rest()

    def rest(self) -> None:
        self._qtbot.waitUntil(lambda: not self._tasks.busy)
        self._reader.read()

    def dialog(self, name: str) -> None:
        found = self._window.findChild(QDialog, name)
        assert found is not None
        self._qtbot.waitUntil(found.isVisible)
        self.rest()
        found.reject()
        self._qtbot.waitUntil(lambda: self._window.findChild(QDialog, name) is None)

    def look_at_rows(self) -> None:
        listing = self._window.listing
        for row in range(min(listing.model.rowCount(), 6)):
            listing.table.selectRow(row)
            self.rest()

    def walk(self) -> None:
        """Look at every screen, filter and dialog of the open book."""
        for name in ("nav_add", "nav_entries"):
            self.click(name)
        self.look_at_rows()
        for name in ("not_confirmed", "shown_voided", "shown_all"):
            self.click(name)
            self.look_at_rows()
        self.click("clear_filters")
        self.click("history_button")
        self.dialog("history_dialog")
        self.click("export_button")
        self.dialog("export_dialog")
        for name in ("user_button", "about_button"):
            self.click(name)
            self.dialog({"user_button": "account_dialog", "about_button": "about_dialog"}[name])
        self._window.show_outbox()
        self.rest()


@pytest.fixture
def hand(qtbot: QtBot, book: MainWindow, tasks: Tasks, reader: ScreenReader) -> Hand:
    return Hand(qtbot, book, tasks, reader)


def put_all_states(fake: FakeServices) -> None:
    """Let a new entry, an edit and a crossing-out wait, and one be not accepted."""
    entries = fake.book.entries
    fake.wait(
        replace(entries[0], id="n1", human_code="0K7-000121", state=EntryState.WAITING),
        replace(entries[4], category="Meals"),
        replace(entries[5], voided=True),
    )
    refused = replace(entries[8], id="n2", human_code="0K7-000122", state=EntryState.REFUSED, note=REASON)
    fake.wait(refused)


def go_away(qtbot: QtBot, book: MainWindow, fake: FakeServices, pill: Callable[[], str]) -> None:
    fake.book.offline = True
    book.sync.send_now()
    qtbot.waitUntil(lambda: "waiting" in pill())


def test_a_book_on_this_computer_speaks_of_no_server(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, hand: Hand, reader: ScreenReader, person: Person
) -> None:
    hand.walk()
    put_all_states(fake)
    go_away(qtbot, book, fake, book.sidebar.status.text)
    hand.walk()
    person.agrees = False
    book.sign_out()
    book.close()
    fake.book.offline = False
    book.sync.send_now()
    qtbot.waitUntil(lambda: book.sync.waiting == 1)
    hand.walk()
    reader.stop()
    said = [*person.questions, *person.explanations]
    assert with_words(reader.seen, OF_A_SERVER, allowed=MOVE) == []
    for sentence in ("Waiting to be stored", "Not stored", "Opening your book", "Crossed out", "Saved"):
        assert with_words(reader.seen, [sentence]), sentence
    assert said
    assert [sentence for sentence in said if any(word in sentence.lower() for word in OF_A_SERVER)] == []


def test_on_this_computer_the_page_waiting_is_shown_only_if_something_waits(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    page = book.sidebar.outbox_button
    assert not page.isVisible()
    put_all_states(fake)
    go_away(qtbot, book, fake, book.sidebar.status.text)
    assert page.isVisible()
    qtbot.mouseClick(page, Qt.MouseButton.LeftButton)
    fake.clear()
    book.sync.outbox_changed()
    qtbot.waitUntil(lambda: book.sync.waiting == 0)
    assert page.isVisible()  # while it is open
    book.show_add()
    assert not page.isVisible()


class TestAtAServer:
    """The book is on a server."""

    @pytest.fixture
    def owner(self, fake: FakeServices) -> None:
        fake.accounts.sign_in_remote(ADDRESS, "asha", "correct horse", remember=True)

    @pytest.mark.slow
    def test_a_book_on_a_server_names_no_host_server_or_region_on_its_screens(
        self, qtbot: QtBot, book: MainWindow, fake: FakeServices, hand: Hand, reader: ScreenReader
    ) -> None:
        fake.place(fake.book.entries[0], HOME)
        fake.place(fake.book.entries[1], HOME, ABROAD)
        for phase, server, more in (
            (Phase.PINNED, MUMBAI, {"unsettled": 1}),
            (Phase.PINNED, MUMBAI, {"unsettled": 1, "late": 1}),
            (Phase.RECONNECTING, MUMBAI, {"seconds": 24}),
            (Phase.SWITCHING, PUNE, {}),
            (Phase.SYNCING, PUNE, {"moved": Moved(37, 40)}),
            (Phase.SYNCING, PUNE, {"moved": Moved(37, 40, late=True)}),
        ):
            fake.connection.tell(phase, server, **more)  # type: ignore[arg-type]
            qtbot.waitUntil(lambda: book.connection.shown == fake.connection.view())
            hand.walk()
        put_all_states(fake)
        fake.connection.tell(Phase.OFFLINE, PUNE)
        go_away(qtbot, book, fake, book.sidebar.status.text)
        hand.walk()
        reader.stop()
        written = {each for each in reader.seen if each.kind is Kind.TEXT}
        assert with_words(written, OF_A_HOST, allowed=("about_dialog",)) == []
        assert with_words(reader.seen, OLD) == []
        for sentence in (
            "Sent to the server",
            "Waiting to be sent",
            "Not accepted",
            "Not connected",
            "Crossed",
        ):
            assert with_words(written, [sentence]), sentence
        assert with_words(reader.seen, [MUMBAI])  # a tool tip has it
        assert with_words(written, ["in-mum"])  # About this book

    def test_about_this_book_says_where_it_is_and_opens_the_folder_of_the_data(
        self, qtbot: QtBot, book: MainWindow, hand: Hand, person: Person, fake: FakeServices
    ) -> None:
        hand.click("about_button")
        dialog = book.findChild(QDialog, "about_dialog")
        assert dialog is not None
        shown = {
            key: dialog.findChild(QWidget, f"about_{key}").text()  # type: ignore[attr-defined, union-attr]
            for key in ("user", "where", "address", "server", "region", "version", "folder")
        }
        session = fake.accounts.require_session()
        assert (shown["user"], shown["where"]) == ("asha", "On a server")
        assert shown["address"] == "books.example.com"
        assert (shown["server"], shown["region"]) == (session.server_id, session.region)
        assert shown["version"]
        hand.click("about_open")
        assert [str(each) for each in person.opened] == [shown["folder"]]
        assert (person.opened[0] / "client.sqlite").exists()


def test_about_a_book_on_this_computer_names_no_server(book: MainWindow, hand: Hand) -> None:
    hand.click("about_button")
    dialog = book.findChild(QDialog, "about_dialog")
    assert dialog is not None
    assert all(dialog.findChild(QWidget, f"about_{key}") is None for key in ("address", "server", "region"))
