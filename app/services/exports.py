"""The CSV export: written to a temporary file, its totals checked, then moved to its place."""

import contextlib
import csv
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Final

from app.domain.entry import EntryFilter, Totals
from app.domain.outbox_item import OutboxItem
from app.errors import CancelledError, OfflineError
from app.remote.translate import query_of, rupees_of, totals_of
from app.services.accounts import Accounts
from app.store.durable import os_errors_translated
from app.store.outbox import Outbox
from server.contract.durable_files import sync_file, temporary_beside

_REPORT_EVERY_S: Final = 0.05  # thousands of reports in a second would hold the window
_COUNTED: Final = ("Money Out", "Money In", "Status")


@dataclass(frozen=True, slots=True)
class Preflight:
    """What an export would contain. `waiting` are the codes of entries that it would leave out, because no
    server has them yet."""

    count: int
    without_document: int
    waiting: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExportResult:
    """What was written, as counted in the file. `left_out` are codes that are only on this computer."""

    path: Path
    rows: int
    totals: Totals
    left_out: tuple[str, ...]


class Exports:
    """Exports the entries that a server has, and names those that are still in the outbox."""

    def __init__(self, accounts: Accounts, outbox: Outbox) -> None:
        self._accounts = accounts
        self._outbox = outbox

    def preflight(self, filter_: EntryFilter) -> Preflight:
        """Return what an export would contain. Raises OfflineError if no server answers."""
        api = self._accounts.remote.api
        bare = replace(filter_, without_document=True)
        count = api.summary(query_of(filter_)).count
        without = count if filter_.without_document else api.summary(query_of(bare)).count
        return Preflight(count, without, self._waiting(filter_))

    def write_csv(
        self,
        filter_: EntryFilter,
        path: Path,
        progress: Callable[[int], None],
        cancelled: Callable[[], bool],
    ) -> ExportResult:
        """Write all entries of a filter to `path`. `progress` is called with the number of rows written.

        Raises CancelledError, OfflineError or StoreError; `path` is then unchanged.
        """
        left_out = self._waiting(filter_)
        with _written_whole(path) as partial:
            with self._accounts.remote.api.csv(query_of(filter_)) as pieces:
                _write(partial, pieces, progress, cancelled)
            totals = _count(partial)
            self._check(filter_, totals)
        return ExportResult(path, totals.count, totals, left_out)

    def _check(self, filter_: EntryFilter, totals: Totals) -> None:
        """Raise OfflineError if the totals of the file are not those of the server."""
        counted = totals_of(self._accounts.remote.api.summary(query_of(filter_)))
        if counted != totals:
            sentence = "The book changed during the export, or the file is incomplete. Please export again."
            raise OfflineError(sentence)

    def _waiting(self, filter_: EntryFilter) -> tuple[str, ...]:
        book = self._accounts.require_session().book_id
        found = [i.human_code for i in self._outbox.items(book) if _concerns(i, filter_)]
        return tuple(dict.fromkeys(found))


def _concerns(item: OutboxItem, filter_: EntryFilter) -> bool:
    """Return whether sending `item` would change the file: add, change or remove a row."""
    return filter_.matches(item.listed()) or (item.base is not None and filter_.matches(item.base.entry))


@contextlib.contextmanager
def _written_whole(path: Path) -> Generator[Path, None, None]:
    """Give a temporary file next to `path`. It replaces `path` at the end, or is deleted after an error."""
    with os_errors_translated(path), temporary_beside(path) as partial:
        yield partial
        partial.replace(path)  # without syncing the folder, which some network drives do not support


def _write(
    partial: Path, pieces: Iterator[bytes], progress: Callable[[int], None], cancelled: Callable[[], bool]
) -> None:
    rows, told = -1, 0.0  # the headings are not a row
    with partial.open("xb") as out:
        for piece in pieces:
            if cancelled():
                raise CancelledError
            out.write(piece)
            rows += piece.count(b"\n")
            if time.monotonic() - told >= _REPORT_EVERY_S:
                progress(max(rows, 0))
                told = time.monotonic()
        sync_file(out)  # before it replaces an existing file of that name
    progress(max(rows, 0))
    if cancelled():
        raise CancelledError


def _count(file: Path) -> Totals:
    """Return the totals of a CSV file. A voided row is counted, but its money is not. Raises ServerError."""
    rows, out, into = 0, Decimal(0), Decimal(0)
    with file.open(encoding="utf-8-sig", newline="") as text:
        lines = csv.reader(text)  # for a million rows, DictReader takes three times as long
        headings = next(lines, [])
        if not {*_COUNTED} <= {*headings}:  # the server sent something else
            return Totals()
        money_out, money_in, status = (headings.index(name) for name in _COUNTED)
        for row in lines:
            rows += 1
            if len(row) == len(headings) and row[status] == "active":
                out += rupees_of(row[money_out] or "0")
                into += rupees_of(row[money_in] or "0")
    return Totals(rows, out, into)
