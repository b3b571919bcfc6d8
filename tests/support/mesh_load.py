"""Writes to several regions through the API at a given rate, while the mesh changes."""

import itertools
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from server.contract.shapes import EntrySaved
from tests.bench.programs.mesh_writer import Done, Order
from tests.support.api import PASSWORD, BookApi
from tests.support.mesh_campaign import ended, started

_MOST_SECONDS: Final = 900
_THREADS: Final = 3


@dataclass(slots=True)
class Wave:
    """What writers did: operations (how many records of each were taken) and, for each region, when each
    operation began and was confirmed."""

    acknowledged: dict[str, int] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    times: list[list[tuple[float, float]]] = field(default_factory=list)

    def take(self, done: Done) -> None:
        """Add what one region's writer did."""
        self.acknowledged |= done.acknowledged
        self.refused.update(done.refused)
        self.kinds.update(done.kinds)
        self.times.append(sorted(done.times, key=lambda each: each[1]))

    def longest(self, since: float) -> float:
        """Return how long the longest operation took that was confirmed after `since`, in seconds."""
        return max((end - began for times in self.times for began, end in times if end > since), default=0.0)

    def widest_gap(self, since: float) -> float:
        """Return the longest time in which nothing was confirmed in a region, in seconds."""
        moments = [[since, *(end for _, end in times if end > since)] for times in self.times]
        return max((after - before for each in moments for before, after in pairwise(each)), default=0.0)

    def per_second(self, since: float) -> float:
        """Return the pace of all regions together."""
        moments = [end for times in self.times for _, end in times if end > since]
        return len(moments) / (max(moments) - since) if moments else 0.0


class Load:
    """`servers` are one server's URL for each region; everybody changes `hot`, the entries of each of
    `books`, in every region."""

    def __init__(
        self,
        servers: Mapping[str, str],
        books: Sequence[BookApi],
        hot: Sequence[Sequence[EntrySaved]],
        seed: int,
    ) -> None:
        self._servers = servers
        self._books = [book.signed_in.user_name for book in books]
        self._hot = [[(saved.entry.id, saved.entry.ver) for saved in entries] for entries in hot]
        self._seed = seed
        self._numbers = itertools.count(1)

    def write(self, codes: Sequence[str], operations: int) -> Wave:
        """Let each region of `codes` take its part of so many operations, as fast as it goes."""
        wave = Wave()
        with self._writing(codes, -(-operations // len(codes)), 0.0, wave):
            pass
        return wave

    @contextmanager
    def writing(self, codes: Sequence[str], pace: float) -> Iterator[Wave]:
        """Write in each region of `codes`, so many operations a second in each, until the block ends; then
        the wave has all that was done."""
        wave = Wave()
        with self._writing(codes, int(pace * _MOST_SECONDS), pace, wave) as writers:
            yield wave
            for writer in writers:
                writer.terminate()

    @contextmanager
    def _writing(
        self, codes: Sequence[str], operations: int, pace: float, wave: Wave
    ) -> Iterator[list["subprocess.Popen[bytes]"]]:
        writers = [started(self._order(code, codes, operations, pace)) for code in codes]
        try:
            yield writers
            for writer in writers:
                wave.take(ended(writer))
        finally:
            for writer in writers:
                writer.kill()
                writer.wait()

    def _order(self, code: str, codes: Sequence[str], operations: int, pace: float) -> Order:
        number = next(self._numbers)
        return Order(
            urls=[self._servers[code], *(self._servers[other] for other in codes if other != code)],
            books=self._books,
            password=PASSWORD,
            hot=self._hot,
            operations=operations,
            threads=_THREADS,
            seed=self._seed,
            prefix=f"W{number:02}",
            pace=pace,
        )
