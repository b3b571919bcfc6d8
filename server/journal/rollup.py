"""The roll-up: folds the journal's insert-only deltas into month totals and suggestions."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Final

import psycopg
from psycopg_pool import PoolTimeout

from server.db.pool import Connection, Pool
from server.journal.append import SQL

BATCH: Final = 5_000
_PAUSE_SECONDS: Final = 2.0
_log = logging.getLogger(__name__)


async def fold_all(pool: Pool) -> int:
    """Fold until no delta is left; return how many were folded."""
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
        if not locked or not locked[0]:  # another server on this database is at it
            return 0
        row = await (await connection.execute(SQL["fold"], {**book, "most": BATCH})).fetchone()
        return int(row[0]) if row else 0


async def keep_folding(pool: Pool) -> None:
    """Fold every two seconds until cancelled. Readers are exact without it; it keeps them quick."""
    while True:
        await asyncio.sleep(_PAUSE_SECONDS)
        try:
            await fold_all(pool)
        except (psycopg.Error, PoolTimeout) as error:
            _log.warning("roll-up put off", extra={"error": type(error).__name__})


@contextlib.asynccontextmanager
async def rollup(pool: Pool) -> AsyncIterator[None]:
    """Run the roll-up beside the server."""
    task = asyncio.create_task(keep_folding(pool), name="rollup")
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
