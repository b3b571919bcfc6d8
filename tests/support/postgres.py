"""One embedded PostgreSQL per test run, and a new migrated database for each test, which takes 12 ms."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import uuid4

import psycopg
from psycopg import sql

from server.db.embedded import DATABASE, EmbeddedPostgres, _end_leftover
from server.db.migrate import migrate
from tests.support.memory import MEMORY, has_room

# Nothing here survives a power cut, and nothing has to.
QUICK: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "120",
    "max_wal_size": "256MB",
}
_PREFIX: Final = "bahi-tests-"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running PostgreSQL; its database `bahi` is migrated and only ever copied."""

    embedded: EmbeddedPostgres

    @contextlib.contextmanager
    def database(self, *, migrated: bool = True) -> Iterator[str]:
        """Yield the URL of a database of one's own; it is dropped afterwards, whoever is still in it."""
        name = f"test_{uuid4().hex[:12]}"
        template = DATABASE if migrated else "template0"
        self._run("create database {} template {} strategy file_copy", name, template)
        try:
            yield self.embedded.url(name)
        finally:
            self._run("drop database {} with (force)", name)

    def _run(self, statement: LiteralString, *names: str) -> None:
        composed = sql.SQL(statement).format(*(sql.Identifier(name) for name in names))
        with psycopg.connect(self.embedded.url("postgres"), autocommit=True) as connection:
            connection.execute(composed)


@contextlib.contextmanager
def running_cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Start PostgreSQL with the `QUICK` settings and more; end and remove it afterwards.

    If there is room, its files are kept in memory: a database is a copy of 300 files, which takes ten times
    as long on a disk that others use too. Otherwise they are kept below `folder`.
    """
    with _in_memory(folder) as data:
        embedded = EmbeddedPostgres(data, {**QUICK, **settings})
        try:
            migrate(embedded.start())
            yield Cluster(embedded)
        finally:
            embedded.stop()
            remove_cluster(data)


@contextlib.contextmanager
def _in_memory(folder: Path) -> Iterator[Path]:
    """Yield a data folder in memory, or `folder` if there is no room."""
    if not has_room():
        yield folder
        return
    _remove_leftovers()
    place = MEMORY / f"{_PREFIX}{os.getpid()}-{uuid4().hex[:8]}"
    data = place / "data"
    data.mkdir(parents=True)
    if os.geteuid() == 0:  # another user runs PostgreSQL, and may not enter the data folder
        (data / "postgres.location").write_text(f"{place / 'postgres'}\n", encoding="utf-8")
    try:
        yield data
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _remove_leftovers() -> None:
    """Remove what a run that was killed has left in memory, and end its PostgreSQL."""
    for place in MEMORY.glob(f"{_PREFIX}*"):
        pid = place.name.removeprefix(_PREFIX).partition("-")[0]
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            remove_cluster(place / "data")
            shutil.rmtree(place, ignore_errors=True)


def cluster_folder(folder: Path) -> Path:
    """Return where PostgreSQL's files of the data folder `folder` lie."""
    note = folder / "postgres.location"
    return Path(note.read_text(encoding="utf-8").strip()) if note.exists() else folder / "postgres"


def postmaster_pid(folder: Path) -> int | None:
    """Return the process id that PostgreSQL left in its pid file, None where there is none."""
    try:
        text = (cluster_folder(folder) / "postmaster.pid").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return int(text.split()[0]) if text.strip() else None


def remove_cluster(folder: Path) -> None:
    """Remove PostgreSQL's files of the data folder `folder`, once whatever still runs on them has ended."""
    cluster = cluster_folder(folder)
    _end_leftover(cluster)
    shutil.rmtree(cluster, ignore_errors=True)


def rows(url: str, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
    """Run one statement in a transaction of its own and return its rows."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


BOOK_TABLES: Final = (
    *("journal", "accounting_entry", "accounting_document", "app_user", "credential", "username_claim"),
    *("device", "refresh_use", "revocation", "entry_delta", "entry_month", "suggestion"),
)


def dump_of_book(url: str, book_id: str) -> dict[str, list[str]]:
    """Return every row of a book in every table, as text, sorted."""
    dump = {}
    with psycopg.connect(url, autocommit=True) as connection:
        for table in BOOK_TABLES:
            statement = sql.SQL("select t::text from public.{} t where book_id = %s order by 1")
            found = connection.execute(statement.format(sql.Identifier(table)), (book_id,)).fetchall()
            dump[table] = [text for (text,) in found]
    return dump
