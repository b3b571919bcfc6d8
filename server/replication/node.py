"""A connection to a region's database: runs named statements, and raises errors with a sentence."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, LiteralString

import psycopg
from psycopg import sql

from server.db.migrate import LOCK_KEY
from server.db.queries import load
from server.errors import StartError
from server.replication.regions import Region

SQL: Final = load("server.replication")
Parts = Mapping[str, sql.Composable]
_MESH_LOCK: Final = LOCK_KEY + 1
_CONNECT_SECONDS: Final = 5
_SILENT_SECONDS: Final = 30
# A command that waits longer for a table, for example because of an open transaction, fails and says so.
_LOCK_SECONDS: Final = 30


class RegionError(StartError):
    """A region's database cannot be reached, or a statement failed. The message contains no password."""


@dataclass(frozen=True, slots=True)
class Node:
    """A region to which a command is connected. All methods raise RegionError."""

    region: Region
    connection: psycopg.Connection[tuple[Any, ...]]

    @property
    def code(self) -> str:
        """The code of the region."""
        return self.region.code

    def rows(
        self, name: str, values: Mapping[str, object] | None = None, /, **parts: sql.Composable
    ) -> list[Any]:
        """Run a statement of queries.sql, with `parts` in place of its {names}; return its rows."""
        with errors_as_sentences(self.region):
            cursor = self.connection.execute(sql.SQL(SQL[name]).format(**parts), values)
            return cursor.fetchall() if cursor.description else []

    def named(self, name: str, values: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Run a statement; return its rows as dicts by column name."""
        with errors_as_sentences(self.region):
            cursor = self.connection.execute(SQL[name], values)
            columns = [column.name for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def value(self, name: str, values: Mapping[str, object] | None = None) -> Any:
        """Run a statement; return the first column of its first row, or None if there is no row."""
        found = self.rows(name, values)
        return found[0][0] if found else None

    def run(self, statement: LiteralString, **parts: sql.Composable) -> None:
        """Run a DDL statement in a transaction of its own."""
        with errors_as_sentences(self.region):
            self.connection.execute(sql.SQL(statement).format(**parts))


@contextlib.contextmanager
def connect(region: Region) -> Iterator[Node]:
    """Connect to a region for the duration of the block. Raises RegionError."""
    with errors_as_sentences(region):
        connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
            region.url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            # Never prepare statements: only if PostgreSQL plans with the values at hand does it use a hash
            # table for `= any(…)`.
            prepare_threshold=None,
            application_name="bahi-replication",
            keepalives_idle=_SILENT_SECONDS,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=_SILENT_SECONDS * 1000,
        )
        connection.execute(f"set lock_timeout = '{_LOCK_SECONDS}s'")
        # Rows are compared as text, which must not depend on the settings of a region.
        connection.execute("set timezone = 'UTC'")
        connection.execute("set datestyle = 'ISO'")
    with contextlib.closing(connection):
        yield Node(region, connection)


@contextlib.contextmanager
def locked(*nodes: Node) -> Iterator[None]:
    """Keep other commands from changing the mesh at these regions. Raises StartError if one is running.

    The lock also ends with the connections.
    """
    for node in nodes:
        if not node.value("lock", {"key": _MESH_LOCK}):
            raise StartError(f"Another replication command is running at {node.code}; wait until it ends.")
    try:
        yield
    finally:
        for node in nodes:
            with contextlib.suppress(psycopg.Error):  # the connection is lost, and the lock with it
                node.connection.execute(SQL["unlock"], {"key": _MESH_LOCK})


@contextlib.contextmanager
def errors_as_sentences(region: Region) -> Iterator[None]:
    """Raise errors of PostgreSQL as RegionError, without the values of the statement."""
    try:
        yield
    except psycopg.ProgrammingError as error:
        # Not `from error`: its text may repeat the URL with the password.
        raise RegionError(_sentence(region, error)) from None
    except psycopg.OperationalError as error:
        if error.diag.message_primary:
            raise RegionError(_sentence(region, error)) from None
        why = region.redacted((str(error).splitlines() or ["no reason given"])[0])
        raise RegionError(f"The database of {region.code} cannot be reached: {why}") from None
    except psycopg.Error as error:
        raise RegionError(_sentence(region, error)) from None


def _sentence(region: Region, error: psycopg.Error) -> str:
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return (
            f"The database of {region.code} did not grant a lock within {_LOCK_SECONDS} s: a transaction is "
            "open there (see xact_start in pg_stat_activity). End it and try again."
        )
    why = error.diag.message_primary or type(error).__name__
    return f"The database of {region.code} refused a statement: {region.redacted(why)}."
