"""Where the entries are, in the window: ticks that follow the link, and the warning of late changes."""

import threading
from dataclasses import replace

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.entry import EntryState
from app.errors import StoreError
from app.ui.controllers.replication_warning import late_words
from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from app.ui.models.roles import MARK_ROLE
from app.ui.tasks import Tasks
from tests.support.fake_connection import MUMBAI, PUNE
from tests.support.fake_services import ABROAD, HOME, FakeServices

SENT = "Sent to the server at 14:05"
TOO = "Another server has it too."
LATE = (
    "3 changes have been on only one server for more than 5 minutes."
    "\nThey are also kept on this computer until another server has them."
)


@pytest.fixture
def owner(fake: FakeServices) -> None:
    """The book is at a server."""
    fake.accounts.sign_in_remote("https://books.example.com", "asha", "correct horse", remember=True)


@pytest.fixture
def at_server(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The listing of a book of a server, at rest; its newest entry is in one region."""
    book.show_listing()
    fake.place(fake.book.entries[0], HOME)
    tell(qtbot, book, fake, tasks, unsettled=1)
    return book


def tell(
    qtbot: QtBot,
    window: MainWindow,
    fake: FakeServices,
    tasks: Tasks,
    label: str = MUMBAI,
    phase: Phase = Phase.PINNED,
    **more: object,
) -> None:
    """Report from another thread, as the program does, and wait until all has been looked up."""
    teller = threading.Thread(target=lambda: fake.connection.tell(phase, label, **more))  # type: ignore[arg-type]
    teller.start()
    teller.join()
    qtbot.waitUntil(lambda: window.connection.shown == fake.connection.view() and not tasks.busy)


def icon(window: MainWindow, row: int) -> str:
    return str(window.listing.model.index(row, Column.STATE).data(MARK_ROLE).icon)


def tip(window: MainWindow, row: int) -> str:
    return str(window.listing.model.index(row, Column.STATE).data(Qt.ItemDataRole.ToolTipRole))


def details(window: MainWindow) -> str:
    """Return the sentence of the state, and its tool tip in a second line."""
    state = window.listing.details.state
    return "\n".join(filter(None, (state.text(), state.toolTip())))


def warning(window: MainWindow) -> str:
    label = window.findChild(QLabel, "late_banner_text")
    assert label is not None
    return label.text() if label.isVisible() else ""


# --- the ticks ----------------------------------------------------------------------------------------


def test_the_tick_is_filled_when_another_region_has_the_entry(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    assert (icon(at_server, 0), icon(at_server, 1)) == ("check-double", "check-double")
    assert tip(at_server, 0) == details(at_server) == f"{SENT}\nin-mum-1 (ap-south-1)"
    assert tip(at_server, 1) == "Sent to the server"
    fake.place(fake.book.entries[0], HOME, ABROAD)
    tell(qtbot, at_server, fake, tasks, unsettled=0)
    assert (icon(at_server, 0), icon(at_server, 1)) == ("check-filled", "check-double")
    assert tip(at_server, 0) == details(at_server)
    assert details(at_server) == f"{SENT}. {TOO}\nin-mum-1 (ap-south-1); also in eu-west-1"


def test_the_details_of_a_row_that_is_not_visible_are_updated_too(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    at_server.listing.table.scrollToBottom()
    assert 0 not in at_server.listing.table.rows_in_sight()
    fake.place(fake.book.entries[0], HOME, ABROAD)
    tell(qtbot, at_server, fake, tasks, unsettled=0)
    assert details(at_server).endswith("also in eu-west-1")


def test_only_visible_ticks_are_redrawn(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    drawn: list[tuple[int, int, int]] = []

    def note(first: QModelIndex, last: QModelIndex) -> None:
        drawn.append((first.row(), last.row(), first.column()))

    at_server.listing.model.dataChanged.connect(note)
    fake.place(fake.book.entries[0], HOME, ABROAD)
    tell(qtbot, at_server, fake, tasks, unsettled=0)
    sight = at_server.listing.table.rows_in_sight()
    assert drawn == [(0, sight[-1], int(Column.STATE))]
    assert 0 < sight[-1] < at_server.listing.model.rowCount() - 1
    tell(qtbot, at_server, fake, tasks, unsettled=1)  # asked again, and nothing is new
    assert len(drawn) == 1


def test_an_unsent_entry_has_one_tick_and_a_confirmed_one_two(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fresh = replace(fake.book.entries[0], id="f", state=EntryState.WAITING)
    fake.wait(fresh)
    at_server.listing.refresh()
    qtbot.waitUntil(lambda: at_server.listing.model.row_of("f") >= 0 and not tasks.busy)
    row = at_server.listing.model.row_of("f")
    assert (icon(at_server, row), tip(at_server, row)) == ("check", "Waiting to be sent")
    fake.place(fresh, HOME)
    at_server.sync.send_now()  # confirmed: the listing is read again, and where it is with it
    qtbot.waitUntil(lambda: tip(at_server, row).startswith("Sent to the server at "))


def test_the_replication_status_is_read_only_when_the_connection_status_changes(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    def asked() -> int:
        found = fake.book.calls.count("replication")
        fake.book.calls.clear()
        return found

    asked()
    tell(qtbot, at_server, fake, tasks, unsettled=1, phase=Phase.SUSPECT)
    at_server.connection.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert asked() == 0
    tell(qtbot, at_server, fake, tasks, unsettled=2)
    assert asked() == 1
    tell(qtbot, at_server, fake, tasks, unsettled=2, late=1)
    assert asked() == 1
    tell(qtbot, at_server, fake, tasks, unsettled=2, late=1, moved=Moved(1, 2))
    assert asked() == 1
    at_server.listing.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert asked() == 1


def test_the_local_book_has_no_replication_status(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    book.show_listing()
    book.listing.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert "replication" not in fake.book.calls
    assert tip(book, 0) == details(book) == "Saved"


def test_if_reading_fails_the_last_status_is_kept(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.book.errors["replication"] = StoreError("The disk is full.")
    tell(qtbot, at_server, fake, tasks, unsettled=2)
    assert tip(at_server, 0).startswith(SENT)


def test_an_answer_after_signing_out_is_dropped(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    gate = threading.Event()
    fake.book.gates["replication"] = lambda: gate.wait(60)
    at_server.listing.ask_replication()
    at_server.sign_out()
    qtbot.waitUntil(lambda: not at_server.signed_in)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert tip(at_server, 0) == "Saved"  # no book of a server is open any more


def test_the_ticks_stay_while_the_password_is_asked_for(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.connection.tell(Phase.SIGNED_OUT, "")
    qtbot.waitUntil(lambda: at_server.book.again.isVisible())
    assert tip(at_server, 0).startswith(SENT)


# --- the warning --------------------------------------------------------------------------------------


def test_there_is_a_warning_about_late_changes_until_another_region_has_them(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    assert warning(at_server) == ""
    tell(qtbot, at_server, fake, tasks, unsettled=3, late=3)
    assert warning(at_server) == LATE
    assert at_server.book.late.property("tone") == "warn"
    at_server.show_add()
    assert warning(at_server) == LATE
    tell(qtbot, at_server, fake, tasks)
    assert warning(at_server) == ""


def test_a_closed_warning_returns_only_if_more_changes_are_late(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    seen = []
    tell(qtbot, at_server, fake, tasks, late=3)
    close = at_server.book.late.findChild(QPushButton, "late_banner_button")
    assert close is not None
    qtbot.mouseClick(close, Qt.MouseButton.LeftButton)
    for late in (3, 2, 2, 3):
        tell(qtbot, at_server, fake, tasks, late=late, unsettled=late + len(seen))
        seen.append(warning(at_server)[:9])
    assert seen == ["", "", "", "3 changes"]


def test_the_warning_is_hidden_while_the_message_about_a_move_is_shown(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    tell(qtbot, at_server, fake, tasks, late=3)
    tell(qtbot, at_server, fake, tasks, PUNE, Phase.SYNCING, late=3, moved=Moved(37, 40))
    assert at_server.book.moved.isVisible()
    assert warning(at_server) == ""
    at_server.connection.dismiss()
    qtbot.waitUntil(lambda: warning(at_server) == LATE)


def test_the_warning_names_the_region_that_has_the_changes_only_in_its_tool_tip(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    tell(qtbot, at_server, fake, tasks, "ie-dub-1 · eu-west-1", late=3)
    assert warning(at_server) == LATE
    assert at_server.book.late.toolTip() == HOME


def test_there_is_no_warning_after_signing_out(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    tell(qtbot, at_server, fake, tasks, late=3)
    at_server.sign_out()
    qtbot.waitUntil(lambda: not at_server.signed_in)
    assert not at_server.book.late.isVisibleTo(at_server.book)
    assert at_server.connection.shown == ConnectionStatus(Phase.SIGNED_OUT)


def test_the_warning_has_texts_for_one_change_and_for_several() -> None:
    assert late_words(1) == (
        "1 change has been on only one server for more than 5 minutes."
        "\nIt is also kept on this computer until another server has it."
    )
    assert late_words(2).startswith("2 changes have been on only one server")
