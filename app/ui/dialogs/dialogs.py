"""Opens the dialogs of the main window. None of them blocks, and each can be open only once."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QDialog, QWidget

from app.domain.entry import EntryFilter, ListedEntry
from app.ui.controllers.drag_drop import DragDrop, DropGoal
from app.ui.controllers.sync_controller import SyncController
from app.ui.controllers.text_pasting import TakeText, TextPasting
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.widgets.documents_panel import DocumentsPanel
from app.ui.widgets.drop_overlay import DropOverlay
from app.ui.widgets.scroll_room import bound_to_screen

if TYPE_CHECKING:
    from app.services import Services


class Dialogs(QObject):
    """Opens and closes the dialogs. Each is imported when it is opened.

    `version_wanted` carries a ListedEntry and the HistoryVersion to restore, `move_wanted` the address of an
    unfinished move ("" if there is none), and `moved` the BookSession at the server and its address.
    """

    version_wanted = Signal(object, object)
    sign_out_wanted = Signal()
    move_wanted = Signal(str)
    moved = Signal(object, str)

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, window: QWidget) -> None:
        super().__init__(window)
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._window = window
        self._open: dict[str, QDialog] = {}

    def show_export(self, wanted: EntryFilter, sync: SyncController) -> None:
        """Open the export of the entries that `wanted` includes."""
        from app.ui.dialogs.export_dialog import ExportDialog

        if self._raised("export_dialog"):
            return
        dialog = ExportDialog(self._services, self._tasks, self._desktop, wanted, self._window)
        dialog.send_wanted.connect(sync.send_now)
        sync.run_ended.connect(dialog.sending_ended)
        self._show(dialog)

    def show_history(self, entry: ListedEntry) -> None:
        """Open the history of `entry`."""
        from app.ui.dialogs.history_dialog import HistoryDialog

        if self._raised("history_dialog"):
            return
        dialog = HistoryDialog(self._services, self._tasks, entry, self._window)
        dialog.version_wanted.connect(lambda version: self.version_wanted.emit(entry, version))
        self._show(dialog)

    def show_account(self) -> None:
        """Open the account dialog, if a book is open."""
        from app.ui.dialogs.account_dialog import AccountDialog

        session = self._services.accounts.session
        if session is None or self._raised("account_dialog"):
            return
        dialog = AccountDialog(self._services, self._tasks, session, self._desktop, self._window)
        dialog.sign_out_wanted.connect(self.sign_out_wanted)
        dialog.move_wanted.connect(self.move_wanted)
        dialog.code_made.connect(lambda: self.show_new_code(dialog))
        self._show(dialog)

    def show_about(self) -> None:
        """Open the dialog About this book, if a book is open."""
        from app.ui.dialogs.about_dialog import AboutDialog

        accounts = self._services.accounts
        if accounts.session is not None and not self._raised("about_dialog"):
            dialog = AboutDialog(accounts.book_facts(), accounts.words, self._desktop, self._window)
            dialog.licences_wanted.connect(lambda: self._show_licences(dialog))
            self._show(dialog)

    def _show_licences(self, above: QWidget) -> None:
        from app.ui.dialogs.licences_dialog import LicencesDialog

        if not self._raised("licences_dialog"):
            self._show(LicencesDialog(self._tasks, above))

    def show_camera(self, panel: DocumentsPanel) -> None:
        """Open the dialog that photographs bills for `panel`."""
        if self._raised("camera_dialog"):
            return
        from app.ui.camera.camera_dialog import CameraDialog  # not at the start: few entries need it

        room, names = panel.room, panel.names
        dialog = CameraDialog(self._services, self._tasks, self._desktop, room, names, self._window)
        dialog.taken.connect(panel.add_photos)
        dialog.files_wanted.connect(panel.browse)
        self._show(dialog)

    def show_help(self) -> None:
        """Open the help. Before a book is open, it speaks of a book on this computer."""
        from app.ui.dialogs.help_dialog import HelpDialog

        if not self._raised("help_dialog"):
            accounts, folder = self._services.accounts, self._services.settings.folder
            self._show(HelpDialog(folder, accounts.words, self._desktop, self._window))

    def show_new_code(self, parent: QWidget | None = None) -> None:
        """Show a recovery code that was made and not shown yet, if there is one."""
        from app.ui.dialogs.recovery_code_dialog import RecoveryCodeDialog

        if code := self._services.recovery.take_code():
            above = parent or self._window
            self._show(RecoveryCodeDialog(self._services, self._tasks, code, self._desktop, above))

    def show_move(self, pending: str) -> None:
        """Open the dialog that moves the book to a server; `pending` is the address of an unfinished move."""
        from app.ui.dialogs.move_dialog import MoveDialog

        if self._raised("move_dialog"):
            return
        dialog = MoveDialog(self._services, self._tasks, pending, self._window)
        dialog.moved.connect(self.moved)
        self._show(dialog, dialog.form.address.take_text)

    def close_all(self) -> None:
        """Close all dialogs, for example when the book is closed."""
        for dialog in list(self._open.values()):
            dialog.done(QDialog.DialogCode.Rejected)

    def _raised(self, name: str) -> bool:
        if name in self._open:
            self._open[name].raise_()
        return name in self._open

    def _show(self, dialog: QDialog, take: TakeText = lambda _text, _editor: False) -> None:
        """Show a dialog. `take` is that of `TextPasting`, for its text fields."""
        name = dialog.objectName()
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)  # which also drops the results of its tasks
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.finished.connect(lambda _result: self._open.pop(name, None))
        TextPasting(dialog, self._services, take)
        DragDrop(dialog, DropOverlay(dialog), self._services, _no_goal)
        self._open[name] = dialog
        bound_to_screen(dialog)
        dialog.open()


def _no_goal() -> DropGoal:
    """Say over the dialog itself that nothing can be dropped on it."""
    return DropGoal(refusal="Please close this dialog first, then drop the bill.")
