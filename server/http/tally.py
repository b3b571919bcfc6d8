"""Counts of the calls that were answered, for /metrics. Pure: added in the event loop, read when asked."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the histogram's buckets, in seconds; one more is open."""


@dataclass(slots=True)
class Histogram:
    """How many calls fell into each bucket, and their seconds together."""

    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0

    def add(self, seconds: float) -> None:
        """Count one call."""
        self.buckets[bisect_left(BOUNDS, seconds)] += 1
        self.seconds += seconds


@dataclass(slots=True)
class Tally:
    """`calls` counts by (route, method, status); a route is a template of the API, never an address."""

    calls: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    latencies: dict[str, Histogram] = field(default_factory=dict)

    def add(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one call."""
        self.calls[route, method, status] += 1
        self.latencies.setdefault(route, Histogram()).add(seconds)
