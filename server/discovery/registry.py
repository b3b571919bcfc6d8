"""Who is alive: what beats, reports and probes say of each server, judged whenever somebody asks.

A pure object: it takes the time as an argument, in seconds that never fall, does no I/O, and decides at read
time. States and times are those of the protocol, section 3.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from typing import Final

from server.contract.cluster import Heartbeat, Liveness, Load, Reported, Roster

MISSED_SECONDS: Final = 5.5
"""Silent for so long, a server has missed a beat: from then on failed probes count."""
SUSPECT_SECONDS: Final = 7.5
DOWN_SECONDS: Final = 15.0
LEARNING_SECONDS: Final = 30.0
"""How long a server that has not beaten yet is unknown, from the start or from its coming into the roster."""
PROBES_TO_FAIL: Final = 2
SELF_DOUBT_SECONDS: Final = 15.0
"""When so many go silent within this time, it is likelier that we hear nothing than that they say nothing."""

REPORTED_PROBE_SECONDS: Final = 0.2
"""The least time between two probes of a server, however many reports come."""
PROBE_SECONDS: Final = 0.5
SLOW_PROBE_SECONDS: Final = 5.0
_QUICK_PROBES: Final = 20
_BOOTS_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What is held of a server, and since when (s); `load` and `version` are its last word."""

    state: Liveness
    since: float
    load: Load | None = None
    version: str = ""


@dataclass(slots=True)
class _Server:
    """What is known of one server; None or inf is never. `turned` is the last state that an event brought it
    into, and when."""

    known_at: float
    last: float | None = None
    beat: Heartbeat | None = None
    said: Reported = "up"
    former_boots: tuple[str, ...] = ()
    turned: tuple[Liveness, float] = ("unknown", -inf)

    suspected_at: float = inf
    failed: tuple[float, ...] = ()
    fine_at: float = -inf
    probing: bool = False
    probe_began: float = -inf
    probes: int = 0

    def after(self, seconds: float) -> float:
        """Return when it will have been silent for `seconds`; before its first beat, when it is learnt of."""
        return self.known_at + LEARNING_SECONDS if self.last is None else self.last + seconds

    @property
    def silent_at(self) -> float:
        return self.after(SUSPECT_SECONDS)

    @property
    def failed_at(self) -> float:
        """From when on failed probes make it DOWN."""
        return max(self.after(MISSED_SECONDS), self.failed[-1]) if len(self.failed) == PROBES_TO_FAIL else inf

    @property
    def down_at(self) -> float:
        """From when on its silence alone makes it DOWN; never where we have not heard it before."""
        return inf if self.last is None else self.after(DOWN_SECONDS)

    @property
    def was_alive(self) -> bool:
        """Say whether its silence could be ours: we heard it, and it did not take its leave."""
        return self.last is not None and self.said != "left"


class Registry:
    """The servers of a roster, as seen from `started` (s) on. `changes` rises with each event that changed a
    state; what time alone changes is at `next_change`."""

    def __init__(self, roster: Roster, started: float) -> None:
        self.changes = 0
        self._servers = {each.id: _Server(started) for each in roster.servers}

    # --- what happens ---------------------------------------------------------------------------------

    def set_roster(self, roster: Roster, now: float) -> None:
        """Go on with the servers of another roster; one that is new in it is unknown at first."""
        ids = [each.id for each in roster.servers]
        with self._event(now):
            self._servers = {id_: self._servers.get(id_) or _Server(now) for id_ in ids}

    def beat(self, beat: Heartbeat, now: float) -> bool:
        """Take a beat of a server of the roster; False where it, or a later one, was taken before."""
        server = self._servers[beat.server_id]
        if not _is_news(server, beat):
            return False
        if _is_routine(server, beat, now):
            _take(server, beat, now)
        else:
            with self._event(now):
                _take(server, beat, now)
        return True

    def suspect(self, id_: str, now: float) -> Liveness:
        """Note a report that a server does not answer; return what was held of it before.

        Raises KeyError where there is none. A probe that has just succeeded has answered the report already.
        """
        server = self._servers[id_]
        state = self.state(id_, now)
        is_news = server.suspected_at == inf and now >= server.fine_at + REPORTED_PROBE_SECONDS
        if is_news and state in {"up", "draining", "suspect"}:
            with self._event(now):
                server.suspected_at = now
        return state

    def probe_began(self, id_: str, now: float) -> None:
        """Note that somebody knocks at a server."""
        if server := self._servers.get(id_):
            server.probing, server.probe_began = True, now
            server.probes += 1

    def probed(self, id_: str, fine: bool | None, now: float) -> None:
        """Note how it ended, None without a verdict. A beat that came meanwhile says more."""
        server = self._servers.get(id_)
        if server is None:
            return
        server.probing = False
        if fine is None or (server.last is not None and server.last >= server.probe_began):
            return
        with self._event(now):
            if fine:
                server.failed, server.suspected_at, server.fine_at = (), inf, now
            else:
                server.failed = (*server.failed, now)[:PROBES_TO_FAIL]

    # --- what is held ---------------------------------------------------------------------------------

    def state(self, id_: str, now: float) -> Liveness:
        """Return the state of one server. Raises KeyError where there is none."""
        return _judge(self._servers[id_], now, self._self_doubt_since(now))[0]

    def states(self, now: float) -> dict[str, ServerRecord]:
        """Return what is held of each server, in the order of the roster."""
        doubt = self._self_doubt_since(now)
        return {id_: _held(server, now, doubt) for id_, server in self._servers.items()}

    def self_preserving(self, now: float) -> bool:
        """Say whether so many went silent at once that silence alone makes nobody DOWN."""
        return self._self_doubt_since(now) is not None

    def next_change(self, now: float) -> float:
        """Return when the passing of time alone next changes a state, inf where it changes none."""
        current = self._judgements(now)
        ahead = {at for server in self._servers.values() for at in _turns(server) if now < at < inf}
        return next((at for at in sorted(ahead) if self._judgements(at) != current), inf)

    def to_probe(self, now: float) -> list[str]:
        """Return the servers that are to be probed now."""
        return [id_ for id_, server in self._servers.items() if _probe_due(server) <= now]

    def next_probe(self) -> float:
        """Return when the next probe is due, unless something happens before; inf where none is."""
        return min(map(_probe_due, self._servers.values()), default=inf)

    @contextlib.contextmanager
    def _event(self, now: float) -> Iterator[None]:
        before, was_doubting = (
            {id_: held.state for id_, held in self.states(now).items()},
            self.self_preserving(now),
        )
        yield
        after = {id_: held.state for id_, held in self.states(now).items()}
        for id_, state in after.items():
            if state != before.get(id_, "unknown"):
                self._servers[id_].turned = (state, now)
        if after != before or self.self_preserving(now) != was_doubting:
            self.changes += 1

    def _judgements(self, now: float) -> tuple[bool, list[Liveness]]:
        doubt = self._self_doubt_since(now)
        return doubt is not None, [_judge(server, now, doubt)[0] for server in self._servers.values()]

    def _self_doubt_since(self, now: float) -> float | None:
        """Return since when so many have gone silent within SELF_DOUBT_SECONDS that we suspect ourselves.

        Of those who were alive when it began it takes half, or two of up to four; who failed at probes does
        not answer others either, so that its silence says nothing about us.
        """
        alive = sorted(server.silent_at for server in self._servers.values() if server.was_alive)
        silent = sorted(
            server.silent_at
            for server in self._servers.values()
            if server.was_alive and server.silent_at <= now < server.failed_at
        )
        began = []
        for index, first in enumerate(silent):
            still_alive = sum(at >= first for at in alive)
            last = index + max(2, ceil(still_alive / 2)) - 1
            if last < len(silent) and silent[last] - first <= SELF_DOUBT_SECONDS:
                began.append(silent[last])
        return min(began, default=None)


def _is_news(server: _Server, beat: Heartbeat) -> bool:
    if server.beat is None or beat.boot_id != server.beat.boot_id:
        return beat.boot_id not in server.former_boots
    return beat.seq > server.beat.seq


def _is_routine(server: _Server, beat: Heartbeat, now: float) -> bool:
    """Say whether a beat only confirms what is held: nearly all do, and thousands come in a second."""
    same = server.beat is not None and beat.boot_id == server.beat.boot_id and beat.state == server.said
    return same and now < server.silent_at and not server.failed and server.suspected_at == inf


def _take(server: _Server, beat: Heartbeat, now: float) -> None:
    if server.beat is not None and server.beat.boot_id != beat.boot_id:
        server.former_boots = (*server.former_boots, server.beat.boot_id)[-_BOOTS_REMEMBERED:]
        server.said = beat.state
    elif server.said != "left":  # who has left comes back by another start only
        server.said = beat.state
    server.beat, server.last = beat, now
    server.suspected_at, server.failed, server.probes = inf, (), 0


def _judge(server: _Server, now: float, self_doubt: float | None) -> tuple[Liveness, float]:
    """Return a server's state and when time brought it there (-inf: an event did)."""
    if server.last is None and now < server.silent_at:
        return "unknown", server.known_at
    if server.said == "left":
        return "left", -inf
    if now >= server.failed_at:
        return "down", server.failed_at
    if now >= server.down_at and (self_doubt is None or server.down_at < self_doubt):
        return "down", server.down_at
    doubted_at = min(server.silent_at, server.suspected_at)
    if now >= doubted_at:
        return "suspect", doubted_at
    return server.said, -inf


def _held(server: _Server, now: float, self_doubt: float | None) -> ServerRecord:
    state, since = _judge(server, now, self_doubt)
    turned_into, turned_at = server.turned
    if turned_into == state:
        since = max(since, turned_at)
    if server.beat is None:
        return ServerRecord(state, since)
    return ServerRecord(state, since, server.beat.load, server.beat.version)


def _turns(server: _Server) -> tuple[float, ...]:
    return server.silent_at, server.failed_at, server.down_at


def _probe_due(server: _Server) -> float:
    """Return when a server is to be probed next: in doubt at once, then again and again, ever more slowly."""
    if server.probing or server.said == "left" or server.failed_at < inf:
        return inf
    doubted_at = min(server.after(MISSED_SECONDS), server.suspected_at)
    if server.probe_began < server.suspected_at < inf:
        pause = REPORTED_PROBE_SECONDS
    else:
        pause = PROBE_SECONDS if server.probes < _QUICK_PROBES else SLOW_PROBE_SECONDS
    return max(doubted_at, server.probe_began + pause)
