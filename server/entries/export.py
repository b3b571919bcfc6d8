"""The CSV for the accountant: one COPY, streamed as it comes, the server's memory flat whatever the size."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final

import psycopg

from server.db.pool import BlockingPool
from server.entries import search, store
from server.entries.search import Filter
from server.tokens.tokens import Identity

_BOM: Final = b"\xef\xbb\xbf"
_CHUNK: Final = 64 * 1024
Buffer = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class CsvExport:
    """Each export holds a connection of `pool` in a thread; a slow reader holds up only other exports."""

    pool: BlockingPool

    def stream(self, identity: Identity, filter_: Filter) -> Generator[bytes, None, None]:
        """Yield the file (UTF-8 with BOM, CRLF, RFC 4180) in pieces of about 64 KiB.

        The first piece comes only once PostgreSQL has taken the statement. Closing the iterator cancels it.
        """
        self.pool.open()  # at the first export: no start waits for its threads
        with self.pool.connection() as connection:
            try:
                yield from _joined(_copy(connection, identity, filter_))
            finally:
                if connection.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                    connection.cancel()


def _copy(
    connection: psycopg.Connection[tuple[object, ...]], identity: Identity, filter_: Filter
) -> Iterator[Buffer]:
    cursor = psycopg.ClientCursor(connection)  # COPY takes no parameters: they are quoted here
    values = search.parameters(identity.book_id, filter_)
    with cursor.copy(store.export_statement(filter_), values) as copy:
        yield from copy


def _joined(rows: Iterator[Buffer]) -> Iterator[bytes]:
    """Join rows to chunks before anything else is done: there may be a million of them."""
    held: list[Buffer] = [_BOM]
    size = 0
    for row in rows:
        held.append(row)
        size += len(row)
        if size >= _CHUNK:
            yield _with_crlf(held)
            held, size = [], 0
    yield _with_crlf(held)


def _with_crlf(rows: list[Buffer]) -> bytes:
    # COPY ends rows with LF; no cell holds one (bahi_guarded).
    return b"".join(rows).replace(b"\n", b"\r\n")
