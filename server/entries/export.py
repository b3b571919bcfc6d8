"""The CSV export: one COPY, streamed, so that the server's memory does not grow with the size of the book.

The columns are in the statement `export_csv` of queries.sql.
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from server.db.pool import BlockingPool
from server.entries import store
from server.entries.search import Filter
from server.entries.spellings import Spelling, Spellings
from server.tokens.tokens import Identity

_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 64 * 1024
Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class CsvExport:
    """Exports entries as CSV.

    An export occupies a thread and a connection until its reader has read everything. They come from `pool`,
    which is for exports only, so slow readers delay only other exports.
    """

    pool: BlockingPool

    def stream(self, identity: Identity, filter_: Filter) -> Generator[bytes, None, None]:
        """Yield the file (UTF-8 with BOM, CRLF, RFC 4180) in chunks of about 64 KiB.

        The first chunk comes after PostgreSQL has accepted the statement. Closing the generator cancels it.
        """
        self.pool.open()  # at the first export, so that the server's start does not wait for its threads
        with self.pool.connection() as connection:
            try:
                yield from _joined(_copy(connection, identity, filter_))
            finally:
                if connection.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    connection.cancel()


def _copy(
    connection: psycopg.Connection[tuple[Any, ...]], identity: Identity, filter_: Filter
) -> Iterator[Buffer]:
    spellings = _spellings(connection, identity, filter_)
    if filter_.category:
        filter_ = filter_.spelled(spellings)
    chosen = Spellings.of(spellings)
    others = {each.text: chosen.shown(each.text) for each in spellings}
    others = {typed: shown for typed, shown in others.items() if typed != shown}
    # COPY accepts no parameters, so a client cursor quotes them into the statement.
    cursor = psycopg.ClientCursor(connection)
    values = store.export_values(identity.book_id, filter_, others)
    with cursor.copy(store.export_statement(filter_, others), values) as copy:
        yield from copy


def _spellings(
    connection: psycopg.Connection[tuple[Any, ...]], identity: Identity, filter_: Filter
) -> list[Spelling]:
    values = store.spelling_values(identity.book_id, filter_)
    return [Spelling(*row) for row in connection.execute(store.SQL["spellings"], values)]


def _joined(rows: Iterator[Buffer]) -> Iterator[bytes]:
    """Join rows to chunks."""
    # There may be a million rows, so as little as possible is done for each.
    pending: list[Buffer] = [_BOM]  # without the BOM, Excel does not recognise UTF-8
    size = 0
    for row in rows:
        pending.append(row)
        size += len(row)
        if size >= _CHUNK:
            yield _with_crlf(pending)
            pending, size = [], 0
    yield _with_crlf(pending)


def _with_crlf(rows: list[Buffer]) -> bytes:
    # COPY ends rows with LF, and RFC 4180 demands CRLF. No cell contains an LF: bahi_guarded() replaces them.
    return b"".join(rows).replace(b"\n", b"\r\n")
