"""The table of the listing: rows of fixed height; narrow tables hide some columns."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.ui.models.columns import Column
from app.ui.models.entries_model import AnyIndex, EntriesModel
from app.ui.widgets.entry_delegate import ROW_HEIGHT, EntryDelegate, text_width
from app.ui.widgets.pieces import is_enter

_SAMPLES = {
    Column.DATE: "28 Nov 2026",
    Column.CODE: "WMW-000888",  # the widest letters: a region may have any of them
    Column.CATEGORY: "Stationery",
    Column.AMOUNT: "+₹88,88,888.88",
}
_ICON_WIDTHS = {Column.DOCUMENTS: 42, Column.STATE: 32}
_ROOM_FOR_CATEGORY = 580
_ROOM_FOR_CODE = 500


class EntryTable(QTableView):
    """Shows the entries.

    `row_selected` carries the current row, -1 for none. `edit_wanted` (Enter, double click) and `void_wanted`
    (Delete) carry the row to edit or void.

    End goes to the last row of the book: rows that are not loaded yet are loaded first. Until then, Enter and
    Delete wait for that row, and any other key stops the loading.
    """

    row_selected = Signal(int)
    edit_wanted = Signal(int)
    void_wanted = Signal(int)

    def __init__(self, model: EntriesModel) -> None:
        super().__init__()
        self.setObjectName("entry_table")
        self.setAccessibleName("Entries")
        self._entries = model
        self._at_end: Callable[[int], None] | None = None
        self.setModel(model)
        model.end_reached.connect(self._arrive)
        self.setItemDelegate(EntryDelegate(self))
        self._set_behaviour()
        self._set_columns()
        self.doubleClicked.connect(lambda index: self.edit_wanted.emit(index.row()))

    def _set_behaviour(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTabKeyNavigation(False)  # Tab leaves the table instead of visiting every cell
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setProperty("hoveredRow", -1)  # read by the delegate

    def _set_columns(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        head = self.horizontalHeader()
        head.setFixedHeight(40)
        head.setHighlightSections(False)
        head.setSectionsClickable(False)
        head.setMinimumSectionSize(30)
        for column in Column:
            head.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
            if column in _SAMPLES:
                self.setColumnWidth(column, text_width(_SAMPLES[column], column))
            elif column in _ICON_WIDTHS:
                self.setColumnWidth(column, _ICON_WIDTHS[column])
        head.setSectionResizeMode(Column.DESCRIPTION, QHeaderView.ResizeMode.Stretch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide the category and the code if the table is narrow; the details panel shows them too."""
        super().resizeEvent(event)
        width = self.viewport().width()
        self.setColumnHidden(Column.CATEGORY, width < _ROOM_FOR_CATEGORY)
        self.setColumnHidden(Column.CODE, width < _ROOM_FOR_CODE)

    def currentChanged(self, current: AnyIndex, previous: AnyIndex) -> None:
        """Emit `row_selected`."""
        super().currentChanged(current, previous)
        self.row_selected.emit(current.row() if current.isValid() else -1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle Enter and Delete for the current row, and Home and End."""
        act = self._action_of(event)
        if act is not None and self._entries.loading_all:
            self._at_end = act
        elif act is not None and self.currentIndex().isValid():
            act(self.currentIndex().row())
        elif event.key() == Qt.Key.Key_End:
            self._go_to_end()
        else:
            self._stop_going()
            self._press_elsewhere(event)

    def _action_of(self, event: QKeyEvent) -> Callable[[int], None] | None:
        if is_enter(event):
            return self.edit_wanted.emit
        # A key that is held down must not void one entry after the other.
        is_delete = event.key() == Qt.Key.Key_Delete and not event.isAutoRepeat()
        return self.void_wanted.emit if is_delete else None

    def _press_elsewhere(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Home:
            self._select(0)
        else:
            super().keyPressEvent(event)

    def _go_to_end(self) -> None:
        self._at_end = None
        self._entries.load_all()

    def _stop_going(self) -> None:
        self._entries.stop_loading_all()
        self._at_end = None

    def _arrive(self) -> None:
        """Select the last row, and do what was asked for meanwhile."""
        act, self._at_end = self._at_end, None
        row = self._entries.rowCount() - 1
        self._select(row)
        if act is not None and row >= 0:
            act(row)

    def _select(self, row: int) -> None:
        self.setCurrentIndex(self._entries.index(row, max(self.currentIndex().column(), 0)))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Stop going to the last row."""
        self._stop_going()
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the row under the mouse."""
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(event.position().toPoint().y()))

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        super().leaveEvent(event)
        self._hover(-1)

    def rows_in_sight(self) -> range:
        """Return the rows that are visible, completely or in part."""
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        end = last + 1 if last >= 0 else self.model().rowCount()
        return range(first, end) if first >= 0 else range(0)

    def _hover(self, row: int) -> None:
        if row != self.property("hoveredRow"):
            self.setProperty("hoveredRow", row)
            self.viewport().update()
