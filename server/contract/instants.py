"""Timestamps in messages: RFC 3339, UTC."""

from datetime import UTC, datetime


def instant(seconds: float) -> str:
    """Return seconds since 1970 as RFC 3339 UTC with milliseconds."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
