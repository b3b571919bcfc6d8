"""What a server has confirmed and this computer keeps all the same, until no region's loss can hurt it.

A confirmed operation leaves the outbox for the table `retained`, whole, so that it can be sent again to a
region that never got it, or lost it. It is kept until it is safe, and for a day in any case: a region that
was made anew fetches what it had from the others for a while, and those can be lost too meanwhile. Where it
is known to be stands in `whereabouts`, for as long.
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
"""“Recent changes” are those of a day."""


@dataclass(frozen=True, slots=True)
class Confirmed:
    """By which server of which region an operation was confirmed, and during which stay there."""

    server: str
    region: str
    pin_id: str


HERE: Final = Confirmed("", "", "")
"""By this computer's own server: of that nothing is noted."""


class ReplayLog:
    """Usable from any thread; raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, book_id: str, now_us: int) -> list[ReplicationStatus]:
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
        here = [ReplicationStatus(row["op_id"], row["entry_id"], row["ver"]) for row in waiting]
        return [_status(row) for row in known] + here

    def recent_counted(self, book_id: str, now_us: int) -> list[ReplicationStatus]:
        """Return the same as `recent`, with those that are in the same places counted together."""
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
        """Return where the operations are of which that is remembered, oldest first: those confirmed by
        `until_us`, and all but those of which `but` says so, which may read the places and the stay only."""
        with self._database.read() as connection:
            distinct = "SELECT DISTINCT rows, bytes, stay FROM whereabouts WHERE book_id = ?"
            found = [tuple(places) for places in connection.execute(distinct, (book_id,))]
            there = "SELECT * FROM whereabouts WHERE book_id = ? AND rows = ? AND bytes = ? AND stay = ?"
            wanted = [places for places in found if not but(_counted(*places))]
            rows = [row for places in wanted for row in connection.execute(there, (book_id, *places))]
            old = "SELECT * FROM whereabouts WHERE book_id = ? AND at_us <= ?"
            rows += connection.execute(old, (book_id, until_us)).fetchall()
        by_id = {row["op_id"]: _status(row) for row in rows}
        return sorted(by_id.values(), key=attrgetter("ver"))

    def known_counted(self, book_id: str, before_us: int) -> list[ReplicationStatus]:
        """Return all that is remembered, with what is in the same places counted together: what was confirmed
        before `before_us` and what was confirmed since apart, each with its latest `at_us`."""
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT rows, bytes, stay, count(*), max(at_us) FROM whereabouts WHERE book_id = ?1"
                " GROUP BY rows, bytes, stay, at_us < ?2",
                (book_id, before_us),
            ).fetchall()
        return [_counted(*row) for row in rows]

    def items(self, book_id: str, op_ids: Iterable[str], most: int | None = None) -> list[OutboxItem]:
        """Return those of the operations that are kept, at most so many, as they were sent, in the order in
        which they were made."""
        wanted = set(op_ids)
        with self._database.read() as connection:
            rows = connection.execute(
                "SELECT * FROM retained WHERE book_id = ? ORDER BY ver", (book_id,)
            ).fetchall()
        return [item_of(row) for row in islice((row for row in rows if row["op_id"] in wanted), most)]

    def learn(self, found: Mapping[str, tuple[Iterable[str], Iterable[str]]], pin_id: str) -> None:
        """Note in which regions row and bills of operations are, as looked up during `stay`."""
        with self._database.write() as connection:
            connection.executemany(
                "UPDATE whereabouts SET rows = ?1, bytes = ?2, stay = ?3 WHERE op_id = ?4"
                " AND (rows, bytes, stay) IS NOT (?1, ?2, ?3)",  # what is no news costs no wait for the disk
                [(_text(rows), _text(bills), pin_id, op_id) for op_id, (rows, bills) in found.items()],
            )

    def release(self, book_id: str, regions: int, now_us: int) -> int:
        """Let go of what was confirmed a day ago and is safe, and forget where it is; return of how many
        operations. `book_id` is in a cluster of so many regions; of what other users of this computer left
        nobody knows in how many."""
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
        """Return the SHA-256 of every bill that is kept with an operation."""
        with self._database.read() as connection:
            rows = connection.execute("SELECT documents FROM retained").fetchall()
        return {document.sha256 for row in rows for document in decode_documents(row[0])}


def log_for_replay(
    connection: sqlite3.Connection, row: sqlite3.Row, by: Confirmed, now_us: int, *, keep: bool
) -> None:
    """Note that a region has what `row` of the outbox holds, in the transaction in which it leaves; with
    `keep` it stays here, whole."""
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
    places = frozenset(rows.split()), frozenset(bytes_.split())
    return ReplicationStatus("", rows=places[0], bytes=places[1], at_us=at_us, count=count, pin_id=pin_id)


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
