"""The frame of the open book: the sidebar, the views, and the banners and the toast over them."""

from collections.abc import Callable
from functools import partial
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
from app.ui.lazy_page import LazyPage
from app.ui.models.entry_texts import named, why_unchangeable
from app.ui.offers import Bills
from app.ui.tasks import Tasks
from app.ui.theme import Mode
from app.ui.views.edit_view import EditView
from app.ui.views.entry_screen import BEING_SAVED, EntryScreen
from app.ui.views.entry_view import EntryView
from app.ui.views.sidebar import Screen, Sidebar
from app.ui.widgets.banner import Banner
from app.ui.widgets.moved_banner import MovedBanner
from app.ui.widgets.sign_in_again import SignInAgain
from app.ui.widgets.toast import Toast

if TYPE_CHECKING:
    from app.services import Services
    from app.services.outbox_items import Correction
    from app.ui.views.listing_view import ListingView
    from app.ui.views.outbox_view import OutboxView

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
        self._words = services.accounts.words
        self.sidebar = Sidebar(mode)
        self.screens = QStackedWidget(self)
        self.screens.setObjectName("screens")
        self.entry = EntryView(services, tasks, desktop, self.screens)
        self.edit_page = LazyPage(self.screens, partial(EditView, services, tasks, desktop))
        self.listing_page = LazyPage(self.screens, partial(_make_listing, services, tasks, desktop))
        self.outbox_page = LazyPage(self.screens, partial(_make_outbox, services, tasks, desktop))
        self._later = QTimer(self, singleShot=True)
        self._later.timeout.connect(self._make_pages)
        self.again = SignInAgain(services, tasks)
        self.banner = Banner("window_banner")
        self._passing = True
        self._before_edit = Screen.ENTRIES
        self.moved = MovedBanner()
        self.late = Banner("late_banner")
        self.clock = Banner("clock_banner")
        self.ended = Banner("ended_banner")
        self._lay_out()
        self.toast = Toast(self.screens, clock)
        self.sidebar.screen_wanted.connect(self.show_screen)
        self.outbox_page.when_made(lambda page: page.correction_wanted.connect(self.show_correction))
        self.edit_page.when_made(lambda page: page.turned_away.connect(self.refuse))
        self.listing_page.when_made(lambda page: page.filters.speak(self._words))
        self.listing_page.when_made(self._connect_recent)
        self.banner.pressed.connect(self.hide_banner)
        self.again.shown.connect(self._show_banners)
        self.entry.turned_away.connect(self.refuse)
        self._pasting = self._take_pastes(self.again, services)
        self.listing_page.when_made(lambda page: self._take_pastes(page, services))

    def _take_pastes(self, part: QWidget, services: "Services") -> Pasting:
        pasting = Pasting(part, services, text_first=True)
        pasting.pasted.connect(self.take)
        pasting.refused.connect(self.refuse)
        return pasting

    def _connect_recent(self, listing: "ListingView") -> None:
        """Show the last entries as the listing has just read them, and where their changes are."""
        listing.model.loaded.connect(self.entry.recent.refresh)
        listing.replication_known.connect(self.entry.recent.show_replication)

    def _lay_out(self) -> None:
        self.screens.addWidget(self.entry)
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
        banners.addWidget(self.ended)
        banners.addWidget(self.banner)
        self._banner_room = QWidget(self)
        self._banner_room.setLayout(banners)
        self._banner_room.hide()
        return self._banner_room

    @property
    def edit(self) -> EditView:
        """The view that edits an entry."""
        return self.edit_page.get()

    @property
    def listing(self) -> "ListingView":
        """The listing."""
        return self.listing_page.get()

    @property
    def outbox(self) -> "OutboxView":
        """The page Waiting."""
        return self.outbox_page.get()

    def make_pages_later(self) -> None:
        """Make the pages that are not made yet when there is nothing else to do."""
        self._later.start(0)

    def stop_making_pages(self) -> None:
        """Make no more pages, because the window is closing."""
        self._later.stop()

    def _make_pages(self) -> None:
        """Make one page in each turn of the event loop.

        A key that is pressed meanwhile waits for one page at most, and the first change of the page for none.
        """
        pages: tuple[LazyPage[ListingView] | LazyPage[EditView] | LazyPage[OutboxView], ...]
        pages = (self.listing_page, self.edit_page, self.outbox_page)
        left = [page for page in pages if page.made is None]
        if left:
            left[0].get()
            self._later.start(0)

    def speak(self, words: Words) -> None:
        """Use the words for the place of the open book."""
        self._words = words
        self.sidebar.speak(words)
        self.outbox_page.if_made(lambda page: page.speak(words))
        self.listing_page.if_made(lambda page: page.filters.speak(words))

    # switching between views

    def show_screen(self, screen: Screen) -> bool:
        """Show a view of the sidebar. Return False if the user does not want to leave an edit."""
        may = self._left_edit()
        if may:
            view = self._view(screen)
            if view is not self.screens.currentWidget():
                self._hide_passing()
            self.screens.setCurrentWidget(view)
            self._position_toast()
            view.begin()
        self.sidebar.show_screen(screen if may else self._before_edit)
        return may

    def _view(self, screen: Screen) -> "EntryView | ListingView | OutboxView":
        if screen is Screen.ADD:
            return self.entry
        return self.listing if screen is Screen.ENTRIES else self.outbox

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
        if self.screens.currentWidget() is self.outbox_page.made:  # reading it took a moment
            self.edit.open_correction(correction)
            self._before_edit = Screen.OUTBOX
            self._enter_edit(Screen.OUTBOX)

    def _enter_edit(self, screen: Screen) -> None:
        self.screens.setCurrentWidget(self.edit)
        self.sidebar.show_screen(screen)
        self._position_toast()
        self.edit.begin()

    def _left_edit(self) -> bool:
        edit = self.edit_page.made
        if edit is None or self.screens.currentWidget() is not edit:
            return True
        may = edit.may_leave()
        if may:
            edit.close_entry()
        return may

    @property
    def edit_dirty(self) -> bool:
        """Whether leaving the edit would lose something."""
        return self.edit_page.made is not None and self.edit_page.made.dirty

    def may_leave_edit(self) -> bool:
        """Return whether an edit may be left. Ask the user if changes would be lost."""
        return self.edit_page.made is None or self.edit_page.made.may_leave()

    def follow_day(self) -> None:
        """Handle that today is another day."""
        self.entry.form.follow_day()
        self.edit_page.if_made(lambda page: page.form.follow_day())
        self.listing_page.if_made(lambda page: page.follow_day())

    # bills that are dropped or pasted

    def drop_goal(self) -> DropGoal:
        """Return where a bill goes that is dropped or pasted now, or why there is no such place."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen):
            return DropGoal(shown.goal_text(), "" if shown.documents.taking else BEING_SAVED)
        if entry := self._selected():
            return DropGoal(f"Drop to attach to {named(entry)}", why_unchangeable(entry))
        return DropGoal("Drop to attach to a new entry", "" if self.entry.documents.taking else BEING_SAVED)

    def _selected(self) -> ListedEntry | None:
        """Return the entry that is selected in the listing, if that is shown."""
        listing = self.listing_page.made
        shown = listing is not None and self.screens.currentWidget() is listing
        return listing.selected() if listing is not None and shown else None

    def take(self, bills: Bills) -> None:
        """Attach bills to the entry that is edited or selected, otherwise to the new entry."""
        shown = self.screens.currentWidget()
        if isinstance(shown, EntryScreen):
            shown.take(bills)
        elif entry := self._selected():
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

    def show_ended(self, sentence: str) -> None:
        """Show that the program ended unexpectedly last time; "" hides it."""
        if sentence:
            self.ended.say(sentence, "warn", "Show report", closable=True)
        else:
            self.ended.hide()
        self._show_banners()

    def offer_undo(self, text: str, *, undo: str) -> None:
        """Show what was done for ten seconds, with `undo` also a button with this text to undo it."""
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
            self.toast.say(_NOTHING_TO_UNDO, undo="", done=False)
            self._position_toast()

    def _show_banners(self) -> None:
        banners = (self.banner, self.moved, self.late, self.clock, self.ended, self.again)
        self._banner_room.setVisible(any(not each.isHidden() for each in banners))
        self._position_toast()

    def _position_toast(self) -> None:
        QTimer.singleShot(0, self, self._toast_placed)  # the layout has not been updated yet

    def _toast_placed(self) -> None:
        shown = self.screens.currentWidget()
        for page in (self.entry, self.edit_page.made, self.listing_page.made, self.outbox_page.made):
            if page is not None and page is shown:
                self.toast.move_to_corner(page.free_room())
                self.toast.raise_()
        self._align_banners()

    def _align_banners(self) -> None:
        """Put the banners above the edges of the page below them, whose margins follow its width."""
        page, banners = self.screens.currentWidget(), self._banner_room.layout()
        if page is not None and banners is not None and (column := page.layout()) is not None:
            edges, margins = column.contentsMargins(), banners.contentsMargins()
            banners.setContentsMargins(edges.left(), margins.top(), edges.right(), margins.bottom())

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
        self.edit_page.if_made(EditView.close_entry)
        self.outbox_page.if_made(lambda page: page.clear())


# Imported when they are made: what these two import is not needed before the first key.


def _make_listing(services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> "ListingView":
    from app.ui.views.listing_view import ListingView

    return ListingView(services, tasks, desktop, parent)


def _make_outbox(services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> "OutboxView":
    from app.ui.views.outbox_view import OutboxView

    return OutboxView(services, tasks, desktop, parent)
