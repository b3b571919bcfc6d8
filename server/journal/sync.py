"""Has it arrived? A look into the journal, exact at the moment of the look."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from server.db.pool import Connection
from server.journal.append import SQL


@dataclass(frozen=True, slots=True)
class Found:
    """An operation that is here: how many records it has, and the SHA-256s of the bills that it brings."""

    records: int
    bills: tuple[str, ...]


async def find_operations(
    connection: Connection, book_id: UUID, op_ids: Collection[UUID]
) -> dict[UUID, Found]:
    """Return those of `op_ids` whose rows are in this book here, by op_id."""
    values = {"book_id": book_id, "op_ids": list(op_ids)}
    rows = await (await connection.execute(SQL["find_operations"], values)).fetchall()
    return {op_id: Found(records, tuple(bills)) for op_id, records, bills in rows}


async def recent_of_device(
    connection: Connection, book_id: UUID, device: UUID, seconds: float, most: int
) -> list[UUID]:
    """Return up to `most` operations of a device that a region took in the last `seconds`, in no order."""
    values = {"book_id": book_id, "device": device, "seconds": seconds, "most": most}
    rows = await (await connection.execute(SQL["recent_of_device"], values)).fetchall()
    return [op_id for (op_id,) in rows]
