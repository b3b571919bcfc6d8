"""The session machine: at which server this program is, and what it does when that server goes away.

Pure: the clock (monotonic seconds) and randomness are passed in, and what is to be done comes back as
effects. Answers come back as events. The states are those of `Phase`; the locked server's failures lead

    LOCKED → SUSPECT → RECONNECTING → REFRESHING (at another server) → SWITCHING → SYNCING → LOCKED

and each of them back to LOCKED where the server answers again. OFFLINE is where nothing answers.
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
"""A small call that is silent this long makes its server suspect."""
RECONNECT_SECONDS: Final = 30.0
"""After this long another server is asked, whatever discovery says: the upper bound, not the wait."""
REFRESH_PATIENCE_SECONDS: Final = 5.0
_SEARCH_PATIENCE_SECONDS: Final = 9.0  # whoever is closest must be found first
LATE_SECONDS: Final = 300.0
_TOO_BUSY_SECONDS: Final = 10.0
_PROBES_TO_GIVE_UP: Final = 2
_PROBE_AGAIN_SECONDS: Final = 0.25
_PROBE_EVERY_SECONDS: Final = 1.5
_TRY_NOW_SECONDS: Final = 2.0
_SLOWEST_PROBE_SECONDS: Final = 60.0
_DRAIN_SPREAD_SECONDS: Final = 1.0
_KEPT_SECONDS: Final = (1.0, 3.0)
_REFRESH_FROM: Final = 0.6  # of the access token's life …
_REFRESH_TO: Final = 0.8  # … drawn anew each time, so that clients do not come all at once

Draw = Callable[[float, float], float]
"""A number drawn evenly between two."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Where things stand. `epoch` is the lock's; `alone` says that there is no other server to go to.

    `asked` is the server that a refresh is waited for from ("": whoever is closest), `excluded` are those
    that were tried in vain, `syncing_since` is when the primary server changed, `late` says that this was
    five minutes ago and not all changes are there.
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

    @property
    def takes_calls(self) -> bool:
        """Say whether calls are tried at all; otherwise they fail at once, and nobody hangs."""
        lost = self.phase is Phase.REFRESHING and self.reason == "unreachable"
        return self.phase is not Phase.SIGNED_OUT and self.phase not in _AWAY and not lost

    @property
    def shown(self) -> Phase:
        """The phase as a person is told of it: with nothing in reach, each try for a server is no news."""
        if self.phase is Phase.REFRESHING and self.reason == "unreachable" and self.backoff:
            return Phase.OFFLINE
        return self.phase

    def wake_at(self) -> float:
        """Return when a Tick is due at the latest."""
        late = math.inf
        if self.syncing_since is not None and not self.late:
            late = self.syncing_since + LATE_SECONDS
        due = self.refresh_due if self.phase in _SETTLED else math.inf
        return min(self.probe_at, self.deadline, due, late)


_SETTLED: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})
"""The locked server answers, as far as is known."""
_AWAY: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})
"""Calls are not even tried."""


Outcome: TypeAlias = tuple[Machine, tuple[Effect, ...]]


def step(machine: Machine, event: Event, now: float, draw: Draw) -> Outcome:
    """Return the machine after `event`, and what is to be done."""
    if isinstance(event, SessionBegan):
        return _signed_in(event, now, draw)
    if machine.phase is Phase.SIGNED_OUT:
        return machine, ()
    match event:
        case SessionEnded() | RefreshRefused():
            return Machine(), ()
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
            return _heard(machine, event, now)
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


# --- the locked server answers ------------------------------------------------------------------------


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
        return replace(machine, excluded=frozenset()), ()
    if machine.phase in {Phase.SUSPECT, Phase.RECONNECTING, Phase.OFFLINE}:
        return _settle(machine, now), ()
    return machine, ()


def _settle(machine: Machine, now: float) -> Machine:
    """Go on at the locked server; without an access token one is asked for at once."""
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


# --- it does not ----------------------------------------------------------------------------------------


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
        deadline=math.inf,  # of a refresh that failed: nobody waits for it any more
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
    if machine.alone:
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
    """Return the pause before the next try: from one second to sixty, with full jitter."""
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


def _heard(machine: Machine, event: StateReported, now: float) -> Outcome:
    gone = event.state in {"down", "left"}
    if machine.phase is Phase.RECONNECTING and event.server == machine.server and gone:
        return _ask_another(machine, now)
    return machine, ()


def _try_now(machine: Machine, now: float) -> Outcome:
    if machine.phase not in _AWAY:
        return machine, ()
    soon = min(machine.deadline, now + _TRY_NOW_SECONDS)
    deadline = math.inf if machine.phase is Phase.OFFLINE and machine.alone else soon
    return replace(machine, deadline=deadline, backoff=0), (Probe(machine.server),)


# --- refreshing -----------------------------------------------------------------------------------------


def _ask(machine: Machine, server: str, reason: Reason, now: float) -> Outcome:
    asking = replace(
        machine,
        phase=Phase.REFRESHING,
        asked=server,
        reason=reason,
        deadline=now + (REFRESH_PATIENCE_SECONDS if server else _SEARCH_PATIENCE_SECONDS),
        probe_at=math.inf,
    )
    return asking, (Refresh(server, reason, frozenset() if server else machine.excluded),)


def _ask_another(machine: Machine, now: float) -> Outcome:
    machine = replace(machine, excluded=machine.excluded | {machine.server})
    return _ask(machine, "", "unreachable", now)


def _token_refused(machine: Machine, event: TokenRefused, now: float) -> Outcome:
    if event.server != machine.server or machine.phase not in _SETTLED:
        return machine, ()
    return _ask(machine, machine.server, "expiry", now)


def _refreshed(machine: Machine, event: RefreshSucceeded, now: float, draw: Draw) -> Outcome:
    if event.epoch < machine.epoch:  # a server that the lock was on before; it does not know yet
        return machine, ()
    due = _due(event.expires_in, now, draw)
    fresh = replace(machine, epoch=event.epoch, alone=event.alone, refresh_due=due)
    if event.server == machine.server:
        if machine.phase in _AWAY or machine.phase is Phase.SUSPECT:
            return fresh, ()  # it rotated, which does not show that it takes calls
        kept = machine.draining and event.server == machine.asked
        settled = _settle(replace(fresh, draining=kept), now)
        # Kept while draining, because a task was under way: asked again soon.
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
        return machine, ()  # given up already; another one is being asked
    excluded = replace(machine, excluded=machine.excluded | {event.server})
    return _ask(excluded, "", "unreachable", now)


def _replayed(machine: Machine, event: Replayed) -> Outcome:
    if event.epoch != machine.epoch:  # the lock has moved on
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
        if machine.draining and event.critical:  # it lets the task end
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
    """Whoever was asked keeps silent: the next one, with the same refreshId."""
    if machine.alone:
        return _suspect(machine, "silent")
    given_up = {machine.asked} if machine.asked else set()
    return _ask_another(replace(machine, excluded=machine.excluded | given_up), now)


def _probe_again(machine: Machine, now: float) -> Outcome:
    waiting = replace(machine, probe_at=math.inf)
    if machine.phase is Phase.OFFLINE and not machine.alone:
        # Whoever answers first: this server's refresh, or the closest one's.
        return _ask(waiting, "", "unreachable", now)
    return waiting, (Probe(machine.server),)
