"""The table model of the last entries made on this computer, with an action in each of two columns."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from app.domain.entry import ListedEntry
from app.ui.models.columns import TITLES, Column, shown_text, spoken_text
from app.ui.models.roles import ENTRY_ROLE, MARK_ROLE
from app.ui.models.state_marks import Replication, StateMark, state_mark

EDIT: Final = len(Column)
UNDO: Final = EDIT + 1
"""The columns of the actions, on the right of those of the listing."""
ACTIONS: Final = {EDIT: "Edit", UNDO: "Undo"}
_TIPS: Final = {
    EDIT: "Change {} (Enter)",
    UNDO: "Cross out {}, and bring it back into the form if that is empty (Delete)",
}
_SPOKEN: Final = (Column.DATE, Column.DESCRIPTION, Column.CATEGORY, Column.AMOUNT, Column.DOCUMENTS)
_NOWHERE: Final = QModelIndex()
_Index = QModelIndex | QPersistentModelIndex


class RecentModel(QAbstractTableModel):
    """The rows given to `show_rows`, the newest first. `today` returns today's date."""

    def __init__(self, parent: QObject, today: Callable[[], date]) -> None:
        super().__init__(parent)
        self._today = today
        self._rows: tuple[ListedEntry, ...] = ()
        self._replication: Replication | None = None

    def show_rows(self, rows: Sequence[ListedEntry], replication: Replication | None) -> bool:
        """Show these rows. `replication` is None for a book of this computer. Return whether they differ."""
        made, differs = tuple(rows), replication != self._replication
        differs = differs or made != self._rows
        if differs:
            self.beginResetModel()
            self._rows, self._replication = made, replication
            self.endResetModel()
        return differs

    def rows(self) -> tuple[ListedEntry, ...]:
        """Return the entries that are shown."""
        return self._rows

    def entry_at(self, row: int) -> ListedEntry | None:
        """Return the entry of `row`; None if there is none."""
        return self._rows[row] if 0 <= row < len(self._rows) else None

    def row_of(self, entry_id: str) -> int:
        """Return the row of an entry; -1 if it is not shown."""
        return next((at for at, row in enumerate(self._rows) if row.id == entry_id), -1)

    def rowCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of rows."""
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = _NOWHERE) -> int:
        """Return the number of columns."""
        return 0 if parent.isValid() else UNDO + 1

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return a column's title, for screen readers."""
        texts = (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole)
        if orientation is not Qt.Orientation.Horizontal or role not in texts:
            return None
        return ACTIONS[section] if section in ACTIONS else TITLES[Column(section)]

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return the data of a cell."""
        entry = self.entry_at(index.row()) if index.isValid() else None
        if entry is None:
            return None
        if role == ENTRY_ROLE:
            return entry
        if role == MARK_ROLE:
            return self._mark(entry)
        return self._text(entry, index.column(), role)

    def _text(self, entry: ListedEntry, column: int, role: int) -> str | None:
        if column in ACTIONS:
            return _action_text(entry, column, role)
        is_state = column == Column.STATE
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return shown_text(entry, Column(column))
            case Qt.ItemDataRole.ToolTipRole:
                return self._mark(entry).whole if is_state else spoken_text(entry, Column(column))
            case Qt.ItemDataRole.AccessibleTextRole:  # the first cell has the focus: it says the whole row
                return self._sentence(entry) if column == Column.DATE else self._spoken(entry, column)
        return None

    def _spoken(self, entry: ListedEntry, column: int) -> str:
        is_state = column == Column.STATE
        return self._mark(entry).sentence if is_state else spoken_text(entry, Column(column))

    def _sentence(self, entry: ListedEntry) -> str:
        texts = [spoken_text(entry, column) for column in _SPOKEN]
        return ", ".join([text for text in texts if text] + [self._mark(entry).sentence])

    def _mark(self, entry: ListedEntry) -> StateMark:
        return state_mark(entry, self._replication, self._today())


def _action_text(entry: ListedEntry, column: int, role: int) -> str | None:
    match role:
        case Qt.ItemDataRole.DisplayRole:
            return ACTIONS[column]
        case Qt.ItemDataRole.AccessibleTextRole:
            return f"{ACTIONS[column]} {entry.human_code}"
        case Qt.ItemDataRole.ToolTipRole:
            return _TIPS[column].format(entry.human_code)
    return None
