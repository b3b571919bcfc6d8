"""Short texts about an entry, and why one cannot be changed."""

from typing import Final

from app.domain.entry import EntryState, ListedEntry
from app.domain.text import isolated

_LONG: Final = 60


def named(entry: ListedEntry) -> str:
    """Return the entry's code and what it is about: `01M-000012 · Taxi`."""
    about = entry.description or entry.category
    short = about if len(about) <= _LONG else f"{about[:_LONG].rstrip()}…"
    return f"{entry.human_code} · {isolated(short)}"


def why_unchangeable(entry: ListedEntry) -> str:
    """Return why the entry cannot be changed now; "" if it can."""
    if entry.state is EntryState.REFUSED:
        return f"{named(entry)} cannot be changed now. The page Waiting says why."
    if entry.voided:
        return f"{named(entry)} is crossed out. Restore it first, then change it."
    return ""
