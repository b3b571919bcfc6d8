"""Shows the connection: the status with its countdown, the server, and the message after a move."""

import math
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer

from app.domain.connection_status import ConnectionStatus, Phase
from app.domain.sync_events import SyncState
from app.ui.book_frame import BookFrame
from app.ui.controllers.replication_warning import ReplicationWarning
from app.ui.controllers.status_text import status_text, with_draft
from app.ui.controllers.sync_controller import SyncController

if TYPE_CHECKING:
    from app.services import Services

MOVED_LIFE_S: Final = 10.0
"""How long the message is shown after all changes have arrived at the new server."""
_TRYING_MS: Final = 1_000
_NO_SERVER: Final = frozenset({Phase.RECONNECTING, Phase.OFFLINE})


class ConnectionController(QObject):
    """Shows the connection of the open book, between `start` and `stop`."""

    def __init__(
        self, services: "Services", sync: SyncController, book: BookFrame, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._worker = services.worker
        self._sync = sync
        self._book = book
        self._warning = ReplicationWarning(book, self)
        self._view = ConnectionStatus(Phase.SIGNED_OUT)
        self._started = False
        self._moved_until: float | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.refresh)
        book.sidebar.try_now_wanted.connect(self.try_now)
        book.moved.closed.connect(self.dismiss)
        sync.state_changed.connect(self._take)
        sync.run_ended.connect(lambda _left: self.show())
        book.entry.draft_error_changed.connect(self.show)

    @property
    def shown(self) -> ConnectionStatus:
        """The status that is shown."""
        return self._view

    def start(self) -> None:
        """Show the connection, because a book is open."""
        self._started = True
        self.show()

    def stop(self) -> None:
        """Stop showing the connection, for example after a sign-out."""
        self._started = False
        self._timer.stop()
        self._view, self._moved_until = ConnectionStatus(Phase.SIGNED_OUT), None
        self._book.show_moved(None)
        self._warning.clear()

    def try_now(self) -> None:
        """Look for a server now, without waiting for the countdown."""
        self._worker.try_now()
        self._book.sidebar.set_trying(True)
        QTimer.singleShot(_TRYING_MS, self, lambda: self._book.sidebar.set_trying(False))

    def dismiss(self) -> None:
        """Close the message about the new primary server."""
        self._worker.dismiss_move()

    def refresh(self) -> None:
        """Update the countdown, and close the message when its time is over."""
        if self._moved_until is not None and self._worker.now() >= self._moved_until:
            self.dismiss()
        else:
            self.show()

    def _take(self, state: SyncState) -> None:
        if not self._started:
            return
        self._view = state.connection
        self._time_moved()
        self.show()

    def _time_moved(self) -> None:
        moved = self._view.moved
        if moved is None or not moved.complete:
            self._moved_until = None
        elif self._moved_until is None:
            self._moved_until = self._worker.now() + MOVED_LIFE_S

    # --- what is shown -----------------------------------------------------------------------------

    def show(self) -> None:
        """Show the status of the connection."""
        sidebar, signed_out = self._book.sidebar, not self._book.again.isHidden()
        status = status_text(self._sync, self._view, self._seconds_left(), signed_out=signed_out)
        sidebar.show_status(*with_draft(status, self._book.entry.draft_error))
        sidebar.show_try_now(self._view.phase in _NO_SERVER and not signed_out)
        if not self._view.is_local:
            sidebar.show_server(self._view.server_label)
        self._book.show_moved(self._view.moved, self._view.server_label)
        self._warning.show(self._view)
        self._plan_refresh()

    def _left(self) -> float:
        at = self._view.reconnect_at
        reconnecting = self._view.phase is Phase.RECONNECTING
        return max(0.0, at - self._worker.now()) if reconnecting and at is not None else 0.0

    def _seconds_left(self) -> int:
        return math.ceil(self._left())

    def _plan_refresh(self) -> None:
        """Start the timer for the next second of the countdown, or for the end of the message."""
        waits = []
        if left := self._left():
            waits.append(left - math.ceil(left) + 1)
        if self._moved_until is not None:
            waits.append(max(0.0, self._moved_until - self._worker.now()))
        if self._started and waits:
            self._timer.start(math.ceil(min(waits) * 1000) + 1)
        else:
            self._timer.stop()
