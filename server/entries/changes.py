"""Changes of entries: create, edit, void, restore. Each is one operation, appended atomically."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

import msgspec

from server.config import Config
from server.contract import checks
from server.contract.errors import ErrorCode, FieldError
from server.contract.shapes import (
    CreateEntry,
    Document,
    EditEntry,
    EntryHistory,
    EntrySaved,
    NewDocument,
    VoidEntry,
)
from server.db.pool import Connection, Pool
from server.documents.service import DocumentService
from server.entries import history, records, store
from server.entries.records import Doc
from server.errors import ApiError, InvalidFieldsError, not_found
from server.journal.append import Appended, Operation, append, check_clock
from server.tokens.tokens import Identity


@dataclass(frozen=True, slots=True)
class EntryChanges:
    """Changes entries and reads their history. `clock` returns seconds since 1970.

    Every change raises InvalidFieldsError or ApiError (clock_ahead, documents_missing, media_type_refused,
    entry_exists, operation_reused, not_found, base_missing). A repeated operation gets the same receipt.
    """

    config: Config
    pool: Pool
    documents: DocumentService
    clock: Callable[[], float]

    async def create(self, identity: Identity, body: CreateEntry) -> EntrySaved:
        """Create an entry with its documents, in one transaction."""
        self._check(body.ver, checks.check_create(body, self._today()))
        await self.documents.require_stored(identity.book_id, body.documents)
        operation = records.create_operation(identity, body)
        async with self.pool.connection() as connection:
            appended = await append(connection, operation, self.config.region)
            # A new entry can only have a newer version if this operation was appended earlier.
            superseded = appended.replayed and await _is_superseded(connection, operation)
        documents = [_document(document) for document in body.documents]
        return self._receipt(operation, appended, documents, superseded=superseded)

    async def edit(self, identity: Identity, entry_id: UUID, body: EditEntry) -> EntrySaved:
        """Edit an entry. The receipt says whether the entry has a newer version already."""
        self._check(body.ver, checks.check_edit(body, self._today()), body.based_on)
        await self.documents.require_stored(identity.book_id, body.add_documents)
        async with self.pool.connection() as connection:
            base = await _base(connection, identity.book_id, entry_id, body.based_on)
            removed = await _removed(connection, identity.book_id, entry_id, body.remove_documents)
            operation = records.edit_operation(identity, str(entry_id), base, body, removed)
            return await self._append(connection, operation)

    async def void(self, identity: Identity, entry_id: UUID, body: VoidEntry) -> EntrySaved:
        """Void an entry. Its history stays."""
        return await self._simple(identity, entry_id, body, records.void_operation)

    async def restore(self, identity: Identity, entry_id: UUID, body: VoidEntry) -> EntrySaved:
        """Restore a voided entry."""
        return await self._simple(identity, entry_id, body, records.restore_operation)

    async def history(self, identity: Identity, entry_id: UUID) -> EntryHistory:
        """Return all versions of an entry, newest first. Raises ApiError (not_found)."""
        async with self.pool.connection() as connection:
            rows = await store.versions(connection, identity.book_id, entry_id)
            if not rows:
                raise not_found("entry")
            bills = await store.document_versions(connection, identity.book_id, entry_id)
        return EntryHistory(history.versions(rows, bills))

    async def _simple(
        self,
        identity: Identity,
        entry_id: UUID,
        body: VoidEntry,
        make: Callable[[Identity, str, Doc, VoidEntry], Operation],
    ) -> EntrySaved:
        self._check(body.ver, checks.check_void(body), body.based_on)
        async with self.pool.connection() as connection:
            base = await _base(connection, identity.book_id, entry_id, body.based_on)
            return await self._append(connection, make(identity, str(entry_id), base, body))

    async def _append(self, connection: Connection, operation: Operation) -> EntrySaved:
        appended = await append(connection, operation, self.config.region)
        documents = await store.documents(connection, operation.book_id, operation.records[0].id)
        superseded = await _is_superseded(connection, operation)
        return self._receipt(operation, appended, documents, superseded=superseded)

    def _check(self, ver: int, errors: list[FieldError], based_on: int = 0) -> None:
        if errors:
            raise InvalidFieldsError(errors)
        check_clock(ver, int(self.clock() * 1_000_000), based_on)

    def _today(self) -> date:
        return datetime.fromtimestamp(self.clock(), UTC).date()

    def _receipt(
        self, operation: Operation, appended: Appended, documents: list[Document], *, superseded: bool
    ) -> EntrySaved:
        # From the operation, not from the table: a repeated operation must get the same receipt, even if the
        # entry was changed meanwhile.
        record = operation.records[0]
        doc = msgspec.json.decode(record.doc)
        return EntrySaved(
            op_id=str(operation.op_id),
            entry=store.entry_of(str(record.id), operation.ver, doc, len(documents)),
            documents=documents,
            superseded=superseded,
            server_id=self.config.server_id,
            region=self.config.region,
            confirmed_at=store.instant(appended.at),
        )


async def _base(connection: Connection, book_id: UUID, entry_id: UUID, ver: int) -> Doc:
    doc = await store.version_doc(connection, book_id, entry_id, ver)
    if doc is not None:
        return doc
    # If the entry is known, its version is still on the way from another region, and the client retries.
    if await store.current_version(connection, book_id, entry_id) is None:
        raise not_found("entry")
    raise ApiError(
        ErrorCode.BASE_MISSING, "The version that this change is based on has not arrived here yet."
    )


async def _removed(connection: Connection, book_id: UUID, entry_id: UUID, ids: list[str]) -> dict[str, Doc]:
    """Return the journal documents of the bills that an edit removes. Raises ApiError (not_found)."""
    if not ids:
        return {}
    docs = await store.document_docs(connection, book_id, entry_id)
    if any(id_ not in docs for id_ in ids):
        raise not_found("document")
    return {id_: docs[id_] for id_ in ids}


async def _is_superseded(connection: Connection, operation: Operation) -> bool:
    current = await store.current_version(connection, operation.book_id, operation.records[0].id)
    return current is not None and current > (operation.ver, operation.op_id)


def _document(new: NewDocument) -> Document:
    return Document(new.id, new.doc_code, new.file_name, new.media_type, new.byte_size, new.sha256)
