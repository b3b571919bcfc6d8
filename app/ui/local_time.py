"""Instants (UTC) in the words of the clock on the wall."""

from datetime import date, datetime

from app.domain.dates import format_date


def moment_text(instant: datetime) -> str:
    """Return `22 Nov 2026, 14:05` by this computer's time zone."""
    local = instant.astimezone()
    return f"{format_date(local.date())}, {local:%H:%M}"


def clock_text(instant: datetime, today: date) -> str:
    """Return `at 14:05`, or `on 21 Nov 2026 at 14:05` of another day than `today`."""
    local = instant.astimezone()
    day = "" if local.date() == today else f"on {format_date(local.date())} "
    return f"{day}at {local:%H:%M}"
