"""Texts for instants in the user's time zone."""

from datetime import date, datetime

from app.domain.dates import format_date


def moment_text(instant: datetime) -> str:
    """Return an instant as `22 Nov 2026, 14:05` in this computer's time zone."""
    local = instant.astimezone()
    return f"{format_date(local.date())}, {local:%H:%M}"


def clock_text(instant: datetime, today: date) -> str:
    """Return an instant as `at 14:05`, or as `on 21 Nov 2026 at 14:05` if it is not `today`."""
    local = instant.astimezone()
    day = "" if local.date() == today else f"on {format_date(local.date())} "
    return f"{day}at {local:%H:%M}"
