"""Rows of the table `outbox`, and of `retained` (the replay log), which has the same columns."""

import sqlite3
from datetime import UTC, datetime, timedelta
from typing import Final

from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.store.encoding import decode_detail, decode_documents, decode_draft

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
COLUMNS: Final = (
    *("op_id", "ver", "book_id", "kind", "entry_id", "human_code", "payload", "documents", "created_us"),
    *("attempts", "last_error", "state", "base", "voided"),
)


def item_of(row: sqlite3.Row) -> OutboxItem:
    """Return the operation in a row. Raises StoreError if the row is damaged."""
    draft = decode_draft(row["payload"])
    return OutboxItem(
        op_id=row["op_id"],
        ver=row["ver"],
        book_id=row["book_id"],
        kind=OutboxKind(row["kind"]),
        entry_id=row["entry_id"],
        human_code=row["human_code"],
        entry_date=draft.entry_date,
        amount=draft.amount,
        direction=draft.direction,
        category=draft.category,
        description=draft.description,
        documents=decode_documents(row["documents"]),
        created_at=_EPOCH + timedelta(microseconds=row["created_us"]),
        attempts=row["attempts"],
        last_error=row["last_error"],
        state=OutboxState(row["state"]),
        base=decode_detail(row["base"]) if row["base"] else None,
        voided=bool(row["voided"]),
    )
