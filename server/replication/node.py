"""A region's database as the operator's commands talk to it: statements by name, failures as sentences."""

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
_LOCK_SECONDS: Final = 30  # a table that is locked, a transaction left open: told of, not waited out


class RegionError(StartError):
    """A region's database cannot be reached or did not take a statement; the message holds no secret."""


@dataclass(frozen=True, slots=True)
class Node:
    """One region while a command is at work; every method raises RegionError."""

    region: Region
    connection: psycopg.Connection[tuple[Any, ...]]

    @property
    def code(self) -> str:
        """The region's."""
        return self.region.code

    def rows(
        self, name: str, values: Mapping[str, object] | None = None, /, **parts: sql.Composable
    ) -> list[Any]:
        """Run a statement of queries.sql with `parts` in its braces; return its rows."""
        with told(self.region):
            cursor = self.connection.execute(sql.SQL(SQL[name]).format(**parts), values)
            return cursor.fetchall() if cursor.description else []

    def named(self, name: str, values: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """Run a statement; return its rows by the names of their columns."""
        with told(self.region):
            cursor = self.connection.execute(SQL[name], values)
            columns = [column.name for column in cursor.description or ()]
            return [dict(zip(columns, row, strict=True)) for row in cursor]

    def value(self, name: str, values: Mapping[str, object] | None = None) -> Any:
        """Run a statement; return the first column of its first row, None where there is none."""
        found = self.rows(name, values)
        return found[0][0] if found else None

    def run(self, statement: LiteralString, **parts: sql.Composable) -> None:
        """Run a statement that defines something, in a transaction of its own."""
        with told(self.region):
            self.connection.execute(sql.SQL(statement).format(**parts))


@contextlib.contextmanager
def reached(region: Region) -> Iterator[Node]:
    """Connect to a region. Raises RegionError."""
    with told(region):
        connection: psycopg.Connection[tuple[Any, ...]] = psycopg.connect(
            region.url,
            autocommit=True,
            connect_timeout=_CONNECT_SECONDS,
            prepare_threshold=None,  # only with its values at hand is `= any(…)` looked up in a hash table
            application_name="bahi-replication",
            keepalives_idle=_SILENT_SECONDS,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=_SILENT_SECONDS * 1000,
        )
        connection.execute(f"set lock_timeout = '{_LOCK_SECONDS}s'")
        connection.execute("set timezone = 'UTC'")  # rows are compared as text
        connection.execute("set datestyle = 'ISO'")
    with contextlib.closing(connection):
        yield Node(region, connection)


@contextlib.contextmanager
def locked(*nodes: Node) -> Iterator[None]:
    """Let no other command change the mesh at these regions meanwhile; ends with the connections."""
    for node in nodes:
        if not node.value("lock", {"key": _MESH_LOCK}):
            raise StartError(f"Another replication command is at work at {node.code}; please wait for it.")
    try:
        yield
    finally:
        for node in nodes:
            with contextlib.suppress(psycopg.Error):  # gone, and the lock with it
                node.connection.execute(SQL["unlock"], {"key": _MESH_LOCK})


@contextlib.contextmanager
def told(region: Region) -> Iterator[None]:
    """Tell a failure of PostgreSQL as a sentence, without what it was called with."""
    try:
        yield
    except psycopg.ProgrammingError as error:
        # Not `from error`: its text may repeat an address, and with it a password.
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
            f"The database of {region.code} kept this waiting for {_LOCK_SECONDS} s: a transaction is open "
            "there (pg_stat_activity has it, by xact_start). End it, and try again."
        )
    why = error.diag.message_primary or type(error).__name__
    return f"The database of {region.code} did not take this: {region.redacted(why)}."
