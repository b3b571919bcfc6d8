"""The rows that each measurement gives, and the selection of measurements for a run."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.rows import Row
from tests.bench.stage import Stage


@dataclass(frozen=True, slots=True)
class Group:
    """One measurement and the rows that it gives; a campaign runs only where it is named."""

    name: str
    rows: tuple[str, ...]
    measure: Callable[[Stage], list[Row]]
    campaign: bool = False

    def wanted(self, only: Sequence[str]) -> tuple[str, ...]:
        """Return the rows that `only` takes: a row's name with or without its size, a group's, or a prefix
        that ends in `_`; without any everything but the campaigns."""
        if not only:
            return () if self.campaign else self.rows
        return tuple(row for row in self.rows if any(_takes(pattern, row, self.name) for pattern in only))


def _takes(pattern: str, row: str, group: str) -> bool:
    if pattern.endswith("_"):
        return row.startswith(pattern)
    return pattern in {row, row.partition("@")[0], group}
