"""Changing tables that everybody writes to: locks are had within a moment, or asked for again later.

Whoever waits for a lock holds up all who come after it, and whoever holds one all the more.
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

# A role's or a database's own limits are for its calls; a process that stands still or is cut off lets go.
_SETTINGS: Final[LiteralString] = """
set statement_timeout = 0; set lock_timeout = 0; set transaction_timeout = 0;
set idle_in_transaction_session_timeout = '3s'"""
_NOTICE_THE_END: Final[LiteralString] = "set client_connection_check_interval = '5s'"
# It gives up before PostgreSQL looks for deadlocks (deadlock_timeout, 1 s): it is never a writer who has to.
_WAIT: Final[LiteralString] = "set local lock_timeout = '800ms'"
# Nobody is in the middle of a merge by the old functions, and nobody waits inside of one, while they change.
_QUIET: Final[LiteralString] = "lock table public.journal in share row exclusive mode"
_WAIT_LESS: Final[LiteralString] = "set local lock_timeout = '200ms'"
# No reader or writer minds this lock. A vacuum that came by itself does, and ends where somebody has waited
# for longer than deadlock_timeout.
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
_PASSING: Final = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)


class MigrationRunningError(Exception):
    """Somebody else does the same just now."""


def prepare(connection: Connection) -> None:
    """Make a connection fit for changing tables."""
    for statement in _SETTINGS.split(";"):
        connection.execute(statement.encode())
    with contextlib.suppress(psycopg.Error):  # not everywhere
        connection.execute(_NOTICE_THE_END)


def with_retries(step: Step, seconds: float) -> None:
    """Do `step` until nobody is in its way. Raises StartError where that lasts for so many seconds."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            step()
        except MigrationRunningError as error:
            if time.monotonic() > deadline:
                raise StartError(
                    "Another server brings this database up to date; start again once it is done."
                ) from error
        except _PASSING as error:
            if time.monotonic() > deadline:
                raise StartError(
                    "The database is in use by something that takes long (a first copy, a backup): "
                    "nothing was changed; try again later."
                ) from error
        else:
            return
        time.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - lets those through who were held up


def locked_change(connection: Connection, step: Step) -> None:
    """Run `step` in a transaction in which nobody writes into the journal, where there is one.

    Raises what PostgreSQL says of a lock that is not to be had; nothing has been changed then.
    """
    has_journal = connection.execute("select to_regclass('public.journal') is not null").fetchone() == (True,)
    if has_journal:
        with connection.transaction():
            connection.execute(_WAIT_FOR_VACUUM)
            connection.execute(_LOCK_AGAINST_VACUUM)
    with connection.transaction():
        connection.execute(_WAIT)
        if has_journal:
            connection.execute(_QUIET)
            connection.execute(_WAIT_LESS)  # writers wait behind it already
        step()
