"""Asks before the program ends or the book is closed, so that nothing is lost without a warning."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtWidgets import QWidget

from app.errors import AppError
from app.ui.book_frame import BookFrame
from app.ui.bounds import count_text
from app.ui.controllers.sync_controller import SyncController
from app.ui.desktop import Desktop

if TYPE_CHECKING:
    from app.services import Services

_LIMIT_MS: Final = 1_500


class ExitGuard(QObject):
    """`ready` is emitted when the entry that was being sent has been sent, or the wait took too long."""

    ready = Signal()

    def __init__(
        self,
        services: "Services",
        desktop: Desktop,
        window: QWidget,
        book: BookFrame,
        sync: SyncController,
    ) -> None:
        super().__init__(window)
        self._services = services
        self._desktop = desktop
        self._window = window
        self._book = book
        self._sync = sync
        self._limit = QTimer(self)
        self._limit.setSingleShot(True)
        self._limit.timeout.connect(self.ready)
        self._waited = False
        sync.run_ended.connect(lambda _left: self._sending_ended())

    def must_wait(self) -> bool:
        """Return whether to wait for `ready` before `may_close`, because an entry is being sent right now.

        The question whether to quit with unsent entries would be pointless a second later. Waits only once.
        """
        if self._waited or not (self._sync.sending and self._waiting()):
            return False
        self._waited = True
        self._limit.start(_LIMIT_MS)
        return True

    def may_close(self) -> bool:
        """Save the draft, and return whether the program may end. Ask the user if something is unsaved."""
        self._waited = False
        return (
            self._book.may_leave_edit()
            and self._draft_kept()
            and self._waiting_known("Quit", "at the next start")
        )

    def may_sign_out(self) -> bool:
        """Save the draft, and return whether the book may be closed. Ask the user if something is unsaved."""
        again = "once you sign in again"
        may = self._book.may_leave_edit() and self._draft_kept()
        return may and self._waiting_known("Sign out", again)

    def may_move(self) -> bool:
        """Return whether the book may be moved to a server. Ask about unsaved edits; the draft moves too."""
        return self._book.may_leave_edit()

    def keep_draft(self) -> None:
        """Save the draft without asking, because a signal is ending the program."""
        self._book.entry.keep_draft()

    def _draft_kept(self) -> bool:
        try:
            self._book.entry.keep_draft()
        except AppError as error:
            explanation = f"The entry you are typing would be lost. {error.message}"
            return self._desktop.confirm(
                self._window, "Leave without saving the draft?", explanation, "Leave", "Stay"
            )
        return True

    def _waiting_known(self, action: str, later: str) -> bool:
        waiting = self._waiting()
        if not waiting:
            return True
        one, many = "entry is only on this computer; it", "entries are only on this computer; they"
        words = self._services.accounts.words
        sentence = f"{count_text(waiting, one, many)} {words.will_be_sent} {later}."
        if self._sync.refused:
            was = count_text(self._sync.refused, "was", "were")
            sentence += f" {was} {words.not_accepted_count}; see the page Waiting."
        return self._desktop.confirm(self._window, f"{action} now?", sentence, action, "Stay")

    def _waiting(self) -> int:
        try:
            return self._services.sync.waiting()
        except AppError:  # the window must close even if the disk fails; use the last known number
            return self._sync.waiting

    def _sending_ended(self) -> None:
        if self._limit.isActive():
            self._limit.stop()
            self.ready.emit()
