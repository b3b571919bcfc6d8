"""Tracks the status of the connection, and the progress of the changes after a move to another server."""

from dataclasses import replace
from typing import Final, Protocol

from app.domain.connection_status import ConnectionStatus, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_state import arrived
from app.errors import AppError
from app.services.accounts import Accounts, BookSession
from app.services.replication_tracker import ReplicationTracker
from app.store.replay_log import ReplayLog

NO_SERVER: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})
_AWAY: Final = NO_SERVER | {Phase.SWITCHING}
_THERE: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SWITCHING})
_SETTLED: Final = frozenset({Phase.PINNED, Phase.SYNCING, Phase.SIGNED_OUT})
"""No other server is looked for."""


class Connection(Protocol):
    """What the sync worker needs of the tracker. Every method is called by the worker's thread only."""

    def view(self) -> ConnectionStatus:
        """Return the status."""

    def take(self, machine: Machine) -> bool:
        """Set the state of the session machine. Return whether a server can be reached again."""

    def begin_move(self) -> None:
        """Handle that the session is pinned to another server."""

    def dismiss_move(self) -> None:
        """Handle that the user closed the message about the new primary server."""

    def recount(self) -> None:
        """Count again how many changes have arrived."""

    @property
    def is_awaited(self) -> bool:
        """Whether the user is shown that changes are still to arrive."""


class ConnectionTracker:
    """Not thread-safe: only the sync worker's thread calls it."""

    def __init__(self, accounts: Accounts, replay_log: ReplayLog, tracker: ReplicationTracker) -> None:
        self._accounts = accounts
        self._replay_log = replay_log
        self._tracker = tracker
        self._machine = Machine()
        self._moved: Moved | None = None
        self._away_from = ""
        self._is_away = False
        self._unsettled = self._late = 0

    def view(self) -> ConnectionStatus:
        """Return the status."""
        machine, session = self._machine, self._accounts.session
        phase = machine.shown
        if phase is Phase.REFRESHING and self._is_away:  # this refresh is the search for another server
            phase = Phase.RECONNECTING
        at = machine.deadline if machine.phase is Phase.RECONNECTING else None
        label = session.server_label if session is not None and self._accounts.is_remote else ""
        return ConnectionStatus(phase, label, at, self._moved, self._unsettled, self._late)

    def take(self, machine: Machine) -> bool:
        """Set the state of the session machine. Return whether a server can be reached again.

        If the pinned server is back, the session gets a new pin: the region may have been restored from an
        older copy, so its replication status must be polled again.
        """
        was_there = self._machine.phase in _THERE
        self._machine = machine
        is_there = machine.phase in _THERE
        self._is_away = machine.phase in _AWAY or (self._is_away and machine.phase not in _SETTLED)
        if is_there and machine.server == self._away_from:
            self._accounts.pin_anew()
        if is_there or machine.phase in NO_SERVER:
            self._away_from = "" if is_there else machine.server
        if machine.phase is Phase.SIGNED_OUT:
            self._moved = None
        elif self._moved is not None and machine.late and not self._moved.complete:
            self._moved = replace(self._moved, late=True)
        return is_there and not was_there

    def begin_move(self) -> None:
        """Handle that the session is pinned to another server, and count the changes that it has."""
        session = self._accounts.session
        if session is not None:
            self._moved = self._count(session)

    def dismiss_move(self) -> None:
        """Handle that the user closed the message about the new primary server."""
        self._moved = None

    def recount(self) -> None:
        """Count again how many changes have arrived, and report it to the session machine if it waits."""
        self._unsettled, self._late = self._tracker.counts()
        machine, session = self._machine, self._accounts.session
        is_waited_for = self._moved is not None or machine.syncing_since is not None
        if not is_waited_for or session is None or session.server_id != machine.server:
            return
        counted = self._count(session)
        if self._accounts.session is not session:  # the session moved meanwhile; the count is out of date
            return
        if self._moved is not None:
            self._moved = replace(counted, late=machine.late and not counted.complete)
        self._accounts.replayed(machine.epoch, complete=counted.complete)

    @property
    def is_awaited(self) -> bool:
        """Whether the user is shown that changes are still to arrive."""
        return self._moved is not None and not self._moved.complete

    def _count(self, session: BookSession) -> Moved:
        try:
            recent = self._replay_log.recent_counted(session.book_id, self._tracker.now_us())
        except AppError:  # the disk failed: do not claim that everything has arrived
            return Moved(0, 1)
        here, total, unknown = arrived(recent, session.region, session.pin_id)
        return Moved(here, total, unknown=unknown)
