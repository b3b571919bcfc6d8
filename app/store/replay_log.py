"""The replay log: confirmed operations that are kept until enough regions have them.

A confirmed operation moves from the outbox to the table `retained`, so that it can be replayed to a region
that never received it or has lost it. It is kept until it is safe (`is_safe`), and for a day in any case: a
region that was rebuilt copies its data from the others for a while, and they could be lost during that time.
The table `whereabouts` holds the replication status of each of these operations for as long.
"""

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from operator import attrgetter
from typing import Final

from app.domain.outbox_item import OutboxItem
from app.domain.sync_state import SAFE_REGIONS, ReplicationStatus, is_safe
from app.store.database import Database
from app.store.encoding import decode_documents
from app.store.outbox_rows import COLUMNS, item_of

RECENT_US: Final = 24 * 3_600 * 1_000_000
"""Changes of the last day count as recent."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """Who confirmed an operation: the server, its region, and the pin under which it was sent."""

    server: str
    region: str
    pin_id: str


HERE: Final = Confirmed("", "", "")
"""Confirmed by the local server: there are no regions, so no status is recorded."""


class ReplayLog:
    """The tables `retained` and `whereabouts`. Thread-safe. Every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, book_id: str, now_us: int) -> list[ReplicationStatus]:
        """Return the status of recent changes, of all in the replay log, and of those not confirmed yet."""
        with self._database.read() as connection:
            known = connection.execute(
                "SELECT * FROM whereabouts w WHERE book_id = ?1 AND (at_us > ?2"
                " OR EXISTS (SELECT 1 FROM retained r WHERE r.op_id = w.op_id))",
                (book_id, now_us - RECENT_US),
            ).fetchall()
            waiting = connection.execute(
                "SELECT op_id, entry_id, ver FROM outbox WHERE book_id = ? AND state = 'waiting'", (book_id,)
            ).fetchall()
        here = [ReplicationStatus(row["op_id"], row["entry_id"], row["ver"]) for row in waiting]
        return [_status(row) for row in known] + here

    def recent_counted(self, book_id: str, now_us: int) -> list[ReplicationStatus]:
        """Return the same as `recent`, with operations of equal status counted in one item."""
        with self._database.read() as connection:
            known = connection.execute(
                "SELECT rows, bytes, stay, count(*) FROM whereabouts w WHERE book_id = ?1 AND (at_us > ?2"
                " OR EXISTS (SELECT 1 FROM retained r WHERE r.op_id = w.op_id)) GROUP BY rows, bytes, stay",
                (book_id, now_us - RECENT_US),
            ).fetchall()
            waiting = connection.execute(
                "SELECT '', '', '', count(*) FROM outbox WHERE book_id = ? AND state = 'waiting'", (book_id,)
            ).fetchall()
        return [_counted(*row) for row in known + waiting]

    def known(
        self, book_id: str, but: Callable[[ReplicationStatus], bool], until_us: int = 0
    ) -> list[ReplicationStatus]:
        """Return the status of operations, oldest first: of those confirmed until `until_us`, and of all
        others for which `but` returns False. `but` may read `rows`, `bytes` and `pin_id` only."""
        # A book can have thousands of operations but few distinct statuses: `but` is called once for each.
        with self._database.read() as connection:
            distinct = "SELECT DISTINCT rows, bytes, stay FROM whereabouts WHERE book_id = ?"
            found = [tuple(regions) for regions in connection.execute(distinct, (book_id,))]
            there = "SELECT * FROM whereabouts WHERE book_id = ? AND rows = ? AND bytes = ? AND stay = ?"
            wanted = [regions for regions in found if not but(_counted(*regions))]
            rows = [row for regions in wanted for row in connection.execute(there, (book_id, *regions))]
            old = "SELECT * FROM whereabouts WHERE book_id = ? AND at_us <= ?"
            rows += connection.execute(old, (book_id, until_us)).fetchall()
        by_id = {row["op_id"]: _status(row) for row in rows}
        return sorted(by_id.values(), key=attrgetter("ver"))

    def known_counted(self, book_id: str, before_us: int) -> list[ReplicationStatus]:
        """Return the status of all operations, with those of equal status counted in one item. Operations
        confirmed before `before_us` are counted apart from later ones; `at_us` is the latest of each item."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT rows, bytes, stay, count(*), max(at_us) FROM whereabouts WHERE book_id = ?1"
                " GROUP BY rows, bytes, stay, at_us < ?2",
                (book_id, before_us),
            ).fetchall()
        return [_counted(*row) for row in rows]

    def items(self, book_id: str, op_ids: Iterable[str], most: int | None = None) -> list[OutboxItem]:
        """Return at most `most` of these operations as they were sent, oldest first; skip any not kept."""
        wanted = set(op_ids)
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM retained WHERE book_id = ? ORDER BY ver", (book_id,)
            ).fetchall()
        return [item_of(row) for row in islice((row for row in rows if row["op_id"] in wanted), most)]

    def learn(self, found: Mapping[str, tuple[Iterable[str], Iterable[str]]], pin_id: str) -> None:
        """Store the regions that have the row and the bills of each operation, as found under `pin_id`."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE whereabouts SET rows = ?1, bytes = ?2, stay = ?3 WHERE op_id = ?4"
                " AND (rows, bytes, stay) IS NOT (?1, ?2, ?3)",  # an unchanged row needs no disk write
                [(_text(rows), _text(bills), pin_id, op_id) for op_id, (rows, bills) in found.items()],
            )

    def release(self, book_id: str, regions: int, now_us: int) -> int:
        """Delete operations that were confirmed a day ago and are safe; return their number.

        `regions` is the number of regions of the cluster of `book_id`. That of the clusters of other users'
        books is not known, so `SAFE_REGIONS` is assumed for them.
        """
        with self._database.read() as connection:
            old = connection.execute(
                "SELECT w.*, r.op_id IS NOT NULL AS kept"
                " FROM whereabouts w LEFT JOIN retained r ON r.op_id = w.op_id WHERE w.at_us <= ?",
                (now_us - RECENT_US,),
            ).fetchall()
        gone = [
            (row["op_id"],)
            for row in old
            if not row["kept"]
            or is_safe(_status(row), regions if row["book_id"] == book_id else SAFE_REGIONS)
        ]
        if gone:
            with self._database.write() as connection:
                connection.executemany("DELETE FROM retained WHERE op_id = ?", gone)
                connection.executemany("DELETE FROM whereabouts WHERE op_id = ?", gone)
        return len(gone)

    def file_hashes(self) -> set[str]:
        """Return the SHA-256 of every bill of the operations in the replay log."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT documents FROM retained").fetchall()
        return {document.sha256 for row in rows for document in decode_documents(row[0])}


def log_for_replay(
    connection: sqlite3.Connection, row: sqlite3.Row, by: Confirmed, now_us: int, *, keep: bool
) -> None:
    """Record that the region of `by` has the operation in `row` of the outbox; with `keep`, store it too.

    Runs in the transaction that deletes `row`, so that an operation is never in neither table.
    """
    if keep:
        names = ", ".join(COLUMNS)
        marks = ", ".join("?" for _ in COLUMNS)
        values = [row[name] for name in COLUMNS]
        connection.execute(f"INSERT OR REPLACE INTO retained ({names}) VALUES ({marks})", values)  # noqa: S608
    connection.execute(
        "INSERT OR REPLACE INTO whereabouts"
        " (op_id, book_id, entry_id, ver, rows, bytes, server, at_us, region, stay)"
        " VALUES (:op_id, :book_id, :entry_id, :ver, :region, :region, :server, :at_us, :region, :stay)",
        {**dict(row), "region": by.region, "server": by.server, "at_us": now_us, "stay": by.pin_id},
    )


def _text(regions: Iterable[str]) -> str:
    return " ".join(sorted(regions))


def _counted(rows: str, bytes_: str, pin_id: str, count: int = 1, at_us: int = 0) -> ReplicationStatus:
    regions = frozenset(rows.split()), frozenset(bytes_.split())
    return ReplicationStatus("", rows=regions[0], bytes=regions[1], at_us=at_us, count=count, pin_id=pin_id)


def _status(row: sqlite3.Row) -> ReplicationStatus:
    return ReplicationStatus(
        row["op_id"],
        row["entry_id"],
        row["ver"],
        frozenset(row["rows"].split()),
        frozenset(row["bytes"].split()),
        row["server"],
        row["at_us"],
        row["region"],
        pin_id=row["stay"],
    )
