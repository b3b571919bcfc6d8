"""Connections for reads that compare the texts of many entries, which nobody can make take all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, LiteralString

import psycopg

from server.contract.errors import ErrorCode
from server.db.pool import Connection, Pool
from server.errors import ApiError

# A client waits 10 seconds for the answer.
_SECONDS: Final = 8.0
# PostgreSQL ends the statement itself, even if the server is killed meanwhile.
_LIMIT: Final[LiteralString] = "set local statement_timeout = '8s'"


@dataclass(frozen=True, slots=True)
class LongReads:
    """Lends connections of `pool`, as many at once as `seats` has, each for at most `seconds`."""

    pool: Pool
    seats: asyncio.Semaphore
    seconds: float = _SECONDS

    @classmethod
    def of(cls, pool: Pool) -> "LongReads":
        """Use at most half of the pool, so that saves, readiness and polls always get a connection."""
        return cls(pool, asyncio.Semaphore(max(1, pool.max_size // 2)))

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection in a transaction. Its statement is cancelled if the task is cancelled.

        Raises ApiError (database_unavailable) if waiting and reading take too long together.
        """
        try:
            async with (
                asyncio.timeout(self.seconds),
                self.seats,
                self.pool.connection() as connection,
                connection.transaction(),
            ):
                await connection.execute(_LIMIT)
                yield connection
        except (TimeoutError, psycopg.errors.QueryCanceled) as error:
            raise ApiError(
                ErrorCode.DATABASE_UNAVAILABLE,
                "This search took too long. Please try again, or search for fewer words or fewer days.",
            ) from error
