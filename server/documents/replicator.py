"""Copies documents from other regions: in the background, and at once if a client asks for one.

A transfer that broke off is resumed, from another server too, and the result is kept only if its hash is
right. A document that cannot be copied, or only slowly, does not delay the others.
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
_TRY_SECONDS: Final = 600.0
"""A transfer that takes longer gives its place up to another document; the next try resumes it."""
_PAUSE_SECONDS: Final = 0.5
_FIRST_RETRY_SECONDS: Final = 2.0
_LONGEST_RETRY_SECONDS: Final = 120.0
_SWEEP_SECONDS: Final = 3_600
_SWEEP_AGAIN_SECONDS: Final = 60
"""After a failure: mostly the database starts later than its server."""
_SWEEP_PAGE: Final = 500
_FORGOTTEN_SECONDS: Final = 86_400
_ASKED_FOR_SECONDS: Final = 20.0
_PIECE: Final = 256 * 1024
_START: Final = (UUID(int=0), UUID(int=0))


@dataclass(slots=True)
class DocumentReplicator:
    """`folder` keeps the partial copies."""

    pool: Pool
    store: FolderStore
    peers: PeerClient
    folder: Path
    _under_way: "dict[tuple[UUID, str], asyncio.Task[Outcome]]" = field(default_factory=dict)
    _trying: "dict[tuple[UUID, str], asyncio.Task[None]]" = field(default_factory=dict)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Copy documents until the block ends."""
        try:
            async with background(self._keep_working_off(), self._keep_sweeping()):
                yield
        finally:
            await end_tasks((*self._trying.values(), *self._under_way.values()))

    def begin(self, bytes_: WantedDocument) -> "asyncio.Task[Outcome]":
        """Return the task that fetches a document; start it if there is none."""
        key = _key(bytes_)
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = start_task(self._fetch(bytes_))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return task

    async def fetch_now(self, bytes_: WantedDocument) -> None:
        """Fetch a document that a client waits for. Raises ApiError (not_found, store_unavailable)."""
        task = self.begin(bytes_)
        await asyncio.wait({task}, timeout=_ASKED_FOR_SECONDS)
        outcome = task.result() if task.done() else "unreachable"
        if outcome == "nowhere":
            raise not_found("document")
        if outcome == "unreachable":
            raise ApiError(
                ErrorCode.STORE_UNAVAILABLE, "This document has not arrived here from its region yet."
            )

    async def work_off(self) -> int:
        """Try every queued document that is due, until none is left; return how many were tried."""
        tried = 0
        while True:
            tried += await self._try_more()
            if not self._trying:
                return tried
            # Not for long: while one is slow, documents that are queued from now on take the free places.
            await asyncio.wait(
                self._trying.values(), timeout=_PAUSE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )

    async def sweep(self) -> int:
        """Queue every document that a row names and the store lacks; return how many.

        This finds rows that were written before there was a queue, or by hand.
        """
        after, found = _START, 0
        while True:
            async with self.pool.connection() as connection:
                page = await fetch_queue.known_documents(connection, after, _SWEEP_PAGE)
            missing = await self._missing([bytes_ for _, bytes_ in page])
            async with self.pool.connection() as connection:
                await fetch_queue.enqueue(connection, missing)
            found += len(missing)
            if len(page) < _SWEEP_PAGE:
                return found
            after = page[-1][0]

    # --- inside ----------------------------------------------------------------------------------

    async def _keep_working_off(self) -> None:
        while True:
            await asyncio.sleep(_PAUSE_SECONDS)
            try:
                if self.peers.other_regions:
                    await self.work_off()
            except (psycopg.Error, PoolTimeout) as error:
                _log.warning("document replication failed; retrying", extra={"error": type(error).__name__})

    async def _keep_sweeping(self) -> None:
        while True:
            pause = _SWEEP_SECONDS
            try:
                await asyncio.to_thread(_forget_old, self.folder)
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
        """Start tries of queued documents in the free places; return how many."""
        free = _AT_ONCE - len(self._trying)
        if free <= 0:
            return 0
        async with self.pool.connection() as connection:
            claimed = await fetch_queue.claim(connection, free)
        # A slow one is claimed again each time its lease runs out: it must not take a second place.
        new = [each for each in claimed if _key(each[0]) not in self._trying]
        for bytes_, tries in new:
            self._begin_try(bytes_, tries)
        return len(new)

    def _begin_try(self, bytes_: WantedDocument, tries: int) -> None:
        key = _key(bytes_)
        task = self._trying[key] = start_task(self._try(bytes_, tries))
        task.add_done_callback(lambda _: self._trying.pop(key, None))

    async def _try(self, bytes_: WantedDocument, tries: int) -> None:
        stored = await self.begin(bytes_) == "stored"
        try:
            async with self.pool.connection() as connection:
                if stored:
                    await fetch_queue.remove(connection, bytes_)
                else:
                    await fetch_queue.postpone(connection, bytes_, _pause(tries))
        except (psycopg.Error, PoolTimeout) as error:  # it is claimed again when its lease has run out
            _log.warning("document queue update failed", extra={"error": type(error).__name__})

    async def _fetch(self, bytes_: WantedDocument) -> Outcome:
        part, outcome = self.folder / f"{bytes_.book_id}.{bytes_.sha256}", "nowhere"
        ends = time.monotonic() + _TRY_SECONDS
        try:
            if await self.store.find(bytes_.book_id, bytes_.sha256) is not None:
                part.unlink(missing_ok=True)
                return "stored"
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            for server in self._sources(bytes_.region):
                try:
                    if await self._fetch_from(server, bytes_, part, ends):
                        return "stored"
                except NotThereError:
                    continue
                except PeerHttpError:
                    pass
                outcome = "unreachable"
        except (OSError, ApiError) as error:  # of this server's own disk
            _log.warning("document copy could not be stored", extra={"error": type(error).__name__})
            return "unreachable"
        return "unreachable" if outcome == "unreachable" or self._someone_is_away() else "nowhere"

    async def _fetch_from(
        self, server: RosterServer, bytes_: WantedDocument, part: Path, ends: float
    ) -> bool:
        """Return whether the document is complete and stored. Raises PeerHttpError, OSError, ApiError."""
        await self.peers.fetch(server, str(bytes_.book_id), bytes_.sha256, part, bytes_.byte_size, ends)
        try:
            chunks = _chunks(part)
            await self.store.put(bytes_.book_id, bytes_.sha256, bytes_.byte_size, bytes_.media_type, chunks)
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
    """Return the seconds until the next try of a document that was tried `tries` times."""
    return backoff.pause(
        tries - 1, first=_FIRST_RETRY_SECONDS, longest=_LONGEST_RETRY_SECONDS, draw=random.uniform
    )


def _key(bytes_: WantedDocument) -> tuple[UUID, str]:
    return bytes_.book_id, bytes_.sha256


async def _chunks(part: Path) -> AsyncIterator[bytes]:
    with await asyncio.to_thread(part.open, "rb") as file:
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _forget_old(folder: Path) -> None:
    """Remove partial copies that were not resumed for a day."""
    for part in folder.iterdir() if folder.exists() else ():
        with contextlib.suppress(FileNotFoundError):  # it was completed meanwhile
            if time.time() - part.stat().st_mtime > _FORGOTTEN_SECONDS:
                part.unlink()
