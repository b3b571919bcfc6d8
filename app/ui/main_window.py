"""The main window: the log-in, then the sidebar and the views of the open book.

docs/WINDOW.md has the object names of its parts.
"""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtGui import QCloseEvent, QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QMainWindow, QStackedWidget

from app.domain.entry import EntryDetail, EntryDraft, EntryFilter
from app.domain.sync_events import Connectivity
from app.domain.text import isolated
from app.errors import AppError
from app.ui.book_frame import BookFrame
from app.ui.controllers.add_actions import AddActions
from app.ui.controllers.clock_controller import ClockController
from app.ui.controllers.connection_controller import ConnectionController
from app.ui.controllers.document_opener import DocumentOpener
from app.ui.controllers.drag_drop import DragDrop, DropGoal
from app.ui.controllers.entry_changes import Change, EntryActions
from app.ui.controllers.exit_guard import ExitGuard
from app.ui.controllers.field_keys import FieldKeys
from app.ui.controllers.pasting import PASTE_KEYS
from app.ui.controllers.sync_controller import SyncController
from app.ui.desktop import Desktop
from app.ui.dialogs.dialogs import Dialogs
from app.ui.icons import pixmap, retint
from app.ui.tasks import Tasks
from app.ui.theme import THEME_KEY, Mode, Theme
from app.ui.views.edit_view import Corrected, Edited, EditView
from app.ui.views.login_view import LoginView
from app.ui.views.sidebar import Screen
from app.ui.widgets.documents_panel import DocumentsPanel
from app.ui.widgets.drop_overlay import DropOverlay
from app.ui.window_geometry import DETAILS_KEY, LEAST_SIZE, read_width, store_geometry

if TYPE_CHECKING:
    from app.services import Services
    from app.services.accounts import BookSession
    from app.ui.views.listing_view import ListingView
    from app.ui.views.outbox_view import OutboxView


class MainWindow(QMainWindow):
    """Builds the views, dialogs and controllers, and connects them.

    Call `start()` after `show()`, so that the window is painted before it does any work. `clock` returns
    seconds for the time in which an undo is possible.
    """

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        theme: Theme,
        desktop: Desktop | None = None,
        proposed_name: str | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Bahi")
        self.setMinimumSize(LEAST_SIZE)
        self.resize(1180, 760)
        self._services = services
        self._tasks = tasks
        self._theme = theme
        self._desktop = replace(desktop or Desktop(), offset=self._clock_offset)
        self._ending = False
        self.sync = SyncController(services, tasks, self)
        self.changes = EntryActions(services, tasks, self)
        self.opener = DocumentOpener(services, tasks, self._desktop, self)
        self.dialogs = Dialogs(services, tasks, self._desktop, self)
        # Before its content: Qt styles all widgets in a part again when it gets a parent.
        self._outer = QStackedWidget()
        self.setCentralWidget(self._outer)
        self.login = LoginView(services, tasks, proposed_name)
        self.book = BookFrame(services, tasks, self._desktop, theme.mode, clock, self._outer)
        self._lay_out()
        self._connect()
        self._add_shortcuts()
        self.connection.show()

    def _lay_out(self) -> None:
        book = self.book
        self.sidebar, self.screens, self.entry = book.sidebar, book.screens, book.entry
        self.recent = book.entry.recent
        self._outer.addWidget(self.login)
        self._outer.addWidget(book)
        self.connection = ConnectionController(self._services, self.sync, book, self)
        self.clock = ClockController(self._desktop, book, self)
        AddActions(self.changes, book, self)
        self.exit_guard = ExitGuard(self._services, self._desktop, self, book, self.sync)
        overlay = DropOverlay(self._outer)
        DragDrop(self, overlay, self._services, self._drop_goal, self.book.take, self._refuse_drop)

    @property
    def edit(self) -> EditView:
        """The view that edits an entry."""
        return self.book.edit

    @property
    def listing(self) -> "ListingView":
        """The listing."""
        return self.book.listing

    @property
    def outbox(self) -> "OutboxView":
        """The page Waiting."""
        return self.book.outbox

    def _clock_offset(self) -> timedelta:
        return timedelta(microseconds=self._services.accounts.offset_us)

    def _connect(self) -> None:
        self._theme.changed.connect(self._restyle)
        self.login.signed_in.connect(self.enter)
        self.sidebar.mode_picked.connect(self._set_mode)
        self.sidebar.sign_out_wanted.connect(self.sign_out)
        self.sidebar.account_wanted.connect(self.dialogs.show_account)
        self.sidebar.about_wanted.connect(self.dialogs.show_about)
        self.sidebar.help_wanted.connect(self.dialogs.show_help)
        self.dialogs.sign_out_wanted.connect(self.sign_out)
        self.dialogs.move_wanted.connect(self._show_move)
        self.dialogs.moved.connect(self._moved)
        self.opener.failed.connect(self.book.show_error)
        self.opener.copy_saved.connect(lambda path: self.book.say(f"Saved as {isolated(str(path))}", "good"))
        self.exit_guard.ready.connect(self.close)
        self._connect_sync()
        self._connect_changes()
        self.book.listing_page.when_made(self._connect_listing)
        self.book.edit_page.when_made(self._connect_edit)
        self.book.outbox_page.when_made(self._connect_outbox)

    def _connect_sync(self) -> None:
        self.sync.waiting_changed.connect(self._waiting_changed)
        self.sync.entries_confirmed.connect(lambda _count: self._refresh_entries())
        self.sync.connectivity_changed.connect(self._connectivity_changed)
        self.sync.state_changed.connect(lambda _state: self.clock.check())
        self.sync.run_ended.connect(lambda _waiting: self._refresh_outbox())
        self._tasks.sign_in_needed.connect(self._signed_out_by_server)
        self.sync.sign_in_needed.connect(self._signed_out_by_server)
        self.sync.came_back.connect(self._refresh_entries)
        self.sync.superseded.connect(self._superseded)
        self.book.again.signed_in.connect(self._signed_in_again)

    def _connect_changes(self) -> None:
        self.entry.open_wanted.connect(self.opener.open)
        self._connect_camera(self.entry.documents)
        self.book.attach_wanted.connect(self.changes.attach)
        self.dialogs.version_wanted.connect(self.changes.restore_version)
        self.entry.saved.connect(self.changes.note_saved)
        self.changes.opened.connect(self._show_edit)
        self.changes.changed.connect(self._changed)
        self.changes.failed.connect(self.book.show_error)
        for begun in (self.changes.begun, self.entry.save_begun):
            begun.connect(self.book.toast.hide_now)  # Undo is for the newer change from now on

    def _connect_listing(self, listing: "ListingView") -> None:
        details = listing.details
        details.open_wanted.connect(self.opener.open)
        details.save_wanted.connect(self.opener.save_as)
        details.restore_wanted.connect(self.changes.restore)
        details.history_wanted.connect(self.dialogs.show_history)
        details.outbox_wanted.connect(self.show_outbox)
        listing.edit_wanted.connect(self.changes.open)
        listing.void_wanted.connect(self.changes.void)
        listing.add_wanted.connect(self.show_add)
        listing.export_wanted.connect(self._show_export)
        listing.set_details_width(read_width(self._services.settings.get(DETAILS_KEY)))
        if self.signed_in:
            listing.open()

    def _connect_camera(self, panel: DocumentsPanel) -> None:
        panel.camera_wanted.connect(partial(self.dialogs.show_camera, panel))

    def _connect_edit(self, edit: EditView) -> None:
        self._connect_camera(edit.documents)
        edit.open_wanted.connect(self.opener.open)
        edit.saved.connect(self._edited)
        edit.left.connect(self.book.show_before_edit)
        edit.left_correction.connect(self.show_outbox)
        edit.save_begun.connect(self.book.toast.hide_now)

    def _connect_outbox(self, outbox: "OutboxView") -> None:
        outbox.send_wanted.connect(self.sync.send_now)
        outbox.changed.connect(self._outbox_changed)

    def _add_shortcuts(self) -> None:
        for keys, action in (
            ("Ctrl+N", self.show_add),
            ("Ctrl+F", self._find),
            ("Ctrl+E", self._export_shown),
            ("Ctrl+Z", self._undo),
            *((keys, self._save) for keys in ("Ctrl+S", "Ctrl+Return", "Ctrl+Enter")),
            ("F1", self.dialogs.show_help),
            *((keys, self._paste) for keys in PASTE_KEYS),
        ):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(action)
        FieldKeys(self)

    # the session

    def start(self) -> None:
        """Open the book of the present session, or show the log-in. The other pages are made afterwards."""
        self.book.make_pages_later()
        session = self._services.accounts.session
        if session is not None:
            self.enter(session)
        else:
            self.login.start()

    def enter(self, session: "BookSession") -> None:
        """Open the book of `session`."""
        self.book.speak(self._services.accounts.words)
        self.sidebar.show_session(session.user_name, session.server_label)
        self.book.again.set_user(session.user_name)
        self._outer.setCurrentWidget(self.book)
        self.entry.open_book(session.book_id)
        self.sync.start()
        self.connection.start()
        self.clock.start()
        self.book.listing_page.if_made(lambda listing: listing.open())
        self.show_add()
        self.dialogs.show_new_code()

    @property
    def signed_in(self) -> bool:
        """Whether a book is open."""
        return self._outer.currentWidget() is self.book

    def sign_out(self) -> None:
        """Sign out and close the book. Ask first if something would be lost."""
        if not self.exit_guard.may_sign_out():
            return
        self._stop_sync()
        self._tasks.run(
            self._services.accounts.sign_out,
            lambda _none: self._signed_out(),
            self._sign_out_failed,
            owner=self,
        )

    def _stop_sync(self) -> None:
        self.sync.stop()
        self.connection.stop()
        self.clock.stop()

    def _signed_out(self) -> None:
        self._services.previews.forget_passwords()
        self.changes.forget()
        self.dialogs.close_all()
        self.book.clear()
        self._outer.setCurrentWidget(self.login)
        self.login.start(straight_in=False)

    def _show_move(self, pending: str) -> None:
        if self.signed_in and self.exit_guard.may_move():
            self.dialogs.show_move(pending)

    def _moved(self, session: "BookSession", address: str) -> None:
        self._stop_sync()
        self.changes.forget()
        self.book.forget()
        self.login.note_server(address, session.user_name)
        self.enter(session)
        self.entry.follow_book()

    def _sign_out_failed(self, error: AppError) -> None:
        self.sync.start()
        self.connection.start()
        self.clock.start()
        self.book.show_error(error.message)

    def _signed_out_by_server(self, error: AppError) -> None:
        if self.signed_in:
            self.book.again.ask(error)
            self.connection.show()

    def _signed_in_again(self) -> None:
        self.sync.signed_in_again()
        self.connection.show()
        self._refresh_listing()

    # the screens

    def show_add(self) -> None:
        """Show Add Entry."""
        self._go(Screen.ADD)

    def show_listing(self) -> None:
        """Show the listing."""
        self._go(Screen.ENTRIES)

    def show_outbox(self) -> None:
        """Show the page Waiting."""
        self._go(Screen.OUTBOX)

    def _save(self) -> None:
        if self.signed_in:
            self.book.save()

    def _undo(self) -> None:
        """Undo the last change of an entry: also the one that is being made, whose message is yet to come."""
        if not self.signed_in:
            return
        if self.changes.changing:
            self.changes.undo()
        elif self.book.toast.can_undo:
            self.book.toast.undo()
        else:
            self.book.say_nothing_to_undo(self.changes.way_back)

    def _paste(self) -> None:
        if self.signed_in:
            self.book.paste()

    def _drop_goal(self) -> DropGoal:
        if not self.signed_in:
            return DropGoal(refusal="Please open your book first, then drop the bill.")
        if QApplication.activeModalWidget() is not None:
            return DropGoal(refusal="Please close the dialog first, then drop the bill.")
        return self.book.drop_goal()

    def _refuse_drop(self, sentence: str) -> None:
        if self.signed_in:
            self.book.refuse(sentence)
        else:
            self.login.card.banner.say(sentence, "warn")

    def _go(self, screen: Screen) -> bool:
        return self.signed_in and self.book.show_screen(screen)

    def _show_edit(self, before: EntryDetail, draft: EntryDraft) -> None:
        if self.signed_in:
            self.book.show_edit(before, draft)

    def _edited(self, result: Edited | Corrected) -> None:
        if isinstance(result, Corrected):
            self.changes.note_corrected(result.after)
            self.show_outbox()
        else:
            self.changes.note_edited(result)
            self.book.show_before_edit()

    def _find(self) -> None:
        if self._go(Screen.ENTRIES):
            self.listing.focus_search()

    def _export_shown(self) -> None:
        if self.signed_in and (self.book.edit_dirty or self._go(Screen.ENTRIES)):  # an export ends no edit
            self.listing.ask_export()

    def _show_export(self, wanted: EntryFilter) -> None:
        self.dialogs.show_export(wanted, self.sync)

    # reactions to events

    def _changed(self, change: Change) -> None:
        self.sync.outbox_changed()
        self.book.listing_page.if_made(lambda listing: listing.refresh(select=change.entry.id))
        self.book.offer_undo(self._told(change), undo=self._undo_text(change))

    def _undo_text(self, change: Change) -> str:
        if change.undo is not None:
            return "Undo"
        return "Undo the one before" if self.changes.can_undo_more else ""

    def _told(self, change: Change) -> str:
        """Return what was done; give the text and bills of a new entry that was undone back to the form."""
        if not change.was_new:
            self.entry.take_away(change.entry.id)
            return change.text
        if self.entry.give_back(change.entry.id, change.content):
            return f"{change.text}, and back in the form."
        return f"{change.text}. Your new entry stays." if self.entry.dirty else change.text

    def _refresh_listing(self) -> None:
        self.book.listing_page.if_made(lambda listing: listing.refresh())

    def _refresh_entries(self) -> None:
        self._refresh_listing()
        self.recent.refresh()

    def _waiting_changed(self, count: int) -> None:
        self.sidebar.show_waiting(count)
        self._refresh_outbox()

    def _refresh_outbox(self) -> None:
        self.book.outbox_page.if_made(lambda outbox: outbox.refresh())

    def _superseded(self, codes: tuple[str, ...]) -> None:
        were, yours = ("was", "version is in its") if len(codes) == 1 else ("were", "versions are in their")
        entries = ", ".join(codes)
        sentence = f"{entries} {were} changed later on another device. Your {yours} history."
        self.book.say(sentence, "warn", passing=False)

    def _outbox_changed(self) -> None:
        self.sync.outbox_changed()
        self._refresh_entries()

    def _connectivity_changed(self, connectivity: Connectivity) -> None:
        listing = self.book.listing_page.made
        if self.signed_in and connectivity is Connectivity.ONLINE and listing and listing.model.from_cache:
            listing.refresh()

    def _set_mode(self, mode: Mode) -> None:
        self._theme.set_mode(mode)
        self._services.settings.set(THEME_KEY, mode.value)

    def _restyle(self) -> None:
        retint(self)
        self.sidebar.show_mode(self._theme.mode)
        self.setWindowIcon(QIcon(pixmap("wallet", "accent", 64)))

    # the end

    def end_unasked(self) -> None:
        """Close the window without asking, because a signal is ending the program."""
        self._ending = True
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Close the window, unless the user decides to stay."""
        if self.signed_in and not self._may_close():
            event.ignore()
            return
        self._stop_sync()
        self.book.stop_making_pages()
        self.dialogs.close_all()
        self.opener.close()
        with contextlib.suppress(AppError):
            store_geometry(self, self._services.settings.set)
            if listing := self.book.listing_page.made:
                self._services.settings.set(DETAILS_KEY, str(listing.details_width))
        event.accept()

    def _may_close(self) -> bool:
        if self._ending:
            with contextlib.suppress(AppError):
                self.exit_guard.keep_draft()
            return True
        return not self.exit_guard.must_wait() and self.exit_guard.may_close()
