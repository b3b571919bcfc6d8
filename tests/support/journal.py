"""Writes to the journal without a server: many entries at once, or rows as replication brings them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final
from uuid import UUID, uuid4

import psycopg

from tests.support.api import new_id, now_us

_COLUMNS: Final = "book_id, op_id, kind, id, ver, doc, author, device, region"
NOBODY: Final = UUID(int=0)


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One version of one record."""

    kind: str
    id: str
    ver: int
    doc: dict[str, Any]
    op_id: str = field(default_factory=lambda: str(uuid4()))
    author: str = str(NOBODY)


def entry_row(
    day: date | str = "2026-04-15",
    amount: str = "1250.00",
    cr_dr: str = "DR",
    category: str = "Stationery",
    description: str = "Paper and pens",
    *,
    id_: str = "",
    ver: int = 0,
    op_id: str = "",
    code: str = "T01-000001",
    voided: bool = False,
    author: str = str(NOBODY),
) -> JournalRow:
    """Return a version of an entry."""
    made = ver or now_us()
    doc: dict[str, Any] = {
        "entryDate": str(day),
        "amount": amount,
        "crDr": cr_dr,
        "currency": "INR",
        "category": category,
        "description": description,
        "humanCode": code,
        "createdVer": made,
    }
    if voided:
        doc["voidedVer"] = made
    return JournalRow("entry", id_ or new_id(), made, doc, op_id or str(uuid4()), author)


def document_row(
    entry_id: str, *, id_: str = "", ver: int = 0, code: str = "01-000001-1", media_type: str = "image/png"
) -> JournalRow:
    """Return a version of a document; its bytes are nowhere."""
    made = ver or now_us()
    doc = {
        "entryId": entry_id,
        "docCode": code,
        "fileName": "bill",
        "mediaType": media_type,
        "byteSize": 10,
        "sha256": "0" * 64,
        "createdVer": made,
    }
    return JournalRow("document", id_ or new_id(), made, doc)


def write_journal(url: str, book_id: str, rows: Iterable[JournalRow], *, as_replica: bool = False) -> None:
    """Add rows in one transaction, in their order; `as_replica`: as an apply worker would."""
    with psycopg.connect(url) as connection:
        if as_replica:
            connection.execute("set local session_replication_role = replica")
            connection.execute("set local search_path = ''")
        copy_rows(connection, book_id, rows)


def copy_rows(connection: psycopg.Connection[Any], book_id: str, rows: Iterable[JournalRow]) -> None:
    """Add rows in the connection's transaction."""
    with connection.cursor().copy(f"copy public.journal ({_COLUMNS}) from stdin") as copy:
        for row in rows:
            doc = json.dumps(row.doc, ensure_ascii=False)
            values = (row.op_id, row.kind, row.id, row.ver, doc, row.author, str(NOBODY), "test")
            copy.write_row((book_id, *values))
