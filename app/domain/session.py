"""The session machine: the server that the session is pinned to, and what to do when that server fails.

Pure: the clock (monotonic seconds) and randomness are arguments. `step` takes an event and returns the
effects to carry out, whose outcomes come back as events. The states are those of `Phase`. If the pinned
server fails, they are

    PINNED → SUSPECT → RECONNECTING → REFRESHING (at another server) → SWITCHING → SYNCING → PINNED

and any of them returns to PINNED if the pinned server answers again. OFFLINE means that no server answers.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from app.domain.connection_status import Phase
from app.domain.session_events import (
    Answered,
    Busy,
    Effect,
    Event,
    Failed,
    Leave,
    Probe,
    Probed,
    Reason,
    Refresh,
    RefreshFailed,
    RefreshRefused,
    RefreshSucceeded,
    Replay,
    Replayed,
    Report,
    SessionBegan,
    SessionEnded,
    StateReported,
    Tick,
    TokenRefused,
    Trouble,
    TryNow,
)

__all__ = [
    "Answered",
    "Busy",
    "Effect",
    "Event",
    "Failed",
    "Leave",
    "Machine",
    "Probe",
    "Probed",
    "Reason",
    "Refresh",
    "RefreshFailed",
    "RefreshRefused",
    "RefreshSucceeded",
    "Replay",
    "Replayed",
    "Report",
    "SessionBegan",
    "SessionEnded",
    "StateReported",
    "Tick",
    "TokenRefused",
    "Trouble",
    "TryNow",
    "step",
]

SILENCE_SECONDS: Final = 3.0
"""A call without progress for this long makes its server suspect."""
RECONNECT_SECONDS: Final = 30.0
"""The longest wait for the pinned server. It ends earlier if discovery reports the server as down."""
REFRESH_LIMIT_SECONDS: Final = 5.0
_SEARCH_LIMIT_SECONDS: Final = 9.0  # includes the search for the closest server
LATE_SECONDS: Final = 300.0
_TOO_BUSY_SECONDS: Final = 10.0  # a short overload is no reason to move
_PROBES_TO_GIVE_UP: Final = 2  # a single lost packet is no reason to move
_PROBE_AGAIN_SECONDS: Final = 0.25
_PROBE_EVERY_SECONDS: Final = 1.5
_TRY_NOW_SECONDS: Final = 2.0
_SLOWEST_PROBE_SECONDS: Final = 60.0
_DRAIN_SPREAD_SECONDS: Final = 1.0  # the clients of a draining server must not refresh all at once
_KEPT_SECONDS: Final = (1.0, 3.0)
_REFRESH_FROM: Final = 0.6  # A token is refreshed at 60 to 80 percent of its life. The value is drawn each
_REFRESH_TO: Final = 0.8  # time, so that clients do not come all at once.

Draw = Callable[[float, float], float]
"""Returns a random number between two numbers, evenly distributed."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The state of the session. All times are on the clock passed to `step`.

    `server` is the pinned server, and `epoch` the epoch of the pin. `alone` means that there is no other
    server. `asked` is the server that is asked for a refresh ("" means the closest one). `excluded` are
    servers that were tried without success. `backoff` counts the tries while offline. `busy_since` is when
    the server began to answer that it is busy. `syncing_since` is when the session was pinned to this
    server; None means that it has all recent changes. `late` means that this was five minutes ago. `ended` is
    why the last session is over, if a server ended it.
    """

    phase: Phase = Phase.SIGNED_OUT
    server: str = ""
    epoch: int = 0
    alone: bool = False
    refresh_due: float = math.inf
    draining: bool = False
    reason: Reason = "expiry"
    asked: str = ""
    failures: int = 0
    trouble: Trouble = "refused"
    probe_at: float = math.inf
    deadline: float = math.inf
    excluded: frozenset[str] = frozenset()
    backoff: int = 0
    busy_since: float | None = None
    syncing_since: float | None = None
    late: bool = False
    ended: str = ""

    @property
    def takes_calls(self) -> bool:
        """Whether calls are tried. Otherwise they fail at once instead of waiting for a timeout."""
        lost = self.phase is Phase.REFRESHING and self.reason == "unreachable"
        return self.phase is not Phase.SIGNED_OUT and self.phase not in _AWAY and not lost

    @property
    def shown(self) -> Phase:
        """The phase that the user sees. While offline, the tries to find a server are not shown."""
        if self.phase is Phase.REFRESHING and self.reason == "unreachable" and self.backoff:
            return Phase.OFFLINE
        return self.phase

    def wake_at(self) -> float:
        """Return the latest time at which a Tick is due."""
        late = math.inf
        if self.syncing_since is not None and not self.late:
            late = self.syncing_since + LATE_SECONDS
        due = self.refresh_due if self.phase in _SETTLED else math.inf
        return min(self.probe_at, self.deadline, due, late)


_SETTLED: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})
"""The pinned server answers, as far as is known."""
_AWAY: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})
"""Calls are not tried."""


Outcome: TypeAlias = tuple[Machine, tuple[Effect, ...]]


def step(machine: Machine, event: Event, now: float, draw: Draw) -> Outcome:
    """Return the machine after `event`, and the effects to carry out."""
    if isinstance(event, SessionBegan):
        return _signed_in(event, now, draw)
    if machine.phase is Phase.SIGNED_OUT:
        return machine, ()
    match event:
        case SessionEnded():
            return Machine(), ()
        case RefreshRefused(ended):
            return Machine(ended=ended), ()
        case Answered():
            return _answered(machine, event, now, draw)
        case Failed():
            return _failed(machine, event)
        case Busy():
            return _busy(machine, event, now)
        case TokenRefused():
            return _token_refused(machine, event, now)
        case Probed():
            return _probed(machine, event, now, draw)
        case StateReported():
            return _state_reported(machine, event, now)
        case RefreshSucceeded():
            return _refreshed(machine, event, now, draw)
        case RefreshFailed():
            return _refresh_failed(machine, event, now, draw)
        case TryNow():
            return _try_now(machine, now)
        case Replayed():
            return _replayed(machine, event)
        case Tick():
            return _tick(machine, event, now)


# --- the pinned server answers ------------------------------------------------------------------------


def _signed_in(event: SessionBegan, now: float, draw: Draw) -> Outcome:
    machine = Machine(Phase.PINNED, event.server, event.epoch, event.alone)
    if event.expires_in <= 0:
        return _ask(machine, event.server, "expiry", now)
    return replace(machine, refresh_due=_due(event.expires_in, now, draw)), ()


def _answered(machine: Machine, event: Answered, now: float, draw: Draw) -> Outcome:
    if event.server != machine.server:
        return machine, ()
    machine = replace(machine, busy_since=None)
    if event.draining and not machine.draining and not machine.alone:
        spread = now + draw(0, _DRAIN_SPREAD_SECONDS)
        machine = replace(machine, draining=True, refresh_due=min(machine.refresh_due, spread))
    if machine.phase in _SETTLED:
        return replace(machine, excluded=frozenset()), ()  # servers that failed before may have recovered
    if machine.phase in {Phase.SUSPECT, Phase.RECONNECTING, Phase.OFFLINE}:
        return _settle(machine, now), ()
    return machine, ()


def _settle(machine: Machine, now: float) -> Machine:
    """Return to the pinned server. If there is no access token, request one at once."""
    back = Phase.PINNED if machine.syncing_since is None else Phase.SYNCING
    return replace(
        machine,
        phase=back,
        failures=0,
        backoff=0,
        probe_at=math.inf,
        deadline=math.inf,
        asked="",
        excluded=frozenset(),
        busy_since=None,
        refresh_due=now if machine.refresh_due == math.inf else machine.refresh_due,
    )


def _busy(machine: Machine, event: Busy, now: float) -> Outcome:
    if event.server != machine.server or machine.phase not in _SETTLED:
        return machine, ()
    if machine.busy_since is None:
        return replace(machine, busy_since=now), ()
    if now - machine.busy_since < _TOO_BUSY_SECONDS:
        return machine, ()
    return _suspect(machine, "unavailable")


def _due(expires_in: float, now: float, draw: Draw) -> float:
    return now + expires_in * draw(_REFRESH_FROM, _REFRESH_TO)


# --- the pinned server fails ----------------------------------------------------------------------------


def _failed(machine: Machine, event: Failed) -> Outcome:
    if event.server != machine.server or machine.phase not in _SETTLED:
        return machine, ()
    return _suspect(machine, event.trouble)


def _suspect(machine: Machine, trouble: Trouble) -> Outcome:
    suspect = replace(
        machine,
        phase=Phase.SUSPECT,
        failures=0,
        trouble=trouble,
        probe_at=math.inf,
        deadline=math.inf,  # that of a failed refresh no longer applies
        busy_since=None,
    )
    return suspect, (Probe(machine.server),)


def _probed(machine: Machine, event: Probed, now: float, draw: Draw) -> Outcome:
    if event.server != machine.server or machine.phase not in {Phase.SUSPECT, *_AWAY}:
        return machine, ()
    if event.ok:
        return _settle(machine, now), ()
    failures = machine.failures + 1
    if machine.phase is Phase.SUSPECT and failures < _PROBES_TO_GIVE_UP:
        return replace(machine, failures=failures, probe_at=now + _PROBE_AGAIN_SECONDS), ()
    if machine.phase is Phase.SUSPECT:
        return _reconnect(replace(machine, failures=failures), now, draw)
    return replace(machine, failures=failures, probe_at=_next_probe(machine, now, draw)), ()


def _reconnect(machine: Machine, now: float, draw: Draw) -> Outcome:
    if machine.alone:  # there is no other server to ask
        return _offline(machine, now, draw)
    reconnecting = replace(
        machine,
        phase=Phase.RECONNECTING,
        deadline=now + RECONNECT_SECONDS,
        probe_at=now + _PROBE_EVERY_SECONDS,
        excluded=machine.excluded | {machine.server},
        backoff=0,
    )
    return reconnecting, (Report(machine.server, machine.trouble),)


def _next_probe(machine: Machine, now: float, draw: Draw) -> float:
    if machine.phase is Phase.OFFLINE:
        return now + _backoff(machine.backoff, draw)
    return now + _PROBE_EVERY_SECONDS


def _backoff(tries: int, draw: Draw) -> float:
    """Return the pause before the next try. Its maximum grows from 1 to 60 seconds; it has full jitter."""
    return draw(0.2, min(_SLOWEST_PROBE_SECONDS, 2.0 ** min(tries, 6)))


def _offline(machine: Machine, now: float, draw: Draw) -> Outcome:
    offline = replace(
        machine,
        phase=Phase.OFFLINE,
        deadline=math.inf,
        asked="",
        excluded=frozenset(),
        probe_at=now + _backoff(machine.backoff, draw),
        backoff=machine.backoff + 1,
    )
    return offline, ()


def _state_reported(machine: Machine, event: StateReported, now: float) -> Outcome:
    gone = event.state in {"down", "left"}
    if machine.phase is Phase.RECONNECTING and event.server == machine.server and gone:
        return _ask_another(machine, now)
    return machine, ()


def _try_now(machine: Machine, now: float) -> Outcome:
    if machine.phase not in _AWAY:
        return machine, ()
    soon = min(machine.deadline, now + _TRY_NOW_SECONDS)  # the probe gets a last chance to be answered
    deadline = math.inf if machine.phase is Phase.OFFLINE and machine.alone else soon
    return replace(machine, deadline=deadline, backoff=0), (Probe(machine.server),)


# --- refreshing -----------------------------------------------------------------------------------------


def _ask(machine: Machine, server: str, reason: Reason, now: float) -> Outcome:
    refreshing = replace(
        machine,
        phase=Phase.REFRESHING,
        asked=server,
        reason=reason,
        deadline=now + (REFRESH_LIMIT_SECONDS if server else _SEARCH_LIMIT_SECONDS),
        probe_at=math.inf,
    )
    return refreshing, (Refresh(server, reason, frozenset() if server else machine.excluded),)


def _ask_another(machine: Machine, now: float) -> Outcome:
    machine = replace(machine, excluded=machine.excluded | {machine.server})
    return _ask(machine, "", "unreachable", now)


def _token_refused(machine: Machine, event: TokenRefused, now: float) -> Outcome:
    if event.server != machine.server or machine.phase not in _SETTLED:
        return machine, ()
    return _ask(machine, machine.server, "expiry", now)


def _refreshed(machine: Machine, event: RefreshSucceeded, now: float, draw: Draw) -> Outcome:
    if event.epoch < machine.epoch:  # a late answer of a server that the session was pinned to before
        return machine, ()
    due = _due(event.expires_in, now, draw)
    fresh = replace(machine, epoch=event.epoch, alone=event.alone, refresh_due=due)
    if event.server == machine.server:
        if machine.phase in _AWAY or machine.phase is Phase.SUSPECT:
            return fresh, ()  # a server can answer a refresh although its calls fail
        kept = machine.draining and event.server == machine.asked
        settled = _settle(replace(fresh, draining=kept), now)
        # A draining server kept the session because a task was in progress. Ask again soon.
        return (replace(settled, refresh_due=now + draw(*_KEPT_SECONDS)) if kept else settled), ()
    left = Leave(machine.server, dead=machine.reason == "unreachable")
    switching = replace(
        fresh,
        phase=Phase.SWITCHING,
        server=event.server,
        draining=False,
        reason="expiry",
        asked="",
        failures=0,
        probe_at=math.inf,
        deadline=math.inf,
        busy_since=None,
        syncing_since=now,
        late=False,
    )
    return switching, (left, Replay())


def _refresh_failed(machine: Machine, event: RefreshFailed, now: float, draw: Draw) -> Outcome:
    if machine.phase is not Phase.REFRESHING:
        return machine, ()
    if not event.server:
        return _offline(machine, now, draw)
    if event.server == machine.server and machine.reason == "expiry":
        return _suspect(machine, "refused")
    if event.server in machine.excluded:
        return machine, ()  # another server is being asked already
    excluded = replace(machine, excluded=machine.excluded | {event.server})
    return _ask(excluded, "", "unreachable", now)


def _replayed(machine: Machine, event: Replayed) -> Outcome:
    if event.epoch != machine.epoch:  # the session has moved again
        return machine, ()
    if machine.phase is Phase.SWITCHING:
        machine = replace(machine, phase=Phase.SYNCING)
    if not event.complete:
        return machine, ()
    back = Phase.PINNED if machine.phase is Phase.SYNCING else machine.phase
    return replace(machine, phase=back, syncing_since=None, late=False), ()


# --- time -----------------------------------------------------------------------------------------------


def _tick(machine: Machine, event: Tick, now: float) -> Outcome:
    if machine.syncing_since is not None and now - machine.syncing_since >= LATE_SECONDS:
        machine = replace(machine, late=True)
    if machine.phase in _SETTLED and now >= machine.refresh_due:
        if machine.draining and event.critical:  # let the task finish at this server
            return replace(machine, refresh_due=now + _PROBE_AGAIN_SECONDS), ()
        return _ask(machine, machine.server, "expiry", now)
    if machine.phase in {Phase.RECONNECTING, Phase.OFFLINE} and now >= machine.deadline:
        return _ask_another(machine, now)
    if machine.phase is Phase.REFRESHING and now >= machine.deadline:
        return _silent_refresh(machine, now)
    if machine.phase in {Phase.SUSPECT, *_AWAY} and now >= machine.probe_at:
        return _probe_again(machine, now)
    return machine, ()


def _silent_refresh(machine: Machine, now: float) -> Outcome:
    """The server did not answer the refresh: ask the next one, with the same refreshId."""
    if machine.alone:
        return _suspect(machine, "silent")
    given_up = {machine.asked} if machine.asked else set()
    return _ask_another(replace(machine, excluded=machine.excluded | given_up), now)


def _probe_again(machine: Machine, now: float) -> Outcome:
    waiting = replace(machine, probe_at=math.inf)
    if machine.phase is Phase.OFFLINE and not machine.alone:
        # The pinned server may still be down: ask the closest server that answers.
        return _ask(waiting, "", "unreachable", now)
    return waiting, (Probe(machine.server),)
