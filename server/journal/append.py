"""Appends operations to the journal, atomically and idempotently: repeating one gives the same result."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec
import psycopg

from server.contract.errors import ErrorCode
from server.contract.limits import MAX_CLOCK_AHEAD_US, MAX_JOURNAL_DOC
from server.db.pool import Connection
from server.db.queries import load
from server.errors import ApiError

SQL: Final = load("server.journal")


@dataclass(frozen=True, slots=True)
class Record:
    """A new version of one record.

    `doc` is JSON text of at most MAX_JOURNAL_DOC characters. If `creates` is set, the record must not
    exist yet.
    """

    kind: str
    id: UUID
    doc: str
    creates: bool = False


@dataclass(frozen=True, slots=True)
class Operation:
    """One change by a client. The client makes `op_id` and `ver` (µs since 1970)."""

    book_id: UUID
    op_id: UUID
    ver: int
    author: UUID
    device: UUID
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """The result of an append.

    `replayed` says that the journal had the operation already. `at` is when this region first accepted it.
    """

    at: datetime
    replayed: bool


def check_clock(ver: int, now_us: int, based_on: int = 0) -> None:
    """Refuse a version that is too far in the future. Raises ApiError (clock_ahead)."""
    # The highest version wins, so such a version would win over every other edit until that time comes. If
    # the entry itself is that far ahead, because an earlier clock was wrong too, it must still be editable:
    # the next higher version is accepted.
    if ver > max(now_us + MAX_CLOCK_AHEAD_US, based_on + 1):
        raise ApiError(
            ErrorCode.CLOCK_AHEAD,
            "The clock of this computer is more than five minutes ahead.",
            {"serverTimeUs": now_us},
        )


async def append(connection: Connection, operation: Operation, region: str) -> Appended:
    """Append `operation`, unless the journal has it already.

    Raises ApiError (too_large, operation_reused, entry_exists).
    """
    for record in operation.records:
        if len(record.doc) > MAX_JOURNAL_DOC:
            raise ApiError(ErrorCode.TOO_LARGE, "This entry is too large.")
    rows = await _append_once(connection, operation, region)
    if not rows or any(row[0] == "added" for row in rows) != all(row[0] == "added" for row in rows):
        # The same operation arrived twice at once, and the other copy was committed after our statement took
        # its snapshot. Its rows are not 'known' then, and the trigger bahi_skip_known drops ours silently.
        # The snapshot of the next statement shows them.
        rows = await _append_once(connection, operation, region)
    if rows[0][0] == "taken":
        raise ApiError(ErrorCode.ENTRY_EXISTS, "This entry is in the book already.")
    # Compare what is stored with what was sent: one op_id must never stand for two different changes.
    known = {(kind, id_): (ver, msgspec.json.decode(doc)) for _, kind, id_, ver, doc, _ in rows}
    ours = {(r.kind, r.id): (operation.ver, msgspec.json.decode(r.doc)) for r in operation.records}
    if known != ours:
        raise ApiError(
            ErrorCode.OPERATION_REUSED,
            "This operation was sent before with different contents; nothing was changed.",
        )
    return Appended(rows[0][5], replayed=rows[0][0] == "known")


async def _append_once(
    connection: Connection, operation: Operation, region: str
) -> list[tuple[str, str, UUID, int, str, datetime]]:
    parameters = {
        "book_id": operation.book_id,
        "op_id": operation.op_id,
        "ver": operation.ver,
        "author": operation.author,
        "device": operation.device,
        "region": region,
        "creates": [r.creates for r in operation.records],
        "kinds": [r.kind for r in operation.records],
        "ids": [r.id for r in operation.records],
        "docs": [r.doc for r in operation.records],
    }
    # A concurrent copy of the operation that is not committed yet is hidden from the trigger too. The insert
    # waits for its commit and then fails; the second attempt finds the copy.
    for attempt in range(2):
        try:
            cursor = await connection.execute(SQL["append"], parameters)
            return await cursor.fetchall()
        except psycopg.errors.UniqueViolation:
            if attempt:
                raise
    raise AssertionError("unreachable")
