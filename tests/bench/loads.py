"""Replication: two regions that both have data already become one book."""

import statistics
import time
from typing import Final
from uuid import UUID

from tests.bench.groups import Group
from tests.bench.rows import Row, spread_of
from tests.bench.stage import Stage
from tests.support.mesh import mesh, subscribe_all, wait_until_copied, wait_until_equal
from tests.support.seed import Seed, load

_BOOK: Final = UUID(int=1)
_USER: Final = UUID(int=2)
_TIMES: Final = 3
_MOST_SECONDS: Final = 120.0


def replicated_load(stage: Stage) -> list[Row]:
    """`replicated_load_s@100k` in s: two clusters with 100,000 entries between them, 90,000 on both and
    5,000 on each alone, from the first subscription (`copy_data`) until every table is equal; three times."""
    seconds = [_load(stage, number) for number in range(_TIMES)]
    ours = statistics.median(seconds)
    spread = spread_of(seconds)
    return [Row("replicated_load_s@100k", "s", ours, "<= 15", len(seconds), _TIMES, spread=spread)]


def _load(stage: Stage, number: int) -> float:
    with mesh(stage.folder / f"mesh{number}", "a", "b") as (a, b):
        load(a.url, Seed(_BOOK, _USER, 1, 95_000, per_day=60))
        load(b.url, Seed(_BOOK, _USER, 5_001, 100_000, per_day=60))
        began = time.monotonic()
        subscribe_all([a, b])
        wait_until_copied([a, b], _MOST_SECONDS)
        wait_until_equal([a, b], _MOST_SECONDS)
        return time.monotonic() - began


GROUPS: Final = (Group("replicated_load", ("replicated_load_s@100k",), replicated_load),)
