"""Saving, listing, totalling and completing entries of one book."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Final
from uuid import UUID

import msgspec

from server.auth.tokens import Identity
from server.config import Config
from server.contract import checks, limits
from server.contract.shapes import (
    CategorySuggestions,
    CategoryTotal,
    CreateEntry,
    DescriptionSuggestions,
    Document,
    Entry,
    EntryPage,
    EntrySaved,
    EntryWithDocuments,
    MonthTotal,
    NewDocument,
    Summary,
)
from server.db.pool import Connection, Pool
from server.documents.service import DocumentService
from server.entries import search, store
from server.entries.search import Filter
from server.entries.store import Group, Key
from server.errors import InvalidFieldsError, not_found
from server.journal.append import Appended, Operation, Record, append, check_clock

_CENTS: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class EntryService:
    """`clock` gives seconds since 1970."""

    config: Config
    pool: Pool
    documents: DocumentService
    clock: Callable[[], float]

    async def create(self, identity: Identity, body: CreateEntry) -> EntrySaved:
        """Add one entry with its documents, in one transaction.

        Raises InvalidFieldsError and ServerError (clock_ahead, documents_missing, entry_exists,
        operation_reused). The same operation again gives the same receipt.
        """
        if errors := checks.check_create(body, datetime.fromtimestamp(self.clock(), UTC).date()):
            raise InvalidFieldsError(errors)
        check_clock(body.ver, int(self.clock() * 1_000_000))
        await self.documents.require_stored(identity.book_id, body.documents)
        operation = _create_operation(identity, body)
        async with self.pool.connection() as connection:
            appended = await append(connection, operation, self.config.region)
            superseded = appended.replayed and await _is_superseded(connection, operation, UUID(body.id))
        return self._receipt(body, appended, superseded)

    async def get(self, identity: Identity, id_: UUID) -> EntryWithDocuments:
        """Return one entry and its bills. Raises ServerError (not_found)."""
        async with self.pool.connection() as connection:
            entry = await store.entry(connection, identity.book_id, id_)
            if entry is None:
                raise not_found("entry")
            documents = await store.documents(connection, identity.book_id, id_)
        return EntryWithDocuments(entry, documents)

    async def page(self, identity: Identity, filter_: Filter, cursor: str, limit: int) -> EntryPage:
        """Return a page, newest first. A rare word may give a short page with a cursor: go on from there."""
        after = search.decode_cursor(cursor)
        async with self.pool.connection() as connection:
            if not filter_.words:
                found = await store.page(connection, identity.book_id, filter_, after, limit + 1)
                return _cut(found, limit)
            return await _search(connection, identity.book_id, filter_, after, limit)

    async def summary(self, identity: Identity, filter_: Filter) -> Summary:
        """Return count and totals of a filter, by category and by month."""
        async with self.pool.connection() as connection:
            groups = await store.summary(connection, identity.book_id, filter_)
        return _summary(groups)

    async def suggest_categories(self, identity: Identity, prefix: str) -> CategorySuggestions:
        """Complete a category."""
        async with self.pool.connection() as connection:
            found = await store.suggest_categories(
                connection, identity.book_id, prefix[: limits.MAX_CATEGORY], limits.MAX_SUGGESTIONS
            )
        return CategorySuggestions(found)

    async def suggest_descriptions(self, identity: Identity, prefix: str) -> DescriptionSuggestions:
        """Complete a description."""
        async with self.pool.connection() as connection:
            found = await store.suggest_descriptions(
                connection, identity.book_id, prefix[: limits.MAX_DESCRIPTION], limits.MAX_SUGGESTIONS
            )
        return DescriptionSuggestions(found)

    def _receipt(self, body: CreateEntry, appended: Appended, superseded: bool) -> EntrySaved:
        made = store.instant(datetime.fromtimestamp(body.ver / 1_000_000, UTC))
        entry = Entry(
            id=body.id,
            entry_date=body.entry_date,
            amount=_two_places(body.amount),
            cr_dr=body.cr_dr,
            currency=body.currency,
            category=body.category,
            description=body.description,
            human_code=body.human_code,
            document_count=len(body.documents),
            created_at=made,
            updated_at=made,
            ver=body.ver,
        )
        return EntrySaved(
            op_id=body.op_id,
            entry=entry,
            documents=[_document(document) for document in body.documents],
            superseded=superseded,
            server_id=self.config.server_id,
            region=self.config.region,
            confirmed_at=store.instant(appended.at),
        )


def _document(new: NewDocument) -> Document:
    return Document(new.id, new.doc_code, new.file_name, new.media_type, new.byte_size, new.sha256)


def _create_operation(identity: Identity, body: CreateEntry) -> Operation:
    records = [_entry_record(body)]
    records += [_document_record(body, document) for document in body.documents]
    return Operation(
        book_id=identity.book_id,
        op_id=UUID(body.op_id),
        ver=body.ver,
        author=identity.user_id,
        device=identity.device_id,
        records=tuple(records),
        creates=True,
    )


def _entry_record(body: CreateEntry) -> Record:
    doc = {
        "entryDate": body.entry_date,
        "amount": _two_places(body.amount),
        "crDr": body.cr_dr,
        "currency": body.currency,
        "category": body.category,
        "description": body.description,
        "humanCode": body.human_code,
        "createdVer": body.ver,
    }
    return Record("entry", UUID(body.id), msgspec.json.encode(doc).decode())


def _document_record(body: CreateEntry, document: NewDocument) -> Record:
    doc = {
        "entryId": body.id,
        "docCode": document.doc_code,
        "fileName": document.file_name,
        "mediaType": document.media_type,
        "byteSize": document.byte_size,
        "sha256": document.sha256,
        "createdVer": body.ver,
    }
    return Record("document", UUID(document.id), msgspec.json.encode(doc).decode())


def _two_places(amount: str) -> str:
    return str(Decimal(amount).quantize(_CENTS))


async def _is_superseded(connection: Connection, operation: Operation, entry_id: UUID) -> bool:
    standing = await store.standing_version(connection, operation.book_id, entry_id)
    return standing is not None and standing > (operation.ver, operation.op_id)


def _cut(found: list[Entry], limit: int) -> EntryPage:
    if len(found) <= limit:
        return EntryPage(found)
    last = found[limit - 1]
    return EntryPage(found[:limit], search.encode_cursor(date.fromisoformat(last.entry_date), UUID(last.id)))


async def _search(
    connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int
) -> EntryPage:
    found: list[Entry] = []
    walked = 0
    while True:
        step = await store.walk(connection, book_id, filter_, after, limit + 1 - len(found))
        found += step.entries
        if len(found) > limit or step.last is None:
            return _cut(found, limit)
        after, walked = step.last, walked + search.WALK
        if filter_.has_long_word:
            found += await store.find(connection, book_id, filter_, after, limit + 1 - len(found))
            return _cut(found, limit)
        if walked >= search.MOST_WALKED:
            return EntryPage(found, search.encode_cursor(*after))


def _summary(groups: list[Group]) -> Summary:
    count, sums = 0, {"CR": Decimal(0), "DR": Decimal(0)}
    categories: dict[str, list[Group]] = {}
    months: dict[str, list[Group]] = {}
    for group in groups:
        if group.category is not None:
            categories.setdefault(group.category, []).append(group)
        elif group.month is not None:
            months.setdefault(f"{group.month:%Y-%m}", []).append(group)
        else:
            count += group.count
            sums[group.cr_dr] += group.amount
    return Summary(
        count=count,
        money_out=_text(sums["DR"]),
        money_in=_text(sums["CR"]),
        net=_text(sums["CR"] - sums["DR"]),
        by_category=[CategoryTotal(name, *_totals(parts)) for name, parts in sorted(categories.items())],
        by_month=[MonthTotal(name, *_totals(parts)) for name, parts in sorted(months.items())],
    )


def _totals(parts: list[Group]) -> tuple[int, str, str]:
    out = sum((p.amount for p in parts if p.cr_dr == "DR"), Decimal(0))
    into = sum((p.amount for p in parts if p.cr_dr == "CR"), Decimal(0))
    return sum(p.count for p in parts), _text(out), _text(into)


def _text(amount: Decimal) -> str:
    return str(amount.quantize(_CENTS))
