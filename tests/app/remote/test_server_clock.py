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
