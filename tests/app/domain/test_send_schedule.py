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


def test_before_a_book_is_open_nothing_is_due() -> None:
    schedule = SendSchedule(draw=lambda low, high: low)
    schedule.ask(NOW)
    assert not schedule.is_asked
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf


def test_a_book_that_is_open_is_sent_at_once(schedule: SendSchedule) -> None:
    assert schedule.is_due(NOW)
    assert schedule.is_asked
    assert schedule.wake_at() == NOW


def test_the_pauses_double_up_to_a_minute(schedule: SendSchedule) -> None:
    assert [run(schedule, NOW) for _ in range(9)] == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert not schedule.is_due(NOW + 59.9)
    assert schedule.is_due(NOW + 60)


def test_a_run_that_got_somewhere_starts_them_over(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    run(schedule, NOW, better=True)
    assert run(schedule, NOW) == FIRST_PAUSE_SECONDS
    assert run(schedule, NOW) == 2 * FIRST_PAUSE_SECONDS
    schedule.start_over()
    assert run(schedule, NOW) == FIRST_PAUSE_SECONDS


def test_with_nothing_to_send_a_server_is_looked_for_every_twenty_seconds(schedule: SendSchedule) -> None:
    for _ in range(3):
        assert run(schedule, NOW, better=True, troubled=False) == PROBE_SECONDS


def test_the_jitter_is_a_quarter_each_way_and_not_always_the_same() -> None:
    schedule = SendSchedule(draw=random.Random(1).uniform)
    schedule.start(NOW)
    pauses = [run(schedule, NOW, better=True) for _ in range(500)]
    assert 0.75 <= min(pauses) < 0.8
    assert 1.2 < max(pauses) <= 1.25
    for _ in range(10):
        run(schedule, NOW)
    assert all(run(schedule, NOW) <= 1.25 * LONGEST_PAUSE_SECONDS for _ in range(100))


def test_asked_while_sending_it_sends_once_more(schedule: SendSchedule) -> None:
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


def test_nothing_is_sent_during_a_replay_and_what_was_due_is_due_after_it(schedule: SendSchedule) -> None:
    schedule.began()
    assert not schedule.is_due(NOW)
    schedule.ended()
    assert schedule.is_due(NOW)
    assert schedule.is_asked


def test_while_held_nothing_is_due_and_afterwards_it_is_sent_at_once(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    schedule.hold(True, NOW)
    assert not schedule.is_asked
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf
    schedule.hold(False, NOW + 7)
    assert schedule.is_due(NOW + 7)
    assert schedule.is_asked
    assert run(schedule, NOW + 8) == FIRST_PAUSE_SECONDS  # the time without a server does not count


def test_being_held_again_is_no_news(schedule: SendSchedule) -> None:
    run(schedule, NOW)
    due_at, pause = schedule.due_at, schedule.pause
    schedule.hold(False, NOW)
    assert (schedule.due_at, schedule.pause) == (due_at, pause)
    schedule.hold(True, NOW)
    schedule.hold(True, NOW)
    assert schedule.is_paused


def test_a_run_that_ends_while_held_is_followed_by_none_until_a_server_is_there(
    schedule: SendSchedule,
) -> None:
    schedule.run_began()
    schedule.hold(True, NOW)
    schedule.ended()
    schedule.plan(NOW, better=False, troubled=True)
    assert not schedule.is_due(NOW + 1e9)
    schedule.hold(False, NOW + 5)
    assert schedule.is_due(NOW + 5)


def test_of_a_closed_book_nothing_is_due_even_if_a_run_still_ends(schedule: SendSchedule) -> None:
    schedule.run_began()
    schedule.ask(NOW)
    schedule.stop()
    assert not schedule.is_asked
    schedule.ended()
    schedule.plan(NOW, better=True, troubled=True)
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf


def test_the_next_book_waits_for_the_run_of_the_one_before(schedule: SendSchedule) -> None:
    for _ in range(5):
        run(schedule, NOW)
    schedule.run_began()
    schedule.stop()
    schedule.hold(True, NOW)
    schedule.start(NOW + 1)
    assert not schedule.is_paused
    assert not schedule.is_due(NOW + 1)
    schedule.ended()
    assert schedule.is_due(NOW + 1)
    assert run(schedule, NOW + 2) == FIRST_PAUSE_SECONDS
