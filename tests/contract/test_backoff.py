"""How the pauses between retries grow."""

from hypothesis import given
from hypothesis import strategies as st

from server.contract.backoff import pause


def least(low: float, high: float) -> float:
    assert low <= high
    return low


def most(low: float, high: float) -> float:
    assert low <= high
    return high


def test_pauses_double_up_to_the_longest() -> None:
    assert [pause(n, first=2, longest=60, draw=most) for n in range(8)] == [2, 4, 8, 16, 32, 60, 60, 60]
    assert [pause(n, first=2, longest=60, draw=least) for n in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]


@given(st.integers(0, 10**9), st.floats(1e-3, 60), st.floats(1e-3, 3_600))
def test_a_pause_is_at_least_half_of_its_limit_and_never_too_long(
    tries: int, first: float, longest: float
) -> None:
    shortest, greatest = (pause(tries, first=first, longest=longest, draw=draw) for draw in (least, most))
    assert greatest <= longest
    assert shortest == greatest / 2
    assert pause(tries + 1, first=first, longest=longest, draw=most) >= greatest
