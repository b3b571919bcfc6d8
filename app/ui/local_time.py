"""Instants (UTC) in the words of the clock on the wall."""

from datetime import datetime

from app.domain.dates import format_date


def moment_text(instant: datetime) -> str:
    """Return `22 Nov 2026, 14:05` by this computer's time zone."""
    local = instant.astimezone()
    return f"{format_date(local.date())}, {local:%H:%M}"
