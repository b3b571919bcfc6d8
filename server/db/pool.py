"""Connections to PostgreSQL: an asynchronous pool for calls, a blocking one for COPY."""

from typing import Any, Final

import psycopg
from psycopg_pool import AsyncConnectionPool, ConnectionPool

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
BlockingConnection = psycopg.Connection[tuple[Any, ...]]
BlockingPool = ConnectionPool[BlockingConnection]
# A pool's pauses between two tries double, until this is over and the next call begins anew: else a database
# that was away for long is found as late again.
_RECONNECT_SECONDS: Final = 5.0


def make_pool(url: str, most: int) -> Pool:
    """Return a pool that is not open yet, of connections in autocommit."""
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=most,
        timeout=5,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=False,
        kwargs={"autocommit": True, "connect_timeout": 5, "application_name": "bahi-server"},
    )


def make_blocking_pool(url: str, most: int) -> BlockingPool:
    """Return a pool that is not open yet, of read-only connections for work in threads."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=most,
        timeout=5,
        reconnect_timeout=_RECONNECT_SECONDS,
        open=False,
        configure=_read_only,
        kwargs={"connect_timeout": 5, "application_name": "bahi-server export"},
    )


def _read_only(connection: BlockingConnection) -> None:
    connection.read_only = True
