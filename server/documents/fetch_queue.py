"""The queue of bills whose bytes must be fetched from another region. All servers of a region share it."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.db.pool import Connection
from server.db.queries import load

SQL: Final = load("server.documents")


@dataclass(frozen=True, slots=True)
class WantedDocument:
    """A bill whose bytes are missing here. `region` is a region that had them ("": not known)."""

    book_id: UUID
    sha256: str
    byte_size: int
    media_type: str
    region: str = ""


async def claim(connection: Connection, limit: int) -> list[tuple[WantedDocument, int]]:
    """Claim up to `limit` documents that are due; return each with the number of this attempt."""
    rows = await (await connection.execute(SQL["claim"], {"limit": limit})).fetchall()
    return [(WantedDocument(*row[:5]), row[5]) for row in rows]


async def enqueue(connection: Connection, missing: Iterable[WantedDocument]) -> None:
    """Add the documents that are not in the queue yet."""
    for each in missing:
        values = {"byte_size": each.byte_size, "media_type": each.media_type, "region": each.region}
        await connection.execute(SQL["enqueue"], {**_key(each), **values})


async def remove(connection: Connection, document: WantedDocument) -> None:
    """Remove a document from the queue."""
    await connection.execute(SQL["remove"], _key(document))


async def postpone(connection: Connection, document: WantedDocument, seconds: float) -> None:
    """Make a document due again after `seconds`."""
    await connection.execute(SQL["postpone"], {**_key(document), "seconds": seconds})


async def known_documents(
    connection: Connection, after: tuple[UUID, UUID], limit: int
) -> list[tuple[tuple[UUID, UUID], WantedDocument]]:
    """Return up to `limit` documents of all books after the key `after`, each with its key (book, id)."""
    values = {"book": after[0], "id": after[1], "limit": limit}
    rows = await (await connection.execute(SQL["known_documents"], values)).fetchall()
    return [((book_id, id_), WantedDocument(book_id, *columns)) for book_id, id_, *columns in rows]


def _key(document: WantedDocument) -> dict[str, object]:
    return {"book_id": document.book_id, "sha256": document.sha256}
