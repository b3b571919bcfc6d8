"""The registry of a discovery server: the state of each server, from heartbeats, reports and probes.

Pure: the time is an argument, in seconds on a clock that never goes back. A state is computed when it is
read, so nothing has to run when a heartbeat is late. `next_change` and `next_probe` say when the caller
should read it again.

A server without a heartbeat for SUSPECT_SECONDS is suspect, and for DOWN_SECONDS down. It is down earlier if
it has missed a heartbeat and PROBES_TO_FAIL probes have failed. It stays up to LEARNING_SECONDS unknown
before its first heartbeat.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil, inf
from typing import Final

from server.contract.cluster import Heartbeat, Liveness, Load, Reported, Roster

# Heartbeats come every 5 s. A server silent for this long has missed one; from then on failed probes count.
MISSED_SECONDS: Final = 5.5
SUSPECT_SECONDS: Final = 7.5
DOWN_SECONDS: Final = 15.0
# How long a server is unknown before its first heartbeat, counted from our start or from its addition to the
# roster. After a restart of discovery, this keeps it from calling servers down that it has not heard yet.
LEARNING_SECONDS: Final = 30.0
PROBES_TO_FAIL: Final = 2
# If many servers fall silent within this time, the fault is more likely in our own network than in theirs.
SELF_DOUBT_SECONDS: Final = 15.0

# The shortest time between two probes of a server, however many clients report it.
REPORTED_PROBE_SECONDS: Final = 0.2
# A suspect server is probed at the first interval for the first _QUICK_PROBES probes, then at the second.
PROBE_SECONDS: Final = 0.5
SLOW_PROBE_SECONDS: Final = 5.0
_QUICK_PROBES: Final = 20
# How many former boot ids of a server are remembered, to refuse replayed heartbeats of an earlier boot.
_BOOTS_REMEMBERED: Final = 16


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """A server's state, since when (seconds) it is in it, and the load and version that it last reported."""

    state: Liveness
    since: float
    load: Load | None = None
    version: str = ""


@dataclass(slots=True)
class _Server:
    """Everything known of one server. Times are in seconds; None or inf means never.

    `known_at` is when it was added, `last` when its last heartbeat `beat` was received. `reported` is the
    state that it reports of itself. `turned` is the last state into which an event brought it, and when.
    `suspected_at` is when a client reported it, `failed` are the times of failed probes, and `fine_at` is the
    time of the last successful one.
    """

    known_at: float
    last: float | None = None
    beat: Heartbeat | None = None
    reported: Reported = "up"
    former_boots: tuple[str, ...] = ()
    turned: tuple[Liveness, float] = ("unknown", -inf)

    suspected_at: float = inf
    failed: tuple[float, ...] = ()
    fine_at: float = -inf
    probing: bool = False
    probe_began: float = -inf
    probes: int = 0

    def after(self, seconds: float) -> float:
        """Return when it will have been silent for `seconds`, or when it ceases to be unknown."""
        return self.known_at + LEARNING_SECONDS if self.last is None else self.last + seconds

    @property
    def silent_at(self) -> float:
        return self.after(SUSPECT_SECONDS)

    @property
    def failed_at(self) -> float:
        """The time from which failed probes make it down, or inf."""
        return max(self.after(MISSED_SECONDS), self.failed[-1]) if len(self.failed) == PROBES_TO_FAIL else inf

    @property
    def down_at(self) -> float:
        """The time from which its silence alone makes it down, or inf before its first heartbeat."""
        return inf if self.last is None else self.after(DOWN_SECONDS)

    @property
    def was_alive(self) -> bool:
        """Return whether it has sent heartbeats and has not left, so that its silence means a fault."""
        return self.last is not None and self.reported != "left"


class Registry:
    """The states of the servers of a roster since `started` (seconds).

    `changes` rises with each event that changes a state. A state that changes by the passing of time does so
    at `next_change`.
    """

    def __init__(self, roster: Roster, started: float) -> None:
        self.changes = 0
        self._servers = {each.id: _Server(started) for each in roster.servers}

    # --- events ---------------------------------------------------------------------------------------

    def set_roster(self, roster: Roster, now: float) -> None:
        """Replace the roster. What is known of a server that both have is kept; a new one is unknown."""
        ids = [each.id for each in roster.servers]
        with self._event(now):
            self._servers = {id_: self._servers.get(id_) or _Server(now) for id_ in ids}

    def beat(self, beat: Heartbeat, now: float) -> bool:
        """Note a heartbeat; return False if this one or a later one was noted before.

        Raises KeyError if the server is not in the roster.
        """
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
        """Note a client's report that a server does not answer; return its state before the report.

        Raises KeyError if the server is not in the roster.
        """
        server = self._servers[id_]
        state = self.state(id_, now)
        # A probe that has just succeeded has refuted the report. Otherwise a flood of reports would keep a
        # healthy server suspect.
        is_news = server.suspected_at == inf and now >= server.fine_at + REPORTED_PROBE_SECONDS
        if is_news and state in {"up", "draining", "suspect"}:
            with self._event(now):
                server.suspected_at = now
        return state

    def probe_began(self, id_: str, now: float) -> None:
        """Note that a probe of a server began."""
        if server := self._servers.get(id_):
            server.probing, server.probe_began = True, now
            server.probes += 1

    def probed(self, id_: str, fine: bool | None, now: float) -> None:
        """Note the result of a probe; `fine` is None if it has no result."""
        server = self._servers.get(id_)
        if server is None:  # removed from the roster meanwhile
            return
        server.probing = False
        # A heartbeat that was received during the probe is the better evidence.
        if fine is None or (server.last is not None and server.last >= server.probe_began):
            return
        with self._event(now):
            if fine:
                server.failed, server.suspected_at, server.fine_at = (), inf, now
            else:
                server.failed = (*server.failed, now)[:PROBES_TO_FAIL]

    # --- states ---------------------------------------------------------------------------------------

    def state(self, id_: str, now: float) -> Liveness:
        """Return the state of one server. Raises KeyError if it is not in the roster."""
        return _judge(self._servers[id_], now, self._self_doubt_since(now))[0]

    def states(self, now: float) -> dict[str, ServerRecord]:
        """Return the record of each server, in the order of the roster."""
        doubt = self._self_doubt_since(now)
        return {id_: _record(server, now, doubt) for id_, server in self._servers.items()}

    def self_preserving(self, now: float) -> bool:
        """Return whether so many servers fell silent at once that silence alone makes no server down."""
        return self._self_doubt_since(now) is not None

    def next_change(self, now: float) -> float:
        """Return when a state changes next if no event comes before, or inf if none changes."""
        current = self._judgements(now)
        ahead = {at for server in self._servers.values() for at in _turns(server) if now < at < inf}
        return next((at for at in sorted(ahead) if self._judgements(at) != current), inf)

    def to_probe(self, now: float) -> list[str]:
        """Return the ids of the servers to probe now."""
        return [id_ for id_, server in self._servers.items() if _probe_due(server) <= now]

    def next_probe(self) -> float:
        """Return when the next probe is due if no event comes before, or inf if none is."""
        return min(map(_probe_due, self._servers.values()), default=inf)

    @contextlib.contextmanager
    def _event(self, now: float) -> Iterator[None]:
        """Compare the states before and after the block, and note what it changed."""
        before, was_doubting = (
            {id_: record.state for id_, record in self.states(now).items()},
            self.self_preserving(now),
        )
        yield
        after = {id_: record.state for id_, record in self.states(now).items()}
        for id_, state in after.items():
            if state != before.get(id_, "unknown"):
                self._servers[id_].turned = (state, now)
        if after != before or self.self_preserving(now) != was_doubting:
            self.changes += 1

    def _judgements(self, now: float) -> tuple[bool, list[Liveness]]:
        doubt = self._self_doubt_since(now)
        return doubt is not None, [_judge(server, now, doubt)[0] for server in self._servers.values()]

    def _self_doubt_since(self, now: float) -> float | None:
        """Return since when so many servers have been silent that we suspect our own network, or None.

        That is so if half of the servers that were alive (and at least two) fell silent within
        SELF_DOUBT_SECONDS. A server whose probes failed does not count.
        """
        # A failed probe is evidence of its own: the fault is at that server, not here.
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
    """Return whether a heartbeat only confirms the state."""
    # Nearly all do. Comparing all states, as `_event` does, is too slow for thousands of them in a second.
    same = server.beat is not None and beat.boot_id == server.beat.boot_id and beat.state == server.reported
    return same and now < server.silent_at and not server.failed and server.suspected_at == inf


def _take(server: _Server, beat: Heartbeat, now: float) -> None:
    if server.beat is not None and server.beat.boot_id != beat.boot_id:
        server.former_boots = (*server.former_boots, server.beat.boot_id)[-_BOOTS_REMEMBERED:]
        server.reported = beat.state
    elif server.reported != "left":  # a server that has left comes back only by a new start
        server.reported = beat.state
    server.beat, server.last = beat, now
    server.suspected_at, server.failed, server.probes = inf, (), 0


def _judge(server: _Server, now: float, self_doubt: float | None) -> tuple[Liveness, float]:
    """Return a server's state and since when it is in it by the passing of time (-inf: an event set it)."""
    if server.last is None and now < server.silent_at:
        return "unknown", server.known_at
    if server.reported == "left":
        return "left", -inf
    if now >= server.failed_at:
        return "down", server.failed_at
    # While we suspect our own network, silence makes nobody down who was not down before.
    if now >= server.down_at and (self_doubt is None or server.down_at < self_doubt):
        return "down", server.down_at
    doubted_at = min(server.silent_at, server.suspected_at)
    if now >= doubted_at:
        return "suspect", doubted_at
    return server.reported, -inf


def _record(server: _Server, now: float, self_doubt: float | None) -> ServerRecord:
    state, since = _judge(server, now, self_doubt)
    turned_into, turned_at = server.turned
    if turned_into == state:
        since = max(since, turned_at)
    if server.beat is None:
        return ServerRecord(state, since)
    return ServerRecord(state, since, server.beat.load, server.beat.version)


def _turns(server: _Server) -> tuple[float, ...]:
    """Return the times at which the passing of time may change the server's state."""
    return server.silent_at, server.failed_at, server.down_at


def _probe_due(server: _Server) -> float:
    """Return when to probe a server next: at once if it is in doubt, then repeatedly, later less often."""
    if server.probing or server.reported == "left" or server.failed_at < inf:
        return inf
    doubted_at = min(server.after(MISSED_SECONDS), server.suspected_at)
    if server.probe_began < server.suspected_at < inf:
        pause = REPORTED_PROBE_SECONDS
    else:
        pause = PROBE_SECONDS if server.probes < _QUICK_PROBES else SLOW_PROBE_SECONDS
    return max(doubted_at, server.probe_began + pause)
