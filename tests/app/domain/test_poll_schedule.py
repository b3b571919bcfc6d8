"""When it is polled: every ten seconds while something is not settled, and fast while somebody waits."""

import math

import pytest

from app.domain.poll_schedule import FAST_PAUSE_SECONDS, PAUSE_SECONDS, PollSchedule

NOW = 1_000.0


@pytest.fixture
def schedule() -> PollSchedule:
    return PollSchedule()


def poll(
    schedule: PollSchedule, now: float, *, left: int = 1, fast: bool = False, failed: bool = False
) -> tuple[bool, float]:
    """Poll once; return whether it was whole, and the pause until the next."""
    whole = schedule.began(now)
    schedule.ended(now, whole=whole, left=left, fast=fast, failed=failed)
    return whole, schedule.due_at - now


def test_nothing_is_polled_before_somebody_asks(schedule: PollSchedule) -> None:
    assert not schedule.is_due(NOW)
    assert schedule.wake_at() == math.inf
    schedule.ask(NOW)
    assert schedule.is_due(NOW)


def test_while_something_is_not_settled_it_is_polled_whole_every_ten_seconds(schedule: PollSchedule) -> None:
    schedule.ask(NOW)
    for now in (NOW, NOW + 10, NOW + 20):
        assert poll(schedule, now) == (True, PAUSE_SECONDS)
    assert not schedule.is_due(NOW + 29.9)
    assert schedule.is_due(NOW + 30)


def test_once_all_is_settled_it_is_polled_no_more_until_somebody_asks(schedule: PollSchedule) -> None:
    assert poll(schedule, NOW, left=0) == (True, math.inf)
    assert not schedule.is_due(NOW + 1e9)
    schedule.ask(NOW + 20)
    assert schedule.is_due(NOW + 20)


def test_while_somebody_waits_it_is_polled_fast_and_whole_every_ten_seconds_only(
    schedule: PollSchedule,
) -> None:
    wholes, now = [], NOW
    for _ in range(41):
        whole, pause = poll(schedule, now, fast=True)
        wholes.append(whole)
        assert pause == FAST_PAUSE_SECONDS
        now += pause
    assert [number for number, whole in enumerate(wholes) if whole] == [0, 20, 40]


def test_somebody_who_waits_is_kept_informed_though_nothing_is_left(schedule: PollSchedule) -> None:
    assert poll(schedule, NOW, left=0, fast=True) == (True, FAST_PAUSE_SECONDS)


def test_what_is_asked_for_is_whole_however_short_ago_the_last_one_was(schedule: PollSchedule) -> None:
    poll(schedule, NOW, fast=True)
    schedule.ask(NOW + 0.1)
    assert schedule.is_due(NOW + 0.1)
    assert poll(schedule, NOW + 0.1, fast=True)[0]
    assert not poll(schedule, NOW + 0.6, fast=True)[0]


def test_one_at_a_time_and_asked_meanwhile_once_more(schedule: PollSchedule) -> None:
    whole = schedule.began(NOW)
    schedule.ask(NOW + 1)
    schedule.ask(NOW + 2)
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf
    schedule.ended(NOW + 3, whole=whole, left=0, fast=False, failed=False)
    assert schedule.is_due(NOW + 3)
    assert poll(schedule, NOW + 3, left=0) == (True, math.inf)


def test_failures_back_off_while_somebody_waits_up_to_the_normal_pause(schedule: PollSchedule) -> None:
    pauses = [poll(schedule, NOW, fast=True, failed=True)[1] for _ in range(7)]
    assert pauses == [1, 2, 4, 8, 10, 10, 10]
    assert poll(schedule, NOW, fast=True)[1] == FAST_PAUSE_SECONDS
    assert poll(schedule, NOW, fast=True, failed=True)[1] == 1


def test_a_thousand_failures_are_no_overflow(schedule: PollSchedule) -> None:
    schedule.failures = schedule.replay_failures = 100_000
    assert poll(schedule, NOW, fast=True, failed=True)[1] == PAUSE_SECONDS
    schedule.replayed(NOW, failed=True)
    assert schedule.may_replay(NOW + PAUSE_SECONDS)


def test_nobody_waiting_a_failed_poll_comes_again_after_the_normal_pause(schedule: PollSchedule) -> None:
    assert poll(schedule, NOW, failed=True) == (True, PAUSE_SECONDS)


def test_after_a_replay_it_is_asked_about_at_once_and_not_whole(schedule: PollSchedule) -> None:
    poll(schedule, NOW)
    schedule.replayed(NOW + 2, failed=False)
    assert schedule.is_due(NOW + 2)
    assert not poll(schedule, NOW + 2)[0]


def test_a_replay_that_ends_during_a_poll_is_asked_about_after_it(schedule: PollSchedule) -> None:
    whole = schedule.began(NOW)
    schedule.replayed(NOW + 2, failed=False)
    assert not schedule.is_due(NOW + 2)
    schedule.ended(NOW + 3, whole=whole, left=1, fast=False, failed=False)
    assert schedule.is_due(NOW + 3)
    assert poll(schedule, NOW + 3) == (False, PAUSE_SECONDS)


def test_a_replay_that_fails_waits_ever_longer_and_hastens_no_poll(schedule: PollSchedule) -> None:
    poll(schedule, NOW)
    due_at, waits = schedule.due_at, []
    for _ in range(6):
        schedule.replayed(NOW, failed=True)
        waits.append(schedule.replay_at - NOW)
    assert waits == [1, 2, 4, 8, 10, 10]
    assert schedule.due_at == due_at
    assert not schedule.may_replay(NOW + 9.9)
    assert schedule.may_replay(NOW + 10)
    schedule.replayed(NOW + 10, failed=False)
    assert schedule.may_replay(NOW + 10)
    schedule.replayed(NOW + 10, failed=True)
    assert not schedule.may_replay(NOW + 10.9)
