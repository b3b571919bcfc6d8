"""Instants as a person says them."""

from datetime import datetime, timedelta

import pytest

from app.ui.local_time import ago_text

NOW = datetime(2026, 11, 29, 14, 5).astimezone()


@pytest.mark.parametrize(
    ("ago", "text"),
    [
        (timedelta(seconds=20), "just now"),
        (timedelta(seconds=-20), "just now"),  # the clocks differ a little
        (timedelta(hours=2), "today 12:05"),
        (timedelta(hours=20), "yesterday 18:05"),
        (timedelta(days=3), "3 days ago"),
        (timedelta(days=26), "on 3 Nov 2026"),
    ],
)
def test_an_instant_is_told_by_its_distance(ago: timedelta, text: str) -> None:
    assert ago_text(NOW - ago, NOW) == text
