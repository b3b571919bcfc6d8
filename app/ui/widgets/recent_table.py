"""The table of the last entries: rows with Edit and Undo, for the mouse and for the keyboard."""

from typing import Final

from PySide6.QtCore import QEvent, QModelIndex, QPersistentModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QFont, QFontMetrics, QKeyEvent, QMouseEvent, QPainter, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from app.ui.models.columns import Column
from app.ui.models.recent_model import ACTIONS, EDIT, RecentModel
from app.ui.theme import colour, text_font
from app.ui.widgets.entry_delegate import EntryDelegate, text_width
from app.ui.widgets.pieces import is_enter

RECENT_HEIGHT: Final = 34
_SAMPLES: Final = {
    Column.DATE: "28 Nov 2026",
    Column.CODE: "WMW-000888",
    Column.CATEGORY: "Stationery",
    Column.AMOUNT: "+₹8,88,888.88",
}
_ICON_WIDTHS: Final = {Column.DOCUMENTS: 42, Column.STATE: 30}
_ROOM_FOR_CATEGORY: Final = 560
_ROOM_FOR_CODE: Final = 900
_ROOM_FOR_DATE: Final = 380
_PAD: Final = 9
_WEIGHT: Final = QFont.Weight.Medium
_Index = QModelIndex | QPersistentModelIndex


class RecentTable(QTableView):
    """Shows the rows of a RecentModel. Tab enters it, and the arrow keys go from row to row.

    `edit_wanted` (Enter, double click, or a click on Edit) and `undo_wanted` (Delete, or a click on Undo)
    carry the row. `left` is emitted when the last row is gone while the table has the focus.
    """

    edit_wanted = Signal(int)
    undo_wanted = Signal(int)
    left = Signal()

    def __init__(self, model: RecentModel, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("recent_table")
        self.setProperty("role", "recent")
        self.setAccessibleName("Last entries on this computer. Enter changes an entry, Delete takes it back.")
        self._recent = model
        self._pressed: tuple[int, int] | None = None
        self.setModel(model)
        self.setItemDelegate(RecentDelegate(self))
        self._set_behaviour()
        self._set_columns()

    def _set_behaviour(self) -> None:
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # and a click must never take the focus from the form
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.setShowGrid(False)
        self.setMouseTracking(True)
        self.setProperty("hoveredRow", -1)  # read by the delegate

    def _set_columns(self) -> None:
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(RECENT_HEIGHT)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(RECENT_HEIGHT)
        head = self.horizontalHeader()
        head.hide()
        head.setMinimumSectionSize(24)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        for column, sample in _SAMPLES.items():
            self.setColumnWidth(column, text_width(sample, column))
        for column, width in _ICON_WIDTHS.items():
            self.setColumnWidth(column, width)
        for action, text in ACTIONS.items():
            width = QFontMetrics(text_font(weight=_WEIGHT)).horizontalAdvance(text)
            self.setColumnWidth(action, width + 2 * _PAD)
        head.setSectionResizeMode(Column.DESCRIPTION, QHeaderView.ResizeMode.Stretch)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Hide what a narrow table has no room for; the tool tip and the listing say it too."""
        super().resizeEvent(event)
        width = self.viewport().width()
        self.setColumnHidden(Column.CODE, width < _ROOM_FOR_CODE)
        self.setColumnHidden(Column.CATEGORY, width < _ROOM_FOR_CATEGORY)
        self.setColumnHidden(Column.DATE, width < _ROOM_FOR_DATE)

    # rows

    def follow_rows(self, moved_to: int, row: int) -> None:
        """Handle new rows: while the table has the focus, select the row `moved_to`, or `row` if that is -1.

        Tab leads here only if there are rows.
        """
        empty = self._recent.rowCount() == 0
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus if empty else Qt.FocusPolicy.TabFocus)
        if self.hasFocus() and empty:
            self.left.emit()
        elif self.hasFocus():
            self.select_row(moved_to if moved_to >= 0 else row)

    def select_row(self, row: int) -> None:
        """Select a row, or the nearest one that there is."""
        last = self._recent.rowCount() - 1
        if last >= 0:
            self.setCurrentIndex(self._recent.index(min(max(row, 0), last), Column.DATE))

    def selected_row(self) -> int:
        """Return the row that has the focus; -1 if there is none."""
        return self.currentIndex().row()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select the first row."""
        super().focusInEvent(event)
        if not self.currentIndex().isValid() or not self.selectionModel().hasSelection():
            self.select_row(max(self.selected_row(), 0))

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Show no row as selected: the keys go to the form."""
        super().focusOutEvent(event)
        self.clearSelection()

    # keys and the mouse

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Handle Enter and Delete for the selected row, and Home and End."""
        row, key = self.selected_row(), event.key()
        # A key that is held down must not take back one entry after the other.
        if is_enter(event) or key == Qt.Key.Key_Delete:
            wanted = self.edit_wanted if is_enter(event) else self.undo_wanted
            if row >= 0 and not event.isAutoRepeat():
                wanted.emit(row)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.select_row(0 if key == Qt.Key.Key_Home else self._recent.rowCount() - 1)
        elif key in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            self.select_row(row + (1 if key == Qt.Key.Key_Down else -1))
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            event.accept()  # the row has the focus, not a cell
        else:
            super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Note the cell, which acts when the button is released over it."""
        is_left = event.button() is Qt.MouseButton.LeftButton
        self._pressed = self._cell(event) if is_left else None

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """Edit or undo an entry."""
        pressed, self._pressed = self._pressed, None
        if pressed is None or pressed != self._cell(event):
            return
        row, column = pressed
        if column in ACTIONS:
            (self.edit_wanted if column == EDIT else self.undo_wanted).emit(row)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Edit an entry. The second click on Undo may be over another row by now: it does nothing."""
        self._pressed = None
        row, column = self._cell(event)
        if row >= 0 and column not in ACTIONS and event.button() is Qt.MouseButton.LeftButton:
            self.edit_wanted.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Highlight the row under the mouse, and show that an action can be pressed."""
        row, column = self._cell(event)
        self._hover(row)
        shape = Qt.CursorShape.PointingHandCursor if column in ACTIONS else Qt.CursorShape.ArrowCursor
        self.viewport().setCursor(shape)

    def leaveEvent(self, event: QEvent) -> None:
        """Remove the highlight."""
        super().leaveEvent(event)
        self._hover(-1)

    def _cell(self, event: QMouseEvent) -> tuple[int, int]:
        index = self.indexAt(event.position().toPoint())
        return index.row(), index.column()

    def _hover(self, row: int) -> None:
        if row != self.property("hoveredRow"):
            self.setProperty("hoveredRow", row)
            self.viewport().update()

    def minimumSizeHint(self) -> QSize:
        """Return the size of one row."""
        return QSize(0, RECENT_HEIGHT)

    def sizeHint(self) -> QSize:
        """Return the height of all rows."""
        return QSize(0, self._recent.rowCount() * RECENT_HEIGHT)


class RecentDelegate(EntryDelegate):
    """Draws the cells of the listing, and the two actions as links."""

    height = RECENT_HEIGHT

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        """Draw a cell."""
        if index.column() not in ACTIONS:
            super().paint(painter, option, index)
            return
        painter.save()
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        self.draw_ground(painter, option.rect, index, selected=selected)
        painter.setFont(text_font(weight=_WEIGHT))
        painter.setPen(colour("accent_text"))
        painter.drawText(option.rect, int(Qt.AlignmentFlag.AlignCenter), str(index.data()))
        painter.restore()
