"""Numbered SQL migrations: each in one transaction, each once, in order."""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, LiteralString

import psycopg

from server.errors import StartError

LOCK_KEY = 0x6261_6869  # "bahi": two servers that start at once migrate one after the other
_NAME = re.compile(r"(\d{4})_(\w+)\.sql\Z")

_TABLE: LiteralString = """
create table if not exists public.schema_migration (
    number integer primary key,
    name text not null,
    sha256 char(64) not null,
    applied_at timestamptz not null default now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the text: an applied file must never change."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


def all_migrations() -> list[Migration]:
    """Return the migrations that this version brings, in order."""
    found = []
    for file in files("server.db").joinpath("migrations").iterdir():
        if match := _NAME.match(file.name):
            found.append(Migration(int(match[1]), match[2], file.read_text(encoding="utf-8")))
    return sorted(found, key=lambda m: m.number)


def migrate(url: str, upto: int | None = None) -> list[str]:
    """Bring the database at `url` up to date (or to `upto`); return the names of what was applied.

    Raises StartError where the database cannot be reached, is newer than this program, too old a
    PostgreSQL, or was migrated by files that have changed since.
    """
    with _connect(url) as connection:
        _check_server(connection)
        connection.execute("select pg_advisory_lock(%s)", (LOCK_KEY,))
        connection.execute(_TABLE)
        known: dict[int, str] = dict(
            connection.execute(
                "select number, sha256 from public.schema_migration order by number"
            ).fetchall()
        )
        migrations = [m for m in all_migrations() if upto is None or m.number <= upto]
        _check_history(known, migrations, upto)
        return [_apply(connection, m) for m in migrations if m.number not in known]


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


def _check_history(known: dict[int, str], migrations: list[Migration], upto: int | None) -> None:
    ours = {m.number: m for m in all_migrations()} if upto is not None else {m.number: m for m in migrations}
    for number, sha256 in known.items():
        if number not in ours:
            raise StartError("This database was written by a newer version of Bahi; please update this one.")
        if ours[number].sha256 != sha256:
            raise StartError(f"Migration {number:04} is not the one that this database was made with.")


def _apply(connection: psycopg.Connection[tuple[Any, ...]], migration: Migration) -> str:
    with connection.transaction():
        connection.execute("set local lock_timeout = '4s'")
        connection.execute(migration.sql)
        connection.execute(
            "insert into public.schema_migration (number, name, sha256) values (%s, %s, %s)",
            (migration.number, migration.name, migration.sha256),
        )
    return f"{migration.number:04}_{migration.name}"
