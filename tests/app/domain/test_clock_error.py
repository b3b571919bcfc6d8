"""The sentence about a clock of this computer that is wrong."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.clock_error import clock_error

THERE = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
EVENING = datetime(2026, 11, 28, 23, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(days=-3), "3 days behind"),
        (timedelta(days=1, hours=2), "1 day ahead"),
        (timedelta(hours=-5, minutes=-20), "5 hours behind"),
        (timedelta(minutes=6), "6 minutes ahead"),
        (timedelta(days=-16 * 365), "16 years behind"),
    ],
)
def test_a_wrong_clock_is_told_with_how_far_it_is_off_and_with_the_right_date(
    off: timedelta, words: str
) -> None:
    assert clock_error(THERE + off, THERE) == (
        f"This computer's clock is {words}. Bahi uses the right date, 29 Nov 2026. Please set the clock."
    )


@pytest.mark.parametrize("off", [timedelta(0), timedelta(minutes=5), timedelta(minutes=-5)])
def test_a_clock_that_is_off_by_a_few_minutes_is_right_enough(off: timedelta) -> None:
    assert clock_error(THERE + off, THERE) == ""


def test_a_few_minutes_count_if_they_change_the_date() -> None:
    assert clock_error(EVENING, EVENING + timedelta(minutes=2)) == ""
    assert "2 minutes behind" in clock_error(EVENING, EVENING + timedelta(minutes=2, seconds=10))
    assert "29 Nov 2026" in clock_error(EVENING, EVENING + timedelta(minutes=3))
