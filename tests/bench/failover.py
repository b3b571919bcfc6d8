"""The failover campaigns: servers of a region are killed, stopped, cut off and drained. Run only by name.

Eight clients save entries with bills at one of two servers, and that server is hit; BAHI_KILLS, BAHI_STOPS,
BAHI_DROPS and BAHI_DRAINS say how often (defaults: 100, 30, 30, and 5 rounds over both servers with sixteen
clients), BAHI_FAILOVER_SEED at which moments.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row, percentile, spread_of
from tests.bench.stage import Stage
from tests.support import netns
from tests.support.failovers import Campaign, How, Result, histogram
from tests.support.kill_verdict import Verdict
from tests.support.node import ROOT

CLIENTS: Final = 8
DRAIN_CLIENTS: Final = 16
NEEDED: Final[dict[str, int]] = {"kill": 100, "stop": 30, "drop": 30, "drain": 10}
_GOALS: Final[dict[str, tuple[str, str]]] = {
    "kill": ("<= 4", "<= 8"),
    "stop": ("<= 8", "<= 12"),
    "drop": ("<= 8", "<= 12"),
}


def failover_kill(stage: Stage) -> list[Row]:
    """`failover_kill_p50`, `…_p99` in seconds from `kill -9` of a server to its client's next success."""
    return _measured(stage, "kill", _times("BAHI_KILLS", NEEDED["kill"]))


def failover_stop(stage: Stage) -> list[Row]:
    """The same from SIGSTOP: the server keeps its connections and says nothing."""
    return _measured(stage, "stop", _times("BAHI_STOPS", NEEDED["stop"]))


def failover_drop(stage: Stage) -> list[Row]:
    """The same from when all of a server's packets are dropped, both ways, in a network of its own."""
    rounds = _times("BAHI_DROPS", NEEDED["drop"])
    if reason := netns.why_not():
        report.say(f"failover_drop was not measured: {reason}")
        return [
            Row(f"failover_drop_{share}", "s", 0.0, goal, 0, NEEDED["drop"], note=reason)
            for share, goal in zip(("p50", "p99"), _GOALS["drop"], strict=True)
        ]
    folder = stage.folder / "drop"
    folder.mkdir()
    told = folder / "result.json"
    program = [sys.executable, "-m", "tests.bench.programs.packet_drops"]
    arguments = [str(folder), str(rounds), str(_seed()), str(told)]
    subprocess.run([*netns.own_network(), *program, *arguments], check=True, cwd=ROOT)
    return _rows("drop", _read(told))


def drain(stage: Stage) -> list[Row]:
    """`drain_failed_calls` while each server is drained in turn: calls that did not succeed at the first try,
    tasks whose parts went to two servers, and runs of the outbox that had to stop."""
    rounds = _times("BAHI_DRAINS", 5)
    with _campaign(stage, "drain", DRAIN_CLIENTS) as campaign:
        result = campaign.drain_in_turn(rounds)
    failed = result.failed.total() + result.broken + result.errors.total()
    report.say(f"drains: {dict(result.failed)}, {result.broken} tasks broken, {dict(result.errors)}")
    report.say(f"  {result.verdict}")
    wrong = _wrong(result.verdict)
    note = f"{DRAIN_CLIENTS} clients, {result.moves} moves"
    return [
        Row("drain_failed_calls", "calls", failed, "<= 0", result.hits, NEEDED["drain"], note=note),
        Row("drain_lost", "entries", wrong, "<= 0", result.hits, NEEDED["drain"], note=_shown(result)),
    ]


def run_campaign(folder: Path, how: How, rounds: int, seed: int, network: netns.Network | None) -> Result:
    """Hit `rounds` times; progress goes to standard output."""
    with Campaign(folder, CLIENTS, seed=seed, network=network, say=report.say) as campaign:
        return campaign.run(how, rounds)


def as_json(result: Result) -> str:
    """Return what a row needs of a result, for another process."""
    assert result.verdict is not None
    verdict = asdict(result.verdict)
    kept = {"hits": result.hits, "delays": result.delays, "stages": result.stages, "verdict": verdict}
    return json.dumps(kept)


def _measured(stage: Stage, how: How, rounds: int) -> list[Row]:
    folder = stage.folder / how
    folder.mkdir()
    return _rows(how, run_campaign(folder, how, rounds, _seed(), None))


def _campaign(stage: Stage, name: str, clients: int) -> Campaign:
    folder = stage.folder / name
    folder.mkdir()
    return Campaign(folder, clients, seed=_seed(), say=report.say)


def _rows(how: How, result: Result) -> list[Row]:
    report.say(f"{how}: seconds until a client's next success, {result.hits} hits, {CLIENTS} clients")
    report.say(histogram(result.delays))
    for stage, seconds in sorted(result.stages.items(), key=lambda each: percentile(each[1], 0.5)):
        shown = f"half within {percentile(seconds, 0.5):.2f} s, 99 % within {percentile(seconds, 0.99):.2f} s"
        report.say(f"  {stage:<18} {len(seconds):>4} times, {shown}")
    report.say(f"  {result.verdict}")
    needed, note = NEEDED[how], f"{len(result.delays)} clients' delays, seed {_seed()}"
    p50, p99 = (percentile(result.delays, share) for share in (0.5, 0.99))
    goals = _GOALS[how]
    prefix = "" if how == "kill" else f"failover_{how}_"
    lost, doubled = f"{prefix}lost", f"{prefix}doubled"
    spread = spread_of(result.delays)
    return [
        Row(f"failover_{how}_p50", "s", p50, goals[0], result.hits, needed, spread=spread, note=note),
        Row(f"failover_{how}_p99", "s", p99, goals[1], result.hits, needed, spread=spread),
        Row(lost, "entries", _wrong(result.verdict), "<= 0", result.hits, needed, note=_shown(result)),
        Row(doubled, "entries", _doubled(result.verdict), "<= 0", result.hits, needed),
    ]


def _wrong(verdict: Verdict | None) -> int:
    """Entries that are not there, or not as they were saved."""
    assert verdict is not None
    altered = verdict.changed + verdict.half + verdict.bills_differ + verdict.stuck + verdict.totals_differ
    return verdict.lost + altered


def _doubled(verdict: Verdict | None) -> int:
    assert verdict is not None
    return verdict.doubled


def _shown(result: Result) -> str:
    assert result.verdict is not None
    return f"{result.verdict.shown} shown as saved, {result.verdict.bills} bills"


def _read(file: Path) -> Result:
    values: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Result(**{**values, "verdict": Verdict(**values["verdict"])})


def _times(variable: str, default: int) -> int:
    return int(os.environ.get(variable, str(default)))


def _seed() -> int:
    return int(os.environ.get("BAHI_FAILOVER_SEED", "1"))


def _names(how: str, more: Sequence[str]) -> tuple[str, ...]:
    return (f"failover_{how}_p50", f"failover_{how}_p99", *more)


_DROPPED: Final = ("failover_drop_lost", "failover_drop_doubled")
_STOPPED: Final = ("failover_stop_lost", "failover_stop_doubled")
GROUPS: Final = (
    Group("failover_kill", _names("kill", ("lost", "doubled")), failover_kill, campaign=True),
    Group("failover_stop", _names("stop", _STOPPED), failover_stop, campaign=True),
    Group("failover_drop", _names("drop", _DROPPED), failover_drop, campaign=True),
    Group("drain", ("drain_failed_calls", "drain_lost"), drain, campaign=True),
)
