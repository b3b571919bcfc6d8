"""Numbered SQL migrations, each applied once, in order and in one transaction, while other servers run.

A file may begin with ``-- oldest program: NNNN``. Programs whose own last migration is NNNN or later keep
working after the migration, beside newer programs. Without this line, older programs refuse to start.

One statement may follow each line ``-- afterwards``. It may take long: it runs after the transaction, outside
of any, and blocks nobody. If one of them was interrupted, all run again.
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

# The advisory lock ("bahi" in ASCII) that makes two servers which start at once migrate one after the other.
LOCK_KEY: Final = 0x6261_6869
LOCK_TIMEOUT_SECONDS: Final = 60.0
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
# Programs older than 0008 do not know these columns and still insert rows, so the columns allow that.
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
    """One migration file. `sql` is its whole text."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """The hexadecimal digest of the text. It shows whether a file has changed since it was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()

    @property
    def oldest_program(self) -> int:
        """The last migration of the oldest program that keeps working after this one."""
        match = _OLDEST.search(self.sql)
        return int(match[1]) if match else self.number

    @property
    def full_name(self) -> str:
        """The name shown to the operator, for example `0008_merge_again`."""
        return f"{self.number:04}_{self.name}"

    @property
    def inside(self) -> str:
        """The statements that run in the transaction."""
        return self.sql.split(_AFTERWARDS)[0]

    @property
    def afterwards(self) -> tuple[str, ...]:
        """The statements that run after the transaction, in order."""
        return tuple(self.sql.split(_AFTERWARDS)[1:])


def all_migrations() -> list[Migration]:
    """Return the migrations of this version of the program, in order."""
    found = []
    for file in files("server.db").joinpath("migrations").iterdir():
        if match := _NAME.match(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda m: m.number)


def migrate(url: str, upto: int | None = None, timeout: float = LOCK_TIMEOUT_SECONDS) -> list[str]:
    """Migrate the database at `url` (up to the migration `upto`) and return the names of those applied.

    Raises StartError if the database cannot be reached, runs a PostgreSQL that is too old, was migrated by a
    newer program that excludes this one, or by migration files that have changed since; if the user may not
    change the tables; or if other sessions keep their locks for more than `timeout` seconds.
    """
    ours = all_migrations()
    wanted = [m for m in ours if upto is None or m.number <= upto]
    with _connect(url) as connection, _errors_as_sentences():
        _check_server(connection)
        has_history = _value(connection, _HAS_HISTORY)
        # Nothing to do: return without the lock. A newer program may hold it for long, and this one need
        # not wait for it.
        if has_history and not any(_pending(connection, ours, wanted)):
            return []
        prepare(connection)
        with_retries(lambda: _lock(connection), timeout)
        if not has_history:
            with_retries(lambda: locked_change(connection, lambda: _make_history(connection)), timeout)
        # Read again: another server may have migrated while this one waited for the lock.
        new, unfinished = _pending(connection, ours, wanted)
        for migration in new:
            step = partial(_apply, connection, migration)
            with_retries(partial(locked_change, connection, step), timeout)
        for migration in (*unfinished, *(m for m in new if m.afterwards)):
            _finish(connection, migration)
        return [migration.full_name for migration in new]


def _connect(url: str) -> Connection:
    try:
        return psycopg.connect(url, autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise StartError(f"The database cannot be reached: {why}") from error
    except psycopg.ProgrammingError as error:  # not quoted: its text repeats the URL with the password
        raise StartError("The URL of the database is not valid; see DATABASE_URL.") from error


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Raise the errors that an operator can fix as StartError."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        why = error.diag.message_primary
        raise StartError(
            f"The database user may not change the tables ({why}); connect as their owner."
        ) from error
    except (psycopg.OperationalError, psycopg.errors.IdleInTransactionSessionTimeout) as error:
        why = (str(error).splitlines() or ["no reason given"])[0]
        raise StartError(f"The connection to the database was lost during the migration: {why}") from error


def _check_server(connection: Connection) -> None:
    if connection.info.server_version < 170000:
        raise StartError("PostgreSQL 17 or later is required.")


def _pending(
    connection: Connection, ours: list[Migration], wanted: list[Migration]
) -> tuple[list[Migration], list[Migration]]:
    """Return those of `wanted` that are not applied yet, and all whose statements below
    `-- afterwards` have not finished.

    Raises StartError.
    """
    by_number = {m.number: m for m in ours}
    found = connection.execute(_HISTORY).fetchall()
    for number, sha256, oldest_program, _ in found:
        if number not in by_number:
            if oldest_program > max(by_number):
                raise StartError(
                    "This database was migrated by a newer version of Bahi; please update this program."
                )
        elif by_number[number].sha256 != sha256:
            raise StartError(f"Migration {number:04} differs from the one applied to this database.")
    applied = {number for number, *_ in found}
    unfinished = [
        by_number[number] for number, *_, is_unfinished in found if is_unfinished and number in by_number
    ]
    return [m for m in wanted if m.number not in applied], unfinished


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
    """Run the statements below `-- afterwards`, in order, and note that they have finished."""
    for statement in migration.afterwards:
        connection.execute(statement.encode())
    connection.execute(
        "update public.schema_migration set unfinished = false where number = %s", (migration.number,)
    )


def _value(connection: Connection, statement: LiteralString) -> bool:
    found = connection.execute(statement).fetchone()
    return bool(found and found[0])
