"""Campaigns on a cluster: servers are killed, stopped, cut off or drained while clients save entries.

Measured is, for each client of the server that is hit, how long it takes from that moment until its next
successful call at another server. At the end the region's database and bills are looked into.
"""

import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from tests.support.cluster import MUMBAI, Cluster, Layout, forget
from tests.support.cluster_clients import ClusterClient, wait_all
from tests.support.kill_verdict import Verdict, judge_store
from tests.support.netns import Network
from tests.support.waiting import wait_until

How = Literal["kill", "stop", "drop"]
BEAT_SECONDS: Final = 5.0
FAILOVER_SECONDS: Final = 90.0
_HEAL_SECONDS: Final = 60.0
_ASK_PAUSE: Final = 0.1
Say = Callable[[str], None]


@dataclass(slots=True)
class Result:
    """`delays` are seconds from a hit to a client's next success, `hits` how many servers were hit;
    `stages` are where the time went: seconds from the hit until the phase was entered."""

    hits: int = 0
    delays: list[float] = field(default_factory=list)
    stages: dict[str, list[float]] = field(default_factory=dict)
    failed: Counter[str] = field(default_factory=Counter)
    broken: int = 0
    moves: int = 0
    errors: Counter[str] = field(default_factory=Counter)
    verdict: Verdict | None = None


class Campaign:
    """A region of two servers, all clients at one of them, that one hit, and so on. `folder` is its own."""

    def __init__(
        self,
        folder: Path,
        clients: int = 8,
        *,
        seed: int = 1,
        pause: float = 0.5,
        network: Network | None = None,
        settings: dict[str, Any] | None = None,
        quick: bool = False,
        spread: float = BEAT_SECONDS,
        say: Say = print,
        layout: Layout | None = None,
    ) -> None:
        self.result = Result()
        self._folder = folder
        self._wanted = clients
        self._pause = pause
        self._chance = random.Random(seed)
        self._say = say
        self._spread = spread
        alone = Layout(regions=(MUMBAI,), settings=settings or {}, quick=quick)
        self.cluster = Cluster(folder / "cluster", layout or alone, network)
        self.clients: list[ClusterClient] = []
        self._ended: list[ClusterClient] = []
        self._running = ExitStack()

    def __enter__(self) -> "Campaign":
        with ExitStack() as starting:
            starting.callback(self.close)
            self._running.callback(forget, self._folder / "cluster")
            self._running.enter_context(self.cluster)
            self.cluster.wait_up()
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End clients and cluster, and remove its data."""
        for client in (*self.clients, *self._ended):
            client.close()
        self._running.close()

    # --- clients ---------------------------------------------------------------------------------

    def start_clients(self, only_at: str = "") -> None:
        """Sign all of them in; with `only_at` while no other server is there."""
        away = [id_ for id_ in self.cluster.servers if only_at and id_ != only_at]
        for id_ in away:
            self.cluster.drain(id_)
        if away:
            wait_until(lambda: self._central_leads_to(only_at), _HEAL_SECONDS)
        for _ in range(self._wanted):
            self.add_client()
        for client in self.clients:
            client.wait_ready()
        for id_ in away:
            self.cluster.start(id_)
        if away:
            self.wait_healthy()

    def add_client(self) -> ClusterClient:
        """Start one more; it makes an account of its own."""
        number = len(self.clients) + len(self._ended) + 1
        made = ClusterClient(self._folder, number, self.cluster.link(), self._pause)
        self.clients.append(made)
        return made

    def _central_leads_to(self, id_: str) -> bool:
        import requests

        try:
            answer = requests.get(self.cluster.central_url + "/health/ready", timeout=3)
        except requests.RequestException:
            return False
        return answer.ok and answer.json()["serverId"] == id_

    def at(self, id_: str) -> list[ClusterClient]:
        """Return the clients whose last success was at a server."""
        netloc = self.netloc(id_)
        return [c for c in self.clients if (call := c.last_success()) is not None and call.to == netloc]

    def netloc(self, id_: str) -> str:
        """Return host and port of a server."""
        return urlsplit(self.cluster.servers[id_].url).netloc

    def wait_healthy(self) -> None:
        """Wait until every server knows that every server is there, and every client works."""
        for id_ in self.cluster.servers:
            self.cluster.wait_state(id_, "up", seconds=_HEAL_SECONDS)
        everybody = self.cluster.servers
        wait_until(lambda: all(map(self._knows_all, everybody)), _HEAL_SECONDS, _ASK_PAUSE)
        began = time.monotonic()
        wait_all(self.clients, "a call that succeeds", lambda c: _works_since(c, began), FAILOVER_SECONDS)

    def _knows_all(self, id_: str) -> bool:
        states = self.cluster.known_states(id_)
        return all(states.get(each) == "up" for each in self.cluster.servers)

    # --- hitting ---------------------------------------------------------------------------------

    def run(self, how: How, rounds: int) -> Result:
        """Hit so often the server where the clients are, then judge. Raises AssertionError where they do not
        come back."""
        self.start_clients(only_at=next(iter(self.cluster.servers)))
        for number in range(1, rounds + 1):
            delays = self.hit(how)
            self._say(
                f"  {how} {number}/{rounds}: {len(delays)} clients, "
                f"{min(delays):.2f} to {max(delays):.2f} s until the next success"
            )
        self.finish()
        return self.result

    def hit(self, how: How) -> list[float]:
        """Hit the server that has most clients, wait for them, and heal it; return their delays."""
        time.sleep(self._chance.uniform(0, self._spread))  # at any moment between two beats
        victim = max(self.cluster.servers, key=lambda id_: len(self.at(id_)))
        there, netloc = self.at(victim), self.netloc(victim)
        moment = self._strike(how, victim)
        wait_all(
            there,
            f"a success after the {how} of {victim}",
            lambda c: c.success_after(moment, netloc) is not None,
            FAILOVER_SECONDS,
        )
        delays = []
        for client in there:
            call = client.success_after(moment, netloc)
            assert call is not None
            delays.append(call.end - moment)
            self._note_stages(client, moment, call.end)
        self.result.hits += 1
        self.result.delays += delays
        self._heal(how, victim)
        self.wait_healthy()
        return delays

    def _strike(self, how: How, victim: str) -> float:
        if how == "kill":
            return self.cluster.kill(victim)
        return self.cluster.stop(victim) if how == "stop" else self.cluster.drop(victim)

    def _heal(self, how: How, victim: str) -> None:
        if how == "kill":
            self.cluster.start(victim)
        elif how == "stop":
            self.cluster.cont(victim)
        else:
            self.cluster.undrop(victim)

    def _note_stages(self, client: ClusterClient, moment: float, end: float) -> None:
        seen: set[str] = set()
        for at, phase in client.heard.phases:
            if moment <= at <= end and phase not in seen:
                seen.add(phase)
                self.result.stages.setdefault(phase, []).append(at - moment)
        refreshed = [c for c in client.heard.calls[-400:] if c.kind == "refresh" and moment <= c.end <= end]
        if refreshed:
            self.result.stages.setdefault("refresh answered", []).append(refreshed[-1].end - moment)

    # --- draining --------------------------------------------------------------------------------

    def drain_in_turn(self, rounds: int) -> Result:
        """Ask each server in turn to end, start it again, and count the calls that failed meanwhile."""
        self.start_clients()
        for number in range(1, rounds + 1):
            for id_ in self.cluster.servers:
                there = len(self.at(id_))
                took = self.cluster.drain(id_, seconds=FAILOVER_SECONDS)
                self._say(
                    f"  drain {number}/{rounds} of {id_}: {there} clients there, gone after {took:.1f} s"
                )
                self.result.hits += 1
                self.result.moves += there
                self.cluster.start(id_)
                self.wait_healthy()
        self._count_failures()
        self.finish()
        return self.result

    def _count_failures(self) -> None:
        for client in self.clients:
            for call in client.heard.calls:
                if call.failed:
                    self.result.failed[f"{call.kind} {call.status or call.error}"] += 1

    # --- the end ---------------------------------------------------------------------------------

    def finish(self) -> Verdict:
        """Let everything be sent, end the clients, and look at all that they and those before them saved."""
        saved, drained = self._end_clients()
        folder = self.cluster.documents(MUMBAI.code).parent
        verdict = judge_store(self.cluster.database_url(MUMBAI.code), folder, saved, drained)
        self.result.verdict = verdict
        return verdict

    def _end_clients(self) -> tuple[dict[str, dict[str, Any]], list[dict[str, Any]]]:
        """Return all that was saved, and what each client told at its end."""
        for client in self.clients:
            client.drain()
        for client in self.clients:
            client.wait_drained()
            self.result.broken += client.heard.broken
            self.result.errors.update(client.heard.errors)
        self._ended += self.clients
        self.clients = []
        saved = {id_: entry for client in self._ended for id_, entry in client.heard.saved.items()}
        return saved, [client.wait_drained() for client in self._ended]


def histogram(delays: Sequence[float], width: int = 50) -> str:
    """Return bars by half seconds, for a terminal."""
    if not delays:
        return "  nothing was measured"
    counted = Counter(int(delay * 2) for delay in delays)
    most = max(counted.values())
    lines = []
    for bucket in range(max(counted) + 1):
        bar = "█" * -(-counted[bucket] * width // most) if counted[bucket] else ""
        lines.append(f"  {bucket / 2:5.1f}–{(bucket + 1) / 2:<5.1f} s {counted[bucket]:>5} {bar}")
    return "\n".join(lines)


def _works_since(client: ClusterClient, moment: float) -> bool:
    call = client.last_success()
    return call is not None and call.at >= moment
