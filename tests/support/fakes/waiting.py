"""Unsent entries of a test, and the replication status that the program knows."""

from collections.abc import Iterable
from datetime import datetime

from app.domain.entry import DocumentInfo, EntryDetail, EntryState, ListedEntry
from app.domain.outbox_item import OutboxItem, OutboxKind
from app.services.entries import draft_of
from app.store.database import Database
from app.store.encoding import encode_detail, encode_documents, encode_draft
from app.store.outbox import Outbox
from tests.support.fakes.shop import BEGAN


def put_waiting(
    database: Database,
    book_id: str,
    row: ListedEntry,
    base: EntryDetail | None,
    *,
    bills: tuple[DocumentInfo, ...] | None = None,
    attempts: int = 0,
    error: str = "",
) -> OutboxItem:
    """Put the operation that makes `row` of `base` (None: a new entry) into the outbox.

    It keeps the row's id, code, state and note. Without `bills` those of the base stay.
    """
    documents = bills if bills is not None else base.documents if base else ()
    ver = max(row.ver, base.entry.ver + 1 if base else 1)
    op_id, refused = f"op-{row.id}-{ver}", row.state is EntryState.REFUSED
    created_us = round(BEGAN.timestamp() * 1_000_000)
    with database.write() as connection:
        connection.execute(
            "INSERT INTO outbox (op_id, ver, book_id, kind, entry_id, human_code, payload, documents,"
            " created_us, attempts, last_error, state, base, voided)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                *(op_id, ver, book_id, _kind(base, row), row.id, row.human_code),
                *(encode_draft(draft_of(EntryDetail(row, ()))), encode_documents(documents), created_us),
                *(attempts, row.note or error, "refused" if refused else "waiting"),
                *(encode_detail(base) if base else "", row.voided),
            ),
        )
    item = Outbox(database).get(op_id)
    assert item is not None
    return item


def note_status(
    database: Database,
    book_id: str,
    row: ListedEntry,
    whole: Iterable[str],
    rows: Iterable[str],
    at: datetime,
) -> None:
    """Note that `row` is whole in some regions, and without its bills in those of `rows`."""
    whole, at_us = sorted(whole), round(at.timestamp() * 1_000_000)
    with database.write() as connection:
        connection.execute(
            "INSERT OR REPLACE INTO whereabouts"
            " (op_id, book_id, entry_id, ver, rows, bytes, server, at_us, region, stay)"
            " VALUES (?, ?, ?, ?, ?, ?, 'in-mum-1', ?, 'ap-south-1', '')",
            (
                *(f"op-{row.id}", book_id, row.id, row.ver),
                *(" ".join(sorted({*whole, *rows})), " ".join(whole), at_us),
            ),
        )


def _kind(base: EntryDetail | None, row: ListedEntry) -> OutboxKind:
    if base is None:
        return OutboxKind.CREATE
    if base.entry.voided is row.voided:
        return OutboxKind.EDIT
    return OutboxKind.VOID if row.voided else OutboxKind.RESTORE
