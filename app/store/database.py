"""The SQLite file `client.sqlite`: opening, migrations, transactions, and errors as StoreError.

All threads share one connection, guarded by a re-entrant lock. A connection per thread would gain nothing:
the pool's threads come and go, a transaction takes about a millisecond, and the UI thread waits for none.
"""

import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from threading import RLock
from typing import Final

from app.errors import NEWER_BOOK, StoreError, disk_full
from app.store.durable import os_errors_translated
from app.store.last_program import newer_book_sentence
from app.store.schema import MIGRATIONS
from server.contract.durable_files import make_folder
from server.contract.private_files import check_own_file, private_opener

BUSY_TIMEOUT_S: Final = 5.0
_LEAST_ROOM: Final = 64 * 1024
"""Bytes: the index of a WAL takes 32 KiB, the pages of a change some more."""


class Database:
    """The open database file. Thread-safe. Every method raises StoreError."""

    def __init__(self, path: Path, migrations: Sequence[Sequence[str]] = MIGRATIONS) -> None:
        """Open the file at `path`, create it if necessary, and run the missing migrations.

        A file of a newer program is refused with the code NEWER_BOOK, before anything is written.
        """
        self._path = path
        self.folder = path.parent
        self._lock = RLock()
        self._depth = 0
        self._closed = False
        with os_errors_translated(path):
            make_folder(path.parent)
            _create(path)
        if _kept_version(path) > len(migrations):
            raise StoreError(newer_book_sentence(self.folder), code=NEWER_BOOK)
        with self._errors_translated():
            self._connection = _connected(path)
        try:
            self._migrate(migrations)
        except BaseException:
            self.close()
            raise

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """Run the block as a transaction: durable when the block ends, rolled back when it raises.

        A block within another block of the same thread joins the outer transaction.
        """
        with self._lock, self._errors_translated():
            if self._depth == 0:
                self._begin()
            self._depth += 1
            try:
                yield self._connection
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            except BaseException:
                self._roll_back()
                raise
            finally:
                self._depth -= 1

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection for reading. No other thread writes during the block."""
        with self._lock, self._errors_translated():
            yield self._connection

    def close(self) -> None:
        """Close the file. Every later call raises StoreError. Closing twice is allowed."""
        with self._lock, self._errors_translated():
            self._closed = True
            self._connection.close()

    def _begin(self) -> None:
        self._roll_back()  # a transaction that a failed ROLLBACK left open must not be continued
        # IMMEDIATE takes the write lock at once. A later upgrade of a read lock can fail without waiting.
        self._connection.execute("BEGIN IMMEDIATE")

    def _roll_back(self) -> None:
        if self._connection.in_transaction:  # after some errors SQLite has already rolled back
            self._connection.execute("ROLLBACK")

    def _migrate(self, migrations: Sequence[Sequence[str]]) -> None:
        for number, statements in enumerate(migrations, start=1):
            with self.write() as connection:  # read the version under the lock: two processes may migrate
                if _user_version(connection) < number:
                    for statement in statements:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version = {number}")

    @contextmanager
    def _errors_translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            if self._closed:
                raise StoreError("The book on this computer is closed.", code="closed") from error
            raise _translated(error, self._path) from error


def _create(path: Path) -> None:
    """Create the file for its owner only. SQLite gives the mode of this file to those beside it (WAL)."""
    if not path.is_dir():  # of which SQLite tells
        check_own_file(path)  # SQLite would follow a link
    # An existing file is not opened: closing the descriptor would drop the locks of this process on it.
    if not path.exists():
        with suppress(FileExistsError), open(path, "xb", opener=private_opener):
            pass


def _kept_version(path: Path) -> int:
    """Return the `user_version` of the file, 0 if it cannot be read. Nothing is written, not even a log that
    a crash left beside it."""
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            return _user_version(connection)
    except sqlite3.Error:  # of a damaged file, for example: it is told when the file is opened
        return 0


def _connected(path: Path) -> sqlite3.Connection:
    # Without an isolation level, the module begins no transactions of its own; `write` does.
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
    try:
        mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
        # Without WAL (on a network disk), a commit survives a power failure only with EXTRA.
        connection.execute(f"PRAGMA synchronous = {'FULL' if mode == 'wal' else 'EXTRA'}")
        connection.execute("PRAGMA fullfsync = ON")  # flush the disk's cache on macOS; no effect elsewhere
        connection.execute("PRAGMA foreign_keys = ON")
        connection.row_factory = sqlite3.Row
    except BaseException:
        connection.close()
        raise
    return connection


def _user_version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _is_full(folder: Path) -> bool:
    """Return whether the disk of `folder` has no room for the files that SQLite makes beside its own."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_ROOM
    except OSError:
        return False


def _translated(error: sqlite3.Error, path: Path) -> StoreError:
    code = getattr(error, "sqlite_errorcode", None)
    primary = sqlite3.SQLITE_ERROR if code is None else code & 0xFF  # the low byte of an extended code
    # Without room for the files beside it (WAL), SQLite does not say that the disk is full.
    unsaid = primary in {sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN} and _is_full(path.parent)
    if primary == sqlite3.SQLITE_FULL or unsaid:
        return disk_full()
    if primary in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return StoreError(
            f"The file {path} is damaged. Bahi has not changed it. Restore it from a backup, "
            "or move it away to start with a new one.",
            code="damaged",
        )
    if primary in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return StoreError(f"Another program is using {path}. Please try again.", retryable=True, code="busy")
    if primary in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN}:
        return StoreError(f"Bahi cannot write to {path}. Please check its permissions.", code="not_allowed")
    if primary == sqlite3.SQLITE_IOERR:
        return StoreError(f"The disk reported an error for {path}.", retryable=True, code="disk_error")
    return StoreError(f"Bahi could not use {path}: {error}.", code="failed")
