"""Texts for instants in the user's time zone."""

from datetime import date, datetime
from typing import Final

from app.domain.dates import format_date

_JUST_NOW_SECONDS: Final = 90
_DAYS_COUNTED: Final = 14


def moment_text(instant: datetime) -> str:
    """Return an instant as `22 Nov 2026, 14:05` in this computer's time zone."""
    local = instant.astimezone()
    return f"{format_date(local.date())}, {local:%H:%M}"


def ago_text(instant: datetime, now: datetime) -> str:
    """Return when `instant` was: `just now`, `today 14:05`, `3 days ago`, or `on 3 Nov 2026`."""
    local, today = instant.astimezone(), now.astimezone().date()
    days = (today - local.date()).days
    if abs((now - instant).total_seconds()) < _JUST_NOW_SECONDS:
        return "just now"
    if days in (0, 1):
        return f"{'yesterday' if days else 'today'} {local:%H:%M}"
    if 1 < days < _DAYS_COUNTED:
        return f"{days} days ago"
    return f"on {format_date(local.date())}"


def clock_text(instant: datetime, today: date) -> str:
    """Return an instant as `at 14:05`, or as `on 21 Nov 2026 at 14:05` if it is not `today`."""
    local = instant.astimezone()
    day = "" if local.date() == today else f"on {format_date(local.date())} "
    return f"{day}at {local:%H:%M}"
