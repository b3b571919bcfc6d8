"""The roll-up: folds the insert-only deltas of the journal into month totals and suggestions."""

import asyncio
import logging
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from server.db.pool import Connection, Pool
from server.journal.append import SQL

BATCH: Final = 5_000
_PAUSE_SECONDS: Final = 2.0
_log = logging.getLogger(__name__)


async def fold_all(pool: Pool) -> int:
    """Fold until no delta is left; return the number of deltas folded."""
    # In batches of a transaction each, so that one fold does not lock the totals for long.
    total = 0
    while True:
        async with pool.connection() as connection:
            folded = await _fold_one_batch(connection)
        total += folded
        if not folded:
            return total


async def _fold_one_batch(connection: Connection) -> int:
    async with connection.transaction():
        found = await (await connection.execute(SQL["next_book"])).fetchone()
        if found is None:
            return 0
        book = {"book_id": found[0]}
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
