"""The folder store: bills by content, `documents/<book>/<sha256>`, each written once and whole."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from server.contract import media
from server.contract.durable_files import replace_file, sync_file, sync_folder, temporary_beside
from server.contract.errors import ErrorCode
from server.errors import ApiError


@dataclass(frozen=True, slots=True)
class Stored:
    """What the store knows of some bytes."""

    byte_size: int
    media_type: str


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Bills below `root`. Blocking work runs in threads."""

    root: Path

    def path(self, book_id: UUID, sha256: str) -> Path:
        """Return where the bytes are, or would be."""
        return self.root / str(book_id) / sha256

    async def find(self, book_id: UUID, sha256: str) -> Stored | None:
        """Return what is stored under this hash in this book, or None. Raises ApiError."""
        try:
            return await asyncio.to_thread(_look, self.path(book_id, sha256))
        except OSError as error:
            raise ApiError(
                ErrorCode.STORE_UNAVAILABLE, "The server cannot reach its documents just now."
            ) from error

    async def present(self, book_id: UUID, sha256s: Collection[str]) -> frozenset[str]:
        """Return those that are stored in this book. Raises ApiError (store_unavailable)."""
        try:
            return await asyncio.to_thread(self._present, book_id, sha256s)
        except OSError as error:
            raise ApiError(
                ErrorCode.STORE_UNAVAILABLE, "The server cannot reach its documents just now."
            ) from error

    async def put(
        self, book_id: UUID, sha256: str, byte_size: int, media_type: str, chunks: AsyncIterator[bytes]
    ) -> None:
        """Keep `chunks`, durably, once they are what was announced.

        Raises ApiError (too_large, checksum_mismatch, media_type_refused, store_unavailable); then
        nothing is kept.
        """
        target = self.path(book_id, sha256)
        try:
            with temporary_beside(target) as partial:
                await asyncio.to_thread(_make_folder, target.parent)
                await _receive(partial, sha256, byte_size, media_type, chunks)
                await asyncio.to_thread(_settle, partial, target)
        except OSError as error:
            raise ApiError(
                ErrorCode.STORE_UNAVAILABLE, "The server could not keep this document just now."
            ) from error

    def _present(self, book_id: UUID, sha256s: Collection[str]) -> frozenset[str]:
        return frozenset(sha256 for sha256 in sha256s if self.path(book_id, sha256).is_file())


async def _receive(
    partial: Path, sha256: str, byte_size: int, media_type: str, chunks: AsyncIterator[bytes]
) -> None:
    digest, received, head = hashlib.sha256(), 0, b""
    with await asyncio.to_thread(partial.open, "xb") as out:
        async for chunk in chunks:
            received += len(chunk)
            if received > byte_size:
                raise ApiError(ErrorCode.TOO_LARGE, "More bytes came than were announced.")
            head += chunk[: media.SNIFF_BYTES - len(head)]  # a first packet may hold a few bytes only
            digest.update(chunk)
            await asyncio.to_thread(out.write, chunk)
        if received != byte_size or digest.hexdigest() != sha256:
            raise ApiError(ErrorCode.CHECKSUM_MISMATCH, "The document arrived damaged; please send it again.")
        if media.sniff(head) != media_type:
            raise ApiError(ErrorCode.MEDIA_TYPE_REFUSED, "The document is not the kind of file it says.")
        await asyncio.to_thread(sync_file, out)


def _make_folder(folder: Path) -> None:
    """Make a book's folder, closed to the other users of this computer."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def _settle(partial: Path, target: Path) -> None:
    replace_file(partial, target)
    sync_folder(target.parent.parent)  # the book's folder may be new


def _look(path: Path) -> Stored | None:
    try:
        with path.open("rb") as file:
            head = file.read(media.SNIFF_BYTES)
            return Stored(os.fstat(file.fileno()).st_size, media.sniff(head) or "")
    except FileNotFoundError:
        return None
