"""Appending an operation to the journal: once, whole, and with the same answer when it comes again."""

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
    """One record's new version: `doc` is JSON text of at most MAX_JOURNAL_DOC characters."""

    kind: str
    id: UUID
    doc: str
    creates: bool = False
    """The record must not exist yet."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What one client did at one moment: `ver` in µs since 1970, made by the client like `op_id`."""

    book_id: UUID
    op_id: UUID
    ver: int
    author: UUID
    device: UUID
    records: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Appended:
    """`replayed` says that the operation was here already; `at` is when this region took it first."""

    at: datetime
    replayed: bool


def check_clock(ver: int, now_us: int, based_on: int = 0) -> None:
    """Refuse a version from too far ahead: it would beat every honest edit until that day comes.

    Of an entry that stands ahead itself (this clock was ahead then, too) the very next version is taken.
    """
    if ver > max(now_us + MAX_CLOCK_AHEAD_US, based_on + 1):
        raise ApiError(
            ErrorCode.CLOCK_AHEAD,
            "This computer's clock is more than five minutes ahead of the server's.",
            {"serverTimeUs": now_us},
        )


async def append(connection: Connection, operation: Operation, region: str) -> Appended:
    """Add `operation`, or find it there. Raises ApiError (operation_reused, entry_exists)."""
    for record in operation.records:
        if len(record.doc) > MAX_JOURNAL_DOC:
            raise ApiError(ErrorCode.TOO_LARGE, "This entry is too large to be kept.")
    rows = await _append_once(connection, operation, region)
    if not rows or any(row[0] == "added" for row in rows) != all(row[0] == "added" for row in rows):
        # The same operation arrived twice at the same moment, and the other copy was first: now it is known.
        rows = await _append_once(connection, operation, region)
    if rows[0][0] == "taken":
        raise ApiError(ErrorCode.ENTRY_EXISTS, "This entry is in the book already.")
    known = {(kind, id_): (ver, msgspec.json.decode(doc)) for _, kind, id_, ver, doc, _ in rows}
    ours = {(r.kind, r.id): (operation.ver, msgspec.json.decode(r.doc)) for r in operation.records}
    if known != ours:
        raise ApiError(
            ErrorCode.OPERATION_REUSED,
            "This operation was sent before with other contents; nothing was changed.",
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
    for attempt in range(2):
        try:
            cursor = await connection.execute(SQL["append"], parameters)
            return await cursor.fetchall()
        except psycopg.errors.UniqueViolation:
            if attempt:
                raise
    raise AssertionError("unreachable")
