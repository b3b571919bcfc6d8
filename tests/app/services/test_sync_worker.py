"""The sync worker: one run at a time, polls beside it, and one stream of events."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from app.domain.connection_status import Phase
from app.domain.sync_events import (
    CameBack,
    Connectivity,
    Crashed,
    EntriesConfirmed,
    ReplayWanted,
    RunEnded,
    SignInNeeded,
    Started,
    StateChanged,
    Superseded,
    SyncEvent,
)
from app.errors import AppError, OfflineError, ServerError, SignInError, StoreError
from app.services.replication_tracker import PollResult
from app.services.sync import SyncReport
from tests.app.services.worker_parts import PATIENCE, Bench

Ask = Callable[[], Future[SyncReport]]
NO_ANSWER = SyncReport(0, 3, 0, OfflineError())
UNEXPECTED = "Something unexpected went wrong. Nothing is lost. Please try again."


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.close()
    crashes = [event.exception for event in made.heard.of(Crashed)]
    assert [crash for crash in crashes if not isinstance(crash, ZeroDivisionError)] == []


@pytest.fixture
def ask(bench: Bench) -> Iterator[Ask]:
    """Calls `send_and_wait` in a thread of its own, and returns when the worker knows of it."""
    pool = ThreadPoolExecutor()

    def send_and_wait() -> Future[SyncReport]:
        asked = pool.submit(bench.worker.send_and_wait)
        bench.until(lambda: asked.done() or len(bench.worker._waiters) + bench.worker.is_sending)
        return asked

    yield send_and_wait
    bench.close()
    pool.shutdown()


def kinds(events: list[SyncEvent]) -> list[type[Any]]:
    return [type(event) for event in events]


# --- sending ----------------------------------------------------------------------------------------


def test_the_outbox_is_sent_at_the_start_and_events_come_in_order(bench: Bench) -> None:
    bench.outbox.report = SyncReport(3, 1, 1, superseded=("M7A-000012",))
    number = bench.start()
    told = bench.heard.events[bench.heard.events.index(Started(number)) :]
    assert kinds(told) == [Started, StateChanged, StateChanged, Superseded, EntriesConfirmed, RunEnded]
    assert told[3:] == [Superseded(("M7A-000012",)), EntriesConfirmed(3), RunEnded(0)]  # nobody waits for
    state = bench.worker.state  # what was refused for good
    assert (state.connectivity, state.waiting, state.refused) == (Connectivity.ONLINE, 1, 1)


def test_the_state_is_up_to_date_when_an_event_arrives(bench: Bench) -> None:
    found: list[bool] = []
    bench.worker.events.subscribe(
        lambda event: isinstance(event, StateChanged) and found.append(event.state == bench.worker.state)
    )
    bench.start()
    assert found
    assert all(found)


def test_an_unchanged_state_is_published_once(bench: Bench) -> None:
    bench.start()
    told = len(bench.heard.of(StateChanged))
    for _ in range(3):
        bench.worker.refresh()
        bench.phase(Phase.PINNED)
    bench.worker.send_now()
    bench.heard.wait(RunEnded, 2)
    bench.rest()
    assert len(bench.heard.of(StateChanged)) == told


def test_requests_during_a_run_cause_one_more_run_after_it(bench: Bench) -> None:
    bench.outbox.sending.close()
    bench.phase(Phase.PINNED)
    bench.worker.start()
    bench.outbox.sending.wait()
    for _ in range(3):
        bench.worker.outbox_changed()
        bench.worker.send_now()
    bench.settle()
    assert bench.outbox.runs == 1
    bench.outbox.sending.open()
    bench.heard.wait(RunEnded, 2)
    bench.until(lambda: not bench.worker.is_sending)
    assert bench.outbox.runs == 2
    assert bench.outbox.most_at_once == 1


def test_is_sending_is_true_from_a_save_until_the_end_of_the_run(bench: Bench) -> None:
    bench.start()
    at_the_end: list[bool] = []
    bench.worker.events.subscribe(
        lambda event: isinstance(event, RunEnded) and at_the_end.append(bench.worker.is_sending)
    )
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    assert bench.worker.is_sending  # before the thread has seen it
    bench.outbox.sending.wait()
    assert bench.worker.is_sending
    bench.worker.outbox_changed()
    bench.settle()
    bench.outbox.sending.open()
    bench.heard.wait(RunEnded, 3)
    assert at_the_end == [True, False]  # after the first it goes on, after the last it does not


def test_a_save_is_counted_before_it_is_sent(bench: Bench) -> None:
    bench.start()
    bench.outbox.sending.close()
    bench.outbox.count = 1
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    assert bench.worker.state.waiting == 1
    assert StateChanged(bench.worker.state) in bench.heard.events


def test_if_the_disk_fails_the_last_count_is_kept(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 2, 0)
    bench.start()
    bench.outbox.count = StoreError("The disk could not be read.")
    bench.worker.outbox_changed()
    bench.heard.wait(RunEnded, 2)
    assert bench.worker.state.waiting == 2


def test_without_an_answer_runs_are_repeated_after_growing_pauses(bench: Bench) -> None:
    bench.outbox.report = NO_ANSWER
    bench.start()
    assert bench.worker.state.connectivity is Connectivity.OFFLINE
    assert bench.worker.state.problem is None  # that no server answers is no error to show
    for runs, pause in enumerate((1.0, 2.0, 4.0), start=1):
        bench.advance(pause - 0.01)
        assert bench.outbox.runs == runs
        bench.advance(0.01)
        bench.heard.wait(RunEnded, runs + 1)
        bench.until(lambda: not bench.worker.is_sending)
    bench.outbox.report = SyncReport(3, 0, 0)
    bench.worker.send_now()
    bench.heard.wait(RunEnded, 5)
    assert bench.worker.state.connectivity is Connectivity.ONLINE
    bench.until(lambda: not bench.worker.is_sending)
    bench.outbox.report = NO_ANSWER
    bench.worker.outbox_changed()
    bench.heard.wait(RunEnded, 6)
    bench.until(lambda: not bench.worker.is_sending)
    bench.advance(1.0)  # the pauses start over
    bench.heard.wait(RunEnded, 7)


def test_refused_items_are_not_sent_again_and_are_reported_once(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 2, 1)
    bench.start()
    for _ in range(7):
        ended = len(bench.heard.of(RunEnded))
        bench.advance(60.0)
        bench.heard.wait(RunEnded, ended + 1)
        bench.until(lambda: not bench.worker.is_sending)
    assert bench.heard.of(EntriesConfirmed) == [EntriesConfirmed(0)]  # not at every look
    runs = bench.outbox.runs
    bench.advance(59.9)
    assert bench.outbox.runs == runs


def test_a_problem_is_shown_until_a_run_succeeds(bench: Bench) -> None:
    trouble = ServerError("No database.", retryable=True)
    bench.outbox.report = SyncReport(0, 1, 0, trouble)
    bench.start()
    assert bench.worker.state.problem is trouble
    assert bench.worker.state.connectivity is Connectivity.ONLINE  # it did answer
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.worker.send_now()
    bench.heard.wait(RunEnded, 2)
    assert bench.worker.state.problem is None


def test_signing_in_again_clears_the_problem_and_sends_at_once(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 1, 0, SignInError("Over."))
    bench.start()
    assert bench.heard.of(SignInNeeded)[0].error.message == "Over."
    bench.outbox.sending.close()
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.worker.signed_in_again()
    bench.outbox.sending.wait()
    assert bench.worker.state.problem is None
    bench.outbox.sending.open()
    bench.heard.wait(RunEnded, 2)
    assert len(bench.heard.of(SignInNeeded)) == 1


def test_a_failing_disk_in_a_run_is_shown_as_the_problem(bench: Bench) -> None:
    bench.outbox.count = 1
    bench.outbox.report = StoreError("The disk could not be read.")
    bench.start()
    assert isinstance(bench.worker.state.problem, StoreError)
    assert bench.heard.of(RunEnded) == [RunEnded(1)]
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.advance(1.0)
    bench.heard.wait(RunEnded, 2)


# --- while no server is there -------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE])
def test_nothing_is_sent_without_a_server_and_everything_when_one_is_back(bench: Bench, phase: Phase) -> None:
    bench.start()
    bench.outbox.count = 2
    bench.phase(phase)
    assert (bench.worker.state.connectivity, bench.worker.state.waiting) == (Connectivity.OFFLINE, 2)
    bench.outbox.count = 3
    bench.worker.outbox_changed()
    bench.advance(600.0)
    assert bench.outbox.runs == 1
    assert bench.worker.state.waiting == 3
    assert not bench.worker.is_sending
    bench.phase(Phase.PINNED)
    bench.heard.wait(RunEnded, 2)
    assert bench.heard.of(CameBack) == [CameBack()]


def test_a_book_opened_without_a_server_is_counted_but_not_sent(bench: Bench) -> None:
    bench.outbox.count = 4
    bench.phase(Phase.OFFLINE)
    bench.worker.start()
    bench.settle()
    assert bench.worker.state.waiting == 4
    assert bench.outbox.runs == 0


def test_sending_by_hand_looks_for_a_server_first(bench: Bench) -> None:
    bench.start()
    bench.worker.send_now()
    bench.settle()
    assert bench.session.tries == 0  # one is there
    bench.phase(Phase.OFFLINE)
    bench.worker.outbox_changed()
    bench.settle()
    assert bench.session.tries == 0  # a save is no reason to hurry
    bench.worker.send_now()
    bench.settle()
    assert bench.session.tries == 1
    bench.worker.try_now()
    assert bench.session.tries == 2


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE, Phase.SWITCHING])
def test_came_back_is_published_when_a_server_is_back_and_when_it_has_caught_up(
    bench: Bench, phase: Phase
) -> None:
    bench.start()
    bench.phase(phase)
    bench.phase(Phase.SYNCING)
    bench.heard.wait(CameBack, 1)
    bench.heard.wait(RunEnded, 2)
    bench.phase(Phase.PINNED)  # the rest has arrived there
    bench.heard.wait(CameBack, 2)
    bench.heard.wait(RunEnded, 3)
    bench.phase(Phase.PINNED)
    assert len(bench.heard.of(CameBack)) == 2


def test_a_short_suspicion_publishes_nothing(bench: Bench) -> None:
    bench.start()
    for phase in (Phase.SUSPECT, Phase.PINNED, Phase.REFRESHING, Phase.PINNED):
        bench.phase(phase)
    assert bench.heard.of(CameBack) == []
    assert bench.outbox.runs == 1


def test_sign_in_needed_is_published_when_the_session_ends(bench: Bench) -> None:
    bench.start()
    bench.phase(Phase.SIGNED_OUT)
    bench.phase(Phase.SIGNED_OUT)
    assert [event.error.message for event in bench.heard.of(SignInNeeded)] == ["The session has ended."]


def test_sign_in_needed_says_why_the_session_has_ended(bench: Bench) -> None:
    bench.start()
    bench.phase(Phase.SIGNED_OUT, ended="password")
    assert [event.error.ended for event in bench.heard.of(SignInNeeded)] == ["password"]


# --- is a server there? -------------------------------------------------------------------------------


def test_with_nothing_to_send_the_server_is_probed_now_and_then(bench: Bench) -> None:
    bench.start()
    bench.advance(19.9)
    assert bench.session.probes == 0
    bench.session.online = False
    bench.advance(0.1)
    bench.until(lambda: bench.worker.state.connectivity is Connectivity.OFFLINE)
    assert bench.outbox.runs == 1
    bench.advance(1.0)  # no server answers: from now on it is tried as after a run
    bench.heard.wait(RunEnded, 2)
    assert bench.worker.state.connectivity is Connectivity.ONLINE


def test_while_only_refused_items_are_left_the_server_is_probed_too(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 2, 1)  # one is refused, and the other one was made from it
    bench.start()
    probed = bench.session.probes
    for _ in range(6):
        bench.advance(20.0)
        probed += 1
        bench.until(lambda probed=probed: bench.session.probes >= probed and not bench.worker.is_sending)
    bench.until(lambda: not bench.worker._is_probing)
    assert bench.session.probes == probed
    assert bench.worker._seconds_left() != 0.0


def test_while_no_server_can_be_reached_nothing_is_probed_beside_the_search(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 1, 1)
    bench.start()
    bench.phase(Phase.OFFLINE)
    bench.advance(600.0)
    assert bench.session.probes == 0
    assert bench.worker._seconds_left() != 0.0


def test_a_hanging_probe_blocks_no_save_and_no_second_probe_starts(bench: Bench) -> None:
    bench.start()
    bench.session.probing.close()
    bench.advance(20.0)
    bench.session.probing.wait()
    bench.worker.outbox_changed()
    bench.heard.wait(RunEnded, 2)
    bench.until(lambda: not bench.worker.is_sending)
    bench.advance(20.0)
    assert bench.session.probes == 1
    assert bench.worker._seconds_left() != 0.0  # it does not spin until the probe ends
    bench.session.online = False
    bench.session.probing.open()
    bench.until(lambda: bench.worker.state.connectivity is Connectivity.OFFLINE)
    bench.advance(1.0)
    bench.heard.wait(RunEnded, 3)


def test_a_probe_of_the_previous_book_is_ignored(bench: Bench) -> None:
    bench.start()
    bench.session.probing.close()
    bench.advance(20.0)
    bench.session.probing.wait()
    bench.worker.stop()
    bench.start()
    bench.session.online = False
    bench.session.probing.open()
    bench.until(lambda: not bench.worker._is_probing)
    assert bench.worker.state.connectivity is Connectivity.ONLINE
    bench.advance(20.0)
    bench.until(lambda: bench.session.probes == 2)


# --- after a move -------------------------------------------------------------------------------------


def test_after_a_move_the_outbox_is_sent_and_polled_even_if_no_book_is_open(bench: Bench) -> None:
    bench.phase(Phase.SWITCHING)
    bench.outbox.sending.close()
    bench.outbox.report = SyncReport(2, 0, 0, superseded=("M7A-000012",))
    bench.session.changes.publish(ReplayWanted())
    bench.outbox.sending.wait()
    assert bench.connection.moves == 1
    bench.until(lambda: bench.tracker.polls == [True])  # while what waits is sent
    bench.outbox.sending.open()
    bench.until(lambda: bench.tracker.polls == [True, True])  # and after it
    assert set(kinds(bench.heard.events)) == {StateChanged}  # whose entries these are nobody has said


def test_after_a_move_the_outbox_is_sent_even_if_the_phase_shows_no_server(bench: Bench) -> None:
    bench.start()
    bench.phase(Phase.OFFLINE)
    bench.session.changes.publish(ReplayWanted())
    bench.heard.wait(RunEnded, 2)


def test_a_move_during_a_run_causes_another_run(bench: Bench) -> None:
    bench.start()
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    bench.session.changes.publish(ReplayWanted())
    bench.settle()
    assert bench.outbox.runs == 2
    bench.outbox.sending.open()
    bench.heard.wait(RunEnded, 3)
    assert bench.outbox.most_at_once == 1


def test_if_the_run_after_a_move_fails_the_changes_are_still_counted_and_polled(bench: Bench) -> None:
    bench.phase(Phase.PINNED)
    bench.outbox.report = StoreError("The disk is full.")
    recounts = bench.connection.recounts
    bench.session.changes.publish(ReplayWanted())
    bench.until(lambda: bench.outbox.runs == 1 and len(bench.tracker.polls) >= 1)
    bench.until(lambda: bench.connection.recounts >= recounts + 2)


# --- send_and_wait ------------------------------------------------------------------------------------


def test_send_and_wait_returns_the_report_of_a_run_that_began_after_the_call(bench: Bench, ask: Ask) -> None:
    bench.start()
    bench.outbox.sending.close()
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    bench.outbox.report = SyncReport(2, 0, 0)
    callers = [ask(), ask()]
    bench.outbox.sending.open()
    assert [caller.result(PATIENCE) for caller in callers] == [SyncReport(2, 0, 0)] * 2
    assert bench.outbox.most_at_once == 1


def test_send_and_wait_does_not_wait_for_a_replay(bench: Bench, ask: Ask) -> None:
    bench.tracker.missing = 100
    bench.tracker.replaying.close()
    bench.start()
    bench.tracker.replaying.wait()
    caller = ask()
    bench.until(lambda: bench.worker._waiters)
    bench.outbox.sending.close()
    bench.tracker.replaying.open()
    bench.outbox.sending.wait()
    assert bench.tracker.missing > 90
    bench.outbox.sending.open()
    assert caller.result(PATIENCE) == SyncReport(0, 0, 0)


@pytest.mark.parametrize("phase", [Phase.SIGNED_OUT, Phase.OFFLINE, Phase.PINNED])
def test_send_and_wait_returns_without_a_server_or_an_open_book(bench: Bench, ask: Ask, phase: Phase) -> None:
    bench.phase(phase)
    bench.outbox.report = NO_ANSWER
    assert ask().result(PATIENCE) is NO_ANSWER


def test_send_and_wait_raises_the_error_of_the_run(bench: Bench, ask: Ask) -> None:
    bench.outbox.report = StoreError("The disk is full.")
    assert ask().exception(PATIENCE) is bench.outbox.report


def test_send_and_wait_raises_after_a_crash_which_is_reported_once(bench: Bench, ask: Ask) -> None:
    bench.outbox.report = crash = ZeroDivisionError("no one expected this")
    error = ask().exception(PATIENCE)
    assert isinstance(error, AppError)
    assert error.message == UNEXPECTED
    assert bench.heard.wait(Crashed).exception is crash
    bench.outbox.report = SyncReport(1, 0, 0)
    assert ask().result(PATIENCE) == SyncReport(1, 0, 0)
    assert len(bench.heard.of(Crashed)) == 1


def test_send_and_wait_raises_if_the_worker_is_closed(bench: Bench, ask: Ask) -> None:
    bench.start()
    bench.outbox.sending.close()
    first = ask()
    bench.outbox.sending.wait()
    second = ask()
    bench.until(lambda: bench.worker._waiters)
    bench.worker.close()
    assert isinstance(second.exception(PATIENCE), OfflineError)  # its run had not begun
    assert not first.done()
    bench.outbox.sending.open()
    assert first.result(PATIENCE) == SyncReport(0, 0, 0)
    with pytest.raises(OfflineError):
        bench.worker.send_and_wait()


def test_send_and_wait_does_not_hang_when_the_worker_closes_meanwhile(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.start()
    post = bench.worker._thread.post

    def overtaken(message: Callable[[], object]) -> None:
        bench.worker.close()
        post(message)

    monkeypatch.setattr(bench.worker._thread, "post", overtaken)
    with pytest.raises(OfflineError):
        bench.worker.send_and_wait()


# --- polls and replay ---------------------------------------------------------------------------------


def test_polls_continue_while_a_run_blocks(bench: Bench) -> None:
    bench.tracker.result = PollResult(1)
    bench.start()
    bench.connection.is_awaited = True
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    bench.advance(10.0)
    bench.until(lambda: len(bench.tracker.polls) == 2)
    for number in range(3, 12):
        bench.until(lambda: not bench.worker._poller.is_polling)
        bench.advance(0.5)
        bench.until(lambda number=number: len(bench.tracker.polls) == number)  # type: ignore[misc]
    assert bench.worker.is_sending
    assert bench.outbox.runs == 2


def test_a_hanging_poll_delays_no_save(bench: Bench) -> None:
    bench.tracker.polling.close()
    bench.start()
    bench.tracker.polling.wait()
    for ended in range(2, 5):
        bench.worker.outbox_changed()
        bench.heard.wait(RunEnded, ended)
    assert bench.tracker.polls == [True]


def test_a_long_poll_shows_its_progress(bench: Bench) -> None:
    bench.tracker.reports = 3
    bench.tracker.polling.close()
    bench.start()
    bench.tracker.polling.wait()
    before = bench.connection.recounts
    bench.tracker.polling.open()
    bench.until(lambda: bench.connection.recounts >= before + 4)


def test_a_server_that_is_back_is_polled_at_once(bench: Bench) -> None:
    bench.phase(Phase.RECONNECTING)
    bench.connection.is_new = True
    bench.phase(Phase.PINNED)
    bench.until(lambda: bench.tracker.polls == [True])


@pytest.mark.parametrize("phase", [Phase.RECONNECTING, Phase.OFFLINE, Phase.REFRESHING, Phase.SUSPECT])
def test_without_a_server_nothing_is_polled_but_changes_are_counted(bench: Bench, phase: Phase) -> None:
    bench.phase(phase)
    bench.session.changes.publish(ReplayWanted())
    bench.until(lambda: bench.outbox.runs == 1 and not bench.worker.is_sending)
    recounts = bench.connection.recounts
    bench.advance(10.0)
    assert bench.connection.recounts > recounts
    assert bench.tracker.polls == []
    bench.phase(Phase.PINNED)
    bench.advance(10.0)
    bench.until(lambda: len(bench.tracker.polls) == 1)


def test_a_failed_poll_is_repeated_and_only_the_first_failure_is_logged(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    bench.tracker.result = ServerError("Not now.", code="store_unavailable", retryable=True)
    bench.start()
    for polls in range(1, 4):
        bench.until(lambda polls=polls: len(bench.tracker.polls) == polls)  # type: ignore[misc]
        bench.until(lambda: not bench.worker._poller.is_polling)
        bench.advance(10.0)
    lines = [record for record in caplog.records if record.name == "app.services.status_poller"]
    assert [line.__dict__["error"] for line in lines] == ["store_unavailable"]


def test_a_poll_without_an_answer_is_not_logged(bench: Bench, caplog: pytest.LogCaptureFixture) -> None:
    bench.tracker.result = OfflineError()
    bench.start()
    bench.until(lambda: len(bench.tracker.polls) == 1 and not bench.worker._poller.is_polling)
    bench.advance(10.0)
    bench.until(lambda: len(bench.tracker.polls) == 2)
    assert caplog.records == []


def test_missing_changes_are_replayed_and_then_polled_at_once(bench: Bench) -> None:
    bench.tracker.missing = 3
    bench.tracker.result = PollResult(3)
    bench.start()
    bench.until(lambda: bench.tracker.replayed == 3)
    bench.until(lambda: len(bench.tracker.polls) == 2)
    assert bench.tracker.polls[-1] is False
    assert bench.outbox.runs == 1


def test_a_save_during_a_replay_is_sent_first(bench: Bench) -> None:
    bench.tracker.missing = 100
    bench.tracker.replaying.close()
    bench.start()
    bench.tracker.replaying.wait()
    assert bench.outbox.runs == 1
    assert bench.worker.is_sending
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    bench.tracker.replaying.open()
    bench.outbox.sending.wait()
    assert bench.outbox.runs == 2
    assert bench.tracker.missing > 90
    bench.outbox.sending.open()
    bench.until(lambda: bench.tracker.missing == 0)  # and then the rest


def test_polls_continue_during_a_replay_and_no_second_replay_starts(bench: Bench) -> None:
    bench.tracker.missing = 3
    bench.tracker.result = PollResult(3)
    bench.connection.is_awaited = True
    bench.tracker.replaying.close()
    bench.start()
    bench.tracker.replaying.wait()
    for _ in range(3):
        polls = len(bench.tracker.polls)
        bench.until(lambda: not bench.worker._poller.is_polling)
        bench.advance(0.5)
        bench.until(lambda polls=polls: len(bench.tracker.polls) > polls)  # type: ignore[misc]
    assert bench.tracker.replays == 1


def test_a_failed_replay_is_repeated_after_growing_pauses(bench: Bench) -> None:
    bench.tracker.missing = 1
    bench.tracker.result = PollResult(1)
    bench.tracker.trouble = ServerError("No database.", retryable=True)
    bench.connection.is_awaited = True
    bench.start()
    bench.rest()
    assert bench.tracker.replays == 1
    tried: list[float] = []
    began = bench.now
    while bench.tracker.replays < 5:
        before = bench.tracker.replays
        bench.advance(0.5)
        bench.rest()
        if bench.tracker.replays > before:
            tried.append(bench.now - began)
    assert tried == [1.0, 3.0, 7.0, 15.0]
    bench.tracker.trouble = None
    bench.advance(10.0)
    bench.until(lambda: bench.tracker.missing == 0)


# --- one book after another ---------------------------------------------------------------------------


def test_no_events_of_the_previous_book_follow_the_next_start(bench: Bench) -> None:
    bench.outbox.sending.close()
    bench.outbox.report = SyncReport(7, 5, 2, SignInError("Over."), ("M7A-000012",))
    bench.phase(Phase.PINNED)
    bench.worker.start()
    bench.outbox.sending.wait()
    bench.worker.stop()
    number = bench.worker.start()
    bench.settle()
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.outbox.sending.open()
    bench.heard.wait(RunEnded)
    bench.until(lambda: not bench.worker.is_sending)
    told = bench.heard.events[bench.heard.events.index(Started(number)) :]
    assert [event for event in told if not isinstance(event, StateChanged)] == [
        Started(number),
        EntriesConfirmed(1),
        RunEnded(0),
    ]
    assert bench.heard.of(RunEnded) == [RunEnded(0)]
    assert bench.heard.of(SignInNeeded) == []
    assert all(event.state.waiting == 0 for event in told if isinstance(event, StateChanged))
    assert bench.outbox.runs == 2


def test_a_book_closed_before_the_thread_handled_it_is_not_started(bench: Bench) -> None:
    bench.phase(Phase.PINNED)
    bench.tracker.polling.close()
    numbers = [bench.worker.start() for _ in range(3)]
    bench.heard.wait(RunEnded)
    assert bench.heard.of(Started)[-1] == Started(numbers[-1])
    assert len(bench.heard.of(RunEnded)) == 1


def test_after_stop_nothing_is_sent_or_counted(bench: Bench) -> None:
    bench.outbox.report = SyncReport(0, 2, 1)
    bench.start()
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    bench.worker.stop()
    bench.outbox.sending.open()
    bench.until(lambda: not bench.worker.is_sending)
    ended = len(bench.heard.of(RunEnded))
    bench.outbox.count = 9
    bench.worker.send_now()
    bench.worker.outbox_changed()
    bench.worker.signed_in_again()
    bench.advance(600.0)
    state = bench.worker.state
    assert (state.connectivity, state.waiting, state.refused, state.problem) == (
        Connectivity.STARTING, 0, 0, None,
    )  # fmt: skip
    assert bench.outbox.runs == 2
    assert ended == 1  # what was under way is not told either
    assert bench.session.probes == 0
    assert not bench.worker.is_sending


def test_before_a_book_is_open_only_the_connection_is_published(bench: Bench) -> None:
    for phase in (Phase.PINNED, Phase.OFFLINE, Phase.PINNED, Phase.SIGNED_OUT):
        bench.phase(phase)
    bench.worker.outbox_changed()
    bench.settle()
    assert bench.outbox.runs == 0
    assert set(kinds(bench.heard.events)) == {StateChanged}


# --- what nobody expected -----------------------------------------------------------------------------


def test_a_crash_in_a_run_is_reported_and_the_next_run_follows(bench: Bench) -> None:
    bench.outbox.count = 1
    bench.outbox.report = ZeroDivisionError("no one expected this")
    bench.start()
    assert bench.heard.wait(Crashed).exception is bench.outbox.report
    assert bench.worker.state.problem is not None
    assert bench.worker.state.problem.message == UNEXPECTED
    bench.outbox.report = SyncReport(1, 0, 0)
    bench.advance(1.0)
    bench.heard.wait(RunEnded, 2)
    assert bench.worker.state.problem is None


def test_a_crash_in_a_poll_or_replay_is_reported_and_polling_continues(bench: Bench) -> None:
    bench.tracker.result = ZeroDivisionError("no one expected this")
    bench.start()
    bench.heard.wait(Crashed)
    bench.until(lambda: not bench.worker._poller.is_polling)
    bench.tracker.result = PollResult(1)
    bench.tracker.missing = 1
    bench.tracker.trouble = ZeroDivisionError("nor this")
    bench.advance(10.0)
    bench.heard.wait(Crashed, 2)
    bench.rest()
    bench.tracker.trouble = None
    bench.advance(10.0)
    bench.until(lambda: bench.tracker.missing == 0)
    assert len(bench.heard.of(Crashed)) == 2


def test_a_crash_in_a_message_is_reported_and_the_thread_continues(bench: Bench) -> None:
    bench.start()
    bench.outbox.count = ZeroDivisionError("no one expected this")
    bench.worker.outbox_changed()
    assert bench.heard.wait(Crashed).exception is bench.outbox.count
    bench.settle()
    assert not bench.worker.is_sending  # nobody is left waiting for it
    bench.outbox.count = 1
    bench.worker.outbox_changed()
    bench.heard.wait(RunEnded, 2)


def test_a_crash_while_counting_stops_neither_polls_nor_runs(bench: Bench) -> None:
    bench.start()
    bench.until(lambda: len(bench.tracker.polls) == 1 and not bench.worker._poller.is_polling)
    bench.tracker.result = PollResult(1)
    bench.outbox.sending.close()
    bench.worker.outbox_changed()
    bench.outbox.sending.wait()
    bench.connection.trouble = ZeroDivisionError("no one expected this")
    bench.outbox.sending.open()
    bench.heard.wait(Crashed)
    bench.until(lambda: not bench.worker.is_sending)
    bench.advance(20.0)
    bench.until(lambda: len(bench.tracker.polls) >= 2 and not bench.worker._poller.is_polling)
    bench.connection.trouble = ZeroDivisionError("nor this")
    bench.advance(10.0)
    bench.heard.wait(Crashed, 2)
    polls = len(bench.tracker.polls)
    bench.advance(10.0)
    bench.until(lambda: len(bench.tracker.polls) > polls)


# --- the end ------------------------------------------------------------------------------------------


def test_a_subscriber_can_close_the_worker_and_closing_twice_is_allowed(bench: Bench) -> None:
    closed = threading.Event()

    def close(event: SyncEvent) -> None:
        if isinstance(event, RunEnded):
            bench.worker.close()
            closed.set()

    bench.worker.events.subscribe(close)
    bench.phase(Phase.PINNED)
    bench.worker.start()
    assert closed.wait(PATIENCE)
    bench.worker.close()
    events = len(bench.heard.events)
    bench.worker.start()
    bench.worker.close()
    assert len(bench.heard.events) == events


def test_a_closed_worker_does_nothing_and_blocks_nobody(bench: Bench) -> None:
    bench.start()
    bench.worker.close()
    runs, events = bench.outbox.runs, len(bench.heard.events)
    bench.worker.outbox_changed()
    bench.worker.start()
    assert not bench.worker.is_sending
    assert (bench.outbox.runs, len(bench.heard.events)) == (runs, events)


def test_a_worker_that_was_never_started_can_be_closed(bench: Bench) -> None:
    bench.worker.close()
    bench.worker.start()
    bench.worker.close()
    assert bench.heard.events == []


def test_now_is_the_clock_of_the_countdown(bench: Bench) -> None:
    assert bench.worker.now() == 5.0
