"""Where this computer's changes are: one fold over {operation → regions that have it}. Pure.

Every tick of the listing, “37 of 40 …” and what may be let go of come from here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, NamedTuple

SAFE_REGIONS: Final = 2
"""A change that is in so many regions outlives the loss of one; a cluster may have fewer."""


@dataclass(frozen=True, slots=True)
class ReplicationStatus:
    """The replication status of one operation, or of `count` operations with the same status and no `op_id`.

    `rows` are the regions known to have its row, `bytes` those known to have every bill of it, as found
    during the pinning `pin_id`. `server` in `region` confirmed it at `at_us` (µs since 1970);
    0 means that it is on this computer only.
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
        """The regions that have it whole."""
        return self.rows & self.bytes


def is_here(operation: ReplicationStatus, region: str, pin_id: str) -> bool:
    """Say whether an operation was found whole in `region` during this stay there: what was there before may
    have been lost with all of the region since."""
    return operation.pin_id == pin_id and region in operation.regions


class Arrived(NamedTuple):
    """How many of so many operations are whole in a region, and how many were not looked up there yet."""

    here: int
    total: int
    unknown: int = 0


def arrived(operations: Iterable[ReplicationStatus], region: str, pin_id: str) -> Arrived:
    """Count the operations that are whole in `region`."""
    here = total = unknown = 0
    for each in operations:
        total += each.count
        here += each.count * is_here(each, region, pin_id)
        unknown += each.count * (each.pin_id != pin_id and bool(each.pin_id or each.rows))
    return Arrived(here, total, unknown)


def is_settled(operation: ReplicationStatus, region: str, pin_id: str, regions: int) -> bool:
    """Say whether there is nothing to look up of an operation: it is here, and safe."""
    return is_here(operation, region, pin_id) and is_safe(operation, regions)


def is_safe(operation: ReplicationStatus, regions: int) -> bool:
    """Say whether this computer may let go of an operation, in a cluster of so many regions."""
    return len(operation.regions) >= min(SAFE_REGIONS, max(regions, 1))


def by_entry(operations: Iterable[ReplicationStatus]) -> dict[str, ReplicationStatus]:
    """Return, for each entry, where its last change is."""
    found: dict[str, ReplicationStatus] = {}
    for operation in sorted(operations, key=lambda each: (each.ver, each.op_id)):
        found[operation.entry_id] = operation
    return found


def overdue(operations: Iterable[ReplicationStatus], regions: int, before_us: int) -> int:
    """Count the operations that were confirmed before `before_us` and are still in too few regions."""
    return sum(each.count for each in operations if 0 < each.at_us < before_us and not is_safe(each, regions))
