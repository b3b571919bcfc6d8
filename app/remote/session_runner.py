"""Stays with one server: runs the session machine against the network, and hands tokens to calls.

The machine (`app/domain/session.py`) decides; here its effects are carried out, each in a thread of its own,
and what comes back is told to it as events. A call gets a lease: an access token and the server it is for.
"""

import contextlib
import logging
import math
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeVar

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Draw, Effect, Event, Machine
from app.errors import AppError, OfflineError, ServerError, SignInError
from app.remote.auth import SessionTokens, read_pin, signed_out
from app.remote.call_monitor import CallMonitor, Outcome
from app.remote.client import Client
from app.remote.cluster import Cluster
from app.remote.critical import CriticalTasks
from app.remote.endpoint import Endpoint
from app.remote.health_checks import HealthChecks
from app.store.vault import TokenRecord
from server.contract import paths
from server.contract.cluster_calls import (
    Servers,
)
from server.contract.errors import ErrorCode
from server.contract.shapes import (
    Refreshed,
    SignedIn,
)

T = TypeVar("T")
Spawn = Callable[[Callable[[], None]], None]
_LEASE_SECONDS: Final = 12.0
_REFRESH_SECONDS: Final = 4.5
_LOCAL_REFRESH_SECONDS: Final = 10.0
_LONGEST_SLEEP: Final = 30.0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LeasedToken:
    """An access token and the server that takes it; `epoch` is the lock's."""

    token: str = field(repr=False)
    endpoint: Endpoint
    epoch: int


def in_thread(work: Callable[[], None]) -> None:
    """Do `work` in a thread that does not hold up the program's end."""
    threading.Thread(target=work, name="session", daemon=True).start()


class SessionRunner:
    """The lock of one session. Usable from several threads.

    For the book on this computer (`local` endpoint, no cluster) the same machine only keeps the token fresh:
    its server is started anew at the next call, so calls are always tried.
    """

    def __init__(
        self,
        client: Client,
        tokens: SessionTokens,
        cluster: Cluster,
        monitor: CallMonitor,
        local: Callable[[], Endpoint],
        clock: Callable[[], float] = time.monotonic,
        draw: Draw = random.uniform,
        spawn: Spawn = in_thread,
    ) -> None:
        self._client = client
        self._tokens = tokens
        self._cluster = cluster
        self._monitor = monitor
        self._local = local
        self._clock = clock
        self._draw = draw
        self._spawn = spawn
        self._checks = HealthChecks(client, cluster, clock)
        self._changed = threading.Condition(threading.RLock())
        self._machine = Machine()
        self._is_local = False
        self._generation = 0
        self.tasks = CriticalTasks()
        self.on_change: Callable[[Machine], None] = lambda _: None
        """Hears of each change of the machine, from whatever thread made it."""
        self.on_moved: Callable[[str], None] = lambda _: None
        """Hears the new server once the lock is on it, before what waits is sent there."""
        self.on_replay: Callable[[], None] = lambda: None
        """Is asked to send what waits."""
        self.on_server_time: Callable[[str], None] = lambda _: None
        """Hears the server's clock at each refresh."""
        self.clock_offset: Callable[[], float] = lambda: 0.0
        """How many seconds this computer's clock is behind the servers'."""
        self._checks.offset = lambda: self.clock_offset()
        monitor.on_outcome = self._note_outcome
        monitor.on_call = self._wake

    # --- beginning and ending --------------------------------------------------------------------

    def begin(self, answer: SignedIn, server: str, *, remember: bool) -> None:
        """Go on with the session of `answer`; `server` is the address, "" for this computer's own."""
        self._tokens.adopt(answer, server, self._clock(), remember=remember)
        primary = answer.primary.server_id
        self._start(server, primary, answer.lock_epoch, float(answer.expires_in))

    def resume(self, server: str) -> None:
        """Go on with the remembered session, which has a refresh token only."""
        record = self._tokens.record()
        if record is None:
            raise signed_out()
        self._start(server, *read_pin(record.pin), 0.0)

    def has_session(self, seconds: float) -> bool:
        """Wait for the first refresh after `resume`; False where the server says that the session is over."""
        with self._changed:
            self._changed.wait_for(lambda: self._machine.phase is not Phase.REFRESHING, seconds)
            return self._machine.phase is not Phase.SIGNED_OUT

    def end(self) -> None:
        """Hold no lock any more."""
        with self._changed:
            self._generation += 1
            self._feed(session.SessionEnded())

    def _start(self, address: str, server: str, epoch: int, expires_in: float) -> None:
        with self._changed:
            self._is_local = not address
            self._generation += 1
            alone = self._is_local or self._cluster.is_alone(server)
            self._feed(session.SessionBegan(server, epoch, expires_in, alone))
            generation = self._generation
        self._spawn(lambda: self._keep(generation))

    # --- what calls need -------------------------------------------------------------------------

    @property
    def machine(self) -> Machine:
        """The machine as it stands."""
        return self._machine

    @property
    def epoch(self) -> int:
        """The lock's epoch: it rises with each change of server."""
        return self._machine.epoch

    def now(self) -> float:
        """Return the time on the machine's clock."""
        return self._clock()

    def endpoint(self) -> Endpoint:
        """Return the locked server, for calls that need no token. Raises OfflineError while it is away."""
        machine = self._machine
        if not self._is_local and not machine.takes_calls:
            raise OfflineError
        return self._endpoint(machine)

    def owner(self, url: str) -> Endpoint:
        """Return the server of the roster that `url` is on. Raises ServerError where it is on none."""
        return self._local() if self._is_local else self._cluster.owner(url)

    def run(self, call: Callable[[LeasedToken], T], book_id: str = "") -> T:
        """Run `call` with a lease; once more where the token is refused, or the lock moved meanwhile.

        With `book_id` only while that book is open: what was begun for one person is never done as another.
        Raises AppError.
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
        """Return a token and its server; waits for a refresh where one is needed. Raises AppError."""
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
                    raise OfflineError

    def _lease_now(self) -> LeasedToken | None:
        """Return a lease, None while one is to be waited for. Raises AppError where there will be none."""
        machine = self._machine
        if machine.phase is Phase.SIGNED_OUT:
            raise signed_out()
        if not machine.takes_calls and not self._is_local:
            raise OfflineError
        if token := self._tokens.access(self._clock()):
            return LeasedToken(token, self._endpoint(machine), machine.epoch)
        if machine.phase in {Phase.OFFLINE, Phase.SUSPECT}:
            self._feed(session.TryNow())  # this computer's server is started by asking it
            raise OfflineError
        if machine.phase is not Phase.REFRESHING:
            self._feed(session.TokenRefused(machine.server))
        return None

    def _endpoint(self, machine: Machine) -> Endpoint:
        if self._is_local:
            return self._local()
        return self._cluster.endpoint(machine.server)

    # --- what the windows tell -------------------------------------------------------------------

    def try_now(self) -> None:
        """Do not wait any longer."""
        self._feed(session.TryNow())

    def replayed(self, epoch: int, *, complete: bool) -> None:
        """What waited was sent to the server of the lock's `epoch`, which may have moved on since; `complete`
        says that all recent changes are there now."""
        self._feed(session.Replayed(epoch, complete))

    # --- the machine -----------------------------------------------------------------------------

    def _note_outcome(self, server_id: str, outcome: Outcome) -> None:
        match outcome:
            case "answered" | "draining":
                self._feed(session.Answered(server_id, outcome == "draining"))
            case "busy":
                self._feed(session.Busy(server_id))
            case "refused" | "silent" | "unavailable":
                self._feed(session.Failed(server_id, outcome))

    def _feed(self, event: Event, generation: int | None = None) -> None:
        """Tell the machine; with a `generation` only while that session goes on: what was begun for one is no
        news of the next."""
        with self._changed:
            if generation is not None and generation != self._generation:
                return
            before = self._machine
            self._machine, effects = session.step(before, event, self._clock(), self._draw)
            after = self._machine
            if after != before:
                self._changed.notify_all()
        if after.phase is not before.phase or after.server != before.server:
            _log.info("session", extra={"phase": after.phase.value, "server": after.server})
        for effect in effects:
            self._carry_out(effect)
        if after != before:
            self.on_change(after)

    def _carry_out(self, effect: Effect) -> None:
        generation = self._generation
        match effect:
            case session.Probe(server):
                self._spawn(lambda: self._feed(session.Probed(server, self._probe(server)), generation))
            case session.Refresh():
                self._spawn(lambda: self._refresh(effect, generation))
            case session.Report():
                self._report(effect)
            case session.Leave(server, dead):
                self._leave(server, dead=dead)
            case session.Replay():
                self._spawn(self._replay)

    def _probe(self, server: str) -> bool:
        if self._is_local:
            return self._checks.is_ready(self._local)
        return self._checks.is_ready(lambda: self._cluster.endpoint(server))

    def _report(self, effect: session.Report) -> None:
        generation = self._generation

        def still_wanted() -> bool:
            machine = self._machine
            waiting = machine.phase is Phase.RECONNECTING and machine.server == effect.server
            return waiting and self._generation == generation

        def heard(state: str) -> None:
            self._feed(session.StateReported(effect.server, state))

        for discovery in self._cluster.discovery():
            self._spawn(
                lambda at=discovery: self._checks.report_and_poll(  # type: ignore[misc]
                    at, effect.server, effect.trouble, heard, still_wanted
                )
            )

    def _leave(self, server: str, *, dead: bool) -> None:
        if dead:  # calls that hang there are made again at the new server, with the same ids
            with contextlib.suppress(ServerError):
                self._client.break_off(self._cluster.endpoint(server).url)

    def _replay(self) -> None:
        self.on_moved(self._machine.server)
        self.on_replay()

    # --- refreshing ------------------------------------------------------------------------------

    def _refresh(self, effect: session.Refresh, generation: int) -> None:
        record = self._tokens.record()
        if record is None:
            self._feed(session.RefreshRefused(), generation)
            return
        closest = "" if self._is_local else self._checks.closest()
        at = effect.at or self._candidate(closest, effect)
        if not at:
            self._feed(session.RefreshFailed(""), generation)
            return
        try:
            endpoint = self._local() if self._is_local else self._cluster.endpoint(at)
            self._ask(effect, endpoint, closest, record)
        except SignInError:
            if self._tokens.end(record):
                self._feed(session.RefreshRefused(), generation)
        except AppError:
            self._feed(session.RefreshFailed(at), generation)

    def _ask(self, effect: session.Refresh, at: Endpoint, closest: str, record: TokenRecord) -> None:
        """Ask for the next generation of `record`; the answer counts before a task may begin."""
        seconds = _LOCAL_REFRESH_SECONDS if self._is_local else _REFRESH_SECONDS
        with self.tasks.decision() as critical:
            answer = self._tokens.rotate(
                record, at, closest, effect.reason, critical=critical, seconds=seconds
            )
            self._learn_roster(answer, at)
            if not self._is_local:
                self._cluster.endpoint(answer.primary.server_id)  # nobody is sent out of the roster
            self.on_server_time(answer.server_time)  # first: what is done with the token has the right time
            with self._changed:
                if self._tokens.take(answer, record, self._clock()):
                    self._feed(self._refreshed(answer))

    def _refreshed(self, answer: Refreshed) -> session.RefreshSucceeded:
        server = answer.primary.server_id
        alone = self._is_local or self._cluster.is_alone(server)
        return session.RefreshSucceeded(server, answer.lock_epoch, float(answer.expires_in), alone)

    def _learn_roster(self, answer: Refreshed, at: Endpoint) -> None:
        """Ask for the roster where a server knows a newer one."""
        if self._is_local or answer.roster_version <= self._cluster.version:
            return
        with contextlib.suppress(AppError):
            servers = self._client.call(Servers, "GET", paths.SERVERS, endpoint=at, seconds=_REFRESH_SECONDS)
            self._cluster.learn(servers.roster)

    def _candidate(self, closest: str, effect: session.Refresh) -> str:
        """Return whom to ask: the closest server, else one of the roster, those of the same region first."""
        locked = self._machine.server
        if closest and closest not in effect.excluded and self._cluster.region_of(closest):
            return closest
        others = self._cluster.others(locked, effect.excluded)
        near = [each for each in others if self._cluster.region_of(each) == self._cluster.region_of(locked)]
        choice = near or others
        if not choice:
            return locked if locked not in effect.excluded else ""
        return choice[min(int(self._draw(0, len(choice))), len(choice) - 1)]

    # --- time ------------------------------------------------------------------------------------

    def _wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _keep(self, generation: int) -> None:
        """Let time pass for the machine until the session ends, or another begins."""
        while self._generation == generation and self._machine.phase is not Phase.SIGNED_OUT:
            self.tick()
            with self._changed:
                if self._generation == generation:
                    self._changed.wait(self._pause())

    def tick(self) -> None:
        """Let the machine look at the clock."""
        if not self._is_local:
            for server in self._monitor.silent_servers(session.SILENCE_SECONDS):
                self._feed(session.Failed(server, "silent"))
        self._feed(session.Tick(self.tasks.any))

    def _pause(self) -> float:
        """Return for how many seconds nothing can happen by itself."""
        oldest = self._monitor.oldest_progress()
        silent = math.inf if oldest is None else oldest + session.SILENCE_SECONDS
        until = min(self._machine.wake_at(), silent) - self._clock()
        return min(max(until, 0.01), _LONGEST_SLEEP)
