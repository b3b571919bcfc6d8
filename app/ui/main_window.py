"""The main window: login, then the sidebar with Add Entry and the listing.

Object names, for tests and the tour (`window.findChild(QWidget, name)`):

window           main_window, screens, drop_overlay, window_banner
login            login_view, login_card, place_local, place_server, address_field, user_name_field,
                 password_field, show_password (action), remember_check, submit_button, create_button,
                 login_title, login_banner(_text), login_progress_label; below a field `<name>_error`
sidebar          nav_add, nav_entries, status_pill, user_label, server_label, sign_out_button,
                 theme_system, theme_light, theme_dark
add entry        entry_view, date_field, date_field_calendar (action), amount_field, debit_button,
                 credit_button, category_field, description_field, clear_button, save_button,
                 saved_label, entry_banner(_text); below a field `<name>_error`
documents        documents_panel, drop_area, browse_button, documents_count, documents_refusal(_text);
                 per bill: document_tile with tile_remove, tile_left, tile_right
listing          listing_view, search_field, from_field, to_field, period_button, type_all, type_debit,
                 type_credit, without_document, not_confirmed, clear_filters, export_button,
                 listing_add_button, entry_table, listing_empty(_title, _button), listing_banner(_text,
                 _button), totals_count, totals_waiting, totals_out, totals_in, totals_net
details          details_panel, details_description, details_amount, details_facts, details_state,
                 page_canvas, page_position, page_previous, page_next, zoom_in, zoom_out, zoom_fit,
                 document_open, document_save, document_name
export           export_dialog, export_from, export_to, export_findings, export_wait, export_go_on,
                 export_cancel, export_start, export_stop, export_rows, export_out, export_in,
                 export_net, export_left_out, export_show, export_done, export_banner(_text)
"""

from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDragMoveEvent,
    QDropEvent,
    QIcon,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.domain.entry import EntryFilter, ListedEntry
from app.errors import AppError
from app.ui.controllers.document_opener import DocumentOpener
from app.ui.controllers.link_words import link_words
from app.ui.controllers.sync_controller import Link, SyncController
from app.ui.desktop import Desktop
from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.icons import pixmap, retint
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from app.ui.views.entry_view import EntryView
from app.ui.views.listing_view import ListingView
from app.ui.views.login_view import LoginView
from app.ui.views.sidebar import Sidebar
from app.ui.widgets.banner import Banner
from app.ui.widgets.drop_overlay import DropOverlay

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import Session

THEME_KEY = "theme"


class MainWindow(QMainWindow):
    """Everything on screen. Call `start()` after `show()`, so that it is painted before it works."""

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        theme: Theme,
        desktop: Desktop | None = None,
        proposed_name: str | None = None,
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Bahi")
        self.setMinimumSize(900, 600)
        self.resize(1180, 760)
        self.setAcceptDrops(True)
        self._services = services
        self._tasks = tasks
        self._theme = theme
        self._desktop = desktop or Desktop()
        self._export: ExportDialog | None = None
        self.sync = SyncController(services, tasks, self)
        self.opener = DocumentOpener(services, tasks, self._desktop, self)
        self._make_views(proposed_name)
        self._lay_out()
        self._connect()
        self._add_shortcuts()
        self._show_link()

    def _make_views(self, proposed_name: str | None) -> None:
        self.login = LoginView(self._services, self._tasks, proposed_name)
        self.sidebar = Sidebar(self._theme.mode)
        self.entry = EntryView(self._services, self._tasks, self._desktop)
        self.listing = ListingView(self._services, self._tasks, self._desktop)
        self.banner = Banner("window_banner")

    def _lay_out(self) -> None:
        self.screens = QStackedWidget()
        self.screens.setObjectName("screens")
        self.screens.addWidget(self.entry)
        self.screens.addWidget(self.listing)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        held = QVBoxLayout()
        held.setContentsMargins(28, 12, 28, 0)
        held.addWidget(self.banner)
        self._banner_room = QWidget()
        self._banner_room.setLayout(held)
        self._banner_room.hide()
        right.addWidget(self._banner_room)
        right.addWidget(self.screens, 1)
        self._book = QWidget()
        row = QHBoxLayout(self._book)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(right, 1)
        self._outer = QStackedWidget()
        self._outer.addWidget(self.login)
        self._outer.addWidget(self._book)
        self.setCentralWidget(self._outer)
        self._overlay = DropOverlay(self.screens)

    def _connect(self) -> None:
        self._theme.changed.connect(self._restyle)
        self.login.signed_in.connect(self.enter)
        self.sidebar.add_wanted.connect(self.show_add)
        self.sidebar.listing_wanted.connect(self.show_listing)
        self.sidebar.mode_picked.connect(self._set_mode)
        self.sidebar.sign_out_wanted.connect(self.sign_out)
        self.entry.saved.connect(self._entry_saved)
        self.entry.open_wanted.connect(self.opener.open)
        self.listing.add_wanted.connect(self.show_add)
        self.listing.export_wanted.connect(self.show_export)
        self.listing.details.open_wanted.connect(self.opener.open)
        self.listing.details.save_wanted.connect(self.opener.save_as)
        self.opener.failed.connect(lambda sentence: self._say(sentence, "danger"))
        self.opener.copy_saved.connect(lambda path: self._say(f"Saved as {path}", "good"))
        self.banner.pressed.connect(self._unsay)
        self._connect_sync()

    def _connect_sync(self) -> None:
        self.sync.waiting_changed.connect(self._waiting_changed)
        self.sync.entries_confirmed.connect(lambda _count: self._refresh_listing())
        self.sync.link_changed.connect(self._link_changed)
        self.sync.run_ended.connect(lambda _waiting: self._show_link())

    def _add_shortcuts(self) -> None:
        for keys, action in (
            ("Ctrl+N", self.show_add),
            ("Ctrl+F", self._find),
            ("Ctrl+E", self._export_shown),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(action)

    # the session

    def start(self) -> None:
        """Begin where the last session was; call once the window is shown."""
        session = self._services.accounts.session
        if session is not None:
            self.enter(session)
        else:
            self.login.start()

    def enter(self, session: "Session") -> None:
        """Open the book of `session`."""
        self.sidebar.show_session(session.user_name, session.server_label)
        self._outer.setCurrentWidget(self._book)
        self.sync.start()
        self.listing.open()
        self.show_add()

    @property
    def signed_in(self) -> bool:
        """Say whether a book is open."""
        return self._outer.currentWidget() is self._book

    def sign_out(self) -> None:
        """Close the book; asks if something typed would be lost."""
        if self.entry.dirty and not self._may_lose("Sign out", "Sign out?"):
            return
        self.sync.stop()
        self._tasks.run(
            self._services.accounts.sign_out,
            lambda _none: self._signed_out(),
            self._sign_out_failed,
            owner=self,
        )

    def _signed_out(self) -> None:
        self._unsay()
        self.entry.reset()
        self._outer.setCurrentWidget(self.login)
        self.login.start(straight_in=False)

    def _sign_out_failed(self, error: AppError) -> None:
        self.sync.start()
        self._say(error.message, "danger")

    def _may_lose(self, action: str, question: str) -> bool:
        text = "The entry you are writing is not saved yet and would be lost."
        return self._desktop.confirm(self, question, text, action)

    # the screens

    def show_add(self) -> None:
        """Show Add Entry."""
        if self.signed_in:
            self.screens.setCurrentWidget(self.entry)
            self.sidebar.show_screen(adding=True)
            self.entry.begin()

    def show_listing(self) -> None:
        """Show the listing."""
        if self.signed_in:
            self.screens.setCurrentWidget(self.listing)
            self.sidebar.show_screen(adding=False)
            self.listing.begin()

    def _find(self) -> None:
        if self.signed_in:
            self.show_listing()
            self.listing.focus_search()

    def _export_shown(self) -> None:
        if self.signed_in:
            self.show_listing()
            self.listing.ask_export()

    def show_export(self, wanted: EntryFilter) -> None:
        """Open the export dialog over the window; it does not block."""
        if self._export is not None:
            self._export.raise_()
            return
        dialog = ExportDialog(self._services, self._tasks, self._desktop, wanted, self)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.setWindowModality(Qt.WindowModality.WindowModal)
        dialog.send_wanted.connect(self.sync.send_now)
        self.sync.run_ended.connect(dialog.sending_ended)
        dialog.finished.connect(self._export_closed)
        self._export = dialog
        dialog.open()

    def _export_closed(self, _result: int) -> None:
        self._export = None

    # what happened

    def _entry_saved(self, _entry: ListedEntry) -> None:
        self.sync.entry_saved()
        self._refresh_listing()

    def _refresh_listing(self) -> None:
        self.listing.refresh()

    def _waiting_changed(self, _count: int) -> None:
        self._show_link()

    def _link_changed(self, link: Link) -> None:
        self._show_link()
        if self.signed_in and link is Link.ONLINE and self.listing.model.from_cache:
            self._refresh_listing()

    def _show_link(self) -> None:
        text, tone, explanation = link_words(self.sync)
        self.sidebar.show_status(text, tone, explanation)

    def _say(self, sentence: str, tone: str) -> None:
        self.banner.say(sentence, tone, "Close")
        self._banner_room.show()

    def _unsay(self) -> None:
        self.banner.hide()
        self._banner_room.hide()

    def _set_mode(self, mode: Mode) -> None:
        self._theme.set_mode(mode)
        self._services.settings.set(THEME_KEY, mode.value)

    def _restyle(self) -> None:
        retint(self)
        self.sidebar.show_mode(self._theme.mode)
        self.setWindowIcon(QIcon(pixmap("wallet", "accent", 64)))

    # drops

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take files and pictures from anywhere over the window."""
        if self.signed_in and _droppable(event.mimeData()):
            event.acceptProposedAction()
            self._overlay.cover()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        """Go on taking them."""
        event.acceptProposedAction()

    def dragLeaveEvent(self, _event: QDragLeaveEvent) -> None:
        """Take the veil away."""
        self._overlay.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Pin what was dropped to the entry being written."""
        self._overlay.hide()
        if self.signed_in and _droppable(event.mimeData()):
            self.show_add()
            self.entry.take(event.mimeData())
            event.acceptProposedAction()

    # the end

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask if something typed would be lost; then stop sending."""
        if self.signed_in and self.entry.dirty and not self._may_lose("Close", "Close Bahi?"):
            event.ignore()
            return
        self.sync.stop()
        self.opener.close()
        event.accept()


def _droppable(data: QMimeData) -> bool:
    return data.hasImage() or any(url.isLocalFile() for url in data.urls())
