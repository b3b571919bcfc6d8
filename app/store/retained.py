"""What a server has confirmed and this computer keeps all the same, until no region's loss can hurt it.

A confirmed operation leaves the outbox for the table `retained`, whole, so that it can be sent again to a
region that never got it. Where it is known to be stands in `whereabouts`, for a day longer than it is kept.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import Whereabouts, is_safe
from app.store.database import Database
from app.store.encoding import decode_documents
from app.store.outbox_rows import COLUMNS, item_of

RECENT_US: Final = 24 * 3_600 * 1_000_000
"""“Recent changes” are those of a day."""
# What is retained first, of which there is little; SQLite would begin with all that is known of a day.
_UNSETTLED: Final = (
    "FROM retained r CROSS JOIN whereabouts w ON w.op_id = r.op_id WHERE r.book_id = ?1 AND w.book_id = ?1"
)


class Retained:
    """Usable from any thread; raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, book_id: str, now_us: int) -> list[Whereabouts]:
        """Return the changes of the last day, those not let go of, and those that only this computer has."""
        with self._database.read() as connection:
            known = connection.execute(
                "SELECT * FROM whereabouts w WHERE book_id = ?1 AND (at_us > ?2"
                " OR EXISTS (SELECT 1 FROM retained r WHERE r.op_id = w.op_id))",
                (book_id, now_us - RECENT_US),
            ).fetchall()
            waiting = connection.execute(
                "SELECT op_id, entry_id, ver FROM outbox WHERE book_id = ? AND state = 'waiting'", (book_id,)
            ).fetchall()
        here = [Whereabouts(row["op_id"], row["entry_id"], row["ver"]) for row in waiting]
        return [_whereabouts(row) for row in known] + here

    def recent_counted(self, book_id: str, now_us: int) -> list[Whereabouts]:
        """Return the same as `recent`, with those that are in the same places counted together."""
        with self._database.read() as connection:
            known = connection.execute(
                "SELECT rows, bytes, count(*) FROM whereabouts w WHERE book_id = ?1 AND (at_us > ?2"
                " OR EXISTS (SELECT 1 FROM retained r WHERE r.op_id = w.op_id)) GROUP BY rows, bytes",
                (book_id, now_us - RECENT_US),
            ).fetchall()
            waiting = connection.execute(
                "SELECT '', '', count(*) FROM outbox WHERE book_id = ? AND state = 'waiting'", (book_id,)
            ).fetchall()
        return [_counted(*row) for row in known + waiting]

    def unsettled(self, book_id: str) -> list[Whereabouts]:
        """Return where the operations are that are not let go of yet, oldest first."""
        with self._database.read() as connection:
            rows = connection.execute(f"SELECT w.* {_UNSETTLED} ORDER BY w.ver", (book_id,)).fetchall()
        return [_whereabouts(row) for row in rows]

    def unsettled_counted(self, book_id: str, before_us: int) -> list[Whereabouts]:
        """Return the same as `unsettled`, with those that are in the same places counted together: those
        confirmed before `before_us` and those confirmed since apart, each with its latest `at_us`."""
        with self._database.read() as connection:
            rows = connection.execute(
                f"SELECT w.rows, w.bytes, count(*), max(w.at_us) {_UNSETTLED}"
                " GROUP BY w.rows, w.bytes, w.at_us < ?2",
                (book_id, before_us),
            ).fetchall()
        return [_counted(*row) for row in rows]

    def items(self, book_id: str, op_ids: Iterable[str]) -> list[OutboxItem]:
        """Return these operations as they were sent, in the order in which they were made."""
        wanted = set(op_ids)
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM retained WHERE book_id = ? ORDER BY ver", (book_id,)
            ).fetchall()
        return [item_of(row) for row in rows if row["op_id"] in wanted]

    def learn(self, found: Mapping[str, tuple[Iterable[str], Iterable[str]]], regions: int) -> int:
        """Note in which regions row and bills of operations are, as looked up just now, and let go of what is
        safe in a cluster of so many regions; return how many those are."""
        released = 0
        with self._database.write() as connection:
            for op_id, (rows, bills) in found.items():
                connection.execute(
                    "UPDATE whereabouts SET rows = ?, bytes = ? WHERE op_id = ?",
                    (_text(rows), _text(bills), op_id),
                )
                if is_safe(Whereabouts(op_id, rows=frozenset(rows), bytes=frozenset(bills)), regions):
                    released += connection.execute("DELETE FROM retained WHERE op_id = ?", (op_id,)).rowcount
        return released

    def file_hashes(self) -> set[str]:
        """Return the SHA-256 of every bill that is kept with an operation."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT documents FROM retained").fetchall()
        return {document.sha256 for row in rows for document in decode_documents(row[0])}


def retain(
    connection: sqlite3.Connection, row: sqlite3.Row, server: str, region: str, now_us: int, *, keep: bool
) -> None:
    """Note that a server of `region` has what `row` of the outbox holds, in the transaction in which it
    leaves; with `keep` it stays here, whole."""
    if keep:
        names = ", ".join(COLUMNS)
        marks = ", ".join("?" for _ in COLUMNS)
        values = [row[name] for name in COLUMNS]
        connection.execute(f"INSERT OR REPLACE INTO retained ({names}) VALUES ({marks})", values)  # noqa: S608
    connection.execute(
        "INSERT OR REPLACE INTO whereabouts"
        " (op_id, book_id, entry_id, ver, rows, bytes, server, at_us, region)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (row["op_id"], row["book_id"], row["entry_id"], row["ver"], region, region, server, now_us, region),
    )
    connection.execute(
        "DELETE FROM whereabouts WHERE book_id = ?1 AND at_us <= ?2"
        " AND NOT EXISTS (SELECT 1 FROM retained r WHERE r.op_id = whereabouts.op_id)",
        (row["book_id"], now_us - RECENT_US),
    )


def _text(regions: Iterable[str]) -> str:
    return " ".join(sorted(regions))


def _counted(rows: str, bytes_: str, count: int, at_us: int = 0) -> Whereabouts:
    return Whereabouts(
        "", rows=frozenset(rows.split()), bytes=frozenset(bytes_.split()), at_us=at_us, count=count
    )


def _whereabouts(row: sqlite3.Row) -> Whereabouts:
    return Whereabouts(
        row["op_id"],
        row["entry_id"],
        row["ver"],
        frozenset(row["rows"].split()),
        frozenset(row["bytes"].split()),
        row["server"],
        row["at_us"],
        row["region"],
    )
