"""Sending, in memory."""

from dataclasses import replace

from app.domain.entry import EntryDetail, EntryState, ListedEntry
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.errors import AppError
from app.services.sync import SyncReport
from tests.support.fakes.book import Book
from tests.support.fakes.shop import BEGAN


class FakeSync:
    """Moves what waits into the book; refused rows stay."""

    def __init__(self, book: Book) -> None:
        self._book = book

    def send_pending(self) -> SyncReport:
        """Confirm everything, unless offline."""
        self._book.step("send_pending")
        try:
            self._book.need_server()
        except AppError as error:
            return SyncReport(0, len(self._book.waiting), 0, error)
        with self._book.changing:
            return self._confirmed()

    def _confirmed(self) -> SyncReport:
        refused = [row for row in self._book.waiting if row.state is EntryState.REFUSED]
        sent = [row for row in self._book.waiting if row.state is not EntryState.REFUSED]
        taken = {row.id: replace(row, state=EntryState.CONFIRMED) for row in sent}
        kept = [taken.pop(row.id, row) for row in self._book.entries]
        self._book.entries[:] = [*kept, *taken.values()]
        self._book.waiting[:] = refused
        return SyncReport(len(sent), len(refused), len(refused))

    def waiting(self) -> int:
        """Count what waits."""
        return len(self._book.waiting)

    def items(self) -> tuple[OutboxItem, ...]:
        """Return what waits as the outbox holds it."""
        self._book.step("items")
        return tuple(self._item(row) for row in self._book.waiting)

    def retry(self, op_id: str) -> None:
        """Let a refused one wait again."""
        self._book.step("retry")
        rows = self._book.waiting
        with self._book.changing:
            rows[:] = [replace(r, state=EntryState.WAITING) if f"op-{r.id}" == op_id else r for r in rows]

    def discard(self, op_id: str) -> None:
        """Forget one."""
        self._book.step("discard")
        with self._book.changing:
            self._book.waiting[:] = [row for row in self._book.waiting if f"op-{row.id}" != op_id]

    def _item(self, row: ListedEntry) -> OutboxItem:
        served = next((each for each in self._book.entries if each.id == row.id), None)
        bills = self._book.bills.get(row.id, ())
        base = EntryDetail(served, self._book.old_bills.get(row.id, bills)) if served else None
        attempts, error = self._book.attempts.get(row.id, (0, row.note))
        return OutboxItem(
            op_id=f"op-{row.id}",
            ver=row.ver,
            book_id="book-1",
            kind=_kind(served, row),
            entry_id=row.id,
            human_code=row.human_code,
            entry_date=row.entry_date,
            amount=row.amount,
            direction=row.direction,
            category=row.category,
            description=row.description,
            documents=bills,
            created_at=BEGAN,
            attempts=attempts,
            last_error=error,
            state=OutboxState.REFUSED if row.state is EntryState.REFUSED else OutboxState.WAITING,
            base=base,
            voided=row.voided,
        )


def _kind(served: ListedEntry | None, row: ListedEntry) -> OutboxKind:
    if served is None:
        return OutboxKind.CREATE
    if served.voided is row.voided:
        return OutboxKind.EDIT
    return OutboxKind.VOID if row.voided else OutboxKind.RESTORE
