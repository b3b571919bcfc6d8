"""The sync worker as the windows see it: its events as signals, for the book that is open."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pytestqt.qtbot import QtBot

from app.domain.entry import EntryState
from app.domain.sync_events import (
    CameBack,
    Connectivity,
    Crashed,
    EntriesConfirmed,
    RunEnded,
    SignInNeeded,
    Started,
    StateChanged,
    Superseded,
    SyncEvent,
    SyncState,
)
from app.errors import OfflineError, SignInError
from app.services.sync import SyncReport
from app.ui.controllers.status_text import status_text
from app.ui.controllers.sync_controller import SyncController
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices


@pytest.fixture
def sync(fake: FakeServices, tasks: Tasks) -> Iterator[SyncController]:
    fake.accounts.sign_in_local("Asha Rao", "")
    made = SyncController(fake.services(), tasks)
    yield made
    made.stop()


def put_waiting(fake: FakeServices, count: int = 1) -> None:
    for number in range(count):
        row = fake.book.entries[number]
        fake.wait(replace(row, id=f"w{number}", state=EntryState.WAITING))


def start(qtbot: QtBot, sync: SyncController) -> None:
    with qtbot.waitSignal(sync.run_ended):
        sync.start()


class Slow:
    """Lets each run last until the test says that it may go on."""

    def __init__(self, fake: FakeServices, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_sending, self.go_on = threading.Event(), threading.Event()
        self._send_pending = fake.sync.send_pending
        monkeypatch.setattr(fake.sync, "send_pending", self._send)

    def _send(self) -> SyncReport:
        self.is_sending.set()
        assert self.go_on.wait(40)
        return self._send_pending()


def publish(fake: FakeServices, *events: SyncEvent) -> None:
    """Publish events from another thread, as the worker does."""
    publisher = threading.Thread(target=lambda: [fake.worker.events.publish(event) for event in events])
    publisher.start()
    publisher.join()


def test_the_outbox_is_sent_at_the_start(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    put_waiting(fake, 3)
    with qtbot.waitSignal(sync.entries_confirmed) as told:
        sync.start()
    assert told.args == [3]
    assert sync.connectivity is Connectivity.ONLINE
    assert sync.waiting == 0


def test_a_saved_entry_is_sent_at_once_and_counted_until_then(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(qtbot, sync)
    counted: list[int] = []
    sync.waiting_changed.connect(counted.append)
    put_waiting(fake)
    slow = Slow(fake, monkeypatch)
    with qtbot.waitSignal(sync.entries_confirmed):
        sync.outbox_changed()
        assert sync.sending
        slow.go_on.set()
    qtbot.waitUntil(lambda: not sync.sending)
    assert counted == [1, 0]
    assert sync.waiting == 0


def test_came_back_is_emitted_when_a_server_is_back(
    qtbot: QtBot, sync: SyncController, fake: FakeServices
) -> None:
    fake.book.offline = True
    put_waiting(fake)
    start(qtbot, sync)
    assert sync.connectivity is Connectivity.OFFLINE
    fake.book.offline = False
    with qtbot.waitSignal(sync.connectivity_changed) as told:
        sync.send_now()
    assert told.args == [Connectivity.ONLINE]


def test_a_request_during_a_run_causes_one_more_run(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = Slow(fake, monkeypatch)
    sync.start()
    assert slow.is_sending.wait(40)
    sync.send_now()
    sync.outbox_changed()
    slow.go_on.set()
    with qtbot.waitSignals([sync.run_ended, sync.run_ended]):
        pass
    qtbot.waitUntil(lambda: not sync.sending)
    assert fake.book.calls.count("send_pending") == 2


def test_after_stop_nothing_is_sent_or_shown(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    put_waiting(fake)
    fake.book.offline = True
    start(qtbot, sync)
    assert sync.waiting == 1
    told: list[object] = []
    for signal in (sync.run_ended, sync.entries_confirmed, sync.came_back, sync.sign_in_needed):
        signal.connect(told.append if signal is not sync.came_back else lambda: told.append("came back"))
    with qtbot.waitSignals([sync.connectivity_changed, sync.waiting_changed, sync.state_changed]):
        sync.stop()
    assert sync.state == SyncState()
    sync.send_now()
    sync.outbox_changed()
    with qtbot.waitSignal(sync.run_ended):  # of the next book, by when the worker has seen all of it
        sync.start()
    assert fake.book.calls.count("send_pending") == 2
    assert told == [1]


def test_events_are_passed_on_in_order(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    start(qtbot, sync)
    told: list[tuple[str, object]] = []
    for name in ("entries_confirmed", "run_ended", "superseded", "sign_in_needed", "state_changed"):
        getattr(sync, name).connect(lambda value, name=name: told.append((name, value)))
    sync.came_back.connect(lambda: told.append(("came_back", None)))
    error, state = SignInError("Over."), replace(sync.state, refused=3)
    publish(
        fake,
        CameBack(),
        StateChanged(state),
        SignInNeeded(error),
        Superseded(("M7A-000012",)),
        EntriesConfirmed(2),
        RunEnded(5),
    )
    qtbot.waitUntil(lambda: len(told) == 6)
    assert told == [
        ("came_back", None),
        ("state_changed", state),
        ("sign_in_needed", error),
        ("superseded", ("M7A-000012",)),
        ("entries_confirmed", 2),
        ("run_ended", 5),
    ]
    assert sync.refused == 3


def test_a_signal_is_emitted_for_each_part_of_the_state_that_changes(
    qtbot: QtBot, sync: SyncController, fake: FakeServices
) -> None:
    start(qtbot, sync)
    told: list[object] = []
    sync.waiting_changed.connect(told.append)
    sync.connectivity_changed.connect(told.append)
    sync.state_changed.connect(lambda _state: told.append("state"))
    states = [replace(sync.state, refused=1), replace(sync.state, waiting=2)]
    states += [states[-1], replace(states[-1], connectivity=Connectivity.OFFLINE)]
    publish(fake, *(StateChanged(state) for state in states))
    qtbot.waitUntil(lambda: sync.state == states[-1])
    assert told == ["state", 2, "state", Connectivity.OFFLINE, "state"]


def test_events_of_another_book_are_not_shown(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    told: list[object] = []
    sync.run_ended.connect(told.append)
    publish(fake, RunEnded(7), StateChanged(SyncState(waiting=7)))  # before a book is open
    start(qtbot, sync)
    state = sync.state
    number = fake.worker.start()  # a book that nobody here has asked for
    publish(fake, Started(number), RunEnded(8), StateChanged(SyncState(waiting=8)))
    told.clear()
    with qtbot.waitSignal(sync.run_ended):
        sync.start()
    assert told == [0]
    assert sync.state == state


def test_a_crash_is_reported_whether_or_not_a_book_is_open(
    qtbot: QtBot, fake: FakeServices, qapp: object
) -> None:
    tasks = Tasks()
    sync = SyncController(fake.services(), tasks)
    crash = ZeroDivisionError("no one expected this")
    with qtbot.waitSignal(tasks.crashed) as told:
        publish(fake, Crashed(crash))
    assert told.args == [crash]
    start(qtbot, sync)
    with qtbot.waitSignal(tasks.crashed):
        publish(fake, Crashed(crash))
    sync.stop()
    assert tasks.shutdown()


def test_signing_in_again_clears_the_problem(qtbot: QtBot, sync: SyncController, fake: FakeServices) -> None:
    send_pending = fake.sync.send_pending
    fake.sync.send_pending = lambda: SyncReport(0, 1, 0, SignInError("Over."))  # type: ignore[method-assign]
    needed: list[object] = []
    sync.sign_in_needed.connect(needed.append)
    start(qtbot, sync)
    assert needed == [sync.problem]
    fake.sync.send_pending = send_pending  # type: ignore[method-assign]
    with qtbot.waitSignal(sync.run_ended):
        sync.signed_in_again()
    assert sync.problem is None


@pytest.mark.parametrize(
    ("report", "text", "tone"),
    [
        (SyncReport(0, 0, 0), "Saved", "good"),
        (SyncReport(0, 3, 0, OfflineError()), "Opening your book: 3 entries waiting", "warn"),
        (SyncReport(0, 0, 0, OfflineError()), "Opening your book…", "warn"),
        (SyncReport(0, 0, 1), "1 entry not stored", "danger"),
        (SyncReport(0, 2, 0, SignInError("Over.")), "Signed out: 2 entries waiting", "danger"),
        (SyncReport(0, 0, 0, SignInError("Over.")), "Signed out", "danger"),
    ],
)
def test_the_status_text_follows_the_report(
    qtbot: QtBot, sync: SyncController, fake: FakeServices, report: SyncReport, text: str, tone: str
) -> None:
    assert status_text(sync)[0] == "Starting…"
    fake.sync.send_pending = lambda: report  # type: ignore[method-assign]
    start(qtbot, sync)
    assert status_text(sync)[:2] == (text, tone)
