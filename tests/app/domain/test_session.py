"""The session machine: every line of its table, with a clock and a die of the test's own."""

import math
from dataclasses import replace

import pytest

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import (
    Answered,
    Busy,
    Effect,
    Event,
    Failed,
    Leave,
    Machine,
    Probe,
    Probed,
    Refresh,
    RefreshFailed,
    RefreshRefused,
    RefreshSucceeded,
    Replay,
    Replayed,
    Report,
    SessionBegan,
    SessionEnded,
    StateReported,
    Tick,
    TokenRefused,
    TryNow,
    step,
)

A, B, C = "in-mum-1", "in-mum-2", "in-mum-3"
LIFE = 300.0


class Bench:
    """A machine, the time, and what it asked for."""

    def __init__(self, *, alone: bool = False) -> None:
        self.now = 1_000.0
        self.machine = Machine()
        self.asked: list[Effect] = []
        self.feed(SessionBegan(A, 0, LIFE, alone))

    def feed(self, event: Event) -> tuple[Effect, ...]:
        self.machine, effects = step(self.machine, event, self.now, lambda low, _high: low)
        self.asked += effects
        return effects

    def wait(self, seconds: float) -> tuple[Effect, ...]:
        self.now += seconds
        return self.feed(Tick())

    @property
    def phase(self) -> Phase:
        return self.machine.phase

    def lose(self) -> None:
        """Let the locked server be gone for good."""
        self.feed(Failed(self.machine.server, "refused"))
        self.feed(Probed(self.machine.server, False))
        self.wait(0.25)
        self.feed(Probed(self.machine.server, False))

    def move(self, to: str = B) -> None:
        """Lose the locked server, and be sent to another one."""
        self.lose()
        self.feed(StateReported(self.machine.server, "down"))
        self.feed(RefreshSucceeded(to, self.machine.epoch + 1, LIFE, False))


@pytest.fixture
def bench() -> Bench:
    return Bench()


# --- locked ---------------------------------------------------------------------------------------


def test_a_log_in_pins_the_session(bench: Bench) -> None:
    assert (bench.phase, bench.machine.server, bench.asked) == (Phase.PINNED, A, [])


def test_the_token_is_refreshed_at_60_percent_of_its_life_at_the_pinned_server(bench: Bench) -> None:
    assert bench.wait(LIFE * 0.6 - 1) == ()
    assert bench.wait(1) == (Refresh(A, "expiry"),)
    assert bench.phase is Phase.REFRESHING
    assert bench.machine.takes_calls  # the old token is still good
    bench.feed(RefreshSucceeded(A, 0, LIFE, False))
    assert bench.phase is Phase.PINNED
    assert bench.machine.refresh_due == bench.now + LIFE * 0.6


def test_a_remembered_session_refreshes_its_token_first() -> None:
    machine, effects = step(Machine(), SessionBegan(A, 3, 0, False), 5.0, lambda low, _: low)
    assert (machine.phase, effects) == (Phase.REFRESHING, (Refresh(A, "expiry"),))


@pytest.mark.parametrize("trouble", ["refused", "silent", "unavailable"])
def test_after_a_failed_call_the_server_is_suspect_and_probed(bench: Bench, trouble: session.Trouble) -> None:
    assert bench.feed(Failed(A, trouble)) == (Probe(A),)
    assert bench.phase is Phase.SUSPECT
    assert bench.machine.takes_calls  # what is under way goes on


def test_a_call_to_another_server_does_not_affect_the_pinned_one(bench: Bench) -> None:
    for event in (Failed(B, "refused"), Busy(B), TokenRefused(B), Probed(B, False), StateReported(B, "down")):
        assert bench.feed(event) == ()
    assert bench.phase is Phase.PINNED


def test_a_busy_server_becomes_suspect_only_after_ten_seconds(bench: Bench) -> None:
    bench.feed(Busy(A))
    bench.now += 9
    bench.feed(Busy(A))
    assert bench.phase is Phase.PINNED
    bench.now += 1
    assert bench.feed(Busy(A)) == (Probe(A),)
    assert bench.phase is Phase.SUSPECT


def test_an_answer_restarts_the_ten_seconds(bench: Bench) -> None:
    bench.feed(Busy(A))
    bench.now += 9
    bench.feed(Answered(A))
    bench.now += 9
    bench.feed(Busy(A))
    assert bench.phase is Phase.PINNED


def test_a_refused_token_is_refreshed_at_the_pinned_server(bench: Bench) -> None:
    assert bench.feed(TokenRefused(A)) == (Refresh(A, "expiry"),)


# --- suspect --------------------------------------------------------------------------------------


def test_an_answered_probe_ends_the_suspicion(bench: Bench) -> None:
    bench.feed(Failed(A, "silent"))
    bench.feed(Probed(A, True))
    assert bench.phase is Phase.PINNED


def test_any_answered_call_ends_the_suspicion(bench: Bench) -> None:
    bench.feed(Failed(A, "silent"))
    bench.feed(Answered(A))
    assert bench.phase is Phase.PINNED


def test_two_failed_probes_start_the_countdown_and_are_reported(bench: Bench) -> None:
    bench.feed(Failed(A, "silent"))
    assert bench.feed(Probed(A, False)) == ()
    assert bench.wait(0.25) == (Probe(A),)
    assert bench.feed(Probed(A, False)) == (Report(A, "silent"),)
    assert bench.phase is Phase.RECONNECTING
    assert bench.machine.deadline == bench.now + 30
    assert not bench.machine.takes_calls


def test_one_failed_probe_followed_by_a_successful_one_is_no_failure(bench: Bench) -> None:
    bench.feed(Failed(A, "silent"))
    bench.feed(Probed(A, False))
    bench.feed(Probed(A, True))
    bench.feed(Failed(A, "silent"))
    bench.feed(Probed(A, False))
    assert bench.phase is Phase.SUSPECT


# --- reconnecting ---------------------------------------------------------------------------------


def test_during_the_countdown_the_pinned_server_is_probed_and_may_come_back(bench: Bench) -> None:
    bench.lose()
    for _ in range(3):
        assert bench.wait(1.5) == (Probe(A),)
        bench.feed(Probed(A, False))
    bench.feed(Probed(A, True))
    assert bench.phase is Phase.PINNED
    assert bench.machine.excluded == frozenset()


@pytest.mark.parametrize("state", ["down", "left"])
def test_the_wait_ends_when_discovery_reports_the_server_as_down_or_left(bench: Bench, state: str) -> None:
    bench.lose()
    assert bench.feed(StateReported(A, state)) == (Refresh("", "unreachable", frozenset({A})),)
    assert not bench.machine.takes_calls


@pytest.mark.parametrize("state", ["up", "suspect", "unknown", "draining"])
def test_any_other_state_from_discovery_does_not_end_the_wait(bench: Bench, state: str) -> None:
    bench.lose()
    assert bench.feed(StateReported(A, state)) == ()
    assert bench.phase is Phase.RECONNECTING


def test_after_thirty_seconds_another_server_is_asked_in_any_case(bench: Bench) -> None:
    bench.lose()
    while bench.phase is Phase.RECONNECTING and bench.now < 2_000:
        bench.wait(1)
        bench.feed(Probed(A, False))
    assert bench.now == pytest.approx(1_000 + 0.25 + 30, abs=1)
    assert bench.asked[-1] == Refresh("", "unreachable", frozenset({A}))


def test_try_now_waits_two_seconds_for_the_probe(bench: Bench) -> None:
    bench.lose()
    assert bench.feed(TryNow()) == (Probe(A),)
    bench.feed(Probed(A, False))
    assert bench.wait(2) == (Refresh("", "unreachable", frozenset({A})),)


def test_try_now_has_no_effect_while_the_server_answers(bench: Bench) -> None:
    assert bench.feed(TryNow()) == ()
    assert bench.phase is Phase.PINNED


# --- refreshing -----------------------------------------------------------------------------------


def test_after_five_seconds_without_an_answer_the_same_refresh_goes_to_another_server(bench: Bench) -> None:
    bench.feed(TokenRefused(A))
    assert bench.wait(4.9) == ()
    assert bench.wait(0.1) == (Refresh("", "unreachable", frozenset({A})),)


def test_a_failed_refresh_makes_the_pinned_server_suspect(bench: Bench) -> None:
    bench.feed(TokenRefused(A))
    assert bench.feed(RefreshFailed(A)) == (Probe(A),)
    assert bench.phase is Phase.SUSPECT


def test_servers_are_asked_one_after_the_other_until_none_is_left(bench: Bench) -> None:
    bench.lose()
    bench.feed(StateReported(A, "down"))
    assert bench.feed(RefreshFailed(B)) == (Refresh("", "unreachable", frozenset({A, B})),)
    assert bench.feed(RefreshFailed(C)) == (Refresh("", "unreachable", frozenset({A, B, C})),)
    bench.feed(RefreshFailed(""))
    assert bench.phase is Phase.OFFLINE


def test_a_refused_refresh_ends_the_session(bench: Bench) -> None:
    bench.feed(TokenRefused(A))
    bench.feed(RefreshRefused())
    assert bench.machine == Machine()
    assert bench.feed(Answered(A)) == ()


def test_an_answer_of_a_lower_epoch_is_ignored(bench: Bench) -> None:
    bench.move(B)
    before = bench.machine
    assert bench.feed(RefreshSucceeded(A, 0, LIFE, False)) == ()
    assert bench.machine == before


def test_a_late_answer_of_the_old_server_is_ignored_after_the_switch(bench: Bench) -> None:
    bench.move(B)
    before = bench.machine
    bench.feed(Failed(A, "refused"))
    bench.feed(Probed(A, True))
    assert bench.machine == before


# --- switching and syncing ------------------------------------------------------------------------


def test_after_a_move_calls_to_the_dead_server_are_aborted_and_the_outbox_is_sent(bench: Bench) -> None:
    bench.lose()
    bench.feed(StateReported(A, "down"))
    assert bench.feed(RefreshSucceeded(B, 1, LIFE, False)) == (Leave(A, dead=True), Replay())
    assert (bench.phase, bench.machine.server, bench.machine.epoch) == (Phase.SWITCHING, B, 1)
    assert bench.machine.takes_calls
    bench.feed(Replayed(bench.machine.epoch, complete=False))
    assert bench.phase is Phase.SYNCING
    bench.feed(Replayed(0, complete=True))  # of the lock before
    assert bench.phase is Phase.SYNCING
    bench.feed(Replayed(bench.machine.epoch, complete=True))
    assert bench.phase is Phase.PINNED


def test_calls_to_a_server_that_only_moves_its_clients_are_not_aborted(bench: Bench) -> None:
    bench.wait(LIFE)
    assert bench.feed(RefreshSucceeded(B, 1, LIFE, False)) == (Leave(A, dead=False), Replay())


def test_five_minutes_after_the_move_it_is_late_until_all_changes_have_arrived(bench: Bench) -> None:
    bench.move()
    bench.feed(Replayed(bench.machine.epoch, complete=False))
    bench.wait(299)
    assert not bench.machine.late
    bench.wait(1)
    assert bench.machine.late
    bench.feed(Replayed(bench.machine.epoch, complete=True))
    assert not bench.machine.late


def test_the_token_is_refreshed_while_the_last_changes_are_arriving(bench: Bench) -> None:
    bench.move()
    bench.feed(Replayed(bench.machine.epoch, complete=False))
    bench.wait(LIFE * 0.6)
    assert bench.asked[-1] == Refresh(B, "expiry")
    bench.feed(RefreshSucceeded(B, 1, LIFE, False))
    assert bench.phase is Phase.SYNCING


def test_if_the_new_server_fails_too_neither_is_asked_again(bench: Bench) -> None:
    bench.move(B)
    bench.lose()
    bench.feed(StateReported(B, "down"))
    assert bench.asked[-1] == Refresh("", "unreachable", frozenset({A, B}))


def test_once_the_new_server_has_answered_the_old_one_may_be_asked_again(bench: Bench) -> None:
    bench.move(B)
    bench.feed(Answered(B))
    bench.lose()
    bench.feed(StateReported(B, "down"))
    assert bench.asked[-1] == Refresh("", "unreachable", frozenset({B}))


# --- draining -------------------------------------------------------------------------------------


def test_a_draining_server_is_left_soon_by_a_normal_refresh(bench: Bench) -> None:
    bench.feed(Answered(A, draining=True))
    assert bench.wait(1) == (Refresh(A, "expiry"),)
    bench.feed(RefreshSucceeded(B, 1, LIFE, False))
    assert (bench.machine.server, bench.machine.draining) == (B, False)


def test_a_task_in_progress_delays_the_move(bench: Bench) -> None:
    bench.feed(Answered(A, draining=True))
    bench.now += 1
    for _ in range(5):
        assert bench.feed(Tick(critical=True)) == ()
        bench.now += 0.25
    assert bench.feed(Tick(critical=False)) == (Refresh(A, "expiry"),)


def test_a_session_kept_by_a_draining_server_refreshes_again_soon(bench: Bench) -> None:
    bench.feed(Answered(A, draining=True))
    bench.wait(1)
    bench.feed(RefreshSucceeded(A, 0, LIFE, False))
    assert bench.phase is Phase.PINNED
    assert bench.wait(0.9) == ()
    assert bench.wait(0.1) == (Refresh(A, "expiry"),)


# --- offline --------------------------------------------------------------------------------------


def test_a_server_without_others_goes_offline_at_once_and_is_probed_with_growing_pauses() -> None:
    bench = Bench(alone=True)
    bench.lose()
    assert bench.phase is Phase.OFFLINE
    machine, pauses = bench.machine, []
    for _ in range(9):
        probing, _ = step(machine, Tick(), machine.probe_at, lambda _low, high: high)
        machine, _ = step(probing, Probed(A, False), 0.0, lambda _low, high: high)
        pauses.append(machine.probe_at)
        machine = replace(machine, backoff=machine.backoff + 1)
    assert pauses[0] >= 1
    assert max(pauses) == 60
    bench.feed(Probed(A, True))
    assert bench.phase is Phase.PINNED


def test_while_offline_any_server_that_answers_is_used(bench: Bench) -> None:
    bench.lose()
    bench.feed(StateReported(A, "down"))
    bench.feed(RefreshFailed(""))
    assert bench.wait(60) == (Refresh("", "unreachable"),)  # the locked one too
    assert bench.machine.shown is Phase.OFFLINE  # a try is no news
    bench.feed(RefreshSucceeded(A, 0, LIFE, False))
    assert bench.phase is Phase.PINNED


def test_a_session_can_end_in_every_phase(bench: Bench) -> None:
    bench.lose()
    bench.feed(SessionEnded())
    assert bench.machine == Machine()
    assert bench.machine.wake_at() == math.inf
