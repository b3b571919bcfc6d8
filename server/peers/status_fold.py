"""Combines what each region found into the replication status of operations. Pure.

A region has an operation once it has all of its records. A region may have only some of them, so their number
is taken from the region that has most. Nothing is assumed of a region that did not answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.contract.cluster_calls import (
    OperationStatus,
)
from server.contract.peers import PeerStatus
from server.journal.sync import Found


@dataclass(frozen=True, slots=True)
class RegionOperations:
    """What was found in one region: operations by op_id, and the SHA-256s of the bills in its store."""

    operations: dict[str, Found] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()

    @property
    def bills(self) -> frozenset[str]:
        """The SHA-256s of the bills of its operations, whether the store has them or not."""
        return frozenset(bill for found in self.operations.values() for bill in found.bills)

    def and_also(self, other: "RegionOperations") -> "RegionOperations":
        """Return the union of two findings in the same region."""
        return RegionOperations(self.operations | other.operations, self.stored | other.stored)


def operations_of(answer: PeerStatus) -> RegionOperations:
    """Return the findings in a peer's answer."""
    found = {each.op_id: Found(each.records, tuple(each.bills)) for each in answer.operations}
    return RegionOperations(found, frozenset(answer.stored))


def bills_of(op_id: str, found: Mapping[str, RegionOperations]) -> frozenset[str]:
    """Return the SHA-256s of an operation's bills, as far as any region knows them."""
    return frozenset(bill for each in found.values() if (f := each.operations.get(op_id)) for bill in f.bills)


def fold(op_ids: Sequence[str], found: Mapping[str, RegionOperations]) -> list[OperationStatus]:
    """Return the status of each of `op_ids`, in this order. `found` maps a region to what was found there."""
    return [_status(op_id, found) for op_id in op_ids]


def _status(op_id: str, found: Mapping[str, RegionOperations]) -> OperationStatus:
    records = {
        region: each.operations[op_id].records for region, each in found.items() if op_id in each.operations
    }
    # If no region has the row, nobody knows its bills, so nothing can be said about them either.
    if not records:
        return OperationStatus(op_id, [], [])
    complete, bills = max(records.values()), bills_of(op_id, found)
    return OperationStatus(
        op_id,
        row_in=[region for region in found if records.get(region) == complete],
        bytes_in=[region for region, each in found.items() if bills <= each.stored],
    )
