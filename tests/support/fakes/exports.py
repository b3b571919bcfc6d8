"""Exports of one line for each entry."""

from collections.abc import Callable
from pathlib import Path

from app.domain.entry import EntryFilter, Totals
from app.errors import CancelledError
from app.services.exports import ExportResult, Preflight
from tests.support.fakes.book import Book
from tests.support.fakes.entries import FakeEntries


class FakeExports:
    """Writes one line per entry."""

    def __init__(self, book: Book, entries: FakeEntries) -> None:
        self._book = book
        self._entries = entries

    def preflight(self, filter_: EntryFilter) -> Preflight:
        """Count."""
        self._book.step("preflight")
        self._book.need_server()
        rows = [row for row in self._book.entries if filter_.matches(row)]
        waiting = tuple(row.human_code for row in self._entries.pending(filter_))
        return Preflight(len(rows), sum(not row.document_count for row in rows), waiting)

    def write_csv(
        self, filter_: EntryFilter, path: Path, progress: Callable[[int], None], cancelled: Callable[[], bool]
    ) -> ExportResult:
        """Write what the server has."""
        self._book.step("write_csv")
        rows = [row for row in self._book.entries if filter_.matches(row)]
        lines = []
        for row in rows:
            if cancelled():
                raise CancelledError
            lines.append(row.human_code)
            progress(len("\n".join(lines)))
        path.write_text("\n".join(lines), encoding="utf-8")
        total = Totals()
        for row in rows:
            total = total.plus(row)
        left_out = tuple(row.human_code for row in self._entries.pending(filter_))
        return ExportResult(path, len(rows), total, left_out)
