"""The connection in the window: the countdown, Try now, the server's name, and the moved-server message."""

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.connection_status import Moved, Phase
from app.domain.entry import EntryState
from app.domain.wording import words_of
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_connection import MUMBAI, PUNE
from tests.support.fake_services import FakeServices

SENTENCE = "Your primary server has changed. Any missing data will be synced within 5 minutes."


@pytest.fixture
def at_server(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    """The window with a book of a server open, at rest."""
    book.book.speak(words_of(is_local=False))
    tell(qtbot, book, fake, Phase.PINNED)
    qtbot.waitUntil(lambda: not tasks.busy and pill(book) == "Connected")
    return book


def tell(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, phase: Phase, label: str = MUMBAI, **more: object
) -> None:
    """Report from another thread, as the program does, and wait until the window has it."""
    teller = threading.Thread(target=lambda: fake.connection.tell(phase, label, **more))  # type: ignore[arg-type]
    teller.start()
    teller.join()
    qtbot.waitUntil(lambda: window.connection.shown == fake.connection.view())


def put_waiting(fake: FakeServices, count: int) -> None:
    for row in fake.book.entries[:count]:
        fake.wait(replace(row, id=f"w{row.id}", state=EntryState.WAITING))


def pill(window: MainWindow) -> str:
    return window.sidebar.status.text()


def text(window: MainWindow, name: str) -> str:
    label = window.findChild(QLabel, name)
    assert label is not None
    return label.text()


def tip(window: MainWindow, name: str) -> str:
    label = window.findChild(QLabel, name)
    assert label is not None
    return label.toolTip()


def button(window: MainWindow, name: str) -> QPushButton:
    found = window.findChild(QPushButton, name)
    assert found is not None
    return found


# --- the pill -----------------------------------------------------------------------------------------


def test_the_countdown_uses_the_clock_of_the_session(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.RECONNECTING, seconds=24)
    seen = [pill(at_server)]
    for passed in (0.4, 0.6, 22.5, 5.0):
        fake.accounts.clock += passed
        at_server.connection.refresh()
        seen.append(pill(at_server))
    assert seen == [
        "Reconnecting… 24 s",
        "Reconnecting… 24 s",
        "Reconnecting… 23 s",
        "Reconnecting… 1 s",
        "Reconnecting…",
    ]


def test_the_countdown_updates_every_second(qtbot: QtBot, at_server: MainWindow, fake: FakeServices) -> None:
    tell(qtbot, at_server, fake, Phase.RECONNECTING, seconds=24)
    fake.accounts.clock += 4
    qtbot.waitUntil(lambda: pill(at_server) == "Reconnecting… 20 s")


@pytest.mark.parametrize("phase", [Phase.PINNED, Phase.SYNCING, Phase.SUSPECT, Phase.REFRESHING])
def test_a_suspect_server_is_not_shown_as_a_problem(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, phase: Phase
) -> None:
    tell(qtbot, at_server, fake, phase)
    assert pill(at_server) == "Connected"
    assert at_server.sidebar.status.property("tone") == "good"
    assert not button(at_server, "try_now_button").isVisible()


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE])
def test_try_now_is_offered_while_no_server_can_be_reached(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, phase: Phase
) -> None:
    tell(qtbot, at_server, fake, phase)
    try_now = button(at_server, "try_now_button")
    qtbot.mouseClick(try_now, Qt.MouseButton.LeftButton)
    assert fake.book.calls.count("try_now") == 1
    assert not try_now.isEnabled()  # once is enough for a moment
    qtbot.waitUntil(try_now.isEnabled)
    tell(qtbot, at_server, fake, Phase.PINNED)
    assert not try_now.isVisible()


def test_while_offline_entries_are_counted_and_sent_when_a_server_is_back(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    fake.book.offline = True
    tell(qtbot, at_server, fake, Phase.OFFLINE)
    put_waiting(fake, 3)
    at_server.sync.outbox_changed()
    qtbot.waitUntil(lambda: pill(at_server) == "Not connected: 3 entries waiting")
    fake.book.offline = False
    with qtbot.waitSignal(at_server.sync.entries_confirmed):
        tell(qtbot, at_server, fake, Phase.PINNED)
    qtbot.waitUntil(lambda: pill(at_server) == "Connected")


def test_while_looking_for_another_server_the_status_is_not_online(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.RECONNECTING)  # as it shows a search (`ConnectionTracker.view`)
    assert pill(at_server) == "Reconnecting…"
    tell(qtbot, at_server, fake, Phase.SWITCHING, PUNE)
    assert pill(at_server) == "Changing server…"
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE)
    qtbot.waitUntil(lambda: pill(at_server) == "Connected")


def test_the_name_of_the_pinned_server_is_shown_in_a_tool_tip_only(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    assert (text(at_server, "server_label"), tip(at_server, "server_label")) == ("On a server", MUMBAI)
    tell(qtbot, at_server, fake, Phase.SWITCHING, PUNE, moved=Moved(1, 2))
    assert (text(at_server, "server_label"), tip(at_server, "server_label")) == ("On a server", PUNE)
    assert at_server.book.moved.toolTip() == f"Your book now works with {PUNE}."


def test_a_local_book_that_does_not_answer_is_being_opened_without_try_now(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    assert (text(book, "server_label"), tip(book, "server_label")) == ("This computer", "")
    fake.book.offline = True
    fake.share_of_pauses = 0.01  # it is noticed when the server is probed
    book.sync.send_now()
    qtbot.waitUntil(lambda: pill(book) == "Opening your book…")
    assert not button(book, "try_now_button").isVisible()


# --- sending and reading ------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE])
def test_nothing_is_sent_while_no_server_can_be_reached(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks, phase: Phase
) -> None:
    tell(qtbot, at_server, fake, phase)
    qtbot.waitUntil(lambda: not tasks.busy)
    before = fake.book.calls.count("send_pending")
    put_waiting(fake, 1)
    at_server.sync.outbox_changed()
    qtbot.waitUntil(lambda: at_server.sync.waiting == 1 and not fake.worker.is_sending)
    assert fake.book.calls.count("send_pending") == before


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE, Phase.SWITCHING])
def test_when_a_server_is_back_the_outbox_is_sent_and_the_listing_loaded_again(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks, phase: Phase
) -> None:
    tell(qtbot, at_server, fake, phase)
    qtbot.waitUntil(lambda: not tasks.busy)
    fake.book.calls.clear()
    with qtbot.waitSignal(at_server.sync.came_back):
        tell(qtbot, at_server, fake, Phase.SYNCING)
    qtbot.waitUntil(lambda: {"send_pending", "page"} <= set(fake.book.calls) and not tasks.busy)
    fake.book.calls.clear()
    tell(qtbot, at_server, fake, Phase.PINNED)  # the rest has arrived there
    qtbot.waitUntil(lambda: "page" in fake.book.calls)


def test_a_short_suspicion_does_not_reload_the_listing(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.book.calls.clear()
    for phase in (Phase.SUSPECT, Phase.PINNED, Phase.REFRESHING, Phase.PINNED):
        tell(qtbot, at_server, fake, phase)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert "page" not in fake.book.calls


def test_sending_from_the_outbox_looks_for_a_server_first(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.OFFLINE)
    at_server.outbox.send_wanted.emit()
    qtbot.waitUntil(lambda: "try_now" in fake.book.calls)


def test_the_password_is_asked_for_when_the_session_has_ended(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.SIGNED_OUT)
    qtbot.waitUntil(at_server.book.again.isVisible)
    assert pill(at_server) == "Signed out"


def test_after_signing_out_the_connection_is_not_shown(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.SYNCING, moved=Moved(1, 2))
    at_server.sign_out()
    qtbot.waitUntil(lambda: not at_server.signed_in)
    fake.connection.tell(Phase.SIGNED_OUT, "")
    assert not at_server.book.moved.isVisibleTo(at_server.book)
    assert not at_server.book.again.isVisibleTo(at_server.book)


# --- the moved-server message -------------------------------------------------------------------------


def test_the_message_counts_arrived_changes_and_then_disappears(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    banner = at_server.book.moved
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(0, 40, unknown=40))
    assert banner.isVisible()
    assert text(at_server, "moved_banner_text") == SENTENCE
    assert text(at_server, "moved_banner_count") == "Looking for your recent changes here…"
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(37, 40))
    assert text(at_server, "moved_banner_count") == "37 of 40 of your recent changes are here"
    tell(qtbot, at_server, fake, Phase.PINNED, PUNE, moved=Moved(40, 40))
    assert text(at_server, "moved_banner_count") == "All your data is here."
    assert banner.property("tone") == "good"
    fake.accounts.clock += 9.9
    at_server.connection.refresh()
    assert banner.isVisible()
    fake.accounts.clock += 0.1
    at_server.connection.refresh()
    qtbot.waitUntil(lambda: not banner.isVisible())
    assert fake.connection.view().moved is None


def test_without_recent_changes_the_message_says_that_all_data_is_here(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices
) -> None:
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(0, 0))
    assert text(at_server, "moved_banner_text") == SENTENCE
    assert text(at_server, "moved_banner_count") == "All your data is here."


KEPT = "They are kept on this computer."


@pytest.mark.parametrize(
    ("here", "rest"),
    [
        (37, "3 are still on their way. They are kept on this computer."),
        (39, "1 is still on its way. It is kept on this computer."),
    ],
)
def test_after_five_minutes_the_message_is_a_warning(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, here: int, rest: str
) -> None:
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(here, 40, late=True))
    assert at_server.book.moved.property("tone") == "warn"
    assert "within 5 minutes" not in text(at_server, "moved_banner_text")
    count = text(at_server, "moved_banner_count")
    assert count == f"{here} of 40 of your recent changes are here; {rest}"
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(0, 40, late=True, unknown=40))
    count = text(at_server, "moved_banner_count")
    assert count == "This server does not say which of your recent changes are here. " + KEPT
    fake.accounts.clock += 600
    at_server.connection.refresh()
    assert at_server.book.moved.isVisible()


def test_the_message_can_be_closed(qtbot: QtBot, at_server: MainWindow, fake: FakeServices) -> None:
    tell(qtbot, at_server, fake, Phase.SYNCING, PUNE, moved=Moved(37, 40))
    qtbot.mouseClick(at_server.book.moved.close_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not at_server.book.moved.isVisible())
    assert "dismiss_move" in fake.book.calls


def test_errors_while_reconnecting_do_not_pile_up(
    qtbot: QtBot, at_server: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    at_server.show_listing()
    fake.book.offline = True
    tell(qtbot, at_server, fake, Phase.RECONNECTING, seconds=24)
    at_server.listing.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    said: list[Callable[[], str]] = [at_server.book.banner.text, at_server.listing.banner.text]
    assert [each() != "" for each in said] == [False, True]
    assert at_server.listing.model.rowCount() > 0
