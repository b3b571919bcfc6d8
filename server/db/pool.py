"""Connections to PostgreSQL: an asynchronous pool for calls, a blocking connection for COPY."""

from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

Connection = psycopg.AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]


def make_pool(url: str, most: int) -> Pool:
    """Return a pool that is not open yet, of connections in autocommit."""
    return AsyncConnectionPool(
        url,
        min_size=2,
        max_size=most,
        timeout=5,
        open=False,
        kwargs={"autocommit": True, "connect_timeout": 5, "application_name": "bahi-server"},
    )


def connect_blocking(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """Return a connection of one's own, for work in a thread."""
    return psycopg.connect(url, connect_timeout=5, application_name="bahi-server")
