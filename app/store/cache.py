"""A cache of the entries that a server returned last, shown while no server can be reached."""

import json
import sqlite3
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from typing import Final

from app.domain.entry import Direction, EntryDetail, EntryFilter, ListedEntry
from app.domain.money import plain_amount
from app.store.database import Database
from app.store.encoding import decode_documents, encode_documents

MAX_ENTRIES: Final = 2000
"""Per book."""
_REMEMBER = """
    INSERT INTO cached_entry (book_id, entry_id, entry_date, amount, direction, category, description,
        human_code, document_count, voided, ver, seen)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (book_id, entry_id) DO UPDATE SET entry_date = excluded.entry_date,
        amount = excluded.amount, direction = excluded.direction, category = excluded.category,
        description = excluded.description, human_code = excluded.human_code,
        document_count = excluded.document_count, voided = excluded.voided,
        ver = excluded.ver, seen = excluded.seen"""
_PRUNE = """
    DELETE FROM cached_entry WHERE rowid IN (
        SELECT rowid FROM cached_entry WHERE book_id = ?
        ORDER BY seen DESC, entry_date DESC, entry_id DESC LIMIT -1 OFFSET ?)"""
_PAGE = """
    SELECT * FROM cached_entry WHERE book_id = ? AND (entry_date, entry_id) < (?, ?)
    ORDER BY entry_date DESC, entry_id DESC"""
_CATEGORIES = """
    SELECT category, count(*) AS uses FROM cached_entry
    WHERE book_id = ? AND NOT voided AND entry_id NOT IN (SELECT value FROM json_each(?))
    GROUP BY category ORDER BY max(entry_date) DESC"""
_LAST_MADE = """
    SELECT * FROM cached_entry
    WHERE book_id = ? AND substr(human_code, 1, 4) = ? || '-' AND NOT voided
        AND entry_id NOT IN (SELECT value FROM json_each(?))
    ORDER BY length(human_code) DESC, human_code DESC LIMIT ?"""
_BEFORE_ALL: Final = ("~", "~")  # sorts after every date and id


class ReadCache:
    """Keeps the last `MAX_ENTRIES` entries of each book. Every method raises StoreError."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def remember(self, book_id: str, entries: Iterable[ListedEntry]) -> None:
        """Store confirmed entries as a server has just returned them; drop those seen longest ago."""
        with self._database.write() as connection:
            seen = _next_seen(connection, book_id)
            connection.executemany(_REMEMBER, [_values(book_id, entry, seen) for entry in entries])
            connection.execute(_PRUNE, (book_id, MAX_ENTRIES))

    def page(
        self,
        book_id: str,
        filter: EntryFilter,  # noqa: A002 - the word for it on the whole desk
        after: tuple[date, str] | None,
        limit: int,
    ) -> list[ListedEntry]:
        """Return up to `limit` matching entries after the sort key `after`, newest first."""
        before = _BEFORE_ALL if after is None else (after[0].isoformat(), after[1])
        # The filter runs in Python: its word search is the server's, and there are few rows.
        with self._database.read() as connection:
            rows = connection.execute(_PAGE, (book_id, *before)).fetchall()
        return [entry for entry in map(_entry, rows) if filter.matches(entry)][: max(limit, 0)]

    def categories(self, book_id: str, without: Iterable[str]) -> list[tuple[str, int]]:
        """Return each category with its number of entries, the last used first.

        Voided entries do not count, nor do those with the ids `without`.
        """
        with self._database.read() as connection:
            rows = connection.execute(_CATEGORIES, (book_id, json.dumps(list(without)))).fetchall()
        return [(row["category"], row["uses"]) for row in rows]

    def last_made(self, book_id: str, prefix: str, without: Iterable[str], most: int) -> list[ListedEntry]:
        """Return the entries with the highest codes after `prefix`, at most `most`, the highest first.

        Voided entries are left out, and those with the ids `without`.
        """
        with self._database.read() as connection:
            rows = connection.execute(
                _LAST_MADE, (book_id, prefix, json.dumps(list(without)), most)
            ).fetchall()
        return [_entry(row) for row in rows]

    def remember_detail(self, book_id: str, detail: EntryDetail) -> None:
        """Store an entry with its bills."""
        with self._database.write() as connection:
            self.remember(book_id, [detail.entry])
            connection.execute(
                "UPDATE cached_entry SET documents = ? WHERE book_id = ? AND entry_id = ?",
                (encode_documents(detail.documents), book_id, detail.entry.id),
            )

    def detail(self, book_id: str, entry_id: str) -> EntryDetail | None:
        """Return an entry with its bills; None if its bills are not in the cache."""
        with self._database.read() as connection:
            row = connection.execute(
                "SELECT * FROM cached_entry WHERE book_id = ? AND entry_id = ?", (book_id, entry_id)
            ).fetchone()
        if row is None or row["documents"] is None:
            return None
        return EntryDetail(_entry(row), decode_documents(row["documents"]))


def _next_seen(connection: sqlite3.Connection, book_id: str) -> int:
    row = connection.execute(
        "SELECT coalesce(max(seen), 0) + 1 FROM cached_entry WHERE book_id = ?", (book_id,)
    ).fetchone()
    return int(row[0])


def _values(book_id: str, entry: ListedEntry, seen: int) -> tuple[str | int, ...]:
    return (
        *(book_id, entry.id, entry.entry_date.isoformat(), plain_amount(entry.amount)),
        *(entry.direction.value, entry.category, entry.description, entry.human_code),
        *(entry.document_count, int(entry.voided), entry.ver, seen),
    )


def _entry(row: sqlite3.Row) -> ListedEntry:
    return ListedEntry(
        row["entry_id"],
        date.fromisoformat(row["entry_date"]),
        Decimal(row["amount"]),
        Direction(row["direction"]),
        row["category"],
        row["description"],
        row["human_code"],
        row["document_count"],
        voided=bool(row["voided"]),
        ver=row["ver"],
    )
