"""The table model of the listing. Pages are loaded in tasks, one at a time; `data` never blocks."""

from collections import deque
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from app.domain.entry import EntryFilter, ListedEntry
from app.errors import AppError
from app.ui.models.columns import HEADINGS, TITLES, Column, shown_text, spoken_text
from app.ui.models.pages import Chunk, Page, Pages, fill, insertions, merged_rows, read_range, removals
from app.ui.models.roles import ENTRY_ROLE, MARK_ROLE
from app.ui.models.state_marks import Replication, StateMark, state_mark
from app.ui.tasks import Tasks

if TYPE_CHECKING:
    from app.services import Services

AnyIndex = QModelIndex | QPersistentModelIndex
_TIPPED: Final = (Column.DESCRIPTION, Column.CATEGORY, Column.DOCUMENTS, Column.STATE)
_TOPIC: Final = "page"
_NOWHERE: Final = QModelIndex()
_Answer = tuple[tuple[ListedEntry, ...], frozenset[str], Chunk]


class EntriesModel(QAbstractTableModel):
    """The rows, newest first.

    `loaded` is emitted after every page, and `end_reached` when all rows are loaded after `load_all`.
    `load_failed` carries an AppError. `source_changed` carries whether the rows come from the cache on this
    computer. `today` returns today's date.
    """

    loaded = Signal()
    end_reached = Signal()
    load_failed = Signal(object)
    source_changed = Signal(bool)

    def __init__(
        self,
        services: "Services",
        tasks: Tasks,
        parent: QObject | None,
        today: Callable[[], date],
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._today = today
        self._replication: Replication | None = None
        self._filter = EntryFilter()
        self._pages = Pages()
        self._from_cache = False
        self._in_flight = False
        self._again = False
        self._failing = False
        self._loading_all = False
        self._queue: deque[int] = deque()

    # called by Qt

    def rowCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of rows loaded so far."""
        return 0 if parent.isValid() else self._pages.count

    def columnCount(self, parent: AnyIndex = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else len(Column)

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the data of a cell; None while the page of its row is being loaded again."""
        entry = self._look_up(index.row()) if index.isValid() else None
        if entry is None:
            return None
        column = Column(index.column())
        if role == ENTRY_ROLE:
            return entry
        if role == MARK_ROLE:
            return self.mark_of(entry)
        if role == Qt.ItemDataRole.DisplayRole:
            return shown_text(entry, column)
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return self._spoken(entry, column)
        if role == Qt.ItemDataRole.ToolTipRole and column in _TIPPED:
            return self._spoken(entry, column)
        return None

    def _spoken(self, entry: ListedEntry, column: Column) -> str:
        return self.mark_of(entry).whole if column is Column.STATE else spoken_text(entry, column)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's heading."""
        if orientation is not Qt.Orientation.Horizontal:
            return None
        column = Column(section)
        if role == Qt.ItemDataRole.DisplayRole:
            return HEADINGS[column]
        if role in (Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole):
            return TITLES[column]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column is Column.AMOUNT else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def canFetchMore(self, parent: AnyIndex) -> bool:
        """Return whether there are more rows and no page is being loaded."""
        started = bool(self._pages.pages)
        return not parent.isValid() and started and self._pages.more is not None and not self._in_flight

    def fetchMore(self, parent: AnyIndex) -> None:
        """Load the page after the last one."""
        if self.canFetchMore(parent):
            self._failing = False
            self._load(len(self._pages.pages))

    # called by the views

    @property
    def loading(self) -> bool:
        """Return whether a page is being loaded."""
        return self._in_flight

    @property
    def complete(self) -> bool:
        """Return whether all rows are loaded."""
        return bool(self._pages.pages) and self._pages.more is None

    @property
    def loading_all(self) -> bool:
        """Return whether page after page is being loaded because of `load_all`."""
        return self._loading_all

    def load_all(self) -> None:
        """Load one page after the other; emits `end_reached` after the last one."""
        self._loading_all = True
        self._go_on()

    def stop_loading_all(self) -> None:
        """Load no further pages than the one that is being loaded."""
        self._loading_all = False

    def _go_on(self) -> None:
        if self.complete and not self._in_flight:
            self._loading_all = False
            self.end_reached.emit()
        else:
            self.fetchMore(_NOWHERE)

    @property
    def from_cache(self) -> bool:
        """Return whether the rows come from the cache on this computer."""
        return self._from_cache

    def entry_at(self, row: int) -> ListedEntry | None:
        """Return the entry of `row`; None if it is out of range or not loaded."""
        return self._look_up(row) if 0 <= row < self._pages.count else None

    def mark_of(self, entry: ListedEntry) -> StateMark:
        """Return the mark for an entry's state."""
        return state_mark(entry, self._replication, self._today())

    def set_replication(self, replication: Replication | None, in_sight: range = range(0)) -> None:
        """Set the replication status of changes (None for the local book), and redraw the rows `in_sight`."""
        changed, self._replication = replication != self._replication, replication
        if changed and in_sight:
            first, last = in_sight[0], in_sight[-1]
            self.dataChanged.emit(self.index(first, Column.STATE), self.index(last, Column.STATE))

    def row_of(self, entry_id: str) -> int:
        """Return the row of an entry; -1 if it is not loaded."""
        for index, page in enumerate(self._pages.pages):
            for offset, entry in enumerate(page.rows or ()):
                if entry.id == entry_id:
                    return self._pages.first_row(index) + offset
        return -1

    def set_filter(self, wanted: EntryFilter) -> None:
        """Set the filter and load its first page. Answers to the previous filter are dropped."""
        self._filter = wanted
        self._tasks.supersede(self, _TOPIC)
        self.beginResetModel()
        self._pages = Pages()
        self._queue.clear()
        self._in_flight = self._again = self._failing = self._loading_all = False
        self.endResetModel()
        self._load(0)

    def refresh(self) -> None:
        """Load the shown rows again, keeping the selection and the scroll position."""
        if not self._pages.pages:
            self.set_filter(self._filter)
            return
        self._again = self._in_flight  # the page being loaded may have been read before the change
        self._failing = False
        self._pages.mark_stale()
        self._enqueue(0)
        self._redraw(0, self._pages.count - 1)

    def redraw(self) -> None:
        """Draw all rows again, because their texts depend on the day."""
        self._redraw(0, self._pages.count - 1)

    # pages

    def _look_up(self, row: int) -> ListedEntry | None:
        index, offset = self._pages.locate(row)
        page = self._pages.pages[index]
        self._pages.touch(index)
        if _must_load(page):
            self._enqueue(index)
        return page.rows[offset] if page.rows is not None else None

    def _enqueue(self, index: int) -> None:
        if index not in self._queue and not self._failing:
            self._queue.append(index)
            QTimer.singleShot(0, self, self._load_next)  # rows must not change while a view calls `data`

    def _load_next(self) -> None:
        while self._queue and not self._in_flight:
            index = self._queue.popleft()
            if index < len(self._pages.pages) and _must_load(self._pages.pages[index]):
                self._load(index)

    def _load(self, index: int) -> None:
        known = index < len(self._pages.pages)
        page = self._pages.pages[index] if known else self._pages.next_page()
        end = page.end if known else None
        entries, wanted = self._services.entries, self._filter

        def work() -> _Answer:
            # The outbox is read first: an entry that is confirmed in between is then found twice, not never.
            pending, overridden = tuple(entries.pending(wanted)), entries.overridden()
            return pending, overridden, read_range(partial(entries.page, wanted), page.cursor, end)

        self._in_flight = True
        self._tasks.run(work, partial(self._arrived, index, page), self._failed, owner=self, topic=_TOPIC)

    def _arrived(self, index: int, page: Page, answer: _Answer) -> None:
        # `_in_flight` stays set until the rows are inserted, because views call `fetchMore` meanwhile.
        pending, overridden, chunk = answer
        if chunk.from_cache != self._from_cache:
            self._from_cache = chunk.from_cache
            self.source_changed.emit(chunk.from_cache)
            if index > 0 or len(self._pages.pages) > 1:  # pages from the server and the cache do not match
                self.set_filter(self._filter)
                return
        last = index >= len(self._pages.pages) - 1
        fill(page, chunk, last=last)
        if last:
            self._pages.more = chunk.cursor
        self._show(index, page, merged_rows(page, pending, overridden))
        self._after_page()

    def _after_page(self) -> None:
        self._in_flight = False
        self._pages.evict()
        if self._again:
            self._again = False
            self.refresh()
        self.loaded.emit()
        self._load_next()
        if self._loading_all:
            self._go_on()

    def _failed(self, error: AppError) -> None:
        self._in_flight = self._loading_all = False
        self._failing = True  # no retries until the user scrolls on or the connection comes back
        self._queue.clear()
        self.load_failed.emit(error)

    def _show(self, index: int, page: Page, rows: list[ListedEntry]) -> None:
        if index >= len(self._pages.pages):
            self._append(page, rows)
        elif page.rows is None:
            self._restore(index, page, rows)
        else:
            self._update(index, page, rows)

    def _append(self, page: Page, rows: list[ListedEntry]) -> None:
        first = self._pages.count
        if rows:
            self.beginInsertRows(_NOWHERE, first, first + len(rows) - 1)
        page.rows, page.count = rows, len(rows)
        self._pages.append(page)
        if rows:
            self.endInsertRows()

    def _restore(self, index: int, page: Page, rows: list[ListedEntry]) -> None:
        """Set the rows of an evicted page. Its old rows are not known, so only their number is adjusted."""
        first, before, after = self._pages.first_row(index), page.count, len(rows)
        if after > before:
            self.beginInsertRows(_NOWHERE, first + before, first + after - 1)
        elif after < before:
            self.beginRemoveRows(_NOWHERE, first + after, first + before - 1)
        page.rows, page.count = rows, after
        self._pages.recount()
        if after > before:
            self.endInsertRows()
        elif after < before:
            self.endRemoveRows()
        self._redraw(first, first + after - 1)

    def _update(self, index: int, page: Page, rows: list[ListedEntry]) -> None:
        """Remove and insert only the rows that differ, so that the selection stays on its entry."""
        shown = page.rows or []
        first = self._pages.first_row(index)
        old, new = [row.sort_key for row in shown], [row.sort_key for row in rows]
        for start, stop in removals(old, new):
            self.beginRemoveRows(_NOWHERE, first + start, first + stop)
            del shown[start : stop + 1]
            self._set_rows(page, shown)
            self.endRemoveRows()
        for start, stop in insertions(old, new):
            self.beginInsertRows(_NOWHERE, first + start, first + stop)
            shown[start:start] = rows[start : stop + 1]
            self._set_rows(page, shown)
            self.endInsertRows()
        self._set_rows(page, rows)
        self._redraw(first, first + len(rows) - 1)

    def _set_rows(self, page: Page, rows: list[ListedEntry]) -> None:
        page.rows, page.count = rows, len(rows)
        self._pages.recount()

    def _redraw(self, first: int, last: int) -> None:
        if last >= first:
            self.dataChanged.emit(self.index(first, 0), self.index(last, len(Column) - 1))


def _must_load(page: Page) -> bool:
    return page.rows is None or page.stale
