"""Simulated servers, a discovery server and clients, on a simulated clock. They use the real registry,
refresh rules and session machine.
"""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Literal

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Effect, Event, Machine
from server.contract.cluster import Heartbeat, Liveness, Load, Reported, Roster, RosterServer
from server.discovery.registry import Registry
from server.pinning import rules
from server.pinning.policies import FULL, Policy
from server.pinning.rules import Decision, PeerServer, Situation

STEP: Final = 0.25
_BEAT_SECONDS: Final = 5.0
_DIRECTORY_SECONDS: Final = 120.0
_DRAIN_SECONDS: Final = 900.0
_LIFE: Final = 300.0
_REGIONS: Final = {"in-1": "in", "in-2": "in", "sg-1": "sg"}
SERVERS: Final = tuple(_REGIONS)
LOADS: Final = (0.1, 0.3, 0.5, 0.8, 0.9, 1.0)
ROSTER: Final = Roster(
    *("key", 1, 0, 0, "https://books.example.com"),
    servers=[RosterServer(id_, region, f"https://{id_}.example.com", []) for id_, region in _REGIONS.items()],
)


@dataclass(slots=True)
class Server:
    """`runs` and answers, hangs, or is gone; `hears_discovery` and is heard by it. `said` is the directory
    that it pulled last, and when."""

    id: str
    runs: Literal["well", "hangs", "not"] = "well"
    state: Reported = "up"
    hears_discovery: bool = True
    utilisation: float = 0.5
    boot: int = 1
    seq: int = 0
    next_beat: float = 0.0
    drain_until: float = 0.0
    said: dict[str, Liveness] = field(default_factory=dict)
    doubtful: bool = False
    pulled_at: float = -_DIRECTORY_SECONDS

    def beat(self) -> Heartbeat:
        """Return the next beat."""
        self.seq += 1
        load = Load(self.utilisation, 1, 10, 1.0)
        url = f"https://{self.id}.example.com"
        return Heartbeat(self.id, str(self.boot), self.seq, 0, _REGIONS[self.id], url, self.state, "1", load)


@dataclass(frozen=True, slots=True)
class Record:
    """What a client spends: the lock as its token says it."""

    number: int
    server: str
    epoch: int
    locked_since: float
    region_moved_at: float = 0.0


@dataclass(slots=True)
class Client:
    """A session machine, its token, and whether a critical task is under way."""

    home: str
    record: Record
    machine: Machine = field(default_factory=Machine)
    task: bool = False


class Cluster:
    """Three servers in two regions, two clients, one discovery server; `chance` draws everything."""

    def __init__(self, policy: Policy, chance: random.Random) -> None:
        self.now = 1_000.0
        self.policy, self.chance = policy, chance
        self.servers = {
            id_: Server(id_, next_beat=self.now, utilisation=chance.choice(LOADS)) for id_ in SERVERS
        }
        self.discovery_runs = True
        self.start_registry()
        self._numbers = itertools.count(1)
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self.clients = [self._signed_in("in", "in-1"), self._signed_in("sg", "in-2")]

    def start_registry(self) -> None:
        """Start discovery anew: it knows nothing."""
        self.registry = Registry(ROSTER, self.now)
        self.beats: dict[str, float] = {}
        self.failed: set[str] = set()

    def _signed_in(self, home: str, server: str) -> Client:
        client = Client(home, Record(next(self._numbers), server, 0, self.now))
        self.feed(client, session.SessionBegan(server, 0, _LIFE, alone=False))
        return client

    # --- time ---------------------------------------------------------------------------------------

    def passes(self, seconds: float, check: Callable[[], None] = lambda: None) -> None:
        """Let time pass, and `check` at each step."""
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            self._work()
            self._beats()
            self._probes()
            self._clients()
            check()

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self._due.append((self.now + seconds, next(self._numbers), work))

    def _work(self) -> None:
        ready = sorted(each for each in self._due if each[0] <= self.now)
        self._due = [each for each in self._due if each[0] > self.now]
        for _, _, work in ready:
            work()

    # --- discovery ----------------------------------------------------------------------------------

    def _beats(self) -> None:
        for server in self.servers.values():
            if server.runs == "well" and self.now >= server.next_beat:
                server.next_beat = self.now + _BEAT_SECONDS
                self.beat(server)

    def beat(self, server: Server) -> None:
        """Let a server beat, and pull the directory, if it hears discovery."""
        beat = server.beat()
        if not (self.discovery_runs and server.hears_discovery):
            return
        assert self.registry.beat(beat, self.now)
        assert not self.registry.beat(beat, self.now), "a beat was taken twice"
        self.beats[server.id] = self.now
        server.said = {id_: held.state for id_, held in self.registry.states(self.now).items()}
        server.doubtful, server.pulled_at = self.registry.self_preserving(self.now), self.now

    def _probes(self) -> None:
        if not self.discovery_runs:
            return
        for id_ in self.registry.to_probe(self.now):
            registry, server = self.registry, self.servers[id_]
            registry.probe_began(id_, self.now)
            fine = server.runs == "well" and server.hears_discovery
            seconds = 0.0 if fine or server.runs == "not" else 1.0
            self._later(seconds, partial(self._probed, registry, id_, fine))

    def _probed(self, registry: Registry, id_: str, fine: bool) -> None:
        registry.probed(id_, fine, self.now)
        if not fine and registry is self.registry:
            self.failed.add(id_)

    # --- clients ------------------------------------------------------------------------------------

    def _clients(self) -> None:
        for client in self.clients:
            if client.machine.wake_at() <= self.now:
                self.feed(client, session.Tick(critical=client.task))
            if client.machine.phase is Phase.RECONNECTING and self.discovery_runs:
                state = self.registry.state(client.machine.server, self.now)
                self.feed(client, session.StateReported(client.machine.server, state))

    def feed(self, client: Client, event: Event) -> None:
        """Tell a client's machine, and begin what it asks for."""
        client.machine, effects = session.step(client.machine, event, self.now, self.chance.uniform)
        for effect in effects:
            self._begin(client, effect)

    def _begin(self, client: Client, effect: Effect) -> None:
        match effect:
            case session.Probe(server):
                seconds = 1.2 if self.servers[server].runs == "hangs" else 0.0
                self._later(seconds, lambda: self._answers_probe(client, server))
            case session.Refresh():
                self._ask(client, effect)
            case session.Report(server):
                if self.discovery_runs:
                    self.registry.suspect(server, self.now)
            case session.Replay():
                self._later(0.25, lambda: self.call(client))
            case session.Leave():
                client.task = False

    def _answers_probe(self, client: Client, server: str) -> None:
        self.feed(client, session.Probed(server, self.servers[server].runs == "well"))

    def call(self, client: Client) -> None:
        """Let a client make a call; what waited goes with it."""
        server = self.servers[client.machine.server]
        if not client.machine.takes_calls:
            return
        if server.runs == "well":
            self.feed(client, session.Answered(server.id, draining=server.state != "up"))
            self.feed(client, session.Replayed(client.machine.epoch, complete=True))
        else:
            hangs = server.runs == "hangs"
            failed = session.Failed(server.id, "silent" if hangs else "refused")
            self._later(session.SILENCE_SECONDS if hangs else 0.0, lambda: self.feed(client, failed))

    # --- refreshes ----------------------------------------------------------------------------------

    def _ask(self, client: Client, effect: session.Refresh) -> None:
        closest = self._closest(client)
        at = effect.at or self._candidate(client, closest, effect.excluded)
        if not at:
            self._later(0.0, lambda: self.feed(client, session.RefreshFailed("")))
            return
        server, record = self.servers[at], client.record
        if server.runs != "well":
            seconds = 4.5 if server.runs == "hangs" else 0.0
            self._later(seconds, lambda: self.feed(client, session.RefreshFailed(at)))
            return
        situation = self._situation(server, record, closest, critical=client.task, reason=effect.reason)
        decision = rules.decide(situation)
        check_decision(situation, decision)
        self._later(self.chance.choice([0.0, 0.0, 1.0, 4.0]), lambda: self._take(client, record, decision))

    def _closest(self, client: Client) -> str:
        ready = [each.id for each in self.servers.values() if each.runs == "well" and each.state == "up"]
        return min(ready, key=lambda id_: (_REGIONS[id_] != client.home, id_), default="")

    def _candidate(self, client: Client, closest: str, excluded: frozenset[str]) -> str:
        others = [id_ for id_ in SERVERS if id_ not in excluded and id_ != client.machine.server]
        own = [client.machine.server] if client.machine.server not in excluded else []
        if closest and closest not in excluded:
            return closest
        return next(iter([*others, *own]), "")

    def _situation(
        self, me: Server, record: Record, closest: str, *, critical: bool, reason: session.Reason
    ) -> Situation:
        fresh = self.now - me.pulled_at < _DIRECTORY_SECONDS
        return Situation(
            *("good", me.id, record.server, closest, critical, reason),
            peers=tuple(self._peer(me, id_, fresh) for id_ in SERVERS),
            fresh=fresh,
            doubtful=fresh and me.doubtful,
            now=self.now,
            pinned_since=record.locked_since,
            region_moved_at=record.region_moved_at,
            drain_until=self.servers[record.server].drain_until,
            writes_arrived=lambda _: self.chance.random() < 0.5,
            policy=self.policy,
            chance=self.chance.random,
        )

    def _peer(self, me: Server, id_: str, fresh: bool) -> PeerServer:
        if id_ == me.id:
            return PeerServer(id_, _REGIONS[id_], "draining" if me.state != "up" else "up", me.utilisation)
        state = me.said.get(id_, "unknown") if fresh else "unknown"
        return PeerServer(id_, _REGIONS[id_], state, self.servers[id_].utilisation)

    def _take(self, client: Client, asked: Record, decision: Decision) -> None:
        if client.record != asked:
            return  # another answer to the same record was first
        moved, now = decision.server_id != asked.server, self.now
        away = moved and _REGIONS[decision.server_id] != _REGIONS[asked.server]
        client.record = Record(
            next(self._numbers),
            decision.server_id,
            asked.epoch + moved,
            now if moved else asked.locked_since,
            now if away else asked.region_moved_at,
        )
        before = client.machine.epoch
        self.feed(
            client, session.RefreshSucceeded(decision.server_id, client.record.epoch, _LIFE, alone=False)
        )
        assert client.machine.epoch >= before
        assert client.machine.server == client.record.server

    # --- how things stand ---------------------------------------------------------------------------

    def is_well(self) -> bool:
        """Return whether every client is at a server that answers, with nothing left to do, and discovery
        says UP of all."""
        states = {held.state for held in self.registry.states(self.now).values()}
        return states == {"up"} and all(map(self._is_settled, self.clients))

    def heals(self) -> None:
        """Let everything run and hear everything again; nobody is busy with a task."""
        if not self.discovery_runs:
            self.discovery_runs = True
            self.start_registry()
        for server in self.servers.values():
            if server.runs == "not" or server.state != "up":
                restart(server)
            server.runs, server.hears_discovery = "well", True
        for client in self.clients:
            client.task = False

    def _is_settled(self, client: Client) -> bool:
        return client.machine.phase is Phase.PINNED and self.servers[client.machine.server].runs == "well"


def restart(server: Server) -> None:
    """Start a server anew."""
    server.boot, server.seq, server.state, server.runs = server.boot + 1, 0, "up", "well"
    server.pulled_at = -_DIRECTORY_SECONDS
    server.said = {}


def check_decision(situation: Situation, decision: Decision) -> None:
    """Nobody is sent to a stranger, nor to a server that is known to be gone while another one is up, nor to
    a full one while another of its region has room; and no task is broken off for the sake of balance."""
    chosen = situation.peer(decision.server_id)
    assert chosen is not None, "not in the roster"
    up = [each for each in situation.peers if each.state == "up" and each.id != situation.pinned]
    gone = situation.fresh and chosen.state in {"down", "left"}
    assert not (gone and up), f"{decision} though {up[0].id} is up"
    moved = decision.server_id != situation.pinned
    near = [each for each in up if each.region == chosen.region]
    full = chosen.utilisation >= FULL and decision.rule == "failover" and moved
    assert not (full and any(each.utilisation < FULL for each in near)), f"{decision}, which is full"
    if moved and situation.critical:
        over = situation.state(situation.pinned) == "draining" and situation.now >= situation.drain_until
        assert decision.rule == "failover" or over, f"{decision} in the middle of a task"
    if moved and decision.rule != "failover":
        assert chosen.state in {"up", "unknown", "suspect"}
