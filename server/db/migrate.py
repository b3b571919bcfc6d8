"""Numbered SQL migrations: in order, each in one transaction, each once, while other servers go on working.

A file may begin with ``-- oldest program: NNNN``: programs whose own last migration is NNNN or a later one
go on working after it, beside newer ones. Without that line older programs are kept out. What stands below a
line ``-- afterwards`` is one statement that may take its time: it runs after the transaction, blocks nobody,
and runs again where it was cut short.
"""

import hashlib
import random
import re
import time
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final, LiteralString

import psycopg

from server.errors import StartError

LOCK_KEY: Final = 0x6261_6869  # "bahi": two servers that start at once migrate one after the other
PATIENCE_SECONDS: Final = 60.0
_TRIES: Final = 5
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
_HAS_MORE: LiteralString = """
select exists (
    select from pg_catalog.pg_attribute a
    where a.attrelid = to_regclass('public.schema_migration') and a.attname = 'unfinished'
)"""
_HISTORY: LiteralString = """
select number, sha256, coalesce(oldest_program, number), unfinished
from public.schema_migration order by number"""
# Whoever waits for a lock holds up all who come after it. It gives up before PostgreSQL looks for deadlocks
# (deadlock_timeout, 1 s), so that it is never a writer who has to.
_WAIT: LiteralString = "set local lock_timeout = '800ms'"
# Nobody is in the middle of a merge by the old functions, and nobody waits inside of one, while they change.
_QUIET: LiteralString = "lock table public.journal in share row exclusive mode"


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
    old a PostgreSQL, was migrated by files that have changed since, or is in use for `patience` seconds.
    """
    whole = all_migrations()
    wanted = [m for m in whole if upto is None or m.number <= upto]
    with _connect(url) as connection:
        _check_server(connection)
        has_history = _value(connection, _HAS_MORE)
        if has_history and not any(_left(connection, whole, wanted)):
            return []  # without the lock: another version may be at work behind it, and needs no care of ours
        connection.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        if not has_history:
            connection.execute(_TABLE)
            connection.execute(_MORE)
        new, unfinished = _left(connection, whole, wanted)
        for migration in new:
            _apply(connection, migration, patience)
        for migration in (*unfinished, *(m for m in new if m.afterwards)):
            _finish(connection, migration)
        return [migration.full_name for migration in new]


def _connect(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise StartError(f"The database cannot be reached: {why}") from error
    except psycopg.ProgrammingError as error:  # its text repeats the address, and with it the password
        raise StartError("The address of the database is not one; see DATABASE_URL.") from error


def _check_server(connection: psycopg.Connection[tuple[Any, ...]]) -> None:
    if connection.info.server_version < 170000:
        raise StartError("PostgreSQL 17 or newer is needed.")


def _left(
    connection: psycopg.Connection[tuple[Any, ...]], whole: list[Migration], wanted: list[Migration]
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


def _apply(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            _apply_once(connection, migration)
        except psycopg.errors.LockNotAvailable as error:
            if time.monotonic() > deadline:
                raise StartError(
                    "The database is in use by something that takes long (a first copy, a backup): "
                    "nothing was changed; try again later."
                ) from error
            time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - lets those through who were held up
        else:
            return


def _apply_once(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration) -> None:
    with connection.transaction():
        connection.execute(_WAIT)
        if _value(connection, "select to_regclass('public.journal') is not null"):
            connection.execute(_QUIET)
        connection.execute(migration.inside.encode())
        connection.execute(
            "insert into public.schema_migration (number, name, sha256, oldest_program, unfinished)"
            " values (%s, %s, %s, %s, %s)",
            (
                *(migration.number, migration.name, migration.sha256),
                *(migration.oldest_program, bool(migration.afterwards)),
            ),
        )


def _finish(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration) -> None:
    """Run what comes after the transaction."""
    for attempt in range(_TRIES):
        try:
            connection.execute(migration.afterwards.encode())
            break
        except psycopg.errors.DeadlockDetected:  # somebody wrote the same records in another order
            if attempt == _TRIES - 1:
                raise
    connection.execute(
        "update public.schema_migration set unfinished = false where number = %s", (migration.number,)
    )


def _value(connection: psycopg.Connection[tuple[Any, ...]], statement: LiteralString) -> bool:
    found = connection.execute(statement).fetchone()
    return bool(found and found[0])
