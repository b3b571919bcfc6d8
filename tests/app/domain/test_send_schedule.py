"""When the outbox is sent: at once, else after pauses that double up to a minute."""

import math
import random

import pytest

from app.domain.send_schedule import FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS, PROBE_SECONDS, SendSchedule

NOW = 1_000.0


@pytest.fixture
def schedule() -> SendSchedule:
    """Without jitter, and with a book open."""
    made = SendSchedule(draw=lambda low, high: (low + high) / 2)
    made.start(NOW)
    return made


def run(schedule: SendSchedule, now: float, *, better: bool = False, troubled: bool = True) -> float:
    """Run once, and return the pause until the next time."""
    schedule.run_began()
    schedule.ended()
    schedule.plan(now, better=better, troubled=troubled)
    return schedule.due_at - now


def test_nothing_is_due_before_a_book_is_open() -> None:
    schedule = SendSchedule(draw=lambda low, high: low)
    schedule.ask(NOW)
    assert not schedule.is_asked
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf


def test_the_outbox_is_due_when_a_book_is_opened(schedule: SendSchedule) -> None:
    assert schedule.is_due(NOW)
    assert schedule.is_asked
    assert schedule.wake_at() == NOW


def test_the_pauses_double_up_to_a_minute(schedule: SendSchedule) -> None:
    assert [run(schedule, NOW) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not schedule.is_due(NOW + 59.9)
    assert schedule.is_due(NOW + 60)


def test_a_successful_run_resets_the_pause(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    run(schedule, NOW, better=True)
    assert run(schedule, NOW) == FIRST_PAUSE_SECONDS
    assert run(schedule, NOW) == 2 * FIRST_PAUSE_SECONDS
    schedule.start_over()
    assert run(schedule, NOW) == FIRST_PAUSE_SECONDS


def test_with_nothing_to_send_a_server_is_probed_every_twenty_seconds(schedule: SendSchedule) -> None:
    for _ in range(3):
        assert run(schedule, NOW, better=True, troubled=False) == PROBE_SECONDS


def test_pauses_have_a_random_jitter_of_a_quarter() -> None:
    schedule = SendSchedule(draw=random.Random(1).uniform)
    schedule.start(NOW)
    pauses = [run(schedule, NOW, better=True) for _ in range(500)]
    assert 0.75 <= min(pauses) < 0.8
    assert 1.2 < max(pauses) <= 1.25
    for _ in range(10):
        run(schedule, NOW)
    assert all(run(schedule, NOW) <= 1.25 * LONGEST_PAUSE_SECONDS for _ in range(100))


def test_a_request_during_a_run_causes_one_more_run(schedule: SendSchedule) -> None:
    schedule.run_began()
    assert not schedule.is_asked
    for _ in range(3):
        schedule.ask(NOW + 1)
    assert not schedule.is_due(NOW + 1e9)  # one run at a time
    assert schedule.wake_at() == math.inf
    schedule.ended()
    schedule.plan(NOW + 2, better=False, troubled=True)
    assert schedule.is_due(NOW + 2)
    assert run(schedule, NOW + 3) > 0


def test_no_run_is_due_during_a_replay_but_after_it(schedule: SendSchedule) -> None:
    schedule.began()
    assert not schedule.is_due(NOW)
    schedule.ended()
    assert schedule.is_due(NOW)
    assert schedule.is_asked


def test_while_paused_nothing_is_due_and_afterwards_a_run_is_due_at_once(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    schedule.set_paused(True, NOW)
    assert not schedule.is_asked
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf
    schedule.set_paused(False, NOW + 7)
    assert schedule.is_due(NOW + 7)
    assert schedule.is_asked
    assert run(schedule, NOW + 8) == FIRST_PAUSE_SECONDS  # the time without a server does not count


def test_pausing_twice_has_no_further_effect(schedule: SendSchedule) -> None:
    run(schedule, NOW)
    due_at, pause = schedule.due_at, schedule.pause
    schedule.set_paused(False, NOW)
    assert (schedule.due_at, schedule.pause) == (due_at, pause)
    schedule.set_paused(True, NOW)
    schedule.set_paused(True, NOW)
    assert schedule.is_paused


def test_a_run_that_ends_while_paused_is_not_followed_by_another_one(
    schedule: SendSchedule,
) -> None:
    schedule.run_began()
    schedule.set_paused(True, NOW)
    schedule.ended()
    schedule.plan(NOW, better=False, troubled=True)
    assert not schedule.is_due(NOW + 1e9)
    schedule.set_paused(False, NOW + 5)
    assert schedule.is_due(NOW + 5)


def test_nothing_is_due_for_a_closed_book_even_after_a_run_ends(schedule: SendSchedule) -> None:
    schedule.run_began()
    schedule.ask(NOW)
    schedule.stop()
    assert not schedule.is_asked
    schedule.ended()
    schedule.plan(NOW, better=True, troubled=True)
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf


def test_the_next_book_waits_for_the_run_of_the_previous_one(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    schedule.run_began()
    schedule.stop()
    schedule.set_paused(True, NOW)
    schedule.start(NOW + 1)
    assert not schedule.is_paused
    assert not schedule.is_due(NOW + 1)
    schedule.ended()
    assert schedule.is_due(NOW + 1)
    assert run(schedule, NOW + 2) == FIRST_PAUSE_SECONDS
