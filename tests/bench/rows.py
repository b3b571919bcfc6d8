"""A row of the table: the measurement, its reference, and whether the goal is met. Pure."""

import operator
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

_HOLDS: Final[dict[str, Callable[[float, float], bool]]] = {">=": operator.ge, "<=": operator.le}


@dataclass(frozen=True, slots=True)
class Row:
    """`goal` is about `ratio` (ours / limit) where there is a limit, about `ours` where there is none.

    `ours` and `limit` are medians in `unit`; `needed` is how many samples the row says it needs; `spread` and
    `note` are for the reader of the table only.
    """

    name: str
    unit: str
    ours: float
    goal: str
    samples: int
    needed: int
    limit: float | None = None
    spread: str = ""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours over the limit, None where there is none."""
        return self.ours / self.limit if self.limit else None

    @property
    def ok(self) -> bool:
        """Return whether the goal holds, over as many samples as the row needs."""
        judged = self.ours if self.limit is None else self.ratio
        return self.samples >= self.needed and judged is not None and holds(self.goal, judged)

    def as_json(self) -> dict[str, Any]:
        """Return what `build/bench.json` holds of it."""
        return {
            "name": self.name,
            "unit": self.unit,
            "ours": rounded(self.ours),
            "limit": None if self.limit is None else rounded(self.limit),
            "ratio": None if self.ratio is None else rounded(self.ratio),
            "goal": self.goal,
            "ok": self.ok,
            "samples": self.samples,
        }


def holds(goal: str, value: float) -> bool:
    """Return whether `value` meets a goal such as ">= 0.55". Raises KeyError or ValueError otherwise."""
    sign, _, number = goal.partition(" ")
    return _HOLDS[sign](value, float(number))


def rounded(value: float) -> float:
    """Return four significant digits: more would claim more than was measured."""
    return float(f"{value:.4g}")


def spread_of(samples: Sequence[float]) -> str:
    """Return the least and the greatest."""
    return f"{rounded(min(samples)):g}–{rounded(max(samples)):g}"


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the sample below which `share` (0 to 1) of them lie."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


@dataclass(frozen=True, slots=True)
class Pair:
    """Samples of ours and of the limit, taken in turns."""

    ours: tuple[float, ...]
    limit: tuple[float, ...]

    def row(self, name: str, unit: str, goal: str, needed: int, note: str = "") -> Row:
        """Return the row of the two medians."""
        return Row(
            name=name,
            unit=unit,
            ours=statistics.median(self.ours),
            limit=statistics.median(self.limit),
            goal=goal,
            samples=min(len(self.ours), len(self.limit)),
            needed=needed,
            spread=f"{spread_of(self.ours)} | {spread_of(self.limit)}",
            note=note,
        )


def in_turns(ours: Callable[[], float], limit: Callable[[], float], rounds: int, warm: int = 1) -> Pair:
    """Measure both `rounds` times, the first one changing each round; `warm` rounds before do not count."""
    taken: list[tuple[float, float]] = []
    for number in range(warm + rounds):
        if number % 2:
            second = limit()
            pair = (ours(), second)
        else:
            pair = (ours(), limit())
        if number >= warm:
            taken.append(pair)
    return Pair(tuple(a for a, _ in taken), tuple(b for _, b in taken))
