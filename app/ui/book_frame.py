"""The frame of the open book: the sidebar, the views, and the banners and the toast over them."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.connection_status import Moved
from app.domain.entry import EntryDetail, EntryDraft, ListedEntry
from app.domain.wording import Words
from app.ui.controllers.drag_drop import DropGoal
from app.ui.controllers.pasting import Pasting
from app.ui.desktop import Desktop
from app.ui.models.entry_texts import named, why_unchangeable
from app.ui.offers import Bills
from app.ui.tasks import Tasks
from app.ui.theme import Mode
from app.ui.views.edit_view import EditView
from app.ui.views.entry_screen import BEING_SAVED, EntryScreen
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
    from app.services.outbox_items import Correction

_NOTHING_TO_UNDO = "There is nothing to undo."
_ROOM_FOR_SIDEBAR = 1000
"""The width of the window from which on the sidebar has its whole width."""


class BookFrame(QWidget):
    """Holds the views and switches between them. The main window connects them to each other.

    `attach_wanted` carries the ListedEntry that is selected in the listing, and the Bills for it.
    """

    attach_wanted = Signal(object, object)

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        desktop: Desktop,
        mode: Mode,
        clock: Callable[[], float],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self.sidebar = Sidebar(mode)
        self.entry = EntryView(services, tasks, desktop)
        self.edit = EditView(services, tasks, desktop)
        self.listing = ListingView(services, tasks, desktop)
        self.outbox = OutboxView(services, tasks, desktop)
        self.again = SignInAgain(services, tasks)
        self.banner = Banner("window_banner")
        self._passing = True
        self._before_edit = Screen.ENTRIES
        self.moved = MovedBanner()
        self.late = Banner("late_banner")
        self.clock = Banner("clock_banner")
        self._lay_out()
        self.toast = Toast(self.screens, clock)
        self.sidebar.screen_wanted.connect(self.show_screen)
        self.listing.replication_known.connect(self.entry.recent.show_replication)
        self.outbox.correction_wanted.connect(self.show_correction)
        self.banner.pressed.connect(self.hide_banner)
        self.again.shown.connect(self._show_banners)
        self._take_pastes(services)

    def _take_pastes(self, services: "Services") -> None:
        self._pasting = Pasting(self.listing, services, text_first=True)
        for pasting in (self._pasting, Pasting(self.again, services, text_first=True)):
            pasting.pasted.connect(self.take)
            pasting.refused.connect(self.refuse)
        for screen in (self.entry, self.edit):
            screen.turned_away.connect(self.refuse)

    def _lay_out(self) -> None:
        self.screens = QStackedWidget(self)
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
        banners.addWidget(self.clock)
        banners.addWidget(self.banner)
        self._banner_room = QWidget(self)
        self._banner_room.setLayout(banners)
        self._banner_room.hide()
        return self._banner_room

    def speak(self, words: Words) -> None:
        """Use the words for the place of the open book."""
        self.sidebar.speak(words)
        self.outbox.speak(words)
        self.listing.filters.speak(words)

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
            if view is not self.screens.currentWidget():
                self._hide_passing()
            self.screens.setCurrentWidget(view)
            self._position_toast()
            view.begin()
        self.sidebar.show_screen(screen if may else self._before_edit)
        return may

    def show_edit(self, before: EntryDetail, draft: EntryDraft) -> None:
        """Show the view that edits an entry."""
        if self._left_edit():
            self._before_edit = Screen.ADD if self.screens.currentWidget() is self.entry else Screen.ENTRIES
            self.edit.open_entry(before, draft)
            self._enter_edit(self._before_edit)

    def show_before_edit(self) -> None:
        """Show the view from which an entry was edited: that with the last entries, or the listing."""
        self.show_screen(self._before_edit)

    def show_correction(self, correction: "Correction") -> None:
        """Show the view that corrects an entry that was refused."""
        if self.screens.currentWidget() is self.outbox:  # reading it took a moment
            self.edit.open_correction(correction)
            self._before_edit = Screen.OUTBOX
            self._enter_edit(Screen.OUTBOX)

    def _enter_edit(self, screen: Screen) -> None:
        self.screens.setCurrentWidget(self.edit)
        self.sidebar.show_screen(screen)
        self._position_toast()
        self.edit.begin()

    def _left_edit(self) -> bool:
        if self.screens.currentWidget() is not self.edit:
            return True
        may = self.edit.may_leave()
        if may:
            self.edit.close_entry()
        return may

    def follow_day(self) -> None:
        """Handle that today is another day."""
        for screen in (self.entry, self.edit):
            screen.form.follow_day()
        self.listing.follow_day()

    # bills that are dropped or pasted

    def drop_goal(self) -> DropGoal:
        """Return where a bill goes that is dropped or pasted now, or why there is no such place."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen):
            return DropGoal(shown.goal_text(), "" if shown.documents.taking else BEING_SAVED)
        if shown is self.listing and (entry := self.listing.selected()):
            return DropGoal(f"Drop to attach to {named(entry)}", why_unchangeable(entry))
        return DropGoal("Drop to attach to a new entry", "" if self.entry.documents.taking else BEING_SAVED)

    def take(self, bills: Bills) -> None:
        """Attach bills to the entry that is edited or selected, otherwise to the new entry."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen):
            shown.take(bills)
        elif shown is self.listing and (entry := self.listing.selected()):
            self._attach(entry, bills)
        else:
            self.show_screen(Screen.ADD)
            self.entry.take(bills)

    def _attach(self, entry: ListedEntry, bills: Bills) -> None:
        refusal = why_unchangeable(entry)
        if refusal:
            bills.close()
            self.say(refusal, "warn")
        else:
            self.hide_banner()
            self.attach_wanted.emit(entry, bills)

    def refuse(self, sentence: str) -> None:
        """Say why a bill cannot be attached, where it was dropped or pasted."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen) and shown.documents.taking:
            shown.refuse(sentence)
        else:
            self.say(sentence, "warn", passing=False)  # the bill is still to be added after the save

    def paste(self) -> None:
        """Attach the files or the picture in the clipboard, when the focus is in no text field."""
        shown = self.screens.currentWidget()
        (shown.pasting if isinstance(shown, EntryScreen) else self._pasting).paste()

    def save(self) -> None:
        """Save the entry in the form that is shown; in the other views, there is nothing to save."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen):
            shown.save()

    # messages

    def say(self, sentence: str, tone: str, *, passing: bool = True) -> None:
        """Show a banner above the views until the user closes it.

        A `passing` one, such as an error, also closes when the user goes to another view or changes an entry.
        """
        self._passing = passing
        self.banner.say(sentence, tone, "Close")
        self._show_banners()

    def show_error(self, sentence: str) -> None:
        """Show an error above the views."""
        self.say(sentence, "danger")

    def _hide_passing(self) -> None:
        if self._passing and not self.banner.isHidden():
            self.hide_banner()

    def hide_banner(self) -> None:
        """Hide the banner."""
        self.banner.hide()
        self._show_banners()

    def show_moved(self, moved: Moved | None, server: str = "") -> None:
        """Show the message after a move to the server `server`; None hides it."""
        self.moved.show_moved(moved, server)
        self._show_banners()

    def show_late(self, sentence: str, servers: str = "") -> None:
        """Show the warning about changes that only one region has; "" hides it. `servers` is the tool tip."""
        self.late.setToolTip(servers)
        if sentence:
            self.late.say(sentence, "warn", "Close")
        else:
            self.late.hide()
        self._show_banners()

    def show_clock(self, sentence: str) -> None:
        """Show the warning about a wrong clock; "" hides it."""
        if sentence == self.clock.text():
            return
        if sentence:
            self.clock.say(sentence, "warn", "Close")
        else:
            self.clock.hide()
        self._show_banners()

    def offer_undo(self, text: str, *, undo: bool) -> None:
        """Show what was done for ten seconds, with `undo` also the button to undo it."""
        self._hide_passing()
        self.toast.say(text, undo=undo)
        self._position_toast()

    def say_nothing_to_undo(self, way_back: str) -> None:
        """Say that Undo has nothing to undo. `way_back` is a sentence about another way, or ""."""
        self._hide_passing()
        if way_back:
            self.toast.hide_now()
            self.say(f"{_NOTHING_TO_UNDO} {way_back}", "warn")  # too long for the toast
        else:
            self.toast.say(_NOTHING_TO_UNDO, undo=False, done=False)
            self._position_toast()

    def _show_banners(self) -> None:
        banners = (self.banner, self.moved, self.late, self.clock, self.again)
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
        """Move the toast to its place, and give a small window a narrow sidebar."""
        super().resizeEvent(event)
        self.sidebar.set_narrow(event.size().width() < _ROOM_FOR_SIDEBAR)
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
