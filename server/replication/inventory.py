"""The inventory of a region: the size of its journal, and the bills that it must still copy.

Pure except for `read_inventory`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from server.replication import units
from server.replication.node import Node

LATE_SECONDS: Final = 60.0
# A longer journal is not counted but estimated. Counting this many rows takes a region 0.04 s, and
# `replication status --watch` does it every two seconds.
_COUNT_LIMIT: Final = 500_000


@dataclass(frozen=True, slots=True)
class RegionInventory:
    """What a region has.

    `journal` is the number of journal rows (an estimate if `is_estimate`). The other numbers are about bills
    whose rows arrived from another region and whose bytes did not yet. A number is None if it is not known,
    because the region cannot be reached or has an older schema.
    """

    code: str
    journal: int | None = None
    is_estimate: bool = False
    bills_to_copy: int | None = None
    bytes_to_copy: int | None = None
    oldest_seconds: float | None = None

    @property
    def is_late(self) -> bool:
        """Whether a bill has been waiting for its bytes for more than LATE_SECONDS."""
        return (self.oldest_seconds or 0) > LATE_SECONDS

    @property
    def to_copy_sentence(self) -> str:
        """A sentence on how many bills are to be copied."""
        bills = f"{self.bills_to_copy or 0:,} {'bill' if self.bills_to_copy == 1 else 'bills'}"
        return f"{self.code} still has to copy {bills} ({units.size(self.bytes_to_copy or 0)})."

    @property
    def sentence(self) -> str:
        """A sentence on a region that is late, with what to do."""
        age = units.span(self.oldest_seconds or 0)
        return (
            f"{self.to_copy_sentence[:-1]}, the oldest for {age}: "
            "if that does not shrink, see the log of its servers."
        )


def read_inventory(node: Node) -> RegionInventory:
    """Return the inventory of a region. Raises RegionError."""
    has_journal, has_queue = node.rows("tables")[0]
    journal, is_estimate = _journal(node) if has_journal else (None, False)
    to_copy = node.rows("wanted")[0] if has_queue else (None, None, None)
    return RegionInventory(node.code, journal, is_estimate, *to_copy)


def late_sentences(inventories: Iterable[RegionInventory]) -> str:
    """Return the sentences on the regions that are late, or "" if none is."""
    return " ".join(each.sentence for each in inventories if each.is_late)


def _journal(node: Node) -> tuple[int, bool]:
    about = int(node.value("about", {"table": "journal"}))
    return (about, True) if about > _COUNT_LIMIT else (node.value("count_journal"), False)
