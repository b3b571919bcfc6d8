"""Looks up in the journal which operations have arrived in this region."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from server.db.pool import Connection
from server.journal.append import SQL


@dataclass(frozen=True, slots=True)
class Found:
    """An operation in the journal: the number of its records, and the SHA-256s of the bills that it adds."""

    records: int
    bills: tuple[str, ...]


async def find_operations(
    connection: Connection, book_id: UUID, op_ids: Collection[UUID]
) -> dict[UUID, Found]:
    """Return those of `op_ids` that the journal has in this book, by op_id."""
    values = {"book_id": book_id, "op_ids": list(op_ids)}
    rows = await (await connection.execute(SQL["find_operations"], values)).fetchall()
    return {op_id: Found(records, tuple(bills)) for op_id, records, bills in rows}


async def recent_of_device(
    connection: Connection, book_id: UUID, device: UUID, seconds: float, limit: int
) -> list[UUID]:
    """Return up to `limit` operations of a device that a region accepted in the last `seconds`, unordered."""
    values = {"book_id": book_id, "device": device, "seconds": seconds, "limit": limit}
    rows = await (await connection.execute(SQL["recent_of_device"], values)).fetchall()
    return [op_id for (op_id,) in rows]
