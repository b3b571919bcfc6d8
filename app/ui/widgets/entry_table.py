"""The table of the listing: rows of fixed height; narrow tables hide some columns."""

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from app.ui.models.columns import Column
from app.ui.models.entries_model import AnyIndex, EntriesModel
from app.ui.widgets.entry_delegate import ROW_HEIGHT, EntryDelegate, text_width

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
    """

    row_selected = Signal(int)
    edit_wanted = Signal(int)
    void_wanted = Signal(int)

    def __init__(self, model: EntriesModel) -> None:
        super().__init__()
        self.setObjectName("entry_table")
        self.setAccessibleName("Entries")
        self.setModel(model)
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
        """Handle Enter and Delete for the current row."""
        row = self.currentIndex().row()
        if row >= 0 and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not _has_modifier(event):
            self.edit_wanted.emit(row)
        # A key that is held down must not void one entry after the other.
        elif row >= 0 and event.key() == Qt.Key.Key_Delete and not event.isAutoRepeat():
            self.void_wanted.emit(row)
        else:
            super().keyPressEvent(event)

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


def _has_modifier(event: QKeyEvent) -> bool:
    keys = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier  # set by Enter on the keypad
    return keys != Qt.KeyboardModifier.NoModifier
