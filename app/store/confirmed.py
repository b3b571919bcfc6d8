"""What left the outbox lately, and the region whose server confirmed it."""

import sqlite3
from typing import Final

from app.domain.sync_state import Whereabouts
from app.store.database import Database

KEPT_US: Final = 24 * 3_600 * 1_000_000
"""Older ones are forgotten: “recent changes” are those of a day."""


class Confirmed:
    """The table `confirmed`, and what still waits beside it. Raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def recent(self, book_id: str, now_us: int) -> list[Whereabouts]:
        """Return the changes of the last day, those that no server has confirmed included."""
        with self._database.read() as connection:
            known = connection.execute(
                "SELECT op_id, region FROM confirmed WHERE book_id = ? AND at_us > ?",
                (book_id, now_us - KEPT_US),
            ).fetchall()
            waiting = connection.execute(
                "SELECT op_id FROM outbox WHERE book_id = ? AND state = 'waiting'", (book_id,)
            ).fetchall()
        found = [Whereabouts(row["op_id"], frozenset({row["region"]})) for row in known]
        return found + [Whereabouts(row["op_id"]) for row in waiting]


def note_confirmed(
    connection: sqlite3.Connection, op_id: str, book_id: str, region: str, now_us: int
) -> None:
    """Note that a server of `region` has it, in the transaction in which it leaves the outbox."""
    connection.execute(
        "INSERT OR REPLACE INTO confirmed VALUES (?, ?, ?, ?)", (op_id, book_id, region, now_us)
    )
    forgotten = "DELETE FROM confirmed WHERE book_id = ? AND at_us <= ?"
    connection.execute(forgotten, (book_id, now_us - KEPT_US))
