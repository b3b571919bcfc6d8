"""The roll-up: folds the insert-only deltas of the journal into month totals and suggestions."""

import asyncio
import logging
from typing import Final
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from server.db.pool import Connection, Pool
from server.journal.append import SQL

BATCH: Final = 5_000
_PAUSE_SECONDS: Final = 2.0
# How many books that cannot be folded one log line names.
_MAX_LOGGED: Final = 20
_log = logging.getLogger(__name__)


async def fold_all(pool: Pool) -> int:
    """Fold until no delta is left; return the number of deltas folded.

    A book that another server folds is left to it. A book that PostgreSQL refuses to fold is logged, and the
    others are folded. Raises psycopg.Error or PoolTimeout if the database cannot be reached or written to.
    """
    total, refused = 0, dict[UUID, str]()
    while folded := await _fold_each_book(pool, refused):
        total += folded
    if refused:
        books, errors = [str(book) for book in refused], sorted(set(refused.values()))
        extra = {"count": len(books), "books": books[:_MAX_LOGGED], "errors": errors}
        _log.error("roll-up of some books failed; retrying", extra=extra)
    return total


async def _fold_each_book(pool: Pool, refused: dict[UUID, str]) -> int:
    """Fold one batch of each book, and add the books that fail to `refused`, with the name of the error."""
    # In batches of a transaction each, so that one fold does not lock the totals for long.
    total, book = 0, UUID(int=0)
    while True:
        async with pool.connection() as connection:
            found = await (await connection.execute(SQL["next_book"], {"after": book})).fetchone()
            if found is None:
                return total
            book = found[0]
            if book in refused:
                continue
            try:
                total += await _fold_one_batch(connection, book)
            except psycopg.Error as error:
                if connection.broken or isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
                    raise  # no other book would fare better
                refused[book] = type(error).__name__


async def _fold_one_batch(connection: Connection, book_id: UUID) -> int:
    book = {"book_id": book_id}
    async with connection.transaction():
        locked = await (await connection.execute(SQL["lock_rollup"], book)).fetchone()
        if not locked or not locked[0]:  # another server is folding this book
            return 0
        row = await (await connection.execute(SQL["fold"], {**book, "limit": BATCH})).fetchone()
        return int(row[0]) if row else 0


async def keep_folding(pool: Pool) -> None:
    """Fold every two seconds until cancelled."""
    # Totals are exact without it, because readers add the deltas. Folding keeps reading them fast.
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            await fold_all(pool)
        except (psycopg.Error, PoolTimeout) as error:
            _log.warning("roll-up failed; retrying", extra={"error": type(error).__name__})
