"""What the window shows of the cluster: the pill with its countdown, the server's name, the moved message."""

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal

from app.domain.connection_status import ConnectionStatus, Phase
from app.errors import SignInError
from app.ui.book_frame import BookFrame
from app.ui.controllers.replication_warning import ReplicationWarning
from app.ui.controllers.status_text import status_text
from app.ui.controllers.sync_controller import SyncController
from app.ui.tasks import Relay

if TYPE_CHECKING:
    from app.services import Services

MOVED_LIFE_S: Final = 10.0
"""For how long the message stays once everything is at the new server."""
_TRYING_MS: Final = 1_000
_NO_SERVER: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})
_AWAY: Final = _NO_SERVER | {Phase.SWITCHING}


class ConnectionController(QObject):
    """Between `start` and `stop` it follows the link. `came_back` says that a server is there again, or that
    the new one has caught up: what was read may be old. `signed_out` carries a SignInError when the session
    ended while nobody was asking."""

    came_back = Signal()
    signed_out = Signal(object)

    def __init__(
        self, services: "Services", sync: SyncController, book: BookFrame, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._connection = services.connection
        self._sync = sync
        self._book = book
        self._warning = ReplicationWarning(book, self)
        self._view = ConnectionStatus(Phase.SIGNED_OUT)
        self._started = self._away = self._behind = False
        self._moved_until: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.look)
        self._relay = Relay(self)
        self._relay.reported.connect(self._told)
        book.sidebar.try_now_wanted.connect(self.try_now)
        book.moved.closed.connect(self.dismiss)
        for changed in (sync.waiting_changed, sync.connectivity_changed, sync.run_ended):
            changed.connect(lambda _what: self.show())
        services.connection.subscribe(self._relay.report)

    @property
    def shown(self) -> ConnectionStatus:
        """What is shown now."""
        return self._view

    def start(self) -> None:
        """Follow the link: a book is open."""
        self._started, self._away, self._behind = True, False, False
        self._take(self._connection.view())

    def stop(self) -> None:
        """Show nothing of it any more, as when signed out."""
        self._started = False
        self._timer.stop()
        self._view = ConnectionStatus(Phase.SIGNED_OUT)
        self._sync.hold(False)
        self._book.show_moved(None)
        self._warning.clear()

    def try_now(self) -> None:
        """Look for a server at once, without waiting for the countdown."""
        self._connection.try_now()
        self._book.sidebar.set_trying(True)
        QTimer.singleShot(_TRYING_MS, self, lambda: self._book.sidebar.set_trying(False))

    def send_now(self) -> None:
        """Send what waits; where no server is there, look for one first."""
        if self._view.phase in _NO_SERVER:
            self.try_now()
        self._sync.send_now()

    def dismiss(self) -> None:
        """Take the moved-server message away."""
        self._connection.dismiss_move()
        self._take(self._connection.view())

    def look(self) -> None:
        """Show what the clock says now."""
        if self._moved_until is not None and self._connection.now() >= self._moved_until:
            self.dismiss()
        else:
            self.show()

    # --- what happened -----------------------------------------------------------------------------

    def _told(self, view: ConnectionStatus) -> None:
        if self._started:
            self._away = self._away or view.phase in _AWAY
            self._take(self._connection.view())  # reports of two threads may come in the wrong order

    def _take(self, view: ConnectionStatus) -> None:
        before = self._view
        self._away = self._away or view.phase in _AWAY
        if view.phase is Phase.REFRESHING and self._away:  # looking for another server: none is there yet
            view = replace(view, phase=Phase.RECONNECTING, reconnect_at=None)
        self._view = view
        self._sync.hold(view.phase in _NO_SERVER)
        self._time_moved()
        self.show()
        if self._is_back():
            self._sync.send_now()
            self.came_back.emit()
        if view.phase is Phase.SIGNED_OUT and before.phase is not view.phase and before.server_label:
            self.signed_out.emit(SignInError("The session has ended."))

    def _is_back(self) -> bool:
        phase = self._view.phase
        news = (phase is Phase.SYNCING and self._away) or (
            phase is Phase.PINNED and (self._away or self._behind)
        )
        if phase in (Phase.PINNED, Phase.SYNCING):
            self._away, self._behind = False, phase is Phase.SYNCING
        return news

    def _time_moved(self) -> None:
        moved = self._view.moved
        if moved is None or not moved.complete:
            self._moved_until = None
        elif self._moved_until is None:
            self._moved_until = self._connection.now() + MOVED_LIFE_S

    # --- what is shown -----------------------------------------------------------------------------

    def show(self) -> None:
        """Show how it stands."""
        sidebar, signed_out = self._book.sidebar, not self._book.again.isHidden()
        sidebar.show_status(*status_text(self._sync, self._view, self._seconds_left(), signed_out=signed_out))
        sidebar.show_try_now(self._view.phase in _NO_SERVER and not signed_out)
        if self._view.server_label:
            sidebar.show_server(self._view.server_label)
        self._book.show_moved(self._view.moved)
        self._warning.show(self._view)
        self._plan_look()

    def _left(self) -> float:
        at = self._view.reconnect_at
        reconnecting = self._view.phase is Phase.RECONNECTING
        return max(0.0, at - self._connection.now()) if reconnecting and at is not None else 0.0

    def _seconds_left(self) -> int:
        return math.ceil(self._left())

    def _plan_look(self) -> None:
        """Look again when the next second of a countdown begins, or when the moved message is to go."""
        waits = []
        if left := self._left():
            waits.append(left - math.ceil(left) + 1)
        if self._moved_until is not None:
            waits.append(max(0.0, self._moved_until - self._connection.now()))
        if self._started and waits:
            self._timer.start(math.ceil(min(waits) * 1000) + 1)
        else:
            self._timer.stop()
