"""Where a book's operations and their bills are, looked up at this moment, here and in the other regions."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from server.contract import checks, limits
from server.contract.cluster_calls import (
    SyncStatus,
)
from server.contract.errors import FieldError
from server.contract.peers import AskedOperation, HeldOperation, PeerStatus, StatusQuestion
from server.db.pool import Pool
from server.errors import InvalidFieldsError
from server.journal import sync
from server.peers import status_fold
from server.peers.client import PeerClient
from server.peers.status_fold import RegionOperations
from server.tokens.tokens import Identity

_LATELY_SECONDS: Final = 900
_MOST_RECENT: Final = 1_000
Present = Callable[[UUID, Collection[str]], Awaitable[frozenset[str]]]
"""Which of these bills (SHA-256s) of a book this region's store has."""


@dataclass(slots=True)
class ReplicationLookup:
    """`region` is this server's, `present` looks into its store."""

    server_id: str
    region: str
    pool: Pool
    peers: PeerClient
    present: Present

    async def status(self, book_id: UUID, op_ids: Sequence[str]) -> SyncStatus:
        """Say where operations of a book are. Raises ApiError (invalid_fields, store_unavailable)."""
        _check(op_ids)
        held = await self._everywhere(book_id, op_ids)
        regions = [self.region, *self.peers.other_regions]
        return SyncStatus(
            status_fold.fold(op_ids, held), regions, [each for each in regions if each not in held]
        )

    async def answer(self, question: StatusQuestion) -> PeerStatus:
        """Answer another server. Raises ApiError (invalid_fields, store_unavailable)."""
        _check_question(question)
        bills = {bill for each in question.operations for bill in each.bills}
        op_ids = [each.op_id for each in question.operations]
        held = await self._here(UUID(question.book_id), op_ids, bills)
        found = [
            HeldOperation(op_id, each.records, list(each.bills)) for op_id, each in held.operations.items()
        ]
        return PeerStatus(self.server_id, found, sorted(held.stored))

    async def arrived(self, identity: Identity, region: str) -> bool:
        """Say whether all that this device has written lately, and that is here, is in `region` too: asked
        there just now. What cannot be known has not arrived.
        """
        async with self.pool.connection() as connection:
            recent = await sync.recent_of_device(
                connection, identity.book_id, identity.device_id, _LATELY_SECONDS, _MOST_RECENT + 1
            )
            here = await sync.find_operations(connection, identity.book_id, recent)
        asked = [AskedOperation(str(op_id), []) for op_id in recent]
        if len(recent) > _MOST_RECENT:
            return False
        answers = await self.peers.status(region, str(identity.book_id), asked)
        there = _all(map(status_fold.operations_of, answers)).operations if answers is not None else {}
        records = {UUID(op_id): found.records for op_id, found in there.items()}
        return answers is not None and all(
            records.get(op_id, 0) >= found.records for op_id, found in here.items()
        )

    async def _everywhere(self, book_id: UUID, op_ids: Sequence[str]) -> dict[str, RegionOperations]:
        """Return what each region that answers holds, this one first."""
        here, others = await self._here(book_id, op_ids), self.peers.other_regions
        asked = [AskedOperation(op_id, _bills(here, op_id)) for op_id in dict.fromkeys(op_ids)]
        found = await asyncio.gather(*(self.peers.status(each, str(book_id), asked) for each in others))
        held = {self.region: here}
        for region, answers in zip(others, found, strict=True):
            if answers is not None:
                held[region] = _all(map(status_fold.operations_of, answers))
        unknown = {bill for op_id in op_ids for bill in status_fold.bills_of(op_id, held)} - here.bills
        if unknown:  # of operations that have not arrived here, though their bills may have
            held[self.region] = here.and_also(RegionOperations(stored=await self.present(book_id, unknown)))
        return held

    async def _here(
        self, book_id: UUID, op_ids: Iterable[str], bills: Collection[str] = ()
    ) -> RegionOperations:
        async with self.pool.connection() as connection:
            found = await sync.find_operations(connection, book_id, [UUID(op_id) for op_id in op_ids])
        asked = {*bills, *(bill for each in found.values() for bill in each.bills)}
        stored = await self.present(book_id, asked) if asked else frozenset()
        return RegionOperations({str(op_id): each for op_id, each in found.items()}, stored)


def _bills(held: RegionOperations, op_id: str) -> list[str]:
    found = held.operations.get(op_id)
    return list(found.bills) if found else []


def _all(parts: Iterable[RegionOperations]) -> RegionOperations:
    whole = RegionOperations()
    for part in parts:
        whole = whole.and_also(part)
    return whole


def _check(op_ids: Sequence[str]) -> None:
    if len(op_ids) > limits.MAX_SYNC_OPERATIONS:
        most = limits.MAX_SYNC_OPERATIONS
        raise InvalidFieldsError([FieldError("opIds", f"One call can ask for {most} operations.")])
    if not all(map(checks.is_uuid, op_ids)):
        raise InvalidFieldsError([FieldError("opIds", "That is not a UUID.")])


def _check_question(question: StatusQuestion) -> None:
    _check([each.op_id for each in question.operations])
    if not checks.is_uuid(question.book_id):
        raise InvalidFieldsError([FieldError("bookId", "That is not a UUID.")])
    if not all(checks.is_sha256(bill) for each in question.operations for bill in each.bills):
        raise InvalidFieldsError([FieldError("bills", "That is not a SHA-256.")])
