"""One operation that no server has confirmed yet."""

import sqlite3
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Final

from app.domain.entry import Direction, DocumentInfo, EntryDetail, EntryState, ListedEntry
from app.store.encoding import decode_documents, decode_draft

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class OutboxState(StrEnum):
    """What is to become of an item."""

    WAITING = "waiting"  # to be sent
    REFUSED = "refused"  # a server will not take it as it is; nothing is sent until `retry`


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """Everything that a server is told of a new entry, and how the sending goes.

    `ver` in microseconds since 1970; `created_at` (UTC) by this computer's own clock; `kind` is `create`.
    """

    op_id: str
    ver: int
    book_id: str
    kind: str
    entry_id: str
    human_code: str
    entry_date: date
    amount: Decimal
    direction: Direction
    category: str
    description: str
    documents: tuple[DocumentInfo, ...]
    created_at: datetime
    attempts: int = 0
    last_error: str = ""
    state: OutboxState = OutboxState.WAITING

    def listed(self) -> ListedEntry:
        """Return the row of the listing; the note of a refused one says why."""
        refused = self.state is OutboxState.REFUSED
        return ListedEntry(
            self.entry_id,
            self.entry_date,
            self.amount,
            self.direction,
            self.category,
            self.description,
            self.human_code,
            len(self.documents),
            state=EntryState.REFUSED if refused else EntryState.WAITING,
            note=self.last_error if refused else "",
        )

    def detail(self) -> EntryDetail:
        """Return the entry with its bills."""
        return EntryDetail(self.listed(), self.documents)


def item_of(row: sqlite3.Row) -> OutboxItem:
    """Read a row of the table `outbox`. Raises StoreError for a damaged one."""
    draft = decode_draft(row["payload"])
    return OutboxItem(
        op_id=row["op_id"],
        ver=row["ver"],
        book_id=row["book_id"],
        kind=row["kind"],
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
    )
