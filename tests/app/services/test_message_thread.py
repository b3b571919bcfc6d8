"""The thread that calls messages in order, and goes on whatever they raise."""

import queue
import threading
from collections.abc import Iterator

import pytest

from app.errors import AppError, StoreError
from app.services.message_thread import UNEXPECTED, MessageThread, nothing
from tests.app.services.worker_parts import PATIENCE, Gate


class Bench:
    """A thread, and what it did. `seconds` is for how long it waits for a message."""

    def __init__(self) -> None:
        self.seconds: float | None = None
        self.crashes: queue.SimpleQueue[Exception] = queue.SimpleQueue()
        self.followed_up: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.thread = MessageThread("test", self._follow_up, lambda: self.seconds, self.crashes.put)

    def _follow_up(self) -> None:
        self.followed_up.put(threading.current_thread().name)

    def settle(self) -> None:
        """Return when everything that was posted before has been dealt with."""
        done = threading.Event()
        self.thread.post(done.set)
        assert done.wait(PATIENCE)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.thread.close()


def fail() -> None:
    raise ZeroDivisionError


def test_messages_are_called_one_after_the_other_in_order(bench: Bench) -> None:
    told: list[int] = []
    for number in range(100):
        bench.thread.post(lambda number=number: told.append(number))  # type: ignore[misc]
    bench.settle()
    assert told == list(range(100))
    assert {bench.followed_up.get(timeout=PATIENCE) for _ in range(100)} == {"test"}


def test_follow_up_is_called_after_the_timeout_without_a_message(bench: Bench) -> None:
    bench.seconds = 0.01
    bench.thread.post(nothing)
    for _ in range(3):
        bench.followed_up.get(timeout=PATIENCE)
    bench.seconds = None


def test_a_message_that_crashes_does_not_end_the_thread(bench: Bench) -> None:
    for _ in range(3):
        bench.thread.post(fail)
    bench.settle()
    assert [type(bench.crashes.get(timeout=PATIENCE)) for _ in range(3)] == [ZeroDivisionError] * 3


def test_a_job_does_not_block_the_thread_which_receives_its_result(bench: Bench) -> None:
    gate, results = Gate(), queue.SimpleQueue[tuple[object, str]]()
    gate.close()

    def work() -> int:
        gate.pass_through()
        return 7

    bench.thread.start_job(
        "work", work, lambda result: results.put((result, threading.current_thread().name))
    )
    gate.wait()
    bench.settle()
    assert results.empty()
    gate.open()
    assert results.get(timeout=PATIENCE) == (7, "test")


def test_an_app_error_of_a_job_is_passed_on_as_its_result(bench: Bench) -> None:
    results, error = queue.SimpleQueue[object](), StoreError("The disk is full.")

    def work() -> None:
        raise error

    bench.thread.start_job("work", work, results.put)
    assert results.get(timeout=PATIENCE) is error
    assert bench.crashes.empty()


def test_a_crash_of_a_job_is_reported_and_passed_on_as_an_error(bench: Bench) -> None:
    results = queue.SimpleQueue[object]()
    bench.thread.start_job("work", fail, results.put)
    result = results.get(timeout=PATIENCE)
    assert isinstance(result, AppError)
    assert result.message == UNEXPECTED
    assert isinstance(bench.crashes.get(timeout=PATIENCE), ZeroDivisionError)


def test_close_waits_for_posted_messages_and_no_message_follows(bench: Bench) -> None:
    told: list[int] = []
    for number in range(100):
        bench.thread.post(lambda number=number: told.append(number))  # type: ignore[misc]
    bench.thread.close()
    bench.thread.post(fail)
    bench.thread.close()
    assert told == list(range(100))
    assert bench.crashes.empty()


def test_a_message_can_close_the_thread(bench: Bench) -> None:
    bench.thread.post(bench.thread.close)
    bench.thread.close()
    bench.thread.post(fail)
    assert bench.crashes.empty()


def test_a_thread_that_was_never_started_can_be_closed(bench: Bench) -> None:
    bench.thread.close()
    bench.thread.post(fail)
    bench.thread.close()
    assert bench.crashes.empty()


def test_a_job_may_end_after_the_thread(bench: Bench) -> None:
    gate, done = Gate(), threading.Event()
    gate.close()

    def work() -> None:
        gate.pass_through()
        done.set()

    bench.thread.start_job("work", work, lambda _result: fail())
    gate.wait()
    bench.thread.close()
    gate.open()
    assert done.wait(PATIENCE)
