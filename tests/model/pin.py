"""A small model of the pin: the real session machine and refresh rules, two servers, and a discovery server
that may report any state.

Time is abstract: any of the machine's timers may expire first, whatever their values. A property that holds
here therefore holds for all values. The order that the real values imply is checked separately.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import product
from typing import Final, Literal, NamedTuple

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Effect, Event, Machine, Outcome
from server.contract.cluster import Liveness
from server.pinning import rules
from server.pinning.policies import Policy
from server.pinning.rules import Decision, PeerServer, Situation

Health = Literal["up", "draining", "away"]
"""`away` is killed, stopped or cut off; it may come back, or never."""
SERVERS: Final = ("a", "b")
_POLICIES: Final[tuple[Policy, ...]] = ("stable", "strict")
NOW: Final = 1_000.0
_LIFE: Final = 300.0
_SOON: Final = 1.0
_LATER: Final = 200.0
_LOWEST: Final = -2
"""Epochs are told by how far they are below the machine's; below this they are all alike."""
_VOLUNTARY: Final = frozenset({"drain", "closer_region", "balance"})


class Asked(NamedTuple):
    """A refresh under way at `at`, by the client's present record or by an older one; `lock` and `epoch` are
    that record's, once it is `answered` the answer's. `voluntary` says that nothing forced that answer."""

    at: str
    reason: session.Reason
    critical: bool
    lock: str
    epoch: int = 0
    current: bool = True
    answered: bool = False
    voluntary: bool = False


class World(NamedTuple):
    """Everything. `probing` are the servers that are being probed, `seeking` is the refresh for which
    somebody to ask is to be found, `task` the server at which a critical task began. `wrong` says what must
    not have happened on the way here."""

    machine: Machine
    health: tuple[Health, Health]
    probing: frozenset[str] = frozenset()
    seeking: session.Refresh | None = None
    asked: frozenset[Asked] = frozenset()
    task: str = ""
    wrong: str = ""

    def is_well(self) -> bool:
        """Return whether the client is settled at a server that lives."""
        settled = self.machine.phase in {Phase.PINNED, Phase.SYNCING}
        return settled and self.lives(self.machine.server)

    def lives(self, server: str) -> bool:
        """Return whether a server answers."""
        return self.health[SERVERS.index(server)] in {"up", "draining"}


Step = Callable[[Machine, Event], Outcome]
Decide = Callable[[Situation], Decision]


def real_step(machine: Machine, event: Event) -> Outcome:
    """Return what the machine that ships does at NOW; its draws are always the least."""
    return session.step(machine, event, NOW, lambda low, _: low)


@dataclass(frozen=True, slots=True)
class Model:
    """The moves of a world; what ships may be replaced by something weaker.

    Servers may fall into each of `troubles`; `first_answer` says that only the first answer to a record
    counts, as in `Tokens.take`.
    """

    step: Step = real_step
    decide: Decide = rules.decide
    first_answer: bool = True
    most_asked: int = 2
    troubles: tuple[Health, ...] = ("draining", "away")
    tasks: bool = True

    def start(self) -> World:
        """Return a client that has just signed in at `a`."""
        machine, _ = self.step(Machine(), session.SessionBegan("a", 0, _LIFE, alone=False))
        return World(forget_numbers(machine), ("up", "up"))

    # --- everything that can happen -----------------------------------------------------------------

    def moves(self, world: World) -> Iterator[tuple[str, World]]:
        """Yield everything that can happen next."""
        if world.seeking is not None:  # a thread is about to find somebody to ask
            for closest in ("", *SERVERS):
                yield (
                    f"a refresh sets out, the closest is {closest or 'not known'}",
                    self.sent(world, closest),
                )
            return
        yield from self._calls(world)
        yield from self._time(world)
        yield from self._probes(world)
        yield from self._refreshes(world)
        yield from self._discovery(world)
        yield from self._tasks(world)
        yield from self._fates(world)

    def _calls(self, world: World) -> Iterator[tuple[str, World]]:
        """Calls end in any way, and late ones at a server that was left."""
        machine = world.machine
        other = "b" if machine.server == "a" else "a"
        events: list[Event] = [session.Answered(machine.server), session.Answered(other)]
        if world.lives(machine.server):
            events += [session.TokenRefused(machine.server), session.Answered(machine.server, draining=True)]
            busy = world._replace(machine=replace(machine, busy_since=NOW - 11))
            yield "it is busy for ten seconds", self.fed(busy, session.Busy(machine.server))
        else:
            events += [session.Failed(machine.server, "silent"), session.Failed(other, "silent")]
        for event in events:
            yield f"a call: {event}", self.fed(world, event)
        if machine.syncing_since is not None:
            for complete in (False, True):
                yield (
                    f"what waited is sent: {complete}",
                    self.fed(world, session.Replayed(machine.epoch, complete)),
                )

    def _time(self, world: World) -> Iterator[tuple[str, World]]:
        machine = world.machine
        for timer in ("refresh_due", "probe_at", "deadline"):
            if getattr(machine, timer) < math.inf:
                yield f"{timer} comes", self.ticked(world, timer)
        yield "the person does not want to wait", self.fed(world, session.TryNow())

    def ticked(self, world: World, timer: str) -> World:
        """Return the world once that timer has run out."""
        machine = replace(world.machine, **{timer: NOW})  # type: ignore[arg-type]
        return self.fed(world._replace(machine=machine), session.Tick(critical=bool(world.task)))

    def _probes(self, world: World) -> Iterator[tuple[str, World]]:
        for server in world.probing:
            yield f"a probe of {server} ends in vain", self.probed(world, server, ok=False)
            if world.lives(server):
                yield f"{server} answers a probe", self.probed(world, server, ok=True)

    def probed(self, world: World, server: str, *, ok: bool) -> World:
        """Return the world once a probe has ended."""
        after = world._replace(probing=world.probing - {server})
        return self.fed(after, session.Probed(server, ok))

    def _discovery(self, world: World) -> Iterator[tuple[str, World]]:
        if world.machine.phase is Phase.RECONNECTING:
            for state in ("up", "down", "left"):
                heard = session.StateReported(world.machine.server, state)
                yield f"discovery says {state}", self.fed(world, heard)

    def _tasks(self, world: World) -> Iterator[tuple[str, World]]:
        deciding = any(not each.critical for each in world.asked)
        if self.tasks and not world.task and world.machine.takes_calls and not deciding:
            yield "a task begins", world._replace(task=world.machine.server)
        if world.task:
            yield "the task ends", world._replace(task="")

    def _fates(self, world: World) -> Iterator[tuple[str, World]]:
        for at, server in enumerate(SERVERS):
            for turn in self._turns(world.health[at], world.health[1 - at]):
                health = (turn, world.health[1]) if at == 0 else (world.health[0], turn)
                yield f"{server} is {turn}", world._replace(health=health)

    def _turns(self, health: Health, other: Health) -> list[Health]:
        """Return what a server may become; only one of them ends by plan."""
        if health == "away":
            return ["up"]
        turns: list[Health] = (
            ["away"] if health == "draining" or other == "draining" else ["away", "draining"]
        )
        return [each for each in turns if each in self.troubles]

    # --- refreshes ----------------------------------------------------------------------------------

    def _refreshes(self, world: World) -> Iterator[tuple[str, World]]:
        for asked in world.asked:
            failed = world._replace(asked=world.asked - {asked})
            yield f"no answer of {asked.at}", self.fed(failed, session.RefreshFailed(asked.at))
            if asked.answered:
                yield f"the answer of {asked.at} comes: {asked.lock}", self.answered(world, asked)
            elif world.lives(asked.at) and (asked.current or not self.first_answer):
                for rule, server in self.decisions(world, asked):
                    yield f"{asked.at} answers: {rule}, {server}", self.decided(world, asked, rule, server)

    def sent(self, world: World, closest: str) -> World:
        """Return the world once somebody was found to be asked, as `SessionRunner` does; or nobody."""
        effect = world.seeking
        assert effect is not None
        world = world._replace(seeking=None)
        at = effect.at or _candidate(world.machine.server, closest, effect.excluded)
        if not at:
            return self.fed(world, session.RefreshFailed(""))
        kept = sorted(world.asked, key=lambda each: (not each.current, each))[: self.most_asked - 1]
        asked = Asked(at, effect.reason, bool(world.task), world.machine.server)
        return world._replace(asked=frozenset(kept) | {asked})

    def decisions(self, world: World, asked: Asked) -> list[tuple[str, str]]:
        """Return what the asked server may decide: (rule, server), by whatever it sees."""
        own, other = world.health[SERVERS.index(asked.at)], world.health[1 - SERVERS.index(asked.at)]
        question = (asked.at, asked.lock, asked.critical, asked.reason, _seen(own), _seen(other))
        return decisions_of(self.decide, *question)

    def decided(self, world: World, asked: Asked, rule: str, server: str) -> World:
        """Return the world once the asked server has made its answer."""
        epoch = max(asked.epoch + (server != asked.lock), _LOWEST)
        answer = Asked(
            *(asked.at, "expiry", asked.critical, server, epoch, asked.current),
            answered=True,
            voluntary=rule in _VOLUNTARY,
        )
        return world._replace(asked=world.asked - {asked} | {answer})

    def answered(self, world: World, asked: Asked) -> World:
        """Return the world once the client has the answer; a later one to the same record is dropped."""
        before = world.machine
        world = world._replace(asked=world.asked - {asked})
        if not asked.current and self.first_answer:
            return world
        if self.first_answer and asked.epoch < 0:
            return world._replace(wrong="an answer that counts is of an older epoch")
        older = frozenset(self._older(each) for each in world.asked)
        event = session.RefreshSucceeded(asked.lock, asked.epoch, _LIFE, alone=False)
        after = self.fed(world._replace(asked=older), event)
        if after.machine.server == before.server:
            return after
        if not asked.current:
            return after._replace(wrong=after.wrong or "a late answer moved the lock")
        if world.task == before.server and asked.voluntary:
            return after._replace(wrong="the lock was moved in the middle of a task")
        return after._replace(task="")

    def _older(self, asked: Asked) -> Asked:
        """Return a refresh after another answer was taken: whatever it says now, it says in vain."""
        if not self.first_answer:
            return asked._replace(current=False)
        return Asked(asked.at, "expiry", asked.critical, "", _LOWEST, current=False, answered=True)

    # --- when nothing more goes wrong ---------------------------------------------------------------

    def calm(self, world: World, closest: str) -> World:
        """Return the one next thing when servers stay as they are, no answer is late any more, and discovery
        is silent; `closest` is whom the central address names, be it a dead server, again and again."""
        machine = world.machine
        if world.seeking is not None:
            return self.sent(world, closest)
        if world.probing:
            server = min(world.probing)
            return self.probed(world, server, ok=world.lives(server))
        if world.asked:
            return self._calm_answer(world, min(world.asked))
        if machine.phase in {Phase.PINNED, Phase.SYNCING, Phase.SWITCHING}:
            ends = (
                session.Replayed(machine.epoch, True)
                if world.lives(machine.server)
                else session.Failed(machine.server, "silent")
            )
            return self.fed(world, ends)
        armed = (
            name for name in ("deadline", "probe_at", "refresh_due") if getattr(machine, name) < math.inf
        )
        timer = next(armed, "")
        return self.ticked(world, timer) if timer else world

    def _calm_answer(self, world: World, asked: Asked) -> World:
        if asked.answered:
            return self.answered(world, asked)
        if not world.lives(asked.at):
            return self.fed(world._replace(asked=world.asked - {asked}), session.RefreshFailed(asked.at))
        return self.decided(world, asked, *self.decisions(world, asked)[-1])

    # --- the machine --------------------------------------------------------------------------------

    def fed(self, world: World, event: Event) -> World:
        """Return the world after the machine took an event and its effects were begun."""
        machine, effects, wrong, risen = outcome_of(self.step, world.machine, event)
        asked = world.asked
        if risen:
            asked = frozenset(each._replace(epoch=max(each.epoch - risen, _LOWEST)) for each in asked)
        after = world._replace(machine=machine, asked=asked, wrong=wrong)
        for effect in effects:
            after = _begun(after, effect)
        return after


def _candidate(locked: str, closest: str, excluded: frozenset[str]) -> str:
    """Return whom `SessionRunner` asks where no one is named."""
    if closest and closest not in excluded:
        return closest
    other = "b" if locked == "a" else "a"
    return next((each for each in (other, locked) if each not in excluded), "")


def _seen(health: Health) -> Liveness:
    """Return what a discovery says that knows."""
    return "down" if health == "away" else health


@cache
def decisions_of(
    decide: Decide,
    at: str,
    lock: str,
    critical: bool,
    reason: session.Reason,
    own: Liveness,
    other: Liveness,
) -> list[tuple[str, str]]:
    """Return what a server decides of a client, over all that it may see: a directory that is none, right, or
    late; loads that differ; a drain that may be over; and whoever is closest. The first is by no directory,
    the last by one that is right."""
    found = {}
    for said, fresh in (("unknown", False), ("up", True), (other, True)):
        for used, over, closest, policy in product((0.9, 0.2, 0.5), (True, False), (*SERVERS, ""), _POLICIES):
            peers = (PeerServer(at, "r", own, 0.5), PeerServer("b" if at == "a" else "a", "r", said, used))
            situation = Situation(
                *("good", at, lock, closest, critical, reason, peers),
                fresh=fresh,
                doubtful=False,
                now=NOW,
                pinned_since=0.0,
                region_moved_at=0.0,
                drain_until=0.0 if over else NOW + 900,
                writes_arrived=lambda _: False,
                policy=policy,
                chance=lambda: 0.0,
            )
            decision = decide(situation)
            # After a draining server's deadline every task has had its time.
            rule = "deadline" if decision.rule == "drain" and over else decision.rule
            found.pop((rule, decision.server_id), None)
            found[rule, decision.server_id] = True
    return list(found)


@cache
def outcome_of(step: Step, before: Machine, event: Event) -> tuple[Machine, tuple[Effect, ...], str, int]:
    """Return the machine without its numbers, what is to be done, what is wrong, how far the epoch rose."""
    machine, effects = step(before, event)
    risen = machine.epoch - before.epoch
    return forget_numbers(machine), effects, _what_is_wrong(before, event, machine, risen), risen


def _begun(world: World, effect: Effect) -> World:
    match effect:
        case session.Probe(server):
            return world._replace(probing=world.probing | {server})
        case session.Refresh():
            return world._replace(seeking=effect)
        case _:
            return world


def _what_is_wrong(before: Machine, event: Event, after: Machine, risen: int) -> str:
    if after.phase is Phase.SIGNED_OUT:
        return "signed out"
    if risen < 0:
        return "the lock went back"
    moved = after.server != before.server
    if moved and not isinstance(event, session.RefreshSucceeded | session.SessionBegan):
        return "the lock moved without an answer"
    if after.phase is Phase.RECONNECTING and not after.deadline - NOW <= session.RECONNECT_SECONDS:
        return "the countdown is longer than it may be"
    if after.phase in {Phase.RECONNECTING, Phase.OFFLINE} and after.takes_calls:
        return "calls are tried at nobody"
    if isinstance(event, session.Tick) and after.wake_at() <= NOW:
        return "a timer that nobody heeds: it would tick for ever"
    said_down = isinstance(event, session.StateReported) and event.state in {"down", "left"}
    if said_down and after.phase is Phase.RECONNECTING:
        return "it waits for a server that is gone"
    return ""


def forget_numbers(machine: Machine) -> Machine:
    """Return the machine with its timers armed or not, and no more said of them."""
    return replace(
        machine,
        epoch=0,
        refresh_due=_armed(machine.refresh_due, _LATER),
        probe_at=_armed(machine.probe_at, _SOON),
        deadline=_armed(machine.deadline, session.RECONNECT_SECONDS),
        syncing_since=None if machine.syncing_since is None else NOW,
        reason=machine.reason if machine.phase is Phase.REFRESHING else "expiry",
        failures=machine.failures if machine.phase is Phase.SUSPECT else 0,
        # What only says how long, or why:
        trouble="refused",
        busy_since=None,
        backoff=0,
        late=False,
    )


def _armed(at: float, seconds: float) -> float:
    return math.inf if at == math.inf else NOW + seconds
