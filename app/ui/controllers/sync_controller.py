"""Sends what waits, in the background: at once after a save, else again and again with growing pauses."""

import random
from collections.abc import Callable
from enum import Enum
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.errors import AppError, OfflineError, SignInError
from app.ui.tasks import Tasks

if TYPE_CHECKING:
    from app.services import Services
    from app.services.sync import SyncReport

_FIRST_PAUSE_MS: Final = 1_000
_LONGEST_PAUSE_MS: Final = 60_000
_PROBE_MS: Final = 20_000
_JITTER: Final = 0.25


class Connectivity(Enum):
    """How the connection stands."""

    STARTING = "starting"
    ONLINE = "online"
    OFFLINE = "offline"


class SyncController(QObject):
    """`waiting_changed(int)` counts the outbox, `entries_confirmed(int)` says how many a server took just
    now, `link_changed(Link)` how the connection stands, `run_ended(int)` what is still to be sent.
    `sign_in_needed` carries the SignInError that stopped a run, `superseded` the codes of entries that were
    changed on another device after the change that was sent. `problem` is the AppError that stopped the
    last run, if any but that no server answered."""

    waiting_changed = Signal(int)
    entries_confirmed = Signal(int)
    connectivity_changed = Signal(object)
    run_ended = Signal(int)
    sign_in_needed = Signal(object)
    superseded = Signal(object)

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        parent: QObject | None = None,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._jitter = jitter
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._tick)
        self._pause = _FIRST_PAUSE_MS
        self._running = self._sending = self._again = self._held = False
        self.waiting = 0
        self.refused = 0
        self.problem: AppError | None = None
        self.connectivity = Connectivity.STARTING

    def start(self) -> None:
        """Begin: count what waits and send it."""
        self._running = True
        self.send_now()

    def stop(self) -> None:
        """Send nothing more, as when signed out."""
        self._running = self._sending = self._again = False
        self._timer.stop()
        self._tasks.supersede(self, "send")
        self._tasks.supersede(self, "count")
        self._set_connectivity(Connectivity.STARTING)
        self._set_waiting(0)

    def send_now(self) -> None:
        """Send at once; asked while sending, send once more after it."""
        if not self._running:
            return
        if self._held:
            self._only_count()
            return
        if self._sending:
            self._again = True
            return
        self._sending = True
        self._timer.stop()
        self._tasks.run(self._services.sync.send_pending, self._sent, self._failed, owner=self, topic="send")

    def hold(self, held: bool) -> None:
        """Send nothing while no server is there; when that is over, send at once."""
        if held == self._held:
            return
        self._held = held
        self._pause = _FIRST_PAUSE_MS
        if held:
            self._timer.stop()
            self._tasks.supersede(self, "probe")
        self.send_now()

    def entry_saved(self) -> None:
        """Note that one more entry waits, and send it."""
        self._set_waiting(self.waiting + 1)
        self.send_now()

    def recount(self) -> None:
        """Note that items of the outbox were taken away or are to be sent again, and send."""
        self._set_waiting(self._services.sync.waiting())
        self.send_now()

    def signed_in_again(self) -> None:
        """Go on after the server wanted the password once more."""
        self.problem = None
        self._pause = _FIRST_PAUSE_MS
        self.send_now()

    @property
    def sending(self) -> bool:
        """Say whether something is being sent to a server that answered last."""
        return self._sending and self.connectivity is Connectivity.ONLINE

    @property
    def pause_ms(self) -> int:
        """Return the pause before the next try, in milliseconds, without its jitter."""
        return self._pause if self._troubled() else _PROBE_MS

    def _only_count(self) -> None:
        self._set_connectivity(Connectivity.OFFLINE)
        waiting = self._services.sync.waiting
        self._tasks.run(waiting, self._set_waiting, owner=self, topic="count", local=True)

    def _troubled(self) -> bool:
        return self.connectivity is not Connectivity.ONLINE or self.waiting > 0

    def _sent(self, report: "SyncReport") -> None:
        self._sending = False
        offline = isinstance(report.error, OfflineError)
        changed = report.sent > 0 or report.refused != self.refused
        self.refused = report.refused
        self.problem = None if offline else report.error
        self._set_connectivity(Connectivity.OFFLINE if offline else Connectivity.ONLINE)
        self._set_waiting(report.waiting)
        if isinstance(report.error, SignInError):
            self.sign_in_needed.emit(report.error)
        if report.superseded:
            self.superseded.emit(report.superseded)
        if changed:
            self.entries_confirmed.emit(report.sent)
        self.run_ended.emit(report.waiting - report.refused)  # nobody waits for what a server refused
        moved = report.sent > 0 or report.waiting == 0  # what is refused waits for the person, not for us
        self._plan(better=report.error is None and moved)

    def _failed(self, error: AppError) -> None:
        self._sending = False
        offline = isinstance(error, OfflineError)
        self.problem = None if offline else error
        self._set_connectivity(Connectivity.OFFLINE if offline else Connectivity.ONLINE)
        self.run_ended.emit(self.waiting - self.refused)
        self._plan(better=False)

    def _plan(self, *, better: bool) -> None:
        if not self._running:
            return
        if self._again or self._held:
            self._again = False
            self.send_now()
            return
        pause = self.pause_ms
        self._pause = _FIRST_PAUSE_MS if better else min(self._pause * 2, _LONGEST_PAUSE_MS)
        self._timer.start(round(pause * (1 + _JITTER * (2 * self._jitter() - 1))))

    def _tick(self) -> None:
        """Send what waits; with nothing waiting only ask whether a server is there."""
        if self.waiting > 0 or self.connectivity is not Connectivity.ONLINE:
            self.send_now()
            return
        self._tasks.run(self._services.accounts.is_online, self._probed, owner=self, topic="probe")

    def _probed(self, online: bool) -> None:
        if self._running and not self._sending:
            self._set_connectivity(Connectivity.ONLINE if online else Connectivity.OFFLINE)
            self._plan(better=online)

    def _set_connectivity(self, link: Connectivity) -> None:
        if link is not self.connectivity:
            self.connectivity = link
            self.connectivity_changed.emit(link)

    def _set_waiting(self, waiting: int) -> None:
        if waiting != self.waiting:
            self.waiting = waiting
            self.waiting_changed.emit(waiting)
