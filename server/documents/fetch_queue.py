"""Bills whose bytes are to come from another region; the servers of a region share the list."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.db.pool import Connection
from server.db.queries import load

SQL: Final = load("server.documents")


@dataclass(frozen=True, slots=True)
class WantedDocument:
    """The bytes of a bill; `region` is one that had them ("": nobody knows)."""

    book_id: UUID
    sha256: str
    byte_size: int
    media_type: str
    region: str = ""


async def claim(connection: Connection, most: int) -> list[tuple[WantedDocument, int]]:
    """Take some whose time has come, each with the number of this try."""
    rows = await (await connection.execute(SQL["claim_wanted"], {"most": most})).fetchall()
    return [(WantedDocument(*row[:5]), row[5]) for row in rows]


async def enqueue(connection: Connection, missing: Iterable[WantedDocument]) -> None:
    """Put on the list what is not on it yet."""
    for each in missing:
        about = {"byte_size": each.byte_size, "media_type": each.media_type, "region": each.region}
        await connection.execute(SQL["want"], {**_key(each), **about})


async def remove(connection: Connection, bytes_: WantedDocument) -> None:
    """Take off the list."""
    await connection.execute(SQL["no_longer_wanted"], _key(bytes_))


async def postpone(connection: Connection, bytes_: WantedDocument, seconds: float) -> None:
    """Try again after so long."""
    await connection.execute(SQL["postpone_wanted"], {**_key(bytes_), "seconds": seconds})


async def known_documents(
    connection: Connection, after: tuple[UUID, UUID], most: int
) -> list[tuple[tuple[UUID, UUID], WantedDocument]]:
    """Return the documents that rows tell of, behind the key `after` (book, document), each with its key."""
    values = {"book": after[0], "id": after[1], "most": most}
    rows = await (await connection.execute(SQL["known_documents"], values)).fetchall()
    return [((book_id, id_), WantedDocument(book_id, *about)) for book_id, id_, *about in rows]


def _key(bytes_: WantedDocument) -> dict[str, object]:
    return {"book_id": bytes_.book_id, "sha256": bytes_.sha256}
