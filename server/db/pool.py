"""Connection pools for PostgreSQL: an asynchronous one for calls, a blocking one for COPY."""

from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
BlockingConnection = psycopg.Connection[tuple[Any, ...]]
BlockingPool = ConnectionPool[BlockingConnection]
# A pool that lost its database doubles the pause between its attempts to reconnect. After this time it gives
# up, and the next call starts again with a short pause. Otherwise a database that was away for an hour would
# be found again only after a pause of similar length.
_RECONNECT_SECONDS: Final = 5.0


def make_pool(url: str, max_size: int) -> Pool:
    """Return a pool of autocommit connections. The caller opens it."""
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=max_size,
        timeout=5,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=False,
        kwargs={"autocommit": True, "connect_timeout": 5, "application_name": "bahi-server"},
    )


def make_blocking_pool(url: str, max_size: int) -> BlockingPool:
    """Return a pool of read-only connections for work in threads. The caller opens it."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=max_size,
        timeout=5,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=False,
        configure=_read_only,
        kwargs={"connect_timeout": 5, "application_name": "bahi-server export"},
    )


def _read_only(connection: BlockingConnection) -> None:
    connection.read_only = True
