"""Numbered SQL migrations: in order, each in one transaction, each once, while other servers go on working.

A file may begin with ``-- oldest program: NNNN``: programs whose own last migration is NNNN or a later one
go on working after it, beside newer ones. Without that line older programs are kept out. What stands below a
line ``-- afterwards`` is one statement that may take its time: it runs after the transaction, blocks nobody,
and runs again where it was cut short.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from typing import Final, LiteralString

import psycopg

from server.db.ddl_lock import Connection, MigrationRunningError, locked_change, prepare, with_retries
from server.errors import StartError

LOCK_KEY: Final = 0x6261_6869  # "bahi": two servers that start at once migrate one after the other
PATIENCE_SECONDS: Final = 60.0
_NAME: Final = re.compile(r"(\d{4})_(\w+)\.sql\Z")
_OLDEST: Final = re.compile(r"^-- oldest program: (\d{4})$", re.MULTILINE)
_AFTERWARDS: Final = "\n-- afterwards\n"

_TABLE: LiteralString = """
create table if not exists public.schema_migration (
    number integer primary key,
    name text not null,
    sha256 char(64) not null,
    applied_at timestamptz not null default now()
)"""
# Programs of before 0008 know neither of the two, and go on writing their rows.
_MORE: LiteralString = """
alter table public.schema_migration
    add column if not exists oldest_program integer,
    add column if not exists unfinished boolean not null default false"""
_HAS_HISTORY: LiteralString = """
select exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.schema_migration') and a.attname = 'unfinished'
)"""
_HISTORY: LiteralString = """
select number, sha256, coalesce(oldest_program, number), unfinished
from public.schema_migration order by number"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file: `sql` is all of its text."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the text: an applied file must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def oldest_program(self) -> int:
        """The last migration of the oldest program that goes on working after this one."""
        match = _OLDEST.search(self.sql)
        return int(match[1]) if match else self.number

    @property
    def full_name(self) -> str:
        """As an operator reads it."""
        return f"{self.number:04}_{self.name}"

    @property
    def inside(self) -> str:
        """What runs in the transaction."""
        return self.sql.partition(_AFTERWARDS)[0]

    @property
    def afterwards(self) -> str:
        """The statement that runs after it, or ""."""
        return self.sql.partition(_AFTERWARDS)[2]


def all_migrations() -> list[Migration]:
    """Return the migrations that this version brings, in order."""
    found = []
    for file in files("server.db").joinpath("migrations").iterdir():
        if match := _NAME.match(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda m: m.number)


def migrate(url: str, upto: int | None = None, patience: float = PATIENCE_SECONDS) -> list[str]:
    """Bring the database at `url` up to date (or to `upto`); return the names of what was applied.

    Raises StartError where the database cannot be reached, is of a newer program that keeps this one out, too
    old a PostgreSQL, not this user's to change, was migrated by files that have changed since, or where
    others are in the way for `patience` seconds.
    """
    whole = all_migrations()
    wanted = [m for m in whole if upto is None or m.number <= upto]
    with _connect(url) as connection, _told():
        _check_server(connection)
        has_history = _value(connection, _HAS_HISTORY)
        if has_history and not any(_left(connection, whole, wanted)):
            return []  # without the lock: another version may be at work behind it, and needs no care of ours
        prepare(connection)
        with_retries(lambda: _lock(connection), patience)
        if not has_history:
            with_retries(lambda: locked_change(connection, lambda: _make_history(connection)), patience)
        new, unfinished = _left(connection, whole, wanted)
        for migration in new:
            step = partial(_apply, connection, migration)
            with_retries(partial(locked_change, connection, step), patience)
        for migration in (*unfinished, *(m for m in new if m.afterwards)):
            _finish(connection, migration)
        return [migration.full_name for migration in new]


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise StartError(f"The database cannot be reached: {why}") from error
    except psycopg.ProgrammingError as error:  # its text repeats the address, and with it the password
        raise StartError("The address of the database is not one; see DATABASE_URL.") from error


@contextmanager
def _told() -> Iterator[None]:
    """Tell what an operator can mend as a sentence."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        why = error.diag.message_primary
        raise StartError(
            f"The database's user may not change its tables ({why}): name their owner."
        ) from error
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise StartError(f"The database went away while it was brought up to date: {why}") from error


def _check_server(connection: Connection) -> None:
    if connection.info.server_version < 170000:
        raise StartError("PostgreSQL 17 or newer is needed.")


def _left(
    connection: Connection, whole: list[Migration], wanted: list[Migration]
) -> tuple[list[Migration], list[Migration]]:
    """Return those of `wanted` that are to be applied, and those to be finished. Raises StartError."""
    ours = {m.number: m for m in whole}
    found = connection.execute(_HISTORY).fetchall()
    for number, sha256, oldest_program, _ in found:
        if number not in ours:
            if oldest_program > max(ours):
                raise StartError(
                    "This database was written by a newer version of Bahi; please update this one."
                )
        elif ours[number].sha256 != sha256:
            raise StartError(f"Migration {number:04} is not the one that this database was made with.")
    known = {number for number, *_ in found}
    unfinished = [ours[number] for number, *_, is_unfinished in found if is_unfinished and number in ours]
    return [m for m in wanted if m.number not in known], unfinished


def _lock(connection: Connection) -> None:
    if connection.execute("select pg_try_advisory_lock(%s)", (LOCK_KEY,)).fetchone() != (True,):
        raise MigrationRunningError


def _make_history(connection: Connection) -> None:
    connection.execute(_TABLE)
    connection.execute(_MORE)


def _apply(connection: Connection, migration: Migration) -> None:
    connection.execute(migration.inside.encode())
    connection.execute(
        "insert into public.schema_migration (number, name, sha256, oldest_program, unfinished)"
        " values (%s, %s, %s, %s, %s)",
        (
            *(migration.number, migration.name, migration.sha256),
            *(migration.oldest_program, bool(migration.afterwards)),
        ),
    )


def _finish(connection: Connection, migration: Migration) -> None:
    """Run what comes after the transaction."""
    connection.execute(migration.afterwards.encode())
    connection.execute(
        "update public.schema_migration set unfinished = false where number = %s", (migration.number,)
    )


def _value(connection: Connection, statement: LiteralString) -> bool:
    found = connection.execute(statement).fetchone()
    return bool(found and found[0])
