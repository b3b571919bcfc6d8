"""Texts that describe a filter, for the export dialog."""

from typing import Final

from app.domain.entry import Direction, EntryFilter, Shown
from app.domain.text import isolated

_WITH_CROSSED_OUT: Final = "with crossed-out entries (Status: voided), which the totals leave out"


def filter_text(wanted: EntryFilter) -> str:
    """Return the filter as text, without its dates: `Debit only · with “taxi” · without document`."""
    parts = []
    if wanted.direction is not None:
        parts.append("Credit only" if wanted.direction is Direction.CREDIT else "Debit only")
    if wanted.text:
        parts.append(f"with “{isolated(wanted.text)}”")
    if wanted.without_document:
        parts.append("without bill")
    if wanted.waiting_only:
        parts.append("waiting")
    if wanted.shown is not Shown.ACTIVE:
        parts.append("crossed out only" if wanted.shown is Shown.VOIDED else _WITH_CROSSED_OUT)
    return " · ".join(parts) or "All entries"


def file_name(wanted: EntryFilter) -> str:
    """Return the default name of the CSV file: `Bahi 2026-04-01 to 2026-09-30.csv`."""
    if wanted.first is None and wanted.last is None:
        return "Bahi all entries.csv"
    first = f"{wanted.first:%Y-%m-%d}" if wanted.first else "start"
    last = f"{wanted.last:%Y-%m-%d}" if wanted.last else "today"
    return f"Bahi {first} to {last}.csv"
