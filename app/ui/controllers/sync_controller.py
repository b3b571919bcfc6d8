"""Shows the windows what the sync worker does: its events come in here, and leave as signals."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.domain.sync_events import (
    CameBack,
    Connectivity,
    Crashed,
    EntriesConfirmed,
    RunEnded,
    SignInNeeded,
    Started,
    StateChanged,
    Superseded,
    SyncEvent,
    SyncState,
)
from app.errors import AppError
from app.ui.tasks import Relay, Tasks

if TYPE_CHECKING:
    from app.services import Services


class SyncController(QObject):
    """Between `start` and `stop` it follows the sync worker, for the book that is open.

    `state_changed(SyncState)` comes with each change, `waiting_changed(int)` and
    `connectivity_changed(Connectivity)` with changes of these. `entries_confirmed(int)` says how many
    operations a server took just now, `run_ended(int)` how many are still to be sent, `superseded(tuple)`
    the codes of entries that were changed later on another device, `sign_in_needed(SignInError)` that the
    password is needed, `came_back()` that what was read may be out of date.
    """

    state_changed = Signal(object)
    waiting_changed = Signal(int)
    connectivity_changed = Signal(object)
    entries_confirmed = Signal(int)
    run_ended = Signal(int)
    superseded = Signal(object)
    sign_in_needed = Signal(object)
    came_back = Signal()

    def __init__(self, services: "Services", tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._worker = services.worker
        self._tasks = tasks
        self._number = 0  # of the book that is followed; events before its Started are about another
        self._is_current = False
        self.state = SyncState()
        self._relay = Relay(self)
        self._relay.reported.connect(self._take)
        services.worker.events.subscribe(self._relay.report)

    def start(self) -> None:
        """Follow the worker, and let it send, because a book is open."""
        self._is_current = False
        self._number = self._worker.start()

    def stop(self) -> None:
        """Stop following the worker, for example after a sign-out."""
        self._number, self._is_current = 0, False
        self._worker.stop()
        self._show(SyncState())

    def send_now(self) -> None:
        """Send the outbox now; if no server can be reached, look for one first."""
        self._worker.send_now()

    def outbox_changed(self) -> None:
        """Count the outbox again, and send it."""
        self._worker.outbox_changed()

    def signed_in_again(self) -> None:
        """Send again, after the user has entered the password."""
        self._worker.signed_in_again()

    @property
    def waiting(self) -> int:
        """The number of operations that no server has confirmed."""
        return self.state.waiting

    @property
    def refused(self) -> int:
        """The number of operations that a server has refused."""
        return self.state.refused

    @property
    def problem(self) -> AppError | None:
        """The error that stopped the last run; None if it was only that no server answered."""
        return self.state.problem

    @property
    def connectivity(self) -> Connectivity:
        """Whether a server answered the last call."""
        return self.state.connectivity

    @property
    def sending(self) -> bool:
        """Whether something is being sent, and a server answered the last call."""
        return self._worker.is_sending and self.connectivity is Connectivity.ONLINE

    def _take(self, event: SyncEvent) -> None:
        if isinstance(event, Crashed):
            self._tasks.crashed.emit(event.exception)
        elif isinstance(event, Started):
            self._is_current = event.number == self._number
        elif self._is_current:
            self._pass_on(event)

    def _pass_on(self, event: SyncEvent) -> None:
        match event:
            case StateChanged(state):
                self._show(state)
            case EntriesConfirmed(count):
                self.entries_confirmed.emit(count)
            case RunEnded(left):
                self.run_ended.emit(left)
            case Superseded(codes):
                self.superseded.emit(codes)
            case SignInNeeded(error):
                self.sign_in_needed.emit(error)
            case CameBack():
                self.came_back.emit()

    def _show(self, state: SyncState) -> None:
        before, self.state = self.state, state
        if state == before:
            return
        if state.connectivity is not before.connectivity:
            self.connectivity_changed.emit(state.connectivity)
        if state.waiting != before.waiting:
            self.waiting_changed.emit(state.waiting)
        self.state_changed.emit(state)
