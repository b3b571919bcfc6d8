"""Uploads and downloads of documents: planning, receiving bytes, and signed links to them."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from server.contract import checks
from server.contract.errors import ErrorCode
from server.contract.instants import instant
from server.contract.shapes import DocumentLink, DocumentPlan, NewDocument, PlannedDocument, Upload
from server.db.pool import Pool
from server.documents.fetch_queue import SQL, WantedDocument
from server.documents.folder import FolderStore
from server.documents.replicator import DocumentReplicator
from server.documents.signed_urls import SignedUrl, make_url, read_url
from server.errors import ApiError, InvalidFieldsError, not_found
from server.tokens.tokens import Identity, TokenKeys


@dataclass(slots=True)
class DocumentService:
    """Plans uploads, receives documents and signs links to them.

    `clock` returns seconds since 1970. `public_url` is set once the server listens.
    """

    pool: Pool
    store: FolderStore
    signer: TokenKeys
    clock: Callable[[], float]
    replicator: DocumentReplicator
    public_url: str = ""

    async def plan(self, identity: Identity, documents: Sequence[PlannedDocument]) -> list[DocumentPlan]:
        """Return for each document that this book has its bytes, or where to PUT them.

        Raises InvalidFieldsError.
        """
        if errors := checks.check_plan(list(documents)):
            raise InvalidFieldsError(errors)
        return [await self._plan_one(identity.book_id, document) for document in documents]

    async def take(self, token: str, chunks: AsyncIterator[bytes]) -> None:
        """Store the bytes of a PUT. Raises ApiError as `FolderStore.put` and `read_url` do."""
        signed = read_url(self.signer, token, "PUT", int(self.clock()))
        # A client repeats an upload whose answer it did not get.
        if await self.store.find(signed.book_id, signed.sha256) is not None:
            return
        await self.store.put(signed.book_id, signed.sha256, signed.byte_size, signed.media_type, chunks)

    async def open(self, token: str) -> tuple[SignedUrl, Path]:
        """Return the file that a link leads to; fetch it from another region if it is not here.

        Raises ApiError (not_found, forbidden, link_expired, store_unavailable).
        """
        signed = read_url(self.signer, token, "GET", int(self.clock()))
        if await self.store.find(signed.book_id, signed.sha256) is None:
            await self.replicator.fetch_now(
                WantedDocument(signed.book_id, signed.sha256, signed.byte_size, signed.media_type)
            )
        return signed, self.store.path(signed.book_id, signed.sha256)

    async def link(self, identity: Identity, document_id: UUID) -> DocumentLink:
        """Return a short-lived link to a document of this book. Raises ApiError (not_found)."""
        values = {"book_id": identity.book_id, "id": document_id}
        async with self.pool.connection() as connection:
            row = await (await connection.execute(SQL["document"], values)).fetchone()
        if row is None:
            raise not_found("document")
        sha256, byte_size, media_type, file_name = row
        # Start to fetch missing bytes now, before the client follows the link.
        if await self.store.find(identity.book_id, sha256) is None:
            self.replicator.begin(WantedDocument(identity.book_id, sha256, byte_size, media_type))
        signed = SignedUrl("GET", identity.book_id, sha256, byte_size, media_type, file_name)
        url, expires = make_url(self.signer, self.public_url, signed, int(self.clock()))
        return DocumentLink(url, instant(expires), file_name, media_type, byte_size, sha256)

    async def require_stored(self, book_id: UUID, documents: Sequence[NewDocument]) -> None:
        """Raise ApiError unless the bytes of all `documents` are stored, with this size and media type.

        The error is `documents_missing`, with the SHA-256s in `detail`, or `media_type_refused`.
        """
        missing = []
        for document in documents:
            found = await self.store.find(book_id, document.sha256)
            if found is None or found.byte_size != document.byte_size:
                missing.append(document.sha256)
            elif found.media_type != document.media_type:
                raise ApiError(
                    ErrorCode.MEDIA_TYPE_REFUSED, "The content of a document does not match its media type."
                )
        if missing:
            raise ApiError(
                ErrorCode.DOCUMENTS_MISSING,
                "Some bills of this entry are not stored yet.",
                {"sha256": missing},
            )

    async def _plan_one(self, book_id: UUID, document: PlannedDocument) -> DocumentPlan:
        if await self.store.find(book_id, document.sha256) is not None:
            return DocumentPlan(document.sha256, stored=True)
        signed = SignedUrl("PUT", book_id, document.sha256, document.byte_size, document.media_type)
        url, expires = make_url(self.signer, self.public_url, signed, int(self.clock()))
        headers = {"Content-Type": document.media_type}
        return DocumentPlan(document.sha256, stored=False, upload=Upload(url, headers, instant(expires)))
