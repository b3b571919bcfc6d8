"""How loaded a server is, which sessions are its own, and when a drain is over."""

from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.node import load
from server.node.lifecycle import Lifecycle
from server.node.load import LoadMeter
from server.node.pinned_sessions import PinnedSessions


def meter(capacity: int = 10, pool_use: float = 0.0, now: float = 0.0) -> LoadMeter:
    return LoadMeter(capacity, lambda: pool_use, PinnedSessions(), lambda: now)


@pytest.fixture(autouse=True)
def _idle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_now_and_spent", lambda: (0.0, 0.0))


def test_the_greatest_of_calls_and_pool_counts() -> None:
    busy = meter(pool_use=0.5)
    for _ in range(3):
        busy.began()
    busy.sample()
    assert busy.utilisation == 0.5
    for _ in range(4):
        busy.began()
    busy.sample()
    assert busy.utilisation == pytest.approx(0.6)


def test_processor_time_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([(0.0, 0.0), (2.0, 1.5)])
    monkeypatch.setattr(load, "_now_and_spent", lambda: next(times))
    busy = meter()
    busy.sample()
    assert busy.utilisation == 0.75


def test_it_is_the_mean_of_fifteen_looks_and_never_above_one() -> None:
    busy = meter(capacity=1, pool_use=0.0)
    for _ in range(5):
        busy.began()
    for _ in range(15):
        busy.sample()
    assert busy.utilisation == 1.0
    for _ in range(5):
        busy.ended(1)
    for _ in range(15):
        busy.sample()
    assert busy.utilisation == 0.0


def test_a_report_says_what_ninety_five_of_a_hundred_calls_took() -> None:
    busy = meter()
    for milliseconds in range(1, 101):
        busy.began()
        busy.ended(milliseconds)
    report = busy.report()
    assert (report.p95_ms, report.in_flight, report.capacity) == (95.0, 0, 10)


def test_a_server_that_did_nothing_yet_has_no_load() -> None:
    report = meter().report()
    assert (report.utilisation, report.p95_ms, report.locks, report.moves) == (0.0, 0.0, 0, 0)


# --- locks --------------------------------------------------------------------------------------------


def test_a_session_counts_while_its_token_lives() -> None:
    locks, one, two = PinnedSessions(), uuid4(), uuid4()
    locks.issued(one, 300)
    locks.seen(two, 200)
    locks.seen(two, 100)  # an older one of the same session
    assert [locks.count(now) for now in (0, 199, 200, 299, 300)] == [2, 2, 1, 1, 0]


def test_a_session_that_was_sent_elsewhere_does_not_count_by_its_last_token() -> None:
    locks, one = PinnedSessions(), uuid4()
    locks.issued(one, 300)
    locks.left(one, 310)
    locks.seen(one, 300)  # what was under way
    assert locks.count(10) == 0
    locks.seen(one, 400)  # it came back
    assert locks.count(10) == 1
    locks.left(one, 410)
    locks.issued(one, 405)
    assert locks.count(10) == 1


# --- draining -----------------------------------------------------------------------------------------

NOBODY = {"pinned": False, "called": False}
PINNED = {"pinned": True, "called": False}
CALLED = {"pinned": False, "called": True}


def test_a_drain_is_over_once_nobody_was_there_for_a_moment() -> None:
    own = Lifecycle()
    assert not own.is_draining
    own.drain(100.0, 60)
    assert own.is_draining
    assert not own.is_drained(100.0, **NOBODY)
    assert not own.is_drained(109.0, **PINNED)
    assert not own.is_drained(109.9, **NOBODY)
    assert own.is_drained(110.0, **NOBODY)


def test_a_call_that_is_answered_holds_up_the_end() -> None:
    own = Lifecycle()
    own.drain(100.0, 60)
    assert not own.is_drained(108.5, **CALLED)
    assert not own.is_drained(109.4, **NOBODY)
    assert own.is_drained(109.5, **NOBODY)


def test_whoever_calls_without_a_pause_and_is_not_locked_does_not_hold_it_up_for_long() -> None:
    own = Lifecycle()
    own.drain(100.0, 900)
    assert not own.is_drained(130.0, pinned=True, called=True)
    assert not own.is_drained(139.9, **CALLED)
    assert own.is_drained(140.0, **CALLED)


def test_a_drain_is_not_over_before_the_others_have_heard_of_it() -> None:
    own = Lifecycle()
    own.drain(100.0, 60)
    assert not own.is_drained(105.9, **NOBODY)
    assert own.is_drained(106.0, **NOBODY)


@given(st.lists(st.floats(0, 59.9)))
def test_a_drain_ends_at_its_deadline_whoever_is_there(looks: list[float]) -> None:
    own = Lifecycle()
    own.drain(0.0, 60)
    assert not any(own.is_drained(now, **PINNED) for now in sorted(looks))
    assert own.is_drained(60.0, **PINNED)


def test_each_change_is_told_once() -> None:
    own, told = Lifecycle(), []
    own.changed.append(lambda: told.append(own.state))
    own.drain(0, 60)
    own.drain(1, 60)
    own.leave()
    own.leave()
    assert told == ["draining", "left"]
