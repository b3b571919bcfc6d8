"""Where operations are: what each region found, folded into what may be said of it. Pure.

A region has an operation once it has every record of it; how many there are, the region with most of them
tells. Nothing is said of a region that did not answer, nor of a bill that nobody was asked for.
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
    """What one region found just now: operations by op_id, and which bills its store has."""

    operations: dict[str, Found] = field(default_factory=dict)
    stored: frozenset[str] = frozenset()

    @property
    def bills(self) -> frozenset[str]:
        """The bills of its operations."""
        return frozenset(bill for found in self.operations.values() for bill in found.bills)

    def and_also(self, other: "RegionOperations") -> "RegionOperations":
        """Return both, of one region."""
        return RegionOperations(self.operations | other.operations, self.stored | other.stored)


def operations_of(answer: PeerStatus) -> RegionOperations:
    """Return what a peer says."""
    found = {each.op_id: Found(each.records, tuple(each.bills)) for each in answer.operations}
    return RegionOperations(found, frozenset(answer.stored))


def bills_of(op_id: str, held: Mapping[str, RegionOperations]) -> frozenset[str]:
    """Return the bills that an operation brings, as far as any region knows."""
    return frozenset(bill for each in held.values() if (f := each.operations.get(op_id)) for bill in f.bills)


def fold(op_ids: Sequence[str], held: Mapping[str, RegionOperations]) -> list[OperationStatus]:
    """Return the status of each operation, in the order asked, by what the regions (its keys) hold."""
    return [_status(op_id, held) for op_id in op_ids]


def _status(op_id: str, held: Mapping[str, RegionOperations]) -> OperationStatus:
    records = {
        region: each.operations[op_id].records for region, each in held.items() if op_id in each.operations
    }
    if not records:
        return OperationStatus(op_id, [], [])
    whole, bills = max(records.values()), bills_of(op_id, held)
    return OperationStatus(
        op_id,
        row_in=[region for region in held if records.get(region) == whole],
        bytes_in=[region for region, each in held.items() if bills <= each.stored],
    )
