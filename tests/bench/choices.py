"""Simulates how clients move and spread under the two policies, with the real rules.

The load figures are as old as those that discovery delivers. Pure: the same seed gives the same run.
"""

import heapq
import random
from collections import Counter
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from server.pinning.policies import Policy
from server.pinning.rules import PeerServer, Situation, decide
from tests.bench.groups import Group
from tests.bench.rows import Row, spread_of
from tests.bench.stage import Stage

SERVERS: Final = ("in-1", "in-2", "in-3", "in-4")
_REPORT_SECONDS: Final = 10.0
_LIFE_SECONDS: Final = 300
_FULL_AT: Final = 2.0
"""All sessions together fill this many of the four servers."""
_NOISE: Final = 0.02
_NOTICED_SECONDS: Final = 8.0
_WARM_HOURS: Final = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """`survivor_share` is the share of a dead server's clients on the fullest survivor, times survivors."""

    moves_per_client_hour: float
    survivor_share: float


@dataclass(slots=True)
class _Session:
    at: str
    work: float
    since: float = -3_600.0


@dataclass(slots=True)
class Simulation:
    """Sessions with unequal work on four servers; each refreshes at 60–80 % of its token's life, by figures
    that are up to 10 s old."""

    policy: Policy
    sessions: int = 4_000
    seed: int = 1
    spread_before_death: float = 0.0
    _chance: random.Random = field(init=False)
    _all: list[_Session] = field(init=False)
    _peers: tuple[PeerServer, ...] = ()
    _reported: float = float("-inf")
    _moves: int = 0

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        self._all = [
            _Session(SERVERS[number % len(SERVERS)], self._chance.expovariate(1.0))
            for number in range(self.sessions)
        ]

    def crowd(self, server: str, share: float) -> None:
        """Put a share of everybody else's clients on one server."""
        for session in self._all:
            if self._chance.random() < share:
                session.at = server

    def run(self, hours: float) -> Outcome:
        """Let it run, then let one server die; return what happened."""
        due = [(self._chance.uniform(0, _LIFE_SECONDS), number) for number in range(self.sessions)]
        heapq.heapify(due)
        begin, end, counted = _WARM_HOURS * 3_600, (_WARM_HOURS + hours) * 3_600, 0
        while due[0][0] < end:
            now, number = heapq.heappop(due)
            moved = self._refresh(self._all[number], now)
            counted += moved and now >= begin
            heapq.heappush(due, (now + _LIFE_SECONDS * self._chance.uniform(0.6, 0.8), number))
        self.spread_before_death = self.spread()
        return Outcome(counted / self.sessions / hours, self._die(end))

    def spread(self) -> float:
        """Return the greatest load less the least, of 0–1."""
        loads = self._loads().values()
        return max(loads) - min(loads)

    # --- inside ----------------------------------------------------------------------------------

    def _refresh(self, session: _Session, now: float) -> bool:
        self._report(now)
        chosen = decide(self._situation(session, now)).server_id
        moved = chosen != session.at
        if moved:
            session.at, session.since = chosen, now
        return moved

    def _situation(self, session: _Session, now: float) -> Situation:
        return Situation(
            standing="good",
            me=session.at,
            pinned=session.at,
            closest="",
            critical=False,
            reason="expiry",
            peers=self._peers,
            fresh=True,
            doubtful=False,
            now=now,
            pinned_since=session.since,
            region_moved_at=0,
            drain_until=0,
            writes_arrived=lambda _: False,
            policy=self.policy,
            chance=self._chance.random,
        )

    def _report(self, now: float) -> None:
        if now - self._reported < _REPORT_SECONDS:
            return
        self._reported = now
        self._peers = tuple(
            PeerServer(id_, "ap-south-1", "up", min(1.0, max(0.0, load + self._chance.gauss(0, _NOISE))))
            for id_, load in self._loads().items()
        )

    def _loads(self) -> dict[str, float]:
        work = dict.fromkeys(SERVERS, 0.0)
        for session in self._all:
            work[session.at] += session.work
        return {id_: done * _FULL_AT / self.sessions for id_, done in work.items()}

    def _die(self, now: float) -> float:
        """Kill a server; its clients arrive at random survivors while the figures of before are in force."""
        self._report(now + _REPORT_SECONDS)
        dead = SERVERS[0]
        self._peers = tuple(replace(each, state="down") if each.id == dead else each for each in self._peers)
        went: Counter[str] = Counter()
        for session in [each for each in self._all if each.at == dead]:
            here = replace(
                self._situation(session, now + _NOTICED_SECONDS),
                me=self._chance.choice(SERVERS[1:]),
                reason="unreachable",
            )
            went[decide(here).server_id] += 1
        return max(went.values()) / sum(went.values()) * (len(SERVERS) - 1) if went else 1.0


def spreading(_: Stage, hours: float = 3.0, runs: int = 3) -> list[Row]:
    """`moves_per_client_hour` and `survivor_share`: 4 servers, 4,000 sessions, load reports 10 s old, three
    simulated hours a run, the policy `stable`; beside them what `strict` does."""
    simulated = partial(_outcomes, hours=hours)
    stable, strict = simulated("stable", range(runs)), simulated("strict", range(1))[0]
    moves = [each.moves_per_client_hour for each in stable]
    shares = [each.survivor_share for each in stable]
    return [
        Row(
            "moves_per_client_hour",
            "moves",
            max(moves),
            "<= 0.05",
            len(moves),
            runs,
            spread=spread_of(moves),
            note=f"strict: {strict.moves_per_client_hour:.1f}",
        ),
        Row(
            "survivor_share",
            "of 1/k",
            max(shares),
            "<= 1.2",
            len(shares),
            runs,
            spread=spread_of(shares),
            note=f"strict: {strict.survivor_share:.2f}",
        ),
    ]


def _outcomes(policy: Policy, seeds: range, hours: float) -> list[Outcome]:
    return [Simulation(policy, seed=seed).run(hours) for seed in seeds]


GROUPS: Final = (Group("spreading", ("moves_per_client_hour", "survivor_share"), spreading),)
