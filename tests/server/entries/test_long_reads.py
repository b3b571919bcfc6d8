"""Reads that compare texts leave connections for everything else, and end in time, over HTTP."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any, Final, LiteralString
from urllib.parse import urlencode, urlsplit

import psycopg
import pytest

from server.contract import paths
from server.contract.errors import ErrorCode
from server.entries.long_reads import LongReads
from server.entries.service import EntryService
from server.errors import ApiError
from tests.support.api import BookApi, refusal
from tests.support.postgres import rows
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until

_WAITING: Final[LiteralString] = """
select count(*) from pg_stat_activity
where datname = current_database() and application_name = 'bahi-server' and wait_event_type = 'Lock'"""
READS: Final[list[tuple[str, dict[str, Any]]]] = [
    (paths.ENTRIES, {"q": "paper"}),
    (paths.ENTRIES_SUMMARY, {"q": "paper"}),
    (paths.ENTRIES_SUMMARY, {"hasDocument": "true"}),
]


@contextlib.contextmanager
def _locked(server: RunningServer) -> Iterator[None]:
    """Let nobody read entries: each read takes as long as the block."""
    with psycopg.connect(server.config.database_url) as other:
        other.execute("lock table public.accounting_entry in access exclusive mode")
        yield


def _waiting(server: RunningServer) -> int:
    return int(rows(server.config.database_url, _WAITING)[0][0])


def _send(book: BookApi, path: str, query: dict[str, Any]) -> socket.socket:
    """Send a call, and return its connection without waiting for the answer."""
    parts = urlsplit(book.url)
    connection = socket.create_connection((parts.hostname, parts.port))
    headers = "".join(f"{name}: {value}\r\n" for name, value in book.headers.items())
    connection.sendall(f"GET {path}?{urlencode(query)} HTTP/1.1\r\nHost: x\r\n{headers}\r\n".encode())
    return connection


@pytest.mark.parametrize(("path", "query"), READS)
def test_reads_of_texts_take_at_most_half_of_the_connections_and_end_with_their_client(
    server: RunningServer, book: BookApi, path: str, query: dict[str, Any]
) -> None:
    most = server.config.pool_size // 2
    with _locked(server):
        calls = [_send(book, path, query) for _ in range(2 * server.config.pool_size)]
        wait_until(lambda: _waiting(server) == most)
        for _ in range(server.config.pool_size):
            assert book.call("GET", paths.HEALTH_READY).status_code == HTTPStatus.OK
        assert _waiting(server) == most
        for call in calls:
            call.close()
        wait_until(lambda: not _waiting(server))
    assert book.call("GET", path, params=query).status_code == HTTPStatus.OK


@pytest.mark.parametrize("query", [{"q": "paper"}, {"q": "paper", "crDr": "DR"}])
def test_a_search_that_takes_too_long_is_refused_with_a_sentence_and_can_be_sent_again(
    server: RunningServer, book: BookApi, query: dict[str, str]
) -> None:
    pool = server.services.pool
    server.services.entries = EntryService(pool, LongReads(pool, asyncio.Semaphore(1), 0.2))
    saved = book.add(description="paper", cr_dr="DR")
    reads = [book.page, book.summary, book.page]  # one waits for the table, the others for the one seat
    with _locked(server), ThreadPoolExecutor(len(reads)) as threads:
        for refused in threads.map(lambda read: refusal(lambda: read(**query)), reads):
            assert (refused.status, refused.code) == (503, ErrorCode.DATABASE_UNAVAILABLE)
            assert "took too long" in refused.message
        assert not _waiting(server)
    server.services.entries = EntryService(pool, LongReads.of(pool))
    assert [entry.id for entry in book.all(**query)] == [saved.entry.id]


def test_a_statement_that_postgresql_ends_is_a_read_that_took_too_long(server: RunningServer) -> None:
    pool = server.services.pool

    async def read() -> None:
        async with LongReads.of(pool).connection() as connection:
            assert await (await connection.execute("show statement_timeout")).fetchone() == ("8s",)
            await connection.execute("set local statement_timeout = '50ms'")
            await connection.execute("select pg_sleep(60)")

    async def after() -> object:
        async with pool.connection() as connection:
            return await (await connection.execute("show statement_timeout")).fetchone()

    with pytest.raises(ApiError, match="took too long"):
        server.run(read())
    assert server.run(after()) == ("0",)
