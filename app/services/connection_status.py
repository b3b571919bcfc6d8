"""How the connection to the cluster stands: for the windows to show, and for sending to follow."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_state import arrived
from app.errors import AppError
from app.services.accounts import Accounts, BookSession
from app.services.replication_tracker import ReplicationTracker
from app.store.replay_log import ReplayLog

_AWAY: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})
_THERE: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})
OnConnection = Callable[[ConnectionStatus], None]


class ConnectionTracker:
    """Usable from several threads; `subscribe`d callbacks are called from whatever thread made the change."""

    def __init__(
        self,
        accounts: Accounts,
        replay_log: ReplayLog,
        tracker: ReplicationTracker,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._replay_log = replay_log
        self._tracker = tracker
        self._now_us = now_us
        self._lock = threading.Lock()
        self._told: list[OnConnection] = []
        self._moved: Moved | None = None
        self._away_from, self._is_there = "", False
        self._counts = self._last_count = 0
        self._unsettled = self._late = 0
        self._last = ConnectionStatus(Phase.SIGNED_OUT)
        self.send: Callable[[], object] = lambda: None
        """Sends what waits; called when the lock has moved."""
        accounts.on_connection = self._changed
        accounts.on_replay = self._replay
        tracker.on_poll = self.recount
        tracker.poll_fast = self._is_awaited

    def view(self) -> ConnectionStatus:
        """Return how it stands."""
        return self._view(self._accounts.machine)

    def now(self) -> float:
        """Return the time on the clock of `ConnectionStatus.reconnect_at`, in seconds."""
        return self._accounts.connection_clock()

    def subscribe(self, told: OnConnection) -> None:
        """Hear of each change."""
        self._told.append(told)

    def try_now(self) -> None:
        """Do not wait any longer; returns at once."""
        self._accounts.try_now()

    def dismiss_move(self) -> None:
        """The person has read that the primary server changed."""
        with self._lock:
            self._moved = None
        self._tell()

    def recount(self) -> None:
        """Count which of the recent changes are at the present server; after each look at where they are."""
        self._unsettled, self._late = self._tracker.counts()
        with self._lock:
            self._counts += 1
            number = self._counts
        machine, session = self._accounts.machine, self._accounts.session
        is_awaited = self._moved is not None or machine.syncing_since is not None
        if is_awaited and session is not None and session.server_id == machine.server:
            counted = self._count(session)
            if self._take(number, session, counted, late=machine.late):
                self._accounts.replayed(machine.epoch, complete=counted.complete)
        self._tell()

    # --- inside ----------------------------------------------------------------------------------

    def _is_awaited(self) -> bool:
        moved = self._moved
        return moved is not None and not moved.complete

    def _replay(self) -> None:
        """The lock has moved: say so, send what waits, and count what is there."""
        session = self._accounts.session
        if session is None:
            return
        moved = self._count(session)
        with self._lock:
            if self._accounts.session is None:
                return
            self._moved = moved
        self._tell()
        self._tracker.wake()  # it looks while what waits is sent
        try:
            self.send()
        finally:
            self.recount()
            self._tracker.wake()

    def sent(self) -> None:
        """Hear that a run of sending has ended."""
        self.recount()
        self._tracker.wake()

    def _count(self, session: BookSession) -> Moved:
        try:
            recent = self._replay_log.recent_counted(session.book_id, self._now_us())
        except AppError:  # the disk fails: nothing is claimed
            return Moved(0, 1)
        here, total, unknown = arrived(recent, session.region, session.pin_id)
        return Moved(here, total, unknown=unknown)

    def _take(self, number: int, session: BookSession, counted: Moved, *, late: bool) -> bool:
        """Show what was counted for `session`; False where a later count is shown, or the lock has moved
        meanwhile: it is of no more use."""
        with self._lock:
            if number < self._last_count or self._accounts.session is not session:
                return False
            self._last_count = number
            if self._moved is not None:
                self._moved = replace(counted, late=late and not counted.complete)
            return True

    def _changed(self, machine: Machine) -> None:
        with self._lock:
            is_there, was_there = machine.phase in _THERE, self._is_there
            is_back = is_there and machine.server == self._away_from
            self._is_there = is_there
            if is_there or machine.phase in _AWAY:
                self._away_from = "" if is_there else machine.server
            if machine.phase is Phase.SIGNED_OUT:
                self._moved = None
            elif self._moved is not None and machine.late and not self._moved.complete:
                self._moved = replace(self._moved, late=True)
        if is_back:
            self._accounts.pin_anew()
        if is_there and not was_there:
            self._tracker.wake()
        self._tell()

    def _tell(self) -> None:
        view = self.view()
        with self._lock:
            if view == self._last:
                return
            self._last = view
        for told in self._told:
            told(view)

    def _view(self, machine: Machine) -> ConnectionStatus:
        session = self._accounts.session
        at = machine.deadline if machine.phase is Phase.RECONNECTING else None
        label = session.server_label if session is not None and self._accounts.is_remote else ""
        return ConnectionStatus(machine.shown, label, at, self._moved, self._unsettled, self._late)
