"""Lock timeouts and retries for migrations, so that schema changes do not stop other servers.

A session that waits for a table lock blocks every later request for that table. So a migration waits only
briefly for its locks, gives up, and tries again later.
"""

import contextlib
import random
import time
from collections.abc import Callable
from typing import Any, Final, LiteralString

import psycopg

from server.errors import StartError

Connection = psycopg.Connection[tuple[Any, ...]]
Step = Callable[[], None]

# A role or database may have timeouts that suit calls but not migrations, so they are switched off. The last
# setting ends a migration whose process hangs or lost its network, which would otherwise keep its locks.
_SETTINGS: Final[LiteralString] = """
set statement_timeout = 0; set lock_timeout = 0; set transaction_timeout = 0;
set idle_in_transaction_session_timeout = '3s'"""
_DETECT_LOST_CLIENT: Final[LiteralString] = "set client_connection_check_interval = '5s'"
# Less than PostgreSQL's deadlock_timeout (1 s): in a deadlock the migration gives up, never a writer.
_WAIT: Final[LiteralString] = "set local lock_timeout = '800ms'"
# Blocks inserts into the journal. So no insert is running the old merge functions, or waiting for a lock
# inside them, while the migration replaces them.
_BLOCK_WRITERS: Final[LiteralString] = "lock table public.journal in share row exclusive mode"
_WAIT_LESS: Final[LiteralString] = "set local lock_timeout = '200ms'"
# The next lock conflicts with no reader or writer, only with vacuum. An autovacuum cancels itself once
# somebody has waited for it longer than deadlock_timeout, so this wait must be longer.
_WAIT_FOR_VACUUM: Final[LiteralString] = "set local lock_timeout = '1500ms'"
_LOCK_AGAINST_VACUUM: Final[LiteralString] = """
do $$
declare
    one text;
begin
    for one in select c.oid::regclass::text from pg_catalog.pg_class c
        where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1
    loop
        execute 'lock table ' || one || ' in share update exclusive mode';
    end loop;
end $$"""
_RETRYABLE: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class MigrationRunningError(Exception):
    """Another server is migrating this database."""


def prepare(connection: Connection) -> None:
    """Set the timeouts of a connection that runs migrations."""
    for statement in _SETTINGS.split(";"):
        connection.execute(statement.encode())
    with contextlib.suppress(psycopg.Error):  # not supported on every platform
        connection.execute(_DETECT_LOST_CLIENT)


def with_retries(step: Step, seconds: float) -> None:
    """Run `step` until it gets its locks. Raises StartError if it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            step()
        except MigrationRunningError as error:
            if time.monotonic() > deadline:
                raise StartError(
                    "Another server is migrating this database; start again when it has finished."
                ) from error
        except _RETRYABLE as error:
            if time.monotonic() > deadline:
                raise StartError(
                    "The database is in use by a long operation (a first copy or a backup). "
                    "Nothing was changed; try again later."
                ) from error
        else:
            return
        # A pause lets the sessions that waited behind our lock request run first.
        time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - not for cryptography


def locked_change(connection: Connection, step: Step) -> None:
    """Run `step` in a transaction during which nobody writes to the journal, if the journal exists.

    Raises psycopg.errors.LockNotAvailable or DeadlockDetected if a lock is not available in time. Then
    nothing has been changed.
    """
    has_journal = connection.execute("select to_regclass('public.journal') is not null").fetchone() == (True,)
    if has_journal:
        # In a transaction of its own: waiting for a vacuum must not block writers meanwhile.
        with connection.transaction():
            connection.execute(_WAIT_FOR_VACUUM)
            connection.execute(_LOCK_AGAINST_VACUUM)
    with connection.transaction():
        connection.execute(_WAIT)
        if has_journal:
            connection.execute(_BLOCK_WRITERS)
            connection.execute(_WAIT_LESS)  # from here on writers wait for this transaction
        step()
