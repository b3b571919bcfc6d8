"""Rules on the replication status of this computer's changes. Pure.

The ticks of the listing, “37 of 40 …”, and the release from the replay log all follow from these rules.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

SAFE_REGIONS: Final = 2
"""A change in this many regions survives the loss of one. A cluster may have fewer regions."""


@dataclass(frozen=True, slots=True)
class ReplicationStatus:
    """The replication status of one operation, or of `count` operations with the same status and no `op_id`.

    `rows` are the regions known to have its row, `bytes` those known to have all of its bills, as found under
    the pin `pin_id`. `server` in `region` confirmed it at `at_us` (µs since 1970); 0 means that it is only on
    this computer.
    """

    op_id: str
    entry_id: str = ""
    ver: int = 0
    rows: frozenset[str] = frozenset()
    bytes: frozenset[str] = frozenset()
    server: str = ""
    at_us: int = 0
    region: str = ""
    count: int = 1
    pin_id: str = ""

    @property
    def regions(self) -> frozenset[str]:
        """The regions that have the row and all bills."""
        return self.rows & self.bytes


def is_here(operation: ReplicationStatus, region: str, pin_id: str) -> bool:
    """Return whether an operation was found complete in `region` under the pin `pin_id`."""
    # What was found under an earlier pin does not count: the region may have been lost and rebuilt since.
    return operation.pin_id == pin_id and region in operation.regions


class Arrived(NamedTuple):
    """Counts operations: how many are in a region, how many there are, and how many were not polled yet."""

    here: int
    total: int
    unknown: int = 0


def arrived(operations: Iterable[ReplicationStatus], region: str, pin_id: str) -> Arrived:
    """Count the operations that are complete in `region`."""
    here = total = unknown = 0
    for each in operations:
        total += each.count
        here += each.count * is_here(each, region, pin_id)
        unknown += each.count * (each.pin_id != pin_id and bool(each.pin_id or each.rows))
    return Arrived(here, total, unknown)


def is_settled(operation: ReplicationStatus, region: str, pin_id: str, regions: int) -> bool:
    """Return whether an operation need not be polled any more: it is in `region`, and safe."""
    return is_here(operation, region, pin_id) and is_safe(operation, regions)


def is_safe(operation: ReplicationStatus, regions: int) -> bool:
    """Return whether an operation is in enough regions, in a cluster with `regions` of them."""
    return len(operation.regions) >= min(SAFE_REGIONS, max(regions, 1))


def by_entry(operations: Iterable[ReplicationStatus]) -> dict[str, ReplicationStatus]:
    """Return the status of the last change of each entry, by entry id."""
    found: dict[str, ReplicationStatus] = {}
    for operation in sorted(operations, key=lambda each: (each.ver, each.op_id)):
        found[operation.entry_id] = operation
    return found


def overdue(operations: Iterable[ReplicationStatus], regions: int, before_us: int) -> int:
    """Count the operations that were confirmed before `before_us` and are not safe yet."""
    return sum(each.count for each in operations if 0 < each.at_us < before_us and not is_safe(each, regions))
