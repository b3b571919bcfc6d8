"""Writes to several databases at once for the duration of a block."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from uuid import UUID

import psycopg

from tests.support.journal import JournalRow, entry_row, write_journal

BOOK = str(UUID(int=7))


@dataclass(slots=True)
class Written:
    """What each database has acknowledged, by its URL."""

    rows: dict[str, list[JournalRow]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Of all."""
        return sum(map(len, self.rows.values()))

    @property
    def ids(self) -> set[str]:
        """The operations of all."""
        return {row.op_id for rows in self.rows.values() for row in rows}


@contextmanager
def writers(urls: Sequence[str], book: str = BOOK) -> Iterator[Written]:
    """Write entries, and edits of entries that others made, at each of `urls` until the block ends."""
    written = Written({url: [] for url in urls})
    is_over = threading.Event()
    failures: list[psycopg.Error] = []

    def write(url: str) -> None:
        try:
            while not is_over.is_set():
                known = [rows[-1] for rows in written.rows.values() if rows]
                row = entry_row(id_=known[0].id if known and len(written.rows[url]) % 3 else "")
                write_journal(url, book, [row])
                written.rows[url].append(row)
                is_over.wait(0.002)
        except psycopg.Error as error:  # shown where the test waits
            failures.append(error)

    threads = [threading.Thread(target=write, args=(url,)) for url in urls]
    for thread in threads:
        thread.start()
    try:
        yield written
    finally:
        is_over.set()
        for thread in threads:
            thread.join()
    assert failures == []
