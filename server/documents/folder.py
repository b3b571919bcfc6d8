"""The folder store, which keeps documents as files `<book>/<sha256>`, each written once and atomically."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterator, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from server.contract import media
from server.contract.durable_files import make_folder, replace_file, sync_file, sync_folder, temporary_beside
from server.contract.errors import ErrorCode
from server.contract.private_files import private_opener
from server.errors import ApiError


@dataclass(frozen=True, slots=True)
class Stored:
    """Size and media type of a stored document."""

    byte_size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Stores documents below the folder `root`. Blocking work runs in threads."""

    root: Path

    def path(self, book_id: UUID, sha256: str) -> Path:
        """Return the file of a document, which may not exist."""
        return self.root / str(book_id) / sha256

    async def find(self, book_id: UUID, sha256: str) -> Stored | None:
        """Return what is known of a document, or None if it is not stored. Raises ApiError."""
        with _unavailable(_CANNOT_READ):
            return await asyncio.to_thread(_read_head, self.path(book_id, sha256))

    async def present(self, book_id: UUID, sha256s: Collection[str]) -> frozenset[str]:
        """Return those of `sha256s` that are stored in this book. Raises ApiError (store_unavailable)."""
        with _unavailable(_CANNOT_READ):
            return await asyncio.to_thread(self._present, book_id, sha256s)

    async def put(
        self, book_id: UUID, sha256: str, byte_size: int, media_type: str, chunks: AsyncIterator[bytes]
    ) -> None:
        """Store a document durably, if size, hash and media type are as announced.

        Raises ApiError (too_large, checksum_mismatch, media_type_refused, store_unavailable). Then nothing
        is stored.
        """
        target = self.path(book_id, sha256)
        with _unavailable(_CANNOT_STORE), temporary_beside(target) as partial:
            await asyncio.to_thread(make_folder, target.parent)
            await _receive(partial, sha256, byte_size, media_type, chunks)
            await asyncio.to_thread(_rename, partial, target)

    def _present(self, book_id: UUID, sha256s: Collection[str]) -> frozenset[str]:
        # Unlike `find` it opens no file, because the caller may ask for hundreds.
        return frozenset(sha256 for sha256 in sha256s if self.path(book_id, sha256).is_file())


_CANNOT_READ: Final = "This bill cannot be read at the moment."
_CANNOT_STORE: Final = "This bill cannot be stored at the moment."


@contextlib.contextmanager
def _unavailable(sentence: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ApiError(ErrorCode.STORE_UNAVAILABLE, sentence) from error


async def _receive(
    partial: Path, sha256: str, byte_size: int, media_type: str, chunks: AsyncIterator[bytes]
) -> None:
    digest, received, head = hashlib.sha256(), 0, b""
    with await asyncio.to_thread(open, partial, "xb", opener=private_opener) as out:
        async for chunk in chunks:
            received += len(chunk)
            if received > byte_size:
                raise ApiError(ErrorCode.TOO_LARGE, "The document is larger than announced.")
            head += chunk[: media.SNIFF_BYTES - len(head)]  # the first chunk may have a few bytes only
            digest.update(chunk)
            await asyncio.to_thread(out.write, chunk)
        if received != byte_size or digest.hexdigest() != sha256:
            raise ApiError(ErrorCode.CHECKSUM_MISMATCH, "The document arrived damaged; please send it again.")
        if media.sniff(head) != media_type:
            raise ApiError(
                ErrorCode.MEDIA_TYPE_REFUSED, "The content of the document does not match its media type."
            )
        await asyncio.to_thread(sync_file, out)


def _rename(partial: Path, target: Path) -> None:
    replace_file(partial, target)
    sync_folder(target.parent.parent)  # the folder of the book may be new


def _read_head(path: Path) -> Stored | None:
    try:
        with open(path, "rb", opener=private_opener) as file:
            head = file.read(media.SNIFF_BYTES)
            return Stored(os.fstat(file.fileno()).st_size, media.sniff(head) or "")
    except FileNotFoundError:
        return None
