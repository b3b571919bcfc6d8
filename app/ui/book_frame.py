"""The frame of the open book: the sidebar, the views, and the banners and the toast over them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.connection_status import Moved
from app.domain.entry import EntryDetail, EntryDraft
from app.ui.desktop import Desktop
from app.ui.tasks import Tasks
from app.ui.theme import Mode
from app.ui.views.edit_view import EditView
from app.ui.views.entry_view import EntryView
from app.ui.views.listing_view import ListingView
from app.ui.views.outbox_view import OutboxView
from app.ui.views.sidebar import Screen, Sidebar
from app.ui.widgets.banner import Banner
from app.ui.widgets.moved_banner import MovedBanner
from app.ui.widgets.sign_in_again import SignInAgain
from app.ui.widgets.toast import Toast

if TYPE_CHECKING:
    from app.services import Services


class BookFrame(QWidget):
    """Holds the views and switches between them. The main window connects them to each other."""

    def __init__(
        self, services: "Services", tasks: Tasks, desktop: Desktop, mode: Mode, clock: Callable[[], float]
    ) -> None:
        super().__init__()
        self.sidebar = Sidebar(mode)
        self.entry = EntryView(services, tasks, desktop)
        self.edit = EditView(services, tasks, desktop)
        self.listing = ListingView(services, tasks, desktop)
        self.outbox = OutboxView(services, tasks, desktop)
        self.again = SignInAgain(services, tasks)
        self.banner = Banner("window_banner")
        self.moved = MovedBanner()
        self.late = Banner("late_banner")
        self._lay_out()
        self.toast = Toast(self.screens, clock)
        self.sidebar.screen_wanted.connect(self.show_screen)
        self.banner.pressed.connect(self.hide_banner)
        self.again.shown.connect(self._show_banners)

    def _lay_out(self) -> None:
        self.screens = QStackedWidget()
        self.screens.setObjectName("screens")
        for screen in (self.entry, self.edit, self.listing, self.outbox):
            self.screens.addWidget(screen)
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self._banners())
        right.addWidget(self.screens, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self.sidebar)
        row.addLayout(right, 1)

    def _banners(self) -> QWidget:
        banners = QVBoxLayout()
        banners.setContentsMargins(24, 14, 24, 0)
        banners.addWidget(self.again)
        banners.addWidget(self.moved)
        banners.addWidget(self.late)
        banners.addWidget(self.banner)
        self._banner_room = QWidget()
        self._banner_room.setLayout(banners)
        self._banner_room.hide()
        return self._banner_room

    # switching between views

    def show_screen(self, screen: Screen) -> bool:
        """Show a view of the sidebar. Return False if the user does not want to leave an edit."""
        views: dict[Screen, EntryView | ListingView | OutboxView] = {
            Screen.ADD: self.entry,
            Screen.ENTRIES: self.listing,
            Screen.OUTBOX: self.outbox,
        }
        may = self._left_edit()
        if may:
            view = views[screen]
            self.screens.setCurrentWidget(view)
            self._position_toast()
            view.begin()
        self.sidebar.show_screen(screen if may else Screen.ENTRIES)
        return may

    def show_edit(self, before: EntryDetail, draft: EntryDraft) -> None:
        """Show the view that edits an entry."""
        if self._left_edit():
            self.edit.open_entry(before, draft)
            self.screens.setCurrentWidget(self.edit)
            self.sidebar.show_screen(Screen.ENTRIES)
            self._position_toast()
            self.edit.begin()

    def _left_edit(self) -> bool:
        if self.screens.currentWidget() is not self.edit:
            return True
        may = self.edit.may_leave()
        if may:
            self.edit.close_entry()
        return may

    def take_dropped(self, data: QMimeData) -> None:
        """Attach dropped files to the entry that is being edited, otherwise to the new entry."""
        if self.screens.currentWidget() is self.edit:
            self.edit.take(data)
        else:
            self.show_screen(Screen.ADD)
            self.entry.take(data)

    # messages

    def say(self, sentence: str, tone: str) -> None:
        """Show a banner above the views until the user closes it."""
        self.banner.say(sentence, tone, "Close")
        self._show_banners()

    def show_error(self, sentence: str) -> None:
        """Show an error above the views."""
        self.say(sentence, "danger")

    def hide_banner(self) -> None:
        """Hide the banner."""
        self.banner.hide()
        self._show_banners()

    def show_moved(self, moved: Moved | None) -> None:
        """Show the message after a move to another server; None hides it."""
        self.moved.show_moved(moved)
        self._show_banners()

    def show_late(self, sentence: str) -> None:
        """Show the warning about changes that only one region has; "" hides it."""
        if sentence:
            self.late.say(sentence, "warn", "Close")
        else:
            self.late.hide()
        self._show_banners()

    def offer_undo(self, text: str, *, undo: bool) -> None:
        """Show what was done for ten seconds, with `undo` also the button to undo it."""
        self.toast.say(text, undo=undo)
        self._position_toast()

    def _show_banners(self) -> None:
        banners = (self.banner, self.moved, self.late, self.again)
        self._banner_room.setVisible(any(not each.isHidden() for each in banners))
        self._position_toast()

    def _position_toast(self) -> None:
        QTimer.singleShot(0, self, self._toast_placed)  # the layout has not been updated yet

    def _toast_placed(self) -> None:
        shown = self.screens.currentWidget()
        if isinstance(shown, (EntryView, EditView, ListingView, OutboxView)):
            self.toast.move_to_corner(shown.free_room())
            self.toast.raise_()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Move the toast to its place."""
        super().resizeEvent(event)
        self._position_toast()

    def clear(self) -> None:
        """Remove everything that belongs to the book, when it is closed."""
        self.forget()
        self.entry.close_book()

    def forget(self) -> None:
        """Remove messages and entries of the book, but keep the form of a new entry."""
        self.hide_banner()
        self.again.give_up()
        self.toast.hide_now()
        self.edit.close_entry()
        self.outbox.clear()
