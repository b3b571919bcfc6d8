"""An item of the outbox: one operation that no server has confirmed yet."""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from app.domain.entry import Direction, DocumentInfo, EntryDetail, EntryState, ListedEntry


class OutboxKind(StrEnum):
    """What an operation does."""

    CREATE = "create"
    EDIT = "edit"
    VOID = "void"
    RESTORE = "restore"


class OutboxState(StrEnum):
    """Whether an item is sent."""

    WAITING = "waiting"  # it will be sent
    REFUSED = "refused"  # a server rejected it; it is not sent again until the user retries it


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """One operation with all that the server needs, and the state of its sending.

    The fields and `documents` are the entry after the operation; `base` is the entry before it (None for a
    new entry). `ver` is in microseconds since 1970; `created_at` is UTC by this computer's own clock.
    """

    op_id: str
    ver: int
    book_id: str
    kind: OutboxKind
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
    base: EntryDetail | None = None
    voided: bool = False

    @property
    def added(self) -> tuple[DocumentInfo, ...]:
        """The bills that this operation adds."""
        known = {document.id for document in self.base.documents} if self.base else set()
        return tuple(document for document in self.documents if document.id not in known)

    @property
    def removed(self) -> tuple[str, ...]:
        """The ids of the bills that this operation removes."""
        kept = {document.id for document in self.documents}
        return tuple(d.id for d in self.base.documents if d.id not in kept) if self.base else ()

    def listed(self) -> ListedEntry:
        """Return the row of the listing. If it was refused, its note is the reason."""
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
            voided=self.voided,
            note=self.last_error if refused else "",
            ver=self.ver,
        )

    def detail(self) -> EntryDetail:
        """Return the entry with its bills."""
        return EntryDetail(self.listed(), self.documents)
