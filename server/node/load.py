"""Measures the load of this server: the highest of calls in flight, processor time and connections in use."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from server.contract.cluster import Load
from server.db.pool import Pool
from server.node.pinned_sessions import PinnedSessions

_SAMPLES: Final = 15
_LATENCIES: Final = 512
_SAMPLE_SECONDS: Final = 1.0


@dataclass(slots=True)
class LoadMeter:
    """Measures the load. `capacity` is the number of calls in flight that counts as full load.

    Used in one event loop only.
    """

    capacity: int
    pool_use: Callable[[], float]
    pinned: PinnedSessions
    clock: Callable[[], float]
    in_flight: int = 0
    moves: int = 0
    _samples: deque[float] = field(default_factory=lambda: deque(maxlen=_SAMPLES))
    _latencies: deque[float] = field(default_factory=lambda: deque(maxlen=_LATENCIES))
    _last: tuple[float, float] = (0.0, 0.0)

    def __post_init__(self) -> None:
        self._last = _now_and_spent()

    def began(self) -> None:
        """Count a call that begins."""
        self.in_flight += 1

    def ended(self, milliseconds: float) -> None:
        """Count a call that was answered after so many milliseconds."""
        self.in_flight -= 1
        self._latencies.append(milliseconds)

    def sample(self) -> None:
        """Take one sample."""
        now, spent = _now_and_spent()
        before, spent_before = self._last
        self._last = now, spent
        # One event loop can use one processor, so the share of it is 0–1. Threads may add to it.
        processor = (spent - spent_before) / (now - before) if now > before else 0.0
        self._samples.append(min(1.0, max(self.in_flight / self.capacity, processor, self.pool_use())))

    @property
    def utilisation(self) -> float:
        """The mean of the last 15 s, 0–1."""
        return sum(self._samples) / len(self._samples) if self._samples else 0.0

    def report(self) -> Load:
        """Return the load that a heartbeat carries."""
        return Load(
            utilisation=round(self.utilisation, 4),
            in_flight=self.in_flight,
            capacity=self.capacity,
            p95_ms=round(_p95(self._latencies), 1),
            locks=self.pinned.count(self.clock()),
            moves=self.moves,
        )

    async def keep_sampling(self) -> None:
        """Take a sample each second until cancelled."""
        while True:
            await asyncio.sleep(_SAMPLE_SECONDS)
            self.sample()


def use_of(pool: Pool) -> float:
    """Return the share of the pool's connections that is in use, 0–1; 1 if a call waits for one."""
    stats: dict[str, Any] = pool.get_stats()
    if stats.get("requests_waiting", 0):
        return 1.0
    in_use: int = stats.get("pool_size", 0) - stats.get("pool_available", 0)
    return in_use / max(1, pool.max_size)


def _p95(latencies: deque[float]) -> float:
    if not latencies:
        return 0.0
    return sorted(latencies)[math.ceil(len(latencies) * 0.95) - 1]


def _now_and_spent() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()
