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


def test_nothing_is_polled_before_a_request(schedule: PollSchedule) -> None:
    assert not schedule.is_due(NOW)
    assert schedule.wake_at() == math.inf
    schedule.ask(NOW)
    assert schedule.is_due(NOW)


def test_while_changes_are_not_settled_there_is_a_whole_poll_every_ten_seconds(
    schedule: PollSchedule,
) -> None:
    schedule.ask(NOW)
    for now in (NOW, NOW + 10, NOW + 20):
        assert poll(schedule, now) == (True, PAUSE_SECONDS)
    assert not schedule.is_due(NOW + 29.9)
    assert schedule.is_due(NOW + 30)


def test_when_all_changes_are_settled_polling_stops_until_the_next_request(schedule: PollSchedule) -> None:
    assert poll(schedule, NOW, left=0) == (True, math.inf)
    assert not schedule.is_due(NOW + 1e9)
    schedule.ask(NOW + 20)
    assert schedule.is_due(NOW + 20)


def test_while_the_user_waits_polls_are_fast_and_whole_only_every_ten_seconds(
    schedule: PollSchedule,
) -> None:
    wholes, now = [], NOW
    for _ in range(41):
        whole, pause = poll(schedule, now, fast=True)
        wholes.append(whole)
        assert pause == FAST_PAUSE_SECONDS
        now += pause
    assert [number for number, whole in enumerate(wholes) if whole] == [0, 20, 40]


def test_while_the_user_waits_polling_continues_even_if_nothing_is_left(schedule: PollSchedule) -> None:
    assert poll(schedule, NOW, left=0, fast=True) == (True, FAST_PAUSE_SECONDS)


def test_a_requested_poll_is_whole_even_right_after_another_one(schedule: PollSchedule) -> None:
    poll(schedule, NOW, fast=True)
    schedule.ask(NOW + 0.1)
    assert schedule.is_due(NOW + 0.1)
    assert poll(schedule, NOW + 0.1, fast=True)[0]
    assert not poll(schedule, NOW + 0.6, fast=True)[0]


def test_a_request_during_a_poll_causes_one_more_poll_after_it(schedule: PollSchedule) -> None:
    whole = schedule.began(NOW)
    schedule.ask(NOW + 1)
    schedule.ask(NOW + 2)
    assert not schedule.is_due(NOW + 1e9)
    assert schedule.wake_at() == math.inf
    schedule.ended(NOW + 3, whole=whole, left=0, fast=False, failed=False)
    assert schedule.is_due(NOW + 3)
    assert poll(schedule, NOW + 3, left=0) == (True, math.inf)


def test_failed_polls_back_off_up_to_the_normal_pause_while_the_user_waits(schedule: PollSchedule) -> None:
    pauses = [poll(schedule, NOW, fast=True, failed=True)[1] for _ in range(7)]
    assert pauses == [1, 2, 4, 8, 10, 10, 10]
    assert poll(schedule, NOW, fast=True)[1] == FAST_PAUSE_SECONDS
    assert poll(schedule, NOW, fast=True, failed=True)[1] == 1


def test_a_thousand_failures_do_not_overflow(schedule: PollSchedule) -> None:
    schedule.failures = schedule.replay_failures = 100_000
    assert poll(schedule, NOW, fast=True, failed=True)[1] == PAUSE_SECONDS
    schedule.replayed(NOW, failed=True)
    assert schedule.may_replay(NOW + PAUSE_SECONDS)


def test_a_failed_poll_is_repeated_after_the_normal_pause_if_the_user_does_not_wait(
    schedule: PollSchedule,
) -> None:
    assert poll(schedule, NOW, failed=True) == (True, PAUSE_SECONDS)


def test_after_a_replay_there_is_a_poll_at_once_that_is_not_whole(schedule: PollSchedule) -> None:
    poll(schedule, NOW)
    schedule.replayed(NOW + 2, failed=False)
    assert schedule.is_due(NOW + 2)
    assert not poll(schedule, NOW + 2)[0]


def test_a_replay_that_ends_during_a_poll_causes_another_poll(schedule: PollSchedule) -> None:
    whole = schedule.began(NOW)
    schedule.replayed(NOW + 2, failed=False)
    assert not schedule.is_due(NOW + 2)
    schedule.ended(NOW + 3, whole=whole, left=1, fast=False, failed=False)
    assert schedule.is_due(NOW + 3)
    assert poll(schedule, NOW + 3) == (False, PAUSE_SECONDS)


def test_failed_replays_back_off_and_cause_no_poll(schedule: PollSchedule) -> None:
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
