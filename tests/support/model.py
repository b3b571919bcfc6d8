"""The account book in a few lines of Python: the expected tables after any rows of the journal."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from server.entries.records import Doc

Totals = dict[tuple[date, str, str], tuple[Decimal, int]]
"""(month, category, direction) → (amount, count)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the journal."""

    op_id: UUID
    kind: str
    id: UUID
    ver: int
    doc: str

    @property
    def key(self) -> tuple[UUID, str, UUID]:
        """What makes it the same row wherever it arrives."""
        return self.op_id, self.kind, self.id


@dataclass(slots=True)
class Model:
    """A book: the highest (ver, op_id) of each record stands."""

    journal: dict[tuple[UUID, str, UUID], Row] = field(default_factory=dict)

    def arrive(self, row: Row) -> None:
        """Take a row; one that is here already changes nothing."""
        self.journal.setdefault(row.key, row)

    def standing(self, kind: str) -> dict[UUID, tuple[Row, Doc]]:
        """Return the row that stands for each record, and what it says."""
        highest: dict[UUID, Row] = {}
        for row in self.journal.values():
            known = highest.get(row.id)
            if row.kind == kind and (known is None or (known.ver, known.op_id) < (row.ver, row.op_id)):
                highest[row.id] = row
        return {id_: (row, msgspec.json.decode(row.doc)) for id_, row in highest.items()}

    def entries(self) -> set[tuple[Any, ...]]:
        """Return (id, date, amount, direction, category, text, code, is voided, ver, op_id) of each."""
        return {
            (id_, *_fields(doc), "voidedVer" in doc, row.ver, row.op_id)
            for id_, row, doc in self._all("entry")
        }

    def documents(self) -> set[tuple[Any, ...]]:
        """Return (id, entry, code, is voided, ver, op_id) of each bill."""
        return {
            (id_, UUID(doc["entryId"]), doc["docCode"], "voidedVer" in doc, row.ver, row.op_id)
            for id_, row, doc in self._all("document")
        }

    def totals(self, first: date = date.min, last: date = date.max) -> Totals:
        """Return the totals of what is not voided and lies in [first, last]."""
        found: Totals = {}
        for doc in self._active():
            day = date.fromisoformat(doc["entryDate"])
            if first <= day <= last:
                key = (day.replace(day=1), doc["category"], doc["crDr"])
                amount, count = found.get(key, (Decimal(0), 0))
                found[key] = (amount + Decimal(doc["amount"]), count + 1)
        return found

    def category_uses(self) -> Counter[str]:
        """Return how many entries stand under each category."""
        return Counter(doc["category"] for doc in self._active())

    def description_uses(self) -> Counter[str]:
        """Return how many entries stand with each description that may be suggested."""
        texts = (doc["description"] for doc in self._active())
        return Counter(text for text in texts if text and not _has_long_number(text))

    def _all(self, kind: str) -> Iterator[tuple[UUID, Row, Doc]]:
        return ((id_, row, doc) for id_, (row, doc) in self.standing(kind).items())

    def _active(self) -> list[Doc]:
        return [doc for _, _, doc in self._all("entry") if "voidedVer" not in doc]


def _fields(doc: Doc) -> tuple[Any, ...]:
    return (
        date.fromisoformat(doc["entryDate"]),
        Decimal(doc["amount"]),
        *(doc["crDr"], doc["category"], doc["description"], doc["humanCode"]),
    )


def _has_long_number(text: str) -> bool:
    run = 0
    for character in text:
        run = run + 1 if character in "0123456789" else 0
        if run == 5:
            return True
    return False
