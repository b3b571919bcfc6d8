"""Paints the cells of the listing: muted text, tabular figures, and green only for money in."""

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QTableView

from app.domain.entry import Direction, EntryState, ListedEntry
from app.ui.icons import pixmap
from app.ui.models.columns import Column, shown_text
from app.ui.models.roles import ENTRY_ROLE, MARK_ROLE
from app.ui.models.state_marks import StateMark
from app.ui.theme import colour, figures_font, text_font

ROW_HEIGHT = 42
_PAD = 8
_ROOM_FOR_MARK = 190
_SCALE = 0.94
_CODE_SCALE = 0.9
_FIGURES = (Column.DATE, Column.CODE, Column.AMOUNT, Column.DOCUMENTS)
_PLAIN = (Column.DESCRIPTION, Column.AMOUNT)


class EntryDelegate(QStyledItemDelegate):
    """Draws rows of one line. The current row has a bar on its left while the table has the focus.

    `height` is that of a row.
    """

    height = ROW_HEIGHT

    def __init__(self, table: QTableView) -> None:
        super().__init__(table)
        self._table = table

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Draw the background, the line below the row, and the cell's content."""
        rect: QRect = option.rect
        state: QStyle.StateFlag = option.state
        painter.save()
        self.draw_ground(painter, rect, index, selected=bool(state & QStyle.StateFlag.State_Selected))
        column, inner = Column(index.column()), rect.adjusted(_PAD, 0, -_PAD, 0)
        if column is Column.STATE:
            self._state(painter, inner, index.data(MARK_ROLE))
        elif isinstance(entry := index.data(ENTRY_ROLE), ListedEntry):
            self._content(painter, inner, entry, column)
        painter.restore()

    def draw_ground(
        self, painter: QPainter, rect: QRect, index: QModelIndex | QPersistentModelIndex, *, selected: bool
    ) -> None:
        """Draw the background of a cell, and its part of the ring around the row that has the focus."""
        hovered = index.row() == self._table.property("hoveredRow")
        if selected or hovered:
            painter.fillRect(rect, colour("accent_soft" if selected else "hover"))
        painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), colour("border"))
        if selected and self._table.hasFocus():
            last = index.model().columnCount() - 1
            _ring(painter, rect, is_first=self._is_first(index.column()), is_last=index.column() == last)

    def _is_first(self, column: int) -> bool:
        return all(self._table.isColumnHidden(before) for before in range(column))

    def _state(self, painter: QPainter, rect: QRect, mark: object) -> None:
        if isinstance(mark, StateMark):
            self._icon(painter, rect.center().x() - 8, rect, mark.icon, mark.tint)

    def _content(self, painter: QPainter, rect: QRect, entry: ListedEntry, column: Column) -> None:
        text = shown_text(entry, column)
        if column is Column.DOCUMENTS:
            if text:
                self._icon(painter, rect.left() - 4, rect, "paperclip", "text_muted")
            rect = rect.adjusted(16, 0, _PAD, 0)
        painter.setFont(_font(column, entry, text, rect.width()))
        painter.setPen(colour(_token(entry, column)))
        marked = column is Column.DESCRIPTION and entry.state is EntryState.WAITING
        if marked and rect.width() > _ROOM_FOR_MARK:  # in a narrow column, the icon alone shows it
            rect = self._mark(painter, rect, "waiting")
        side = Qt.AlignmentFlag.AlignRight if column is Column.AMOUNT else Qt.AlignmentFlag.AlignLeft
        shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, int(side | Qt.AlignmentFlag.AlignVCenter), shown)

    def _mark(self, painter: QPainter, rect: QRect, word: str) -> QRect:
        """Draw a muted word on the right, and return the rest of `rect`."""
        painter.save()
        painter.setFont(text_font(0.88))
        painter.setPen(colour("warn"))
        width = painter.fontMetrics().horizontalAdvance(word)
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), word)
        painter.restore()
        return rect.adjusted(0, 0, -width - 8, 0)

    def _icon(self, painter: QPainter, x: int, rect: QRect, name: str, token: str) -> None:
        drawn = pixmap(name, token, 16, self._table.devicePixelRatioF())
        painter.drawPixmap(x, rect.center().y() - 8, drawn)

    def sizeHint(self, _option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """Return the height of a row, which is fixed."""
        return QSize(0, self.height)


def _ring(painter: QPainter, rect: QRect, *, is_first: bool, is_last: bool) -> None:
    """Draw the part of the ring around the row that is in the cell `rect`."""
    shade = colour("accent")
    for top in (rect.top(), rect.bottom() - 1):
        painter.fillRect(QRect(rect.left(), top, rect.width(), 2), shade)
    if is_first:
        painter.fillRect(QRect(rect.left(), rect.top(), 3, rect.height()), shade)
    elif is_last:
        painter.fillRect(QRect(rect.right() - 1, rect.top(), 2, rect.height()), shade)


def text_width(sample: str, column: Column) -> int:
    """Return the width that `column` needs to show `sample`, in logical pixels."""
    return QFontMetrics(_plain_font(column)).horizontalAdvance(sample) + 2 * _PAD + 2


def _plain_font(column: Column) -> QFont:
    if column not in _FIGURES:
        return text_font(_SCALE)
    weight = QFont.Weight.DemiBold if column is Column.AMOUNT else QFont.Weight.Normal
    return figures_font(_CODE_SCALE if column is Column.CODE else _SCALE, weight)


def _font(column: Column, entry: ListedEntry, text: str, width: int) -> QFont:
    font = _plain_font(column)
    font.setStrikeOut(entry.voided and column in _PLAIN)
    if column is Column.AMOUNT:  # an amount with missing digits would be a wrong amount: shrink the font
        needed = QFontMetrics(font).horizontalAdvance(text)
        if needed > width:
            font.setPointSizeF(font.pointSizeF() * width / needed)
    return font


def _token(entry: ListedEntry, column: Column) -> str:
    if entry.voided:
        return "text_muted"
    if column is Column.AMOUNT:
        return "credit" if entry.direction is Direction.CREDIT else "text"
    return "text" if column in _PLAIN else "text_muted"
