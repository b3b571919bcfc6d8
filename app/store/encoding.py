"""JSON encoding of bills, drafts and entries in the tables of `client.sqlite`."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation

from app.domain.entry import Direction, DocumentInfo, EntryDetail, EntryDraft, ListedEntry
from app.domain.money import plain_amount
from app.errors import StoreError


def encode_documents(documents: tuple[DocumentInfo, ...]) -> str:
    """Return the bills as JSON, in the same order."""
    return json.dumps([asdict(document) for document in documents])


def decode_documents(text: str) -> tuple[DocumentInfo, ...]:
    """Decode the text of `encode_documents`. Raises StoreError if it is damaged."""
    with _damage_translated():
        return tuple(DocumentInfo(**document) for document in json.loads(text))


def encode_draft(draft: EntryDraft) -> str:
    """Return a draft without its bills as JSON. Raises ValueError for an amount with over two decimals."""
    return json.dumps(
        {
            "entry_date": draft.entry_date.isoformat(),
            "amount": plain_amount(draft.amount),  # as text, because a number in JSON is a float
            "direction": draft.direction.value,
            "category": draft.category,
            "description": draft.description,
        }
    )


def decode_draft(text: str) -> EntryDraft:
    """Decode the text of `encode_draft`; the draft has no bills. Raises StoreError if it is damaged."""
    with _damage_translated():
        fields = json.loads(text)
        return EntryDraft(
            date.fromisoformat(fields["entry_date"]),
            Decimal(fields["amount"]),
            Direction(fields["direction"]),
            str(fields["category"]),
            str(fields["description"]),
        )


def encode_detail(detail: EntryDetail) -> str:
    """Return an entry with its bills as JSON."""
    entry = detail.entry
    fields = {
        "id": entry.id,
        "entry_date": entry.entry_date.isoformat(),
        "amount": plain_amount(entry.amount),
        "direction": entry.direction.value,
        "category": entry.category,
        "description": entry.description,
        "human_code": entry.human_code,
        "voided": entry.voided,
        "ver": entry.ver,
    }
    return json.dumps({"entry": fields, "documents": [asdict(document) for document in detail.documents]})


def decode_detail(text: str) -> EntryDetail:
    """Decode the text of `encode_detail`; the entry is CONFIRMED. Raises StoreError if it is damaged."""
    with _damage_translated():
        found = json.loads(text)
        fields = found["entry"]
        documents = tuple(DocumentInfo(**document) for document in found["documents"])
        entry = ListedEntry(
            id=str(fields["id"]),
            entry_date=date.fromisoformat(fields["entry_date"]),
            amount=Decimal(fields["amount"]),
            direction=Direction(fields["direction"]),
            category=str(fields["category"]),
            description=str(fields["description"]),
            human_code=str(fields["human_code"]),
            document_count=len(documents),
            voided=bool(fields["voided"]),
            ver=int(fields["ver"]),
        )
        return EntryDetail(entry, documents)


@contextmanager
def _damage_translated() -> Iterator[None]:
    try:
        yield
    except (ValueError, KeyError, TypeError, InvalidOperation) as error:
        raise StoreError("A record on this computer is damaged.", code="damaged") from error
