"""The CSV of the book in memory, as `server/entries/export.py` writes it: one piece for each row."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from app.domain.entry import Direction, EntryFilter, ListedEntry
from server.contract.limits import CURRENCY
from server.contract.media import EXTENSIONS
from tests.support.fakes.book import Book

_HEADINGS: Final = (
    *("Code", "Date", "Money Out", "Money In", "Net", "CR/DR", "Currency", "Category", "Description"),
    *("Document Count", "Document Files", "Status", "Entered By", "Created UTC", "Modified UTC", "Revision"),
)


def csv_pieces(book: Book, filter_: EntryFilter) -> Iterator[bytes]:
    """Return the file in pieces, oldest entry first."""
    rows = [_cells(book, row) for row in reversed(book.find(filter_))]
    return iter(["\ufeff".encode() + _line(_HEADINGS), *(_line(cells) for cells in rows)])


def _cells(book: Book, row: ListedEntry) -> list[object]:
    is_credit = row.direction is Direction.CREDIT
    versions = book.versions(row.id)
    bills = book.bills.get(row.id, ())
    folder = f"Documents/{row.entry_date:%Y-%m}"
    return [
        row.human_code,
        row.entry_date,
        "" if is_credit else f"{row.amount:.2f}",
        f"{row.amount:.2f}" if is_credit else "",
        f"{row.amount if is_credit else -row.amount:.2f}",
        row.direction.value,
        CURRENCY,
        _guarded(row.category),
        _guarded(row.description),
        len(bills),
        ";".join(f"{folder}/{bill.doc_code}{EXTENSIONS[bill.media_type]}" for bill in bills),
        "voided" if row.voided else "active",
        versions[-1].author,
        f"{versions[-1].made_at:%Y-%m-%dT%H:%M:%SZ}",
        f"{versions[0].made_at:%Y-%m-%dT%H:%M:%SZ}",
        len(versions),
    ]


def _guarded(cell: str) -> str:
    """Return a cell that no spreadsheet runs as a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@"} else cell


def _line(cells: Sequence[object]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)  # lines end in CRLF
    return out.getvalue().encode()
