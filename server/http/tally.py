"""Counts of answered calls for /metrics. Pure: used in one event loop only, so it needs no lock."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

# The upper bounds of the histogram's buckets, in seconds. One more bucket has no bound.
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class Histogram:
    """The number of calls in each bucket, and the sum of their durations in seconds."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one call."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Tally:
    """Counts calls by (route, method, status), and their durations by route.

    A route is a template such as `/v1/entries/{id}`, never a path.
    """

    calls: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    latencies: dict[str, Histogram] = field(default_factory=dict)

    def add(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one call."""
        self.calls[route, method, status] += 1
        self.latencies.setdefault(route, Histogram()).add(seconds)
