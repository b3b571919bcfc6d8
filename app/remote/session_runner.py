"""Runs the session machine: carries out its effects, and feeds their outcomes back as events.

The machine (`app/domain/session.py`) decides. Each effect that takes time runs in its own thread. A call
gets a lease: an access token, and the server that accepts it.
"""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Draw, Effect, Event, Machine
from app.domain.wording import words_of
from app.errors import AppError, OfflineError, ServerError, SignInError
from app.remote.auth import SessionTokens, read_pin, signed_out
from app.remote.call_monitor import CallMonitor, CallOutcome
from app.remote.critical import CriticalTasks
from app.remote.endpoint import Endpoint
from app.remote.server_clock import ServerClock
from app.remote.server_session import ServerSession
from app.store.vault import TokenRecord
from server.contract.errors import ErrorCode
from server.contract.shapes import Refreshed, SignedIn

T = TypeVar("T")
Spawn = Callable[[Callable[[], None]], None]
_LEASE_SECONDS: Final = 12.0
_LONGEST_SLEEP: Final = 30.0
_log = logging.getLogger(__name__)


class SessionListener(Protocol):
    """Receives the events of a session, in the thread in which they occur. Must return at once."""

    def machine_changed(self, machine: Machine) -> None:
        """Handle a new state of the machine. Called in the order of the states."""

    def primary_changed(self, server_id: str) -> None:
        """Handle that the session is pinned to another server. Called before `replay_wanted`."""

    def replay_wanted(self) -> None:
        """Handle that the outbox must be sent to the new server."""


@dataclass(frozen=True, slots=True)
class LeasedToken:
    """An access token and the server that accepts it. `epoch` increases with each change of server."""

    token: str = field(repr=False)
    endpoint: Endpoint
    epoch: int


def in_thread(work: Callable[[], None]) -> None:
    """Do `work` in a daemon thread: the program may end without waiting for it."""
    threading.Thread(target=work, name="session", daemon=True).start()


class SessionRunner:
    """Keeps the session pinned to a server. Thread-safe.

    Calls go to the servers of `local` for the book on this computer, and to those of `cluster` otherwise.
    """

    def __init__(
        self,
        tokens: SessionTokens,
        local: ServerSession,
        cluster: ServerSession,
        monitor: CallMonitor,
        listener: SessionListener,
        server_clock: ServerClock,
        clock: Callable[[], float] = time.monotonic,
        draw: Draw = random.uniform,
        spawn: Spawn = in_thread,
    ) -> None:
        self._tokens = tokens
        self._local, self._cluster = local, cluster
        self._servers = local
        self._listener = listener
        self._server_clock = server_clock
        self._clock = clock
        self._draw = draw
        self._spawn = spawn
        self._changed = threading.Condition(threading.RLock())
        self._machine = Machine()
        self._generation = 0  # of the session: late outcomes of an earlier one are dropped
        self.tasks = CriticalTasks()
        monitor.outcomes.subscribe(self._note_outcome)
        monitor.calls.subscribe(self._wake)

    # --- beginning and ending --------------------------------------------------------------------

    def begin(self, answer: SignedIn, server: str, *, remember: bool) -> None:
        """Start with the session of `answer`. `server` is its address, "" for the local server."""
        self._tokens.adopt(answer, server, self._clock(), remember=remember)
        primary = answer.primary.server_id
        self._start(server, primary, answer.lock_epoch, float(answer.expires_in))

    def resume(self, server: str) -> None:
        """Start with the remembered session, which has only a refresh token. Raises SignInError."""
        record = self._tokens.record()
        if record is None:
            raise signed_out()
        self._start(server, *read_pin(record.pin), 0.0)

    def has_session(self, seconds: float) -> bool:
        """Wait up to `seconds` for the first refresh after `resume`. Return False if the session is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._machine.phase is not Phase.REFRESHING, seconds)
            return self._machine.phase is not Phase.SIGNED_OUT

    def end(self) -> None:
        """End the session in this program; it is not pinned any more."""
        with self._changed:
            self._generation += 1
            self._feed(session.SessionEnded())

    def announce(self) -> None:
        """Tell the listener the present state: it did not listen before."""
        with self._changed:  # no later state may be told before this one
            self._listener.machine_changed(self._machine)

    def _start(self, address: str, server: str, epoch: int, expires_in: float) -> None:
        with self._changed:
            self._servers = self._cluster if address else self._local
            self._generation += 1
            self._feed(session.SessionBegan(server, epoch, expires_in, self._servers.is_alone(server)))
            generation = self._generation
        self._spawn(lambda: self._keep(generation))

    # --- leases for calls ------------------------------------------------------------------------

    @property
    def machine(self) -> Machine:
        """The present state of the machine."""
        return self._machine

    @property
    def epoch(self) -> int:
        """The epoch of the pin; it increases with each change of server."""
        return self._machine.epoch

    def now(self) -> float:
        """Return the time on the machine's clock."""
        return self._clock()

    def endpoint(self) -> Endpoint:
        """Return the pinned server, for calls without a token. Raises OfflineError if it is away."""
        machine = self._machine
        if not (machine.takes_calls or self._servers.is_always_tried):
            raise self._unreachable()
        return self._servers.endpoint(machine.server)

    def owner(self, url: str) -> Endpoint:
        """Return the server that `url` belongs to. Raises ServerError if it belongs to none."""
        return self._servers.owner(url)

    def run(self, call: Callable[[LeasedToken], T], book_id: str = "") -> T:
        """Run `call` with a lease; repeat it once if the token is refused, or the session moved meanwhile.

        With a `book_id`, it runs only while that book is open, so that work started for one user is never
        done as another one. Raises AppError.
        """
        lease = self.lease(book_id)
        try:
            return call(lease)
        except SignInError as error:
            if error.code != ErrorCode.UNAUTHENTICATED:
                raise
        except ServerError as error:
            if error.code != ErrorCode.WRONG_SERVER:
                raise
        except OfflineError:
            if self.epoch == lease.epoch:
                raise
            return call(self.lease(book_id))
        return call(self.lease(book_id, refused=lease))

    def lease(self, book_id: str = "", refused: LeasedToken | None = None) -> LeasedToken:
        """Return a token and its server; wait for a refresh if necessary. Raises AppError."""
        if self._machine.phase is Phase.SIGNED_OUT:
            raise signed_out(self._machine.ended)
        self._tokens.require_book(book_id)
        if refused is not None and self._tokens.drop_access(refused.token):
            self._feed(session.TokenRefused(refused.endpoint.server_id))
        with self._changed:
            deadline = self._clock() + _LEASE_SECONDS
            while True:
                if (found := self._lease_now()) is not None:
                    return found
                left = deadline - self._clock()
                if left <= 0 or not self._changed.wait(left):
                    raise self._unreachable()

    def _lease_now(self) -> LeasedToken | None:
        """Return a lease; None if the caller must wait for a refresh. Raises AppError if it need not wait."""
        machine = self._machine
        if machine.phase is Phase.SIGNED_OUT:
            raise signed_out(machine.ended)
        if not (machine.takes_calls or self._servers.is_always_tried):
            raise self._unreachable()
        if token := self._tokens.access(self._clock()):
            return LeasedToken(token, self._servers.endpoint(machine.server), machine.epoch)
        if machine.phase in {Phase.OFFLINE, Phase.SUSPECT}:
            self._feed(session.TryNow())  # this probe also starts the local server
            raise self._unreachable()
        if machine.phase is not Phase.REFRESHING:
            self._feed(session.TokenRefused(machine.server))
        return None

    def _unreachable(self) -> OfflineError:
        return OfflineError(words_of(is_local=self._servers is self._local).unreachable)

    # --- requests of the services ----------------------------------------------------------------

    def try_now(self) -> None:
        """Look for a server now."""
        self._feed(session.TryNow())

    def replayed(self, epoch: int, *, complete: bool) -> None:
        """Report that the outbox was sent to the server of the pin with this `epoch`.

        `complete` means that the server has all recent changes. A report about an earlier pin is ignored.
        """
        self._feed(session.Replayed(epoch, complete))

    # --- the machine -----------------------------------------------------------------------------

    def _note_outcome(self, outcome: CallOutcome) -> None:
        match outcome.kind:
            case "answered" | "draining":
                self._feed(session.Answered(outcome.server_id, outcome.kind == "draining"))
            case "busy":
                self._feed(session.Busy(outcome.server_id))
            case "refused" | "silent" | "unavailable":
                self._feed(session.Failed(outcome.server_id, outcome.kind))

    def _feed(self, event: Event, generation: int | None = None) -> None:
        """Step the machine. An event with a `generation` is ignored if another session has begun since."""
        with self._changed:
            if generation is not None and generation != self._generation:
                return
            before = self._machine
            self._machine, effects = session.step(before, event, self._clock(), self._draw)
            after = self._machine
            if after != before:
                self._changed.notify_all()
                self._listener.machine_changed(after)  # under the lock, to keep the order of the states
        if after.phase is not before.phase or after.server != before.server:
            _log.info("session phase changed", extra={"phase": after.phase.value, "server": after.server})
        for effect in effects:
            self._carry_out(effect)

    def _carry_out(self, effect: Effect) -> None:
        generation, servers = self._generation, self._servers
        match effect:
            case session.Probe(server):
                self._spawn(lambda: self._feed(session.Probed(server, servers.is_ready(server)), generation))
            case session.Refresh():
                self._spawn(lambda: self._refresh(effect, generation))
            case session.Report():
                self._report(effect, generation)
            case session.Leave(server, dead):
                if dead:  # calls that hang there are repeated at the new server, with the same ids
                    servers.break_off(server)
            case session.Replay():
                self._spawn(self._replay)

    def _report(self, effect: session.Report, generation: int) -> None:
        def still_wanted() -> bool:
            machine = self._machine
            waiting = machine.phase is Phase.RECONNECTING and machine.server == effect.server
            return waiting and self._generation == generation

        def reported(state: str) -> None:
            self._feed(session.StateReported(effect.server, state))

        for work in self._servers.watchers(effect.server, effect.trouble, reported, still_wanted):
            self._spawn(work)

    def _replay(self) -> None:
        self._listener.primary_changed(self._machine.server)
        self._listener.replay_wanted()

    # --- refreshing ------------------------------------------------------------------------------

    def _refresh(self, effect: session.Refresh, generation: int) -> None:
        servers, record = self._servers, self._tokens.record()
        if record is None:
            self._feed(session.RefreshRefused(), generation)
            return
        closest = servers.closest()
        at = effect.at or servers.next_server(self._machine.server, closest, effect.excluded)
        if not at:
            self._feed(session.RefreshFailed(""), generation)
            return
        try:
            self._ask(effect, servers, servers.endpoint(at), closest, record)
        except SignInError as error:
            if self._tokens.end(record):
                self._feed(session.RefreshRefused(error.ended), generation)
        except AppError:
            self._feed(session.RefreshFailed(at), generation)

    def _ask(
        self,
        effect: session.Refresh,
        servers: ServerSession,
        at: Endpoint,
        closest: str,
        record: TokenRecord,
    ) -> None:
        """Request the next generation of `record`. No task may begin until the answer is applied."""
        with self.tasks.decision() as critical:
            answer = self._tokens.rotate(
                record, at, closest, effect.reason, critical=critical, seconds=servers.refresh_seconds
            )
            servers.accept(answer, at)
            # The clock first: work that starts with the new token needs the right time.
            self._server_clock.learn(answer.server_time)
            with self._changed:
                if self._tokens.take(answer, record, self._clock()):
                    self._feed(self._refreshed(answer, servers))

    def _refreshed(self, answer: Refreshed, servers: ServerSession) -> session.RefreshSucceeded:
        server = answer.primary.server_id
        return session.RefreshSucceeded(
            server, answer.lock_epoch, float(answer.expires_in), servers.is_alone(server)
        )

    # --- time ------------------------------------------------------------------------------------

    def _wake(self, _server_id: str) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self, generation: int) -> None:
        """Feed the machine with ticks until the session ends, or another one begins."""
        while self._generation == generation and self._machine.phase is not Phase.SIGNED_OUT:
            self.tick()
            with self._changed:
                if self._generation == generation:
                    self._changed.wait(self._pause())

    def tick(self) -> None:
        """Report calls without progress, and the present time, to the machine."""
        for server in self._servers.silent_servers(session.SILENCE_SECONDS):
            self._feed(session.Failed(server, "silent"))
        self._feed(session.Tick(self.tasks.any))

    def _pause(self) -> float:
        """Return the number of seconds until a tick can have an effect."""
        oldest = self._servers.oldest_progress()
        silent = math.inf if oldest is None else oldest + session.SILENCE_SECONDS
        until = min(self._machine.wake_at(), silent) - self._clock()
        return min(max(until, 0.01), _LONGEST_SLEEP)
