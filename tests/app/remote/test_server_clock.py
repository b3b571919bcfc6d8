"""How far this computer's clock is behind the servers'."""

import pytest

from app.errors import ServerError
from app.remote.server_clock import ServerClock


def test_the_offset_is_set_from_each_time_of_a_server() -> None:
    clock = ServerClock(lambda: 1_700_000_000_000_000)  # 2023-11-14T22:13:20Z
    assert clock.offset_us == 0
    clock.learn("2023-11-14T22:13:21.5Z")
    assert (clock.offset_us, clock.offset_seconds) == (1_500_000, 1.5)
    clock.learn("2023-11-15T03:43:10+05:30")
    assert clock.offset_us == -10_000_000


def test_an_invalid_time_is_refused_and_changes_nothing() -> None:
    clock = ServerClock(lambda: 0)
    clock.learn("1970-01-01T00:00:02Z")
    with pytest.raises(ServerError) as error:
        clock.learn("yesterday")
    assert error.value.retryable
    assert clock.offset_us == 2_000_000


class Times:
    """The two clocks of a computer, in µs: one that somebody can set, and one that only runs."""

    def __init__(self) -> None:
        self.now = self.elapsed = 1_700_000_000_000_000

    def run(self, seconds: int) -> None:
        self.now += seconds * 1_000_000
        self.elapsed += seconds * 1_000_000


@pytest.mark.parametrize("asleep", [0, 9 * 3600])
def test_the_offset_follows_a_clock_that_is_set_before_a_server_answers_again(asleep: int) -> None:
    times = Times()
    clock = ServerClock(lambda: times.now, lambda: times.elapsed)
    clock.learn("2023-11-17T22:13:20Z")  # three days later than this computer believes
    times.run(asleep)
    assert clock.offset_seconds == 3 * 86_400
    times.now += 3 * 86_400_000_000
    assert clock.offset_us == 0
    times.run(60)
    assert clock.offset_us == 0
    times.now -= 86_400_000_000
    assert clock.offset_seconds == 86_400


def test_a_clock_that_is_adjusted_by_milliseconds_keeps_its_offset() -> None:
    times = Times()
    clock = ServerClock(lambda: times.now, lambda: times.elapsed)
    clock.learn("2023-11-14T22:13:21Z")
    times.now += 40_000
    assert clock.offset_us == 1_000_000


def test_without_an_answer_of_a_server_this_computers_clock_is_believed() -> None:
    times = Times()
    clock = ServerClock(lambda: times.now, lambda: times.elapsed)
    times.now += 86_400_000_000
    assert clock.offset_us == 0
