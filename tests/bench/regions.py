"""Campaigns on regions in a mesh: whole regions are killed or destroyed under load. Run only by name.

Parameters: BAHI_REGION_KILLS (default 120) and BAHI_REGION_CLIENTS (10) of `region_failover`, BAHI_DESTROYS
(6 rounds) and BAHI_DESTROY_ENTRIES (200 a round) of `region_lost`, BAHI_REGION_SEED of both.
"""

import os
from pathlib import Path
from typing import Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row, percentile, spread_of
from tests.bench.stage import Stage
from tests.support.failovers import histogram
from tests.support.kill_verdict import Verdict
from tests.support.region_failovers import Arrived, Held, Loss, RegionCampaign

KILLS: Final = 100
CLAIMS: Final = 1_000
ENTRIES: Final = 200
_HITS: Final[tuple[tuple[Loss, Held], ...]] = (
    ("servers", "rows"),
    ("region", "nothing"),
    ("region", "rows"),
    ("servers", "bytes"),
    ("servers", "nothing"),
    ("region", "bytes"),
)
_DESTROYED: Final[tuple[Held, ...]] = ("rows", "nothing", "bytes")


def region_failover(stage: Stage) -> list[Row]:
    """From the loss of all servers of a region, in half of the hits of its PostgreSQL too, to each client's
    next success in the other region (s), and whether “All your data is here.” was true each time, and how
    long after the fact it was said. Two of three hits hold replication, or the copying of bytes, back."""
    rounds, clients = _number("BAHI_REGION_KILLS", 120), _number("BAHI_REGION_CLIENTS", 10)
    with RegionCampaign(_folder(stage, "regions"), clients, seed=_seed(), say=report.say) as campaign:
        campaign.start_clients()
        for number in range(rounds):
            loss, held = _HITS[number % len(_HITS)]
            _hit(campaign, f"{number + 1}/{rounds}", loss, held)
        verdict = campaign.finish()
    delays, arrived = campaign.result.delays, campaign.arrived
    report.say(histogram(delays))
    _say_stages(campaign)
    report.say(f"  {verdict}\n  {_arrivals(arrived)}")
    hits, spread = campaign.result.hits, spread_of(delays)
    p50, p99 = (percentile(delays, share) for share in (0.5, 0.99))
    shown = f"{verdict.shown} shown as saved, {verdict.bills} bills, seed {_seed()}"
    return [
        Row(
            "region_failover_p50", "s", p50, "<= 8", hits, KILLS, spread=spread, note=f"{len(delays)} delays"
        ),
        Row("region_failover_p99", "s", p99, "<= 12", hits, KILLS, spread=spread),
        Row("region_failover_lost", "entries", _wrong(verdict), "<= 0", hits, KILLS, note=shown),
        Row("region_failover_doubled", "entries", verdict.doubled, "<= 0", hits, KILLS),
        *_arrived_rows(arrived),
    ]


def region_lost(stage: Stage) -> list[Row]:
    """`region_lost_entries`: entries that are not complete, bills' bytes included, in the next region after
    the database and the store of the region that had just confirmed them were destroyed."""
    rounds, entries = _number("BAHI_DESTROYS", 6), _number("BAHI_DESTROY_ENTRIES", ENTRIES)
    with RegionCampaign(_folder(stage, "lost"), 6, seed=_seed(), pause=0.1, say=report.say) as campaign:
        campaign.start_clients()
        for number in range(rounds):
            _hit(campaign, f"{number + 1}/{rounds}", "destroy", _DESTROYED[number % len(_DESTROYED)], entries)
        verdict = campaign.finish()
    report.say(f"  {verdict}\n  {_arrivals(campaign.arrived)}")
    seconds = ", ".join(f"{took:.1f}" for took in campaign.rejoined)
    report.say(f"  a region that was made anew had all again, and its servers answered, after {seconds} s")
    note = (
        f"{rounds} regions destroyed, {campaign.lagged_rounds} while entries were missing in the other; "
        f"{campaign.missing} never came, {verdict.shown} shown as saved, {verdict.bills} bills"
    )
    lost, lagged = campaign.missing + _wrong(verdict) + verdict.doubled, 2 * campaign.lagged_rounds >= rounds
    samples = campaign.confirmed if lagged else 0
    return [Row("region_lost_entries", "entries", lost, "<= 0", samples, ENTRIES, note=note)]


def _hit(campaign: RegionCampaign, number: str, loss: Loss, held: Held, entries: int = 0) -> None:
    victim = campaign.fullest()
    delays = campaign.lose(loss, held, entries)
    report.say(
        f"  {number} {loss} of {victim}, {held} held back: {len(delays)} clients, "
        f"{min(delays):.2f} to {max(delays):.2f} s; {_arrivals(campaign.arrived)}"
    )


def _arrived_rows(arrived: Arrived) -> list[Row]:
    """Half of the claims must be of clients of whose entries some really lagged; else none counts."""
    counted = arrived.claims if 2 * arrived.lagged >= arrived.claims else 2 * arrived.lagged
    looked = percentile(arrived.looked, 0.99) if arrived.looked else 0.0
    note = f"{arrived.lagged} of {arrived.claims} really lagged; looked at within {looked:.3f} s (p99)"
    p99 = percentile(arrived.delays, 0.99) if arrived.delays else 0.0
    spread = spread_of(arrived.delays) if arrived.delays else ""
    return [
        Row("arrived_too_early", "claims", arrived.early, "<= 0", counted, CLAIMS, note=note),
        Row("arrived_delay_p99", "s", p99, "<= 1", len(arrived.delays), CLAIMS // 2, spread=spread),
    ]


def _arrivals(arrived: Arrived) -> str:
    delays = arrived.delays or [0.0]
    return (
        f"{arrived.claims} claims, {arrived.lagged} lagged, {arrived.early} too early, "
        f"after the fact p50 {percentile(delays, 0.5):.2f}, p99 {percentile(delays, 0.99):.2f} s"
    )


def _say_stages(campaign: RegionCampaign) -> None:
    for stage, seconds in sorted(campaign.result.stages.items(), key=lambda each: percentile(each[1], 0.5)):
        shown = f"half within {percentile(seconds, 0.5):.2f} s, 99 % within {percentile(seconds, 0.99):.2f} s"
        report.say(f"  {stage:<18} {len(seconds):>4} times, {shown}")


def _wrong(verdict: Verdict) -> int:
    """Entries that are not there, or not as they were saved."""
    altered = verdict.changed + verdict.half + verdict.bills_differ + verdict.stuck + verdict.totals_differ
    return verdict.lost + altered


def _folder(stage: Stage, name: str) -> Path:
    folder = stage.folder / name
    folder.mkdir()
    return folder


def _number(variable: str, default: int) -> int:
    return int(os.environ.get(variable, str(default)))


def _seed() -> int:
    return _number("BAHI_REGION_SEED", 1)


_FAILOVER: Final = ("p50", "p99", "lost", "doubled")
GROUPS: Final = (
    Group(
        "region_failover",
        (*(f"region_failover_{name}" for name in _FAILOVER), "arrived_too_early", "arrived_delay_p99"),
        region_failover,
        campaign=True,
    ),
    Group("region_lost", ("region_lost_entries",), region_lost, campaign=True),
)
