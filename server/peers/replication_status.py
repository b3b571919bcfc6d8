"""Looks up in which regions a book's operations and their bills are."""

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

# A session may move to another region once the operations of this time have arrived there. Older ones have
# arrived long since, unless replication is broken, and `replication status` shows that.
_RECENT_SECONDS: Final = 900
# A device with more recent operations does not move: comparing them would take too long.
_MAX_RECENT: Final = 1_000
# Takes a book and SHA-256s; returns those of the bills that this region's store has.
Present = Callable[[UUID, Collection[str]], Awaitable[frozenset[str]]]


@dataclass(slots=True)
class ReplicationLookup:
    """Looks up operations in this server's `region`, and asks the other regions about them.

    `present` returns which bills the store of this region has.
    """

    server_id: str
    region: str
    pool: Pool
    peers: PeerClient
    present: Present

    async def status(self, book_id: UUID, op_ids: Sequence[str]) -> SyncStatus:
        """Return the status of operations. Raises ApiError (invalid_fields, store_unavailable)."""
        _check(op_ids)
        found = await self._everywhere(book_id, op_ids)
        regions = [self.region, *self.peers.other_regions]
        silent = [each for each in regions if each not in found]
        return SyncStatus(status_fold.fold(op_ids, found), regions, silent)

    async def answer(self, question: StatusQuestion) -> PeerStatus:
        """Answer the question of another server. Raises ApiError (invalid_fields, store_unavailable)."""
        _check_question(question)
        bills = {bill for each in question.operations for bill in each.bills}
        op_ids = [each.op_id for each in question.operations]
        here = await self._here(UUID(question.book_id), op_ids, bills)
        found = [
            HeldOperation(op_id, each.records, list(each.bills)) for op_id, each in here.operations.items()
        ]
        return PeerStatus(self.server_id, found, sorted(here.stored))

    async def arrived(self, identity: Identity, region: str) -> bool:
        """Return whether every recent operation of this device in this region has arrived in `region`.

        Returns False if `region` does not answer.
        """
        async with self.pool.connection() as connection:
            # One more than the limit, to find out whether there are more.
            recent = await sync.recent_of_device(
                connection, identity.book_id, identity.device_id, _RECENT_SECONDS, _MAX_RECENT + 1
            )
            here = await sync.find_operations(connection, identity.book_id, recent)
        asked = [AskedOperation(str(op_id), []) for op_id in recent]
        if len(recent) > _MAX_RECENT:
            return False
        # `region` is asked even if there are no recent operations: it must be reachable to move there.
        answers = await self.peers.status(region, str(identity.book_id), asked)
        there = _all(map(status_fold.operations_of, answers)).operations if answers is not None else {}
        records = {UUID(op_id): found.records for op_id, found in there.items()}
        return answers is not None and all(
            records.get(op_id, 0) >= found.records for op_id, found in here.items()
        )

    async def _everywhere(self, book_id: UUID, op_ids: Sequence[str]) -> dict[str, RegionOperations]:
        """Return what was found in each region that answered, this one first."""
        here, others = await self._here(book_id, op_ids), self.peers.other_regions
        asked = [AskedOperation(op_id, _bills(here, op_id)) for op_id in dict.fromkeys(op_ids)]
        answered = await asyncio.gather(*(self.peers.status(each, str(book_id), asked) for each in others))
        found = {self.region: here}
        for region, answers in zip(others, answered, strict=True):
            if answers is not None:
                found[region] = _all(map(status_fold.operations_of, answers))
        # Bills of operations that have not arrived here. Their bytes may be here nevertheless, because an
        # upload comes before its entry, so look into the store once more.
        unknown = {bill for op_id in op_ids for bill in status_fold.bills_of(op_id, found)} - here.bills
        if unknown:
            found[self.region] = here.and_also(RegionOperations(stored=await self.present(book_id, unknown)))
        return found

    async def _here(
        self, book_id: UUID, op_ids: Iterable[str], bills: Collection[str] = ()
    ) -> RegionOperations:
        async with self.pool.connection() as connection:
            found = await sync.find_operations(connection, book_id, [UUID(op_id) for op_id in op_ids])
        asked = {*bills, *(bill for each in found.values() for bill in each.bills)}
        stored = await self.present(book_id, asked) if asked else frozenset()
        return RegionOperations({str(op_id): each for op_id, each in found.items()}, stored)


def _bills(here: RegionOperations, op_id: str) -> list[str]:
    found = here.operations.get(op_id)
    return list(found.bills) if found else []


def _all(parts: Iterable[RegionOperations]) -> RegionOperations:
    whole = RegionOperations()
    for part in parts:
        whole = whole.and_also(part)
    return whole


def _check(op_ids: Sequence[str]) -> None:
    if len(op_ids) > limits.MAX_SYNC_OPERATIONS:
        limit = limits.MAX_SYNC_OPERATIONS
        raise InvalidFieldsError([FieldError("opIds", f"One call can ask for {limit} operations at most.")])
    if not all(map(checks.is_uuid, op_ids)):
        raise InvalidFieldsError([FieldError("opIds", "That is not a UUID.")])


def _check_question(question: StatusQuestion) -> None:
    _check([each.op_id for each in question.operations])
    if not checks.is_uuid(question.book_id):
        raise InvalidFieldsError([FieldError("bookId", "That is not a UUID.")])
    if not all(checks.is_sha256(bill) for each in question.operations for bill in each.bills):
        raise InvalidFieldsError([FieldError("bills", "That is not a SHA-256.")])
