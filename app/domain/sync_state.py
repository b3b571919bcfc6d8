"""Where this computer's changes are: one fold over {operation → regions that have it}. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """One operation, and the regions in which its row is known to be; none: on this computer only."""

    op_id: str
    regions: frozenset[str] = frozenset()


def arrived(operations: Iterable[Whereabouts], region: str) -> tuple[int, int]:
    """Return how many of the operations are in `region`, and how many there are."""
    found = [region in operation.regions for operation in operations]
    return sum(found), len(found)
