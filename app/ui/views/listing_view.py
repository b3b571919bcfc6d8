"""The listing: the filter, the table with its totals, and the details of the selected entry."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFrame, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.domain.entry import EntryFilter, ListedEntry, Totals
from app.errors import AppError, OfflineError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.models.entries_model import EntriesModel
from app.ui.models.entry_texts import why_unchangeable
from app.ui.models.state_marks import Replication
from app.ui.tasks import Tasks
from app.ui.views.details_panel import DetailsPanel
from app.ui.views.filter_bar import FilterBar
from app.ui.views.totals_foot import TotalsFoot
from app.ui.widgets.banner import Banner
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.entry_table import EntryTable
from app.ui.widgets.pieces import HeadRow, button, frame, label

if TYPE_CHECKING:
    from app.services import Services

_RETRY_MS: Final = 5_000
"""How long after a failure, of the disk for example, the rows are loaded again without being asked."""
_GAP: Final = 16
_MARGIN: Final = 24
_LEAST_LIST: Final = 400
_ROOM_FOR_MARGINS: Final = 740
_LEAST_DETAILS: Final = 236
_USUAL_DETAILS: Final = 460
_WIDEST_LIST: Final = 1300
"""What a large screen has more than this is for the bill."""


class ListingView(QWidget):
    """Shows the entries of the book.

    `add_wanted` requests Add Entry. `export_wanted` carries the EntryFilter to export, `edit_wanted` and
    `void_wanted` the ListedEntry to edit or void, and `replication_known` the Replication that was just read.
    """

    add_wanted = Signal()
    export_wanted = Signal(object)
    edit_wanted = Signal(object)
    void_wanted = Signal(object)
    replication_known = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("listing_view")
        self.setProperty("role", "canvas")
        self._services = services
        self._tasks = tasks
        self._wanted = EntryFilter()
        self._to_select = ""
        self._at_server = False
        self._details_width = 0
        self.retry_ms = _RETRY_MS
        self._retry = QTimer(self, singleShot=True)
        self._retry.timeout.connect(self._try_again)
        self._failed = False
        self.model = EntriesModel(services, tasks, self, desktop.today)
        self.filters = FilterBar(desktop.today)
        self.table = EntryTable(self.model)
        self.details = DetailsPanel(services, tasks)
        self.foot = TotalsFoot()
        self.banner = Banner("listing_banner")
        self.empty = EmptyState("listing_empty")
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, 20, _MARGIN, 24)
        column.setSpacing(14)
        column.addLayout(self._head())
        self._parts = QSplitter(Qt.Orientation.Horizontal, self)
        self._parts.setObjectName("listing_parts")
        self._parts.setChildrenCollapsible(False)
        self._parts.setHandleWidth(_GAP)
        self._parts.addWidget(self._list_side())
        self._parts.addWidget(self.details)
        self._parts.splitterMoved.connect(self._details_resized)
        column.addWidget(self._parts, 1)

    def _list_side(self) -> QWidget:
        side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(14)
        column.addWidget(self.filters)
        column.addWidget(self.banner)
        column.addWidget(self._list_card(), 1)
        return side

    def _head(self) -> HeadRow:
        self.export_button = button("Export CSV", "export_button", icon="download")
        self.export_button.setToolTip("Export what is shown (Ctrl+E)")
        self.add_button = button("Add entry", "listing_add_button", "primary", "plus", "on_accent")
        self.add_button.setToolTip("Add entry (Ctrl+N)")
        self._heading = HeadRow(label("Entries", "title"), self.export_button, self.add_button)
        return self._heading

    def free_room(self) -> QRect:
        """Return the free space in the head, where a toast hides nothing."""
        return self._heading.free_room()

    def _list_card(self) -> QFrame:
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self.empty)
        column = QVBoxLayout()
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        column.addWidget(self._stack, 1)
        column.addWidget(self.foot)
        return frame("card", column, "list_card")

    def _connect(self) -> None:
        self.add_button.clicked.connect(self.add_wanted)
        self.export_button.clicked.connect(self.ask_export)
        self.filters.changed.connect(self._filter_changed)
        self.table.row_selected.connect(self._show_row)
        self.table.edit_wanted.connect(self._edit_row)
        self.table.void_wanted.connect(self._void_row)
        self.details.edit_wanted.connect(self.edit_wanted)
        self.details.void_wanted.connect(self.void_wanted)
        self.model.loaded.connect(self._page_loaded)
        self.model.load_failed.connect(self._load_failed)
        self.model.source_changed.connect(lambda _cached: self._show_source())
        self.model.dataChanged.connect(lambda *_args: self._show_row(self.table.currentIndex().row()))
        self.banner.pressed.connect(self._banner_pressed)
        self.model.end_reached.connect(self._show_source)
        self.empty.pressed.connect(self._empty_pressed)
        down = QShortcut(QKeySequence(Qt.Key.Key_Down), self.filters.search)
        down.setContext(Qt.ShortcutContext.WidgetShortcut)
        down.activated.connect(self._enter_table)

    def open(self) -> None:
        """Show the open book without a filter. Call it after a log-in."""
        self.details.show_entry(None)
        self.filters.show_filter(EntryFilter())
        self._filter_changed(EntryFilter())

    def refresh(self, select: str = "") -> None:
        """Load the shown rows again. Keep the selection, or select the entry with the id `select`."""
        self._to_select = select or self._to_select
        self.model.refresh()
        self._ask_totals()
        self.ask_replication()

    def set_at_server(self, at_server: bool) -> None:
        """Set whether the book is on a server: only then do entries have a replication status."""
        if at_server != self._at_server:
            self._at_server = at_server
            self._tasks.supersede(self, "replication")
            self.model.set_replication({} if at_server else None, self.table.rows_in_sight())

    def ask_replication(self) -> None:
        """Read the replication status of this computer's changes; emits `replication_known`."""
        if self._at_server:
            read = self._services.entries.replication
            self._tasks.run(read, self._show_replication, owner=self, topic="replication", local=True)

    def follow_day(self) -> None:
        """Handle that today is another day."""
        self.filters.follow_day()
        self.model.redraw()

    def focus_search(self) -> None:
        """Set the focus to the search field."""
        self.filters.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.filters.search.selectAll()

    def begin(self) -> None:
        """Set the focus to the table, or to the button shown instead of an empty table."""
        self._try_again()
        shown = self.empty.button if self._stack.currentWidget() is self.empty else self.table
        shown.setFocus(Qt.FocusReason.OtherFocusReason)

    def selected(self) -> ListedEntry | None:
        """Return the entry whose row is selected; None if there is none."""
        row = self.table.currentIndex().row()
        return self.model.entry_at(row) if self._stack.currentWidget() is self.table and row >= 0 else None

    def ask_export(self) -> None:
        """Emit `export_wanted` with the present filter, unless a date in it is invalid."""
        if self.filters.settle_dates():
            self.export_wanted.emit(self.filters.wanted())

    def _filter_changed(self, wanted: EntryFilter) -> None:
        self._wanted = wanted
        self._stack.setCurrentWidget(self.table)
        self.foot.show_totals(None)
        self.model.set_filter(wanted)
        self._ask_totals()

    def _ask_totals(self) -> None:
        wanted = self._wanted
        self._tasks.run(
            lambda: self._services.entries.totals(wanted),
            self._show_totals,
            self._totals_failed,
            owner=self,
            topic="totals",
        )

    def _show_totals(self, totals: Totals) -> None:
        self.foot.show_totals(totals)

    def _show_replication(self, replication: Replication) -> None:
        self.model.set_replication(replication, self.table.rows_in_sight())
        self.replication_known.emit(replication)

    def _totals_failed(self, error: AppError) -> None:
        self.foot.show_unknown()
        if isinstance(error, OfflineError) and self._wanted != EntryFilter():
            count = self._services.entries.count_here
            self._tasks.run(count, self._show_searched, owner=self, topic="totals", local=True)

    def _show_searched(self, count: int) -> None:
        words = self._services.accounts.words
        self.foot.show_searched(words.searched(count_text(count, "entry", "entries")))

    def _page_loaded(self) -> None:
        self._failed = False
        self._show_source()
        rows = self.model.rowCount()
        if rows == 0 and self.model.complete:
            self._show_empty()
            self.details.show_entry(None)
            return
        self._stack.setCurrentWidget(self.table)
        self._select_wanted()
        if rows and not self.table.currentIndex().isValid():
            self.table.selectRow(0)

    def _select_wanted(self) -> None:
        row = self.model.row_of(self._to_select) if self._to_select else -1
        self._to_select = ""
        if row >= 0:
            self.table.selectRow(row)

    def _edit_row(self, row: int) -> None:
        entry = self.model.entry_at(row)
        if entry is not None and not why_unchangeable(entry):
            self.edit_wanted.emit(entry)

    def _void_row(self, row: int) -> None:
        entry = self.model.entry_at(row)
        if entry is not None and not why_unchangeable(entry):
            self.void_wanted.emit(entry)

    def _show_source(self) -> None:
        if self.model.loading_all and not self.model.complete:
            rows = count_text(self.model.rowCount(), "entry", "entries")
            self.banner.say(f"Going to the last entry: {rows} loaded so far.", "warn", "Stop")
        elif self.model.from_cache:
            self.banner.say(self._services.accounts.words.from_cache, "warn", "Try again")
        else:
            self.banner.hide()

    def _banner_pressed(self) -> None:
        if self.model.loading_all:
            self.model.stop_loading_all()
            self._show_source()
        else:
            self.refresh()

    def _show_empty(self) -> None:
        if self._wanted == EntryFilter():
            self.empty.say(
                "wallet",
                "No entries yet",
                "Add what you spent or earned. It takes a few seconds.",
                "Add entry",
            )
        else:
            where = "on this computer " if self.model.from_cache else ""
            self.empty.say(
                "search", "Nothing matches", f"No entry {where}matches these filters.", "Clear filters"
            )
        self._stack.setCurrentWidget(self.empty)

    def _empty_pressed(self) -> None:
        if self._wanted == EntryFilter():
            self.add_wanted.emit()
        else:
            self.filters.clear()

    def _load_failed(self, error: AppError) -> None:
        self.banner.say(error.message, "danger", "Try again")
        self._failed = error.retryable
        if self._failed:
            self._retry.start(self.retry_ms)

    def _try_again(self) -> None:
        """Load the rows again after a failure. While another page is shown, wait for this one."""
        if self._failed and self.isVisible():
            self._failed = False
            self.refresh()

    def _show_row(self, row: int) -> None:
        entry = self.model.entry_at(row)
        if entry is not None:
            self.details.show_entry(entry, self.model.mark_of(entry))
        elif row < 0:
            self.details.show_entry(None)

    def _enter_table(self) -> None:
        self.table.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if not self.table.currentIndex().isValid() and self.model.rowCount():
            self.table.selectRow(0)

    @property
    def details_width(self) -> int:
        """The width of the details panel that the user chose, in pixels; 0 if it follows the window."""
        return self._details_width

    def set_details_width(self, width: int) -> None:
        """Set what `details_width` returned at an earlier time."""
        self._details_width = max(width, 0)

    def _details_resized(self, *_args: int) -> None:
        self._details_width = self.details.width()

    def _set_parts(self, room: int) -> None:
        self.details.setVisible(
            room >= _LEAST_LIST + _LEAST_DETAILS
        )  # on a very small screen, Enter shows it
        usual = max(min(room * 27 // 100, _USUAL_DETAILS), room - _WIDEST_LIST)
        wide = max(min(self._details_width or usual, room - _LEAST_LIST), _LEAST_DETAILS)
        self._parts.setSizes([room - wide, wide])

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Set the width of the details panel."""
        super().resizeEvent(event)
        margin = _MARGIN if event.size().width() >= _ROOM_FOR_MARGINS else _MARGIN // 2
        column = self.layout()
        if column is not None:
            column.setContentsMargins(margin, 20, margin, margin)
        self._set_parts(self.contentsRect().width() - 2 * margin - _GAP)
