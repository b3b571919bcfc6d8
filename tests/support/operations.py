"""Builders of journal operations, each based on the previous one."""

import random
from typing import Any
from uuid import UUID, uuid4

import msgspec

from server.contract.shapes import EditEntry, VoidEntry
from server.entries import records
from server.entries.records import Doc
from server.journal.append import Operation
from server.tokens.tokens import Identity
from tests.support.api import a_document, an_entry, now_us

TEXTS = (
    "Taxi to Andheri",
    "Paper and pens",
    "चाय",
    "Invoice 2024-001234",
    "Rent, November",
    "taxi to andheri",
)
CATEGORIES = ("Travel", "Stationery", "किराया", "Sales")


def an_identity(book_id: UUID | None = None, user_id: UUID | None = None) -> Identity:
    """Return a device that is signed in to a book."""
    return Identity(user_id or uuid4(), book_id or uuid4(), uuid4(), uuid4())


def doc_of(operation: Operation, position: int = 0) -> Doc:
    """Return what a record of `operation` says; the entry is the first."""
    doc: Doc = msgspec.json.decode(operation.records[position].doc)
    return doc


def some_fields(chance: random.Random) -> dict[str, Any]:
    """Return what somebody might type into an entry."""
    return {
        "entry_date": f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}",
        "amount": f"{chance.randint(1, 999_999) / 100:.2f}",
        "cr_dr": chance.choice(("CR", "DR")),
        "category": chance.choice(CATEGORIES),
        "description": chance.choice(TEXTS),
    }


def create(who: Identity, *, bills: int = 0, **changes: Any) -> Operation:
    """Return a new entry with `bills` bills; `changes` are fields of CreateEntry."""
    documents = [a_document(number=number + 1).pinned() for number in range(bills)]
    return records.create_operation(who, an_entry(**{"documents": documents, **changes}))


def edit(
    who: Identity, base: Operation, *, bills: int = 0, removed: dict[str, Doc] | None = None, **changes: Any
) -> Operation:
    """Return another version of the entry of `base`, with `bills` more bills and without `removed`."""
    doc = doc_of(base)
    values: dict[str, Any] = {
        "op_id": str(uuid4()),
        "ver": max(now_us(), base.ver + 1),
        "based_on": base.ver,
        "entry_date": doc["entryDate"],
        "amount": doc["amount"],
        "cr_dr": doc["crDr"],
        "category": doc["category"],
        "description": doc["description"],
        "add_documents": [a_document(number=number + 1).pinned() for number in range(bills)],
        "remove_documents": list(removed or ()),
    }
    body = EditEntry(**{**values, **changes})
    return records.edit_operation(who, str(base.records[0].id), doc, body, removed or {})


def void(who: Identity, base: Operation, **changes: Any) -> Operation:
    """Return the void of the entry of `base`."""
    return records.void_operation(who, str(base.records[0].id), doc_of(base), _void_entry(base, changes))


def restore(who: Identity, base: Operation, **changes: Any) -> Operation:
    """Return the restoration of the entry of `base`."""
    return records.restore_operation(who, str(base.records[0].id), doc_of(base), _void_entry(base, changes))


def _void_entry(base: Operation, changes: dict[str, Any]) -> VoidEntry:
    values: dict[str, Any] = {
        "op_id": str(uuid4()),
        "ver": max(now_us(), base.ver + 1),
        "based_on": base.ver,
    }
    return VoidEntry(**{**values, **changes})
