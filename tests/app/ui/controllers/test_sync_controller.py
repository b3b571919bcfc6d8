"""Sending in the background: at once after a save, with growing pauses while no server answers."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryState
from app.errors import OfflineError, SignInError
from app.services.sync import SyncReport
from app.ui.controllers.status_text import status_text
from app.ui.controllers.sync_controller import Connectivity, SyncController
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices


@pytest.fixture
def sync(fake: FakeServices, tasks: Tasks) -> Iterator[SyncController]:
    made = SyncController(fake.services(), tasks, jitter=lambda: 0.5)
    yield made
    made.stop()


def put_waiting(fake: FakeServices, count: int = 1) -> None:
    for number in range(count):
        row = fake.book.entries[number]
        fake.wait(replace(row, id=f"w{number}", state=EntryState.WAITING))


def run_once(qtbot: QtBot, sync: SyncController) -> None:
    with qtbot.waitSignal(sync.run_ended):
        sync.send_now()


def test_what_waits_is_sent_at_the_start(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    put_waiting(fake, 3)
    with qtbot.waitSignal(sync.entries_confirmed) as told:
        sync.start()
    assert told.args == [3]
    assert sync.connectivity is Connectivity.ONLINE
    assert sync.waiting == 0


def test_a_save_is_sent_at_once_and_counted_until_then(
    qtbot: QtBot, sync: SyncController, fake: FakeServices
) -> None:
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    put_waiting(fake)
    with qtbot.waitSignal(sync.entries_confirmed):
        sync.entry_saved()
        assert sync.waiting == 1
    assert sync.waiting == 0


def test_without_a_server_the_pauses_double_up_to_a_minute(
    qtbot: QtBot, sync: SyncController, fake: FakeServices
) -> None:
    fake.book.offline = True
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    pauses = []
    for _ in range(8):
        run_once(qtbot, sync)
        pauses.append(sync.pause_ms)
    assert sync.connectivity is Connectivity.OFFLINE
    assert pauses == [4000, 8000, 16000, 32000, 60000, 60000, 60000, 60000]


def test_coming_back_online_is_told_and_the_pause_starts_over(
    qtbot: QtBot, sync: SyncController, fake: FakeServices
) -> None:
    fake.book.offline = True
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    fake.book.offline = False
    with qtbot.waitSignal(sync.connectivity_changed) as told:
        sync.send_now()
    assert told.args == [Connectivity.ONLINE]
    fake.book.offline = True
    run_once(qtbot, sync)
    run_once(qtbot, sync)
    assert sync.pause_ms == 4000


def test_asking_while_sending_sends_once_more(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    sync.start()
    sync.send_now()
    sync.send_now()
    qtbot.waitUntil(lambda: fake.book.calls.count("send_pending") == 2)


def test_after_stop_nothing_is_sent(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, tasks: Tasks
) -> None:
    sync.start()
    sync.stop()
    sync.send_now()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert fake.book.calls.count("send_pending") == 1  # that of the start, which was under way
    assert sync.connectivity is Connectivity.STARTING


@pytest.mark.parametrize(
    ("report", "text", "tone"),
    [
        (SyncReport(0, 0, 0), "Online", "good"),
        (SyncReport(0, 3, 0, OfflineError()), "Offline: 3 entries waiting", "warn"),
        (SyncReport(0, 0, 0, OfflineError()), "Offline", "warn"),
        (SyncReport(0, 0, 1), "1 entry refused", "danger"),
        (SyncReport(0, 2, 0, SignInError("Over.")), "Signed out: 2 entries waiting", "danger"),
        (SyncReport(0, 0, 0, SignInError("Over.")), "Signed out", "danger"),
    ],
)
def test_the_pill_says_how_it_stands(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, report: SyncReport, text: str, tone: str
) -> None:
    assert status_text(sync)[0] == "Starting…"
    fake.sync.send_pending = lambda: report  # type: ignore[method-assign]
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    assert status_text(sync)[:2] == (text, tone)


def test_what_was_refused_is_left_in_peace(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    sync.entries_confirmed.connect(told.append)
    monkeypatch.setattr(fake.sync, "send_pending", lambda: SyncReport(0, 2, 1))
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    pauses = []
    for _ in range(7):
        run_once(qtbot, sync)
        pauses.append(sync.pause_ms)
    assert pauses[-1] == 60_000
    assert told == [0]  # the listing is read again when it is refused, not at every look
