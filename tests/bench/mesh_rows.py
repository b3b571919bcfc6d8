"""The mesh campaign: three regions are written to while postmasters and servers are killed. Run only by name.

BAHI_MESH_CHANGES (default 51,000), BAHI_MESH_KILLS (12), BAHI_MESH_CATCH_UP (20,000 entries that a region
hears of all at once) and BAHI_MESH_SEED are the parameters of `mesh`, BAHI_FULL_LOAD (1,000,000 entries that
a new region takes over) that of `full_load`.
"""

import os
import time
from typing import Final
from uuid import UUID

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row, percentile, spread_of
from tests.bench.stage import Stage
from tests.support.mesh import mesh, mesh_of, wait_until_equal
from tests.support.mesh_campaign import MeshCampaign, Result
from tests.support.seed import Seed, load

CHANGES: Final = 50_000
_ASKED: Final = 51_000  # a few are given up on: somebody else voided the entry
KILLS: Final = 10
_MS: Final = 1_000
_LAGS: Final = 100
_FULL: Final = 1_000_000
_MOST_SECONDS: Final = 1_800.0


def mesh_rows(stage: Stage) -> list[Row]:
    """Rows that differ between regions or from what follows from the journal, acknowledged operations that a
    region lacks, ms from confirmed to readable in another region under load, s from the last write until all
    are equal, and journal rows per second with which a region that heard nothing catches up."""
    folder = stage.folder / "mesh_campaign"
    folder.mkdir()
    with MeshCampaign(folder, seed=_number("BAHI_MESH_SEED", 1)) as campaign:
        campaign.write(_number("BAHI_MESH_CHANGES", _ASKED), _number("BAHI_MESH_KILLS", 12))
        _say(campaign.result)
        campaign.catch_up(_number("BAHI_MESH_CATCH_UP", 20_000))
        return _rows(campaign.result)


def full_load(stage: Stage) -> list[Row]:
    """`joined_load_s@1m` in s: an empty region joins one with a million entries, until both hold the same."""
    entries = _number("BAHI_FULL_LOAD", _FULL)
    with mesh(stage.folder / "full", "a", "b") as (a, b):
        load(a.url, Seed(UUID(int=1), UUID(int=2), 1, entries, per_day=600))
        began = time.monotonic()
        mesh_of([a, b]).join("b")
        joined = time.monotonic() - began
        counts = wait_until_equal([a, b], _MOST_SECONDS)
        took = time.monotonic() - began
    note = f"{counts['journal'][0]} rows of the journal; `join` returned after {joined:.0f} s"
    return [Row("joined_load_s@1m", "s", took, "<= 300", entries, _FULL, note=note)]


def _rows(found: Result) -> list[Row]:
    changes = found.acknowledged if found.killed.total() >= KILLS else 0
    lags = [seconds * _MS for seconds in found.lags] or [0.0]
    p50, p99 = (percentile(lags, share) for share in (0.5, 0.99))
    note = f"{found.killed.total()} kills: {dict(found.killed)}, {found.refused.total()} refused"
    rate = found.changes / found.caught_up
    caught_up = f"{found.changes} rows after a silence, in {found.caught_up:.1f} s"
    return [
        Row("mesh_diverged_rows", "rows", found.diverged, "<= 0", changes, CHANGES, note=note),
        Row("mesh_lost", "operations", found.lost, "<= 0", changes, CHANGES),
        Row("lag_p50", "ms", p50, "<= 100", len(found.lags), _LAGS, spread=spread_of(lags)),
        Row("lag_p99", "ms", p99, "<= 1000", len(found.lags), _LAGS),
        Row("converge_s", "s", found.converged, "<= 10", changes, CHANGES),
        Row("replicated_per_s", "rows/s", rate, ">= 1000", found.changes, 20_000, note=caught_up),
    ]


def _say(found: Result) -> None:
    report.say(
        f"  {found.acknowledged} changes acknowledged in {found.seconds:.0f} s "
        f"({found.acknowledged / found.seconds:.0f}/s), {dict(found.killed)} killed"
    )
    report.say(f"  {dict(found.kinds)}\n  refused: {dict(found.refused)}")
    report.say(
        f"  equal {found.converged:.2f} s after the last write; {found.diverged} differ, {found.lost} lost"
    )
    report.say(f"  (subscription, apply errors, copy errors, insert conflicts): {found.apply_errors}")


def _number(variable: str, default: int) -> int:
    return int(os.environ.get(variable, str(default)))


_NAMES: Final = ("mesh_diverged_rows", "mesh_lost", "lag_p50", "lag_p99", "converge_s", "replicated_per_s")
GROUPS: Final = (
    Group("mesh", _NAMES, mesh_rows, campaign=True),
    Group("full_load", ("joined_load_s@1m",), full_load, campaign=True),
)
