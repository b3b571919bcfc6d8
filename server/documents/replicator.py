"""Copies documents from other regions: in the background, and at once if a client asks for one.

An interrupted transfer is resumed, possibly from another server. The result is stored only if its hash is
right. A slow transfer does not delay the others.
"""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal
from uuid import UUID

import psycopg
from psycopg_pool import PoolTimeout

from server.cluster.peer_http import PeerHttpError
from server.contract import backoff
from server.contract.cluster import RosterServer
from server.contract.durable_files import make_folder
from server.contract.errors import ErrorCode
from server.db.pool import Pool
from server.documents import fetch_queue
from server.documents.fetch_queue import WantedDocument
from server.documents.folder import FolderStore
from server.errors import ApiError, not_found
from server.node.background import background, end_tasks, start_task
from server.peers.client import NotThereError, PeerClient

Outcome = Literal["stored", "nowhere", "unreachable"]
_log = logging.getLogger(__name__)
_AT_ONCE: Final = 8
# A transfer that takes longer gives up its slot to another document. The next attempt resumes it.
_ATTEMPT_SECONDS: Final = 600.0
_PAUSE_SECONDS: Final = 0.5
_FIRST_RETRY_SECONDS: Final = 2.0
_LONGEST_RETRY_SECONDS: Final = 120.0
_SWEEP_SECONDS: Final = 3_600
# The pause after a sweep that failed, for example because the database starts later than the server.
_SWEEP_AGAIN_SECONDS: Final = 60
_SWEEP_PAGE: Final = 500
# A partial copy that was not resumed for this long is removed.
_PART_SECONDS: Final = 86_400
# How long a client that asked for a document waits for it.
_CLIENT_SECONDS: Final = 20.0
_PIECE: Final = 256 * 1024
_START: Final = (UUID(int=0), UUID(int=0))


@dataclass(slots=True)
class DocumentReplicator:
    """Copies missing documents into `store`. `folder` is for partial copies."""

    pool: Pool
    store: FolderStore
    peers: PeerClient
    folder: Path
    _fetches: "dict[tuple[UUID, str], asyncio.Task[Outcome]]" = field(default_factory=dict)
    _tries: "dict[tuple[UUID, str], asyncio.Task[None]]" = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Copy documents until the block ends."""
        try:
            async with background(self._keep_processing(), self._keep_sweeping()):
                yield
        finally:
            await end_tasks((*self._tries.values(), *self._fetches.values()))

    def begin(self, document: WantedDocument) -> "asyncio.Task[Outcome]":
        """Return the task that fetches a document; start it if there is none."""
        key = _key(document)
        task = self._fetches.get(key)
        if task is None:
            task = self._fetches[key] = start_task(self._fetch(document))
            task.add_done_callback(lambda _: self._fetches.pop(key, None))
        return task

    async def fetch_now(self, document: WantedDocument) -> None:
        """Fetch a document that a client waits for. Raises ApiError (not_found, store_unavailable)."""
        task = self.begin(document)
        await asyncio.wait({task}, timeout=_CLIENT_SECONDS)
        outcome = task.result() if task.done() else "unreachable"
        if outcome == "nowhere":
            raise not_found("document")
        if outcome == "unreachable":
            raise ApiError(ErrorCode.STORE_UNAVAILABLE, "This bill has not arrived here yet.")

    async def process_queue(self) -> int:
        """Fetch every queued document that is due, until none is left; return the number of attempts."""
        tried = 0
        while True:
            tried += await self._try_more()
            if not self._tries:
                return tried
            # A short timeout: while one transfer is slow, newly queued documents can use the free slots.
            await asyncio.wait(
                self._tries.values(), timeout=_PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )

    async def sweep(self) -> int:
        """Queue every document that a row names and the store lacks; return how many."""
        # Rows get into the queue by a trigger. The sweep finds what it missed: rows that are older than the
        # trigger, and files that were removed from the store.
        after, found = _START, 0
        while True:
            async with self.pool.connection() as connection:
                page = await fetch_queue.known_documents(connection, after, _SWEEP_PAGE)
            missing = await self._missing([document for _, document in page])
            async with self.pool.connection() as connection:
                await fetch_queue.enqueue(connection, missing)
            found += len(missing)
            if len(page) < _SWEEP_PAGE:
                return found
            after = page[-1][0]

    # --- inside ----------------------------------------------------------------------------------

    async def _keep_processing(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                if self.peers.other_regions:
                    await self.process_queue()
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("document replication failed; retrying", extra={"error": type(error).__name__})

    async def _keep_sweeping(self) -> None:
        while True:
            pause = _SWEEP_SECONDS
            try:
                await asyncio.to_thread(_remove_old_parts, self.folder)
                found = await self.sweep() if self.peers.other_regions else 0
                level = logging.INFO if found else logging.DEBUG
                _log.log(level, "sweep finished", extra={"missing": found})
            except (OSError, psycopg.Error, PoolTimeout, ApiError) as error:
                _log.warning("sweep failed; retrying", extra={"error": type(error).__name__})
                pause = _SWEEP_AGAIN_SECONDS
            await asyncio.sleep(pause)

    async def _missing(self, page: list[WantedDocument]) -> list[WantedDocument]:
        missing = []
        for book_id in dict.fromkeys(each.book_id for each in page):
            of_book = {each.sha256: each for each in page if each.book_id == book_id}
            stored = await self.store.present(book_id, list(of_book))
            missing += [each for sha256, each in of_book.items() if sha256 not in stored]
        return missing

    async def _try_more(self) -> int:
        """Start attempts for queued documents in the free slots; return how many."""
        free = _AT_ONCE - len(self._tries)
        if free <= 0:
            return 0
        async with self.pool.connection() as connection:
            claimed = await fetch_queue.claim(connection, free)
        # A slow transfer is claimed again each time its lease expires. It must not occupy a second slot.
        new = [each for each in claimed if _key(each[0]) not in self._tries]
        for document, tries in new:
            self._begin_try(document, tries)
        return len(new)

    def _begin_try(self, document: WantedDocument, tries: int) -> None:
        key = _key(document)
        task = self._tries[key] = start_task(self._try(document, tries))
        task.add_done_callback(lambda _: self._tries.pop(key, None))

    async def _try(self, document: WantedDocument, tries: int) -> None:
        stored = await self.begin(document) == "stored"
        try:
            async with self.pool.connection() as connection:
                if stored:
                    await fetch_queue.remove(connection, document)
                else:
                    await fetch_queue.postpone(connection, document, _pause(tries))
        except (psycopg.Error, PoolTimeout) as error:  # it is claimed again when its lease has expired
            _log.warning("document queue update failed", extra={"error": type(error).__name__})

    async def _fetch(self, document: WantedDocument) -> Outcome:
        part, outcome = self.folder / f"{document.book_id}.{document.sha256}", "nowhere"
        ends = time.monotonic() + _ATTEMPT_SECONDS
        try:
            if await self.store.find(document.book_id, document.sha256) is not None:
                part.unlink(missing_ok=True)
                return "stored"
            make_folder(self.folder)
            # NotThereError is an answer, after which the next server is asked. Any other error leaves open
            # whether the document exists there.
            for server in self._sources(document.region):
                try:
                    if await self._fetch_from(server, document, part, ends):
                        return "stored"
                except NotThereError:
                    continue
                except PeerHttpError:
                    pass
                outcome = "unreachable"
        except (OSError, ApiError) as error:  # this server's own disk failed
            _log.warning("document copy could not be stored", extra={"error": type(error).__name__})
            return "unreachable"
        return "unreachable" if outcome == "unreachable" or self._someone_is_away() else "nowhere"

    async def _fetch_from(
        self, server: RosterServer, document: WantedDocument, part: Path, ends: float
    ) -> bool:
        """Return whether the document is complete and stored. Raises PeerHttpError, OSError, ApiError."""
        await self.peers.fetch(server, str(document.book_id), document.sha256, part, document.byte_size, ends)
        try:
            chunks = _chunks(part)
            await self.store.put(
                document.book_id, document.sha256, document.byte_size, document.media_type, chunks
            )
        except ApiError as error:
            if error.code is ErrorCode.STORE_UNAVAILABLE:
                raise
            part.unlink(missing_ok=True)
            _log.warning("damaged document copy discarded", extra={"server": server.id, "error": error.code})
            return False
        part.unlink(missing_ok=True)
        return True

    def _sources(self, region: str) -> list[RosterServer]:
        others = self.peers.other_regions
        ordered = sorted(others, key=lambda code: code != region)
        return [server for code in ordered for server in self.peers.servers_of(code)]

    def _someone_is_away(self) -> bool:
        return any(map(self.peers.is_away, self.peers.other_regions))


def _pause(tries: int) -> float:
    """Return the seconds until the next attempt, after `tries` attempts."""
    return backoff.pause(
        tries - 1, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS, draw=random.uniform
    )


def _key(document: WantedDocument) -> tuple[UUID, str]:
    return document.book_id, document.sha256


async def _chunks(part: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(part.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _remove_old_parts(folder: Path) -> None:
    """Remove partial copies that were not resumed for a day."""
    for part in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # it was completed meanwhile
            if time.time() - part.stat().st_mtime > _PART_SECONDS:
                part.unlink()
