"""The dialog that moves the book on this computer to a server: the form, the progress, and the result."""

import threading
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QDialog, QLayout, QVBoxLayout, QWidget

from app.domain.text import clean_text
from app.errors import AppError, CancelledError, SignInError
from app.ui.dialogs.move_pages import KEPT, MoveFormPage, MoveResultPage, MoveWorkPage
from app.ui.tasks import Relay, Tasks
from app.ui.widgets.typed_loss import TypedLoss

if TYPE_CHECKING:
    from app.services import Services
    from app.services.moving import MoveProgress, MoveResult

_WIDTH: Final = 424


class MoveDialog(QDialog):
    """Moves the open book. `pending` is the address of an unfinished move, "" if there is none.

    `moved` carries the BookSession at the server, which is open by then, and the address that was typed.
    """

    moved = Signal(object, str)

    def __init__(self, services: "Services", tasks: Tasks, pending: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("move_dialog")
        self.setWindowTitle("Move this book to a server")
        self._services = services
        self._tasks = tasks
        self._stop = threading.Event()  # read by the task that moves
        self._relay = Relay(self)
        self._relay.reported.connect(self._progressed)
        begun_by = services.moving.pending_user() if pending else ""
        self.form = MoveFormPage(services.accounts.read_invite, pending, begun_by)
        self.work = MoveWorkPage()
        self.outcome = MoveResultPage()
        self._loss = TypedLoss(self.form.banner, [self.form.password, self.form.invite])
        self._lay_out()
        self.form.submitted.connect(self.begin)
        self.form.cancel_button.clicked.connect(super().reject)
        self.work.stop_button.clicked.connect(self.stop)
        self.outcome.close_button.clicked.connect(self.accept)

    def _lay_out(self) -> None:
        self._pages = (self.form, self.work, self.outcome)
        column = QVBoxLayout(self)
        column.setContentsMargins(28, 24, 28, 22)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # shrinks to the height of the page
        for page in self._pages:
            page.setFixedWidth(_WIDTH)
            column.addWidget(page)
        self._show(self.form)

    def _show(self, shown: QWidget) -> None:
        for page in self._pages:
            page.setVisible(page is shown)

    def begin(self) -> None:
        """Start the move, or show which fields are missing."""
        form = self.form
        if form.address.take_link() or (
            form.creating and form.address.take_text(form.invite.text(), form.invite)
        ):
            return
        form.clear_errors()
        if missing := form.missing():
            form.show_errors("", missing)
            return
        self._stop.clear()
        self.work.begin(form.address.text())
        self._show(self.work)
        self.work.stop_button.setFocus()
        address, name, password = form.address.value(), form.user_name.text(), form.password.text()
        self._run(address, name, password, create=form.creating, code=form.invite.text())

    def _run(self, address: str, name: str, password: str, *, create: bool, code: str) -> None:
        moving, report, stopped = self._services.moving, self._relay.report, self._stop.is_set
        code = code if create else ""

        def work() -> "MoveResult | SignInError":
            try:
                return moving.move(address, name, password, create, code, report, stopped)
            except SignInError as error:
                # Returned as a value: `Tasks` would take it for the end of the open book's session.
                return error

        self._tasks.run(work, self._ended, self._failed, owner=self, topic="move")

    def _progressed(self, progress: object) -> None:
        if not self._stop.is_set():
            shown: MoveProgress = progress  # type: ignore[assignment]
            self.work.show_progress(shown)

    def _ended(self, outcome: "MoveResult | SignInError") -> None:
        if isinstance(outcome, SignInError):
            self._failed(outcome)
            return
        self.form.password.clear()
        self.outcome.show_result(outcome)
        self._show(self.outcome)
        self.outcome.close_button.setFocus()
        self.moved.emit(outcome.session, clean_text(self.form.address.text()))

    def _failed(self, error: AppError) -> None:
        self._show(self.form)
        begun = bool(self._services.moving.pending())
        if begun:
            self.form.offer_to_continue()
        if isinstance(error, CancelledError):
            self.form.banner.say(f"Stopped. {KEPT}", "warn")
        else:
            self.form.show_errors(f"{error.message} {KEPT}" if begun else error.message, error.fields)

    def stop(self) -> None:
        """Stop after the entry that is being copied. What has been copied stays there."""
        self._stop.set()
        self.work.show_stopping()

    def reject(self) -> None:
        """Close the dialog, if nothing typed is lost with it; or, during a move, only stop the move."""
        if not self.work.isHidden():
            self.stop()
        elif self.form.isHidden() or self._loss.may_close():
            super().reject()

    def done(self, result: int) -> None:
        """Stop the move, if one is running, and close the dialog."""
        self._stop.set()
        super().done(result)
