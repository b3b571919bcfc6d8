"""What each region holds, and which bills it is still to copy. Pure but for `look`."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.replication import units
from server.replication.node import Node

LATE_SECONDS: Final = 60.0
_MOST_COUNTED: Final = 500_000  # 0.04 s of a region's time, every two where it is watched


@dataclass(frozen=True, slots=True)
class RegionInventory:
    """`journal` counts rows, about where `is_estimate`; the others are of the bills whose rows came from
    another region and whose bytes have not. None is not known: the region is away, or its schema older."""

    code: str
    journal: int | None = None
    is_estimate: bool = False
    bills_to_copy: int | None = None
    bytes_to_copy: int | None = None
    oldest_seconds: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether a bill has been wanted for long."""
        return (self.oldest_seconds or 0) > LATE_SECONDS

    @property
    def what_is_to_copy(self) -> str:
        """How many bills, as a sentence."""
        bills = f"{self.bills_to_copy or 0:,} {'bill' if self.bills_to_copy == 1 else 'bills'}"
        return f"{self.code} is still to copy {bills} ({units.size(self.bytes_to_copy or 0)})."

    @property
    def sentence(self) -> str:
        """What to say of one that is late."""
        age = units.span(self.oldest_seconds or 0)
        return (
            f"{self.what_is_to_copy[:-1]}, the oldest for {age}: "
            "where that does not shrink, look into the log of its servers."
        )


def read_inventory(node: Node) -> RegionInventory:
    """Ask one region. Raises RegionError."""
    has_journal, has_wanted = node.rows("tables")[0]
    journal, is_estimate = _journal(node) if has_journal else (None, False)
    wanted = node.rows("wanted")[0] if has_wanted else (None, None, None)
    return RegionInventory(node.code, journal, is_estimate, *wanted)


def late_sentences(held: Iterable[RegionInventory]) -> str:
    """Return what is to be said of those that are late, "" where none is."""
    return " ".join(each.sentence for each in held if each.is_late)


def _journal(node: Node) -> tuple[int, bool]:
    about = int(node.value("about", {"table": "journal"}))
    return (about, True) if about > _MOST_COUNTED else (node.value("count_journal"), False)
