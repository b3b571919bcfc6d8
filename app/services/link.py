"""How the connection to the cluster stands: for the windows to show, and for sending to follow."""

import threading
import time
from collections.abc import Callable

from app.domain.link import LinkView, Moved, Phase
from app.domain.session import Machine
from app.domain.sync_state import arrived
from app.errors import AppError
from app.services.accounts import Accounts
from app.services.following import Following
from app.store.retained import Retained

Told = Callable[[LinkView], None]


class Link:
    """Usable from several threads; `subscribe`d callbacks are called from whatever thread made the change."""

    def __init__(
        self,
        accounts: Accounts,
        retained: Retained,
        following: Following,
        now_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        self._accounts = accounts
        self._retained = retained
        self._following = following
        self._now_us = now_us
        self._lock = threading.Lock()
        self._told: list[Told] = []
        self._moved: Moved | None = None
        self._unsettled = self._late = 0
        self._last = LinkView(Phase.SIGNED_OUT)
        self.send: Callable[[], object] = lambda: None
        """Sends what waits; called when the lock has moved."""
        accounts.on_link = self._changed
        accounts.on_replay = self._replay
        following.on_look = self.recount
        following.in_a_hurry = lambda: self._moved is not None and not self._moved.complete

    def view(self) -> LinkView:
        """Return how it stands."""
        return self._view(self._accounts.machine)

    def now(self) -> float:
        """Return the time on the clock of `LinkView.reconnect_at`, in seconds."""
        return self._accounts.link_now()

    def subscribe(self, told: Told) -> None:
        """Hear of each change."""
        self._told.append(told)

    def try_now(self) -> None:
        """Do not wait any longer; returns at once."""
        self._accounts.try_now()

    def dismiss_move(self) -> None:
        """The person has read that the primary server changed."""
        self._moved = None
        self._tell()

    def recount(self) -> None:
        """Count which of the recent changes are at the present server; after each look at where they are."""
        self._unsettled, self._late = self._following.counts()
        if self._moved is None:
            self._tell()
            return
        here, total = self._count()
        with self._lock:
            if self._moved is not None:
                self._moved = Moved(here, total, self._accounts.machine.late and here < total)
        self._accounts.replayed(complete=here >= total)
        self._tell()

    # --- inside ----------------------------------------------------------------------------------

    def _replay(self) -> None:
        """The lock has moved: say so, send what waits, and count what is there."""
        self._moved = Moved(*self._count())
        self._tell()
        self.send()
        self.recount()
        self._following.kick()

    def sent(self) -> None:
        """Hear that a run of sending has ended."""
        self.recount()
        self._following.kick()

    def _count(self) -> tuple[int, int]:
        session = self._accounts.session
        if session is None:
            return 0, 0
        try:
            recent = self._retained.recent_counted(session.book_id, self._now_us())
        except AppError:  # the disk fails: nothing is claimed
            return 0, 1
        return arrived(recent, session.region, session.stay)

    def _changed(self, machine: Machine) -> None:
        if machine.phase is Phase.SIGNED_OUT:
            self._moved = None
        moved = self._moved
        if moved is not None and machine.late and not moved.complete:
            self._moved = Moved(moved.here, moved.total, late=True)
        self._tell()

    def _tell(self) -> None:
        view = self.view()
        with self._lock:
            if view == self._last:
                return
            self._last = view
        for told in self._told:
            told(view)

    def _view(self, machine: Machine) -> LinkView:
        session = self._accounts.session
        at = machine.deadline if machine.phase is Phase.RECONNECTING else None
        label = session.server_label if session is not None and self._accounts.is_remote else ""
        return LinkView(machine.shown, label, at, self._moved, self._unsettled, self._late)
