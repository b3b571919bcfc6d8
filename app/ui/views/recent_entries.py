"""The card below the form of Add Entry: the entries that were made last on this computer."""

from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.domain.entry import ListedEntry
from app.ui.models.recent_model import RecentModel
from app.ui.models.state_marks import Replication
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import ElidedLabel, label
from app.ui.widgets.recent_table import RECENT_HEIGHT, RecentTable

if TYPE_CHECKING:
    from app.services import Services

_MOST: Final = 10
_LEAST: Final = 2
"""Rows that are in sight."""
_AROUND: Final = 44
"""The height of the heading and of the margins."""
_QUIET_MS: Final = 700
_NONE: Final = "The entries that you save appear here, the newest first."


class RecentEntries(QFrame):
    """Shows the entries, each with Edit and Undo. `edit_wanted` and `undo_wanted` carry a ListedEntry.
    `left` is emitted when the last row is gone while the table has the focus.

    After `open` it reads nothing until the form is used or the start is over: the first key comes first.
    """

    edit_wanted = Signal(object)
    undo_wanted = Signal(object)
    left = Signal()

    def __init__(self, services: "Services", tasks: Tasks, today: Callable[[], date]) -> None:
        super().__init__()
        self.setObjectName("recent_entries")
        self.setProperty("role", "card")
        self._services = services
        self._tasks = tasks
        self._is_open = False
        self._replication: Replication = {}
        self._undone = ""  # the id of the entry that is being taken back
        self._start = QTimer(self, singleShot=True, interval=_QUIET_MS)
        self._start.timeout.connect(self._begin_reading)
        self.model = RecentModel(self, today)
        self._table: RecentTable | None = None
        self._lay_out()

    def _lay_out(self) -> None:
        self.note = ElidedLabel("", "muted", "recent_note")
        head = QHBoxLayout()
        head.setContentsMargins(24, 0, 24, 0)
        head.setSpacing(12)
        head.addWidget(label("Last entries on this computer", "heading", "recent_title"))
        head.addWidget(self.note, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 9, 1, 6)
        column.setSpacing(5)
        column.addLayout(head)
        self._rows = QWidget()
        self._rows.setProperty("role", "clear")
        self._inside = inside = QHBoxLayout(self._rows)
        inside.setContentsMargins(15, 0, 6, 0)
        column.addWidget(self._rows, 1)

    @property
    def table(self) -> RecentTable:
        """The table; made at its first use, because the window is to take the first key before that."""
        if self._table is None:
            self._table = made = RecentTable(self.model, self._rows)
            made.edit_wanted.connect(self._edit)
            made.undo_wanted.connect(self._undo)
            made.left.connect(self.left)
            self._inside.addWidget(made)
            self._set_tab_order(made)
        return self._table

    def _set_tab_order(self, made: RecentTable) -> None:
        """Let Tab lead to the table where this card is, and not at the end of the window.

        Qt orders only what can have the focus.
        """
        for part in (self._rows, made):
            part.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setTabOrder(self._rows, made)
        for part in (self._rows, made):
            part.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    @staticmethod
    def least_height() -> int:
        """Return the height at which two rows are in sight."""
        return _AROUND + _LEAST * RECENT_HEIGHT

    @staticmethod
    def whole_height() -> int:
        """Return the height at which no row is out of sight."""
        return _AROUND + _MOST * RECENT_HEIGHT

    def open(self) -> None:
        """Prepare for the open book."""
        self.close_book()
        self._start.start()

    def close_book(self) -> None:
        """Show nothing: the next book may be another user's."""
        self._start.stop()
        self._tasks.supersede(self, "recent")
        self._is_open = False
        self._undone = ""
        self._replication = {}
        self.model.show_rows((), None)
        if self._table is not None:
            self._table.follow_rows(-1, 0)
        self.note.setText("")

    def begin(self) -> None:
        """Read the entries for the first time after `open`; later calls do nothing."""
        if self._start.isActive():
            self._start.stop()
            QTimer.singleShot(0, self, self._begin_reading)  # the key is painted first

    def _begin_reading(self) -> None:
        self._is_open = True
        self.refresh()

    def refresh(self) -> None:
        """Read the entries again, because one of them may have changed. Call it again when this is shown."""
        if self._is_open and self.isVisible():
            read = self._services.entries.last_made
            self._tasks.run(read, self._show, owner=self, topic="recent", local=True)

    def show_replication(self, replication: Replication) -> None:
        """Show where the changes of this computer are, in a book on a server."""
        self._replication = replication
        if self.model.rows():
            self._show_rows(self.model.rows())

    def _show(self, rows: tuple[ListedEntry, ...]) -> None:
        self._undone = ""
        self._show_rows(rows)

    def _show_rows(self, rows: tuple[ListedEntry, ...]) -> None:
        row = self.table.selected_row()
        before = self.model.entry_at(row)
        known = None if self._services.accounts.words.is_local else self._replication
        if self.model.show_rows(rows, known):
            self.table.follow_rows(self.model.row_of(before.id) if before else -1, row)
        self.note.setText("" if rows else _NONE)

    def _edit(self, row: int) -> None:
        entry = self.model.entry_at(row)
        if entry is not None:
            self.edit_wanted.emit(entry)

    def _undo(self, row: int) -> None:
        entry = self.model.entry_at(row)
        if entry is not None and entry.id != self._undone:
            self._undone = entry.id
            self.undo_wanted.emit(entry)

    def undo_failed(self) -> None:
        """Let the entry be taken back again."""
        self._undone = ""
