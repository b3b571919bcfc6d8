"""The sync worker: one thread that owns sending, back-off, status polls and replay.

The thread only decides. Blocking work (a run of the outbox, a replay, a poll, a probe) runs in another
thread, at most one of each kind, and its result comes back as a message. A large upload on a slow line
therefore delays no poll, and a server that does not answer delays no decision. The windows receive one
stream of events.
"""

import contextlib
import math
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Final, Protocol

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.send_schedule import PROBE_SECONDS, Draw, SendSchedule
from app.domain.stream import Stream
from app.domain.sync_events import (
    CameBack,
    Connectivity,
    Crashed,
    EntriesConfirmed,
    MachineChanged,
    RunEnded,
    SessionChange,
    SignInNeeded,
    Started,
    StateChanged,
    Superseded,
    SyncEvent,
    SyncState,
)
from app.errors import AppError, OfflineError, SignInError
from app.services.connection_status import NO_SERVER, Connection
from app.services.message_thread import UNEXPECTED, Message, MessageThread, nothing
from app.services.status_poller import StatusPoller, Tracker
from app.services.sync import SyncReport

_AWAY: Final = NO_SERVER | {Phase.SWITCHING}


class SyncSession(Protocol):
    """What the worker needs of the accounts."""

    @property
    def changes(self) -> Stream[SessionChange]:
        """The events of the open session."""

    def is_online(self) -> bool:
        """Return whether the server can save an entry now. Blocks."""

    def try_now(self) -> None:
        """Look for a server now."""

    def connection_clock(self) -> float:
        """Return the time on the clock of the session machine, in seconds."""


class PendingOutbox(Protocol):
    """What the worker needs of the outbox."""

    def send_pending(self) -> SyncReport:
        """Send all items. Blocks."""

    def waiting(self) -> int:
        """Return the number of operations that no server has confirmed."""


class SyncWorker:
    """Sends the outbox, and publishes `events`.

    Public methods may be called from any thread. They return at once, except `send_and_wait` and `close`.
    Private methods are called by the worker's thread only, unless their docstring says otherwise.
    """

    def __init__(
        self,
        session: SyncSession,
        outbox: PendingOutbox,
        tracker: Tracker,
        connection: Connection,
        clock: Callable[[], float] = time.monotonic,
        draw: Draw = random.uniform,
    ) -> None:
        self._session = session
        self._outbox = outbox
        self._connection = connection
        self._clock = clock
        self.events: Stream[SyncEvent] = Stream()
        """All are published by the worker's thread, so every subscriber gets them in the same order."""
        self._thread = MessageThread("sync worker", self._follow_up, self._seconds_left, self._crashed)
        self._lock = threading.Lock()  # guards the attributes that several threads change
        self._is_closed = False
        self._number = 0  # of the open book
        self._asked = 0  # requests to send that the thread has not handled yet
        self._sends = SendSchedule(draw)
        self._poller = StatusPoller(self._thread, tracker, connection, clock)
        self._is_probing = self._is_replay_run_due = False
        self._was_away = self._was_behind = False
        self._probe_at = math.inf
        self._ended = ""  # why the last session is over
        self._waiters: list[Future[SyncReport]] = []  # of callers whose run has not begun
        self._state = SyncState()
        session.changes.subscribe(lambda change: self._thread.post(partial(self._session_changed, change)))

    # --- for any thread --------------------------------------------------------------------------

    @property
    def state(self) -> SyncState:
        """The last published snapshot."""
        return self._state

    @property
    def is_sending(self) -> bool:
        """Whether something is being sent, or is about to be sent."""
        return self._asked > 0 or self._sends.is_sending or self._sends.is_asked

    def now(self) -> float:
        """Return the time on the clock of `ConnectionStatus.reconnect_at`, in seconds."""
        return self._session.connection_clock()

    def start(self) -> int:
        """Start sending, because a book is open. Return the number that its `Started` event carries."""
        with self._lock:
            self._number += 1
            number = self._number
        self._thread.post(partial(self._open, number))
        return number

    def stop(self) -> None:
        """Stop sending, because the book is being closed."""
        self._thread.post(self._close_book)

    def send_now(self) -> None:
        """Send the outbox now; if no server can be reached, look for one first."""
        self._ask(partial(self._send, look=True))

    def outbox_changed(self) -> None:
        """Count the outbox again and send it, after something was saved, retried or discarded."""
        self._ask(self._send)

    def signed_in_again(self) -> None:
        """Send again, after the user has entered the password."""
        self._ask(self._signed_in_again)

    def send_and_wait(self) -> SyncReport:
        """Send the outbox and return the report of a run that began after this call. Blocks until its end.

        Raises AppError; OfflineError if the worker is closed before the run begins.
        """
        waiter: Future[SyncReport] = Future()
        with self._lock:
            if self._is_closed:
                raise OfflineError
            self._waiters.append(waiter)
        self._thread.post(nothing)
        return waiter.result()

    def try_now(self) -> None:
        """Look for a server now, without waiting for the countdown."""
        self._session.try_now()

    def dismiss_move(self) -> None:
        """Close the message about the new primary server."""
        self._thread.post(self._connection.dismiss_move)

    def refresh(self) -> None:
        """Publish the state again if it changed."""
        self._thread.post(nothing)

    def close(self) -> None:
        """End the thread. A run in progress goes on until the program ends; its rest is sent next time."""
        with self._lock:
            self._is_closed = True
        for waiter in self._take_waiters():
            waiter.set_exception(OfflineError())
        self._thread.close()

    def _ask(self, message: Message) -> None:
        """Post a message that requests to send. Called in any thread."""
        with self._lock:
            if self._is_closed:
                return
            self._asked += 1

        def asked() -> None:
            try:
                message()
                self._begin_due()  # before `_asked` decreases, so that `is_sending` stays True in between
            finally:
                with self._lock:
                    self._asked -= 1

        self._thread.post(asked)

    # --- the thread ------------------------------------------------------------------------------

    def _follow_up(self) -> None:
        self._publish()
        self._begin_due()
        self._publish()

    def _crashed(self, crash: Exception) -> None:
        self.events.publish(Crashed(crash))

    def _seconds_left(self) -> float | None:
        """Return the number of seconds until something is due; None if nothing is planned."""
        due = min(self._sends.wake_at(), self._poller.wake_at(), self._probe_due)
        return None if due == math.inf else max(0.0, due - self._clock())

    def _begin_due(self) -> None:
        now = self._clock()
        if not self._sends.is_sending and (self._waiters or self._is_replay_run_due):
            self._begin_run()
        elif self._sends.is_due(now):
            self._begin_look(now)
        elif now >= self._probe_due:
            self._begin_probe()
        if self._poller.is_replay_due and not self._sends.is_sending:
            self._sends.began()
            self._poller.begin_replay(self._is_run_asked_for, self._sends.ended)
        self._poller.begin_due()

    def _begin_look(self, now: float) -> None:
        if self._sends.is_asked or self._is_troubled:
            self._begin_run()
        elif self._is_probing:  # the last probe has not been answered yet
            self._sends.plan(now, better=True, troubled=False)
        else:
            self._sends.due_at = math.inf
            self._begin_probe()

    @property
    def _probe_due(self) -> float:
        """When to probe between two runs that ask no server, because the user must act first."""
        may_probe = self._sends.is_open and not (self._sends.is_paused or self._is_probing)
        return self._probe_at if may_probe else math.inf

    def _is_run_asked_for(self) -> bool:
        """Return whether a replay must end for a run. Called in any thread."""
        return self._asked > 0 or self._sends.is_asked or bool(self._waiters) or self._is_replay_run_due

    @property
    def _is_troubled(self) -> bool:
        return self._state.waiting > 0 or self._state.connectivity is not Connectivity.ONLINE

    def _publish(self) -> None:
        """Publish the snapshot if it has changed, and the events that follow from the connection status."""
        before = self._state.connection
        self._update(connection=self._connection.view())
        if self._sends.is_open:
            self._note_phase(before, self._state.connection)

    def _update(self, **changes: object) -> None:
        state = replace(self._state, **changes)  # type: ignore[arg-type]
        if state != self._state:
            self._state = state
            self.events.publish(StateChanged(state))

    # --- the book and the session ----------------------------------------------------------------

    def _open(self, number: int) -> None:
        if number != self._number:  # another book was opened meanwhile
            return
        self.events.publish(Started(number))
        self._probe_at = math.inf
        self._was_away = self._was_behind = False
        self._state = SyncState()
        self._sends.start(self._clock())
        self._sends.set_paused(self._connection.view().phase in NO_SERVER, self._clock())
        self._count_waiting()
        self._connection.recount()

    def _close_book(self) -> None:
        self._sends.stop()
        self._update(connectivity=Connectivity.STARTING, waiting=0, refused=0, problem=None)

    def _session_changed(self, change: SessionChange) -> None:
        if isinstance(change, MachineChanged):
            self._ended = change.machine.ended
            self._poller.take(change.machine)
            if self._connection.take(change.machine):
                self._poller.ask()
        else:
            self._is_replay_run_due = True
            self._connection.begin_move()
            self._poller.ask()  # the poll runs at the same time as the run of the outbox

    def _note_phase(self, before: ConnectionStatus, now: ConnectionStatus) -> None:
        """Hold sending while no server can be reached. Publish when one is back, or the session has ended."""
        phase = now.phase
        self._was_away = self._was_away or phase in _AWAY
        was_paused = self._sends.is_paused
        self._sends.set_paused(phase in NO_SERVER, self._clock())
        if self._sends.is_paused and not was_paused:
            self._count_waiting()
        if self._is_back(phase):
            self._sends.ask(self._clock())
            self.events.publish(CameBack())
        if phase is Phase.SIGNED_OUT and before.phase is not phase and not before.is_local:
            over = SignInError("The session has ended.", detail={"ended": self._ended})
            self.events.publish(SignInNeeded(over))

    def _is_back(self, phase: Phase) -> bool:
        back = (phase is Phase.SYNCING and self._was_away) or (
            phase is Phase.PINNED and (self._was_away or self._was_behind)
        )
        if phase in (Phase.PINNED, Phase.SYNCING):
            self._was_away, self._was_behind = False, phase is Phase.SYNCING
        return back

    # --- sending ---------------------------------------------------------------------------------

    def _send(self, *, look: bool = False) -> None:
        if look and self._sends.is_paused:
            self._session.try_now()
        self._count_waiting()
        if not self._sends.is_paused:
            self._sends.ask(self._clock())

    def _signed_in_again(self) -> None:
        self._update(problem=None)
        self._sends.start_over()
        self._send()

    def _count_waiting(self) -> None:
        if not self._sends.is_open:
            return
        if self._sends.is_paused:
            self._update(connectivity=Connectivity.OFFLINE)
        with contextlib.suppress(AppError):  # if the disk fails, the last count is kept
            self._update(waiting=self._outbox.waiting())

    def _begin_run(self) -> None:
        self._sends.run_began()
        number, self._is_replay_run_due = self._number, False
        self._thread.start_job("send", self._send_outbox, partial(self._run_ended, number))

    def _send_outbox(self) -> SyncReport:
        """Send the outbox, and give the report to the waiting callers. Called in the job's thread."""
        waiters = self._take_waiters()
        try:
            report = self._outbox.send_pending()
        except BaseException as error:
            shown = error if isinstance(error, AppError) else AppError(UNEXPECTED)
            for waiter in waiters:
                waiter.set_exception(shown)
            raise
        for waiter in waiters:
            waiter.set_result(report)
        return report

    def _take_waiters(self) -> list[Future[SyncReport]]:
        """Return and forget the callers whose run has not begun. Called in any thread."""
        with self._lock:
            waiters, self._waiters = self._waiters, []
        return waiters

    def _run_ended(self, number: int, outcome: SyncReport | AppError) -> None:
        report = outcome if isinstance(outcome, SyncReport) else self._failed(outcome)
        # Refused items do not count as a failure: a retry cannot help until the user has acted.
        moved = report.sent > 0 or report.waiting == 0
        better = report.error is None and moved
        stuck = report.error is None and not moved  # until the user acts, no run asks a server
        self._probe_at = min(self._probe_at, self._clock() + PROBE_SECONDS) if stuck else math.inf
        self._sends.ended()  # first, so that `is_sending` is False for subscribers of the events below
        if number == self._number and self._sends.is_open:
            self._publish_run(report)
        self._sends.plan(self._clock(), better=better, troubled=self._is_troubled)
        self._poller.ask()
        self._connection.recount()

    def _failed(self, error: AppError) -> SyncReport:
        return SyncReport(0, self._state.waiting, self._state.refused, error)

    def _publish_run(self, report: SyncReport) -> None:
        is_offline = isinstance(report.error, OfflineError)
        changed = report.sent > 0 or report.refused != self._state.refused
        self._update(
            connectivity=Connectivity.OFFLINE if is_offline else Connectivity.ONLINE,
            waiting=report.waiting,
            refused=report.refused,
            problem=None if is_offline else report.error,
        )
        if isinstance(report.error, SignInError):
            self.events.publish(SignInNeeded(report.error))
        if report.superseded:
            self.events.publish(Superseded(report.superseded))
        if changed:
            self.events.publish(EntriesConfirmed(report.sent))
        self.events.publish(RunEnded(report.waiting - report.refused))

    def _begin_probe(self) -> None:
        self._is_probing = True
        self._thread.start_job("probe", self._session.is_online, partial(self._probed, self._number))

    def _probed(self, number: int, online: bool | AppError) -> None:
        self._is_probing = False
        now, is_between_runs = self._clock(), self._probe_at < math.inf and self._sends.due_at < math.inf
        if self._probe_at < math.inf:
            self._probe_at = now + PROBE_SECONDS
        if not self._sends.is_open or self._sends.is_sending or self._sends.is_paused:
            return
        is_online = online is True
        if self._state.connection.phase is Phase.SIGNED_OUT:
            self._sends.plan(now, better=True, troubled=False)  # the probe says nothing about the server
            return
        if number == self._number:
            self._update(connectivity=Connectivity.ONLINE if is_online else Connectivity.OFFLINE)
        if not is_between_runs:
            self._sends.plan(now, better=is_online, troubled=self._is_troubled)
