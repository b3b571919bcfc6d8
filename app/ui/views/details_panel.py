"""The details of the selected entry: its content, its documents, and its state."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal, SignalInstance
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from app.domain.dates import format_date
from app.domain.entry import Direction, EntryDetail, EntryState, ListedEntry
from app.domain.text import isolated
from app.domain.wording import CROSSED_OUT_MEANS
from app.errors import AppError
from app.ui.icons import put_icon
from app.ui.models.columns import direction_word, signed_amount
from app.ui.models.state_marks import StateMark
from app.ui.tasks import Tasks
from app.ui.theme import figures_font
from app.ui.views.document_viewer import DocumentViewer
from app.ui.widgets.pieces import button, label, set_look, set_struck, tool_button
from app.ui.widgets.scroll_room import ScrollRoom

if TYPE_CHECKING:
    from app.services import Services

_LONG = 140
_VIEWER_HEIGHT = 280
"""At which something of a bill can be seen below its buttons; a lower panel scrolls."""


class DetailsPanel(QFrame):
    """Shows one entry.

    `open_wanted` and `save_wanted` carry a DocumentInfo. `edit_wanted`, `void_wanted`, `restore_wanted` and
    `history_wanted` carry the shown ListedEntry. `outbox_wanted` requests the outbox, for a refused entry.
    """

    open_wanted = Signal(object)
    save_wanted = Signal(object)
    edit_wanted = Signal(object)
    void_wanted = Signal(object)
    restore_wanted = Signal(object)
    history_wanted = Signal(object)
    outbox_wanted = Signal()

    def __init__(self, services: "Services", tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("details_panel")
        self.setProperty("role", "card")
        self._services = services
        self._tasks = tasks
        self._shown: ListedEntry | None = None
        self._detail: EntryDetail | None = None
        self._make()
        self._lay_out()
        self.show_entry(None)

    def _make(self) -> None:
        self.empty = label("Select an entry to see it here.", "muted", "details_empty", wrap=True)
        self.description = label("", "strong", "details_description", wrap=True)
        self.amount = label("", "title", "details_amount")
        self.amount.setFont(figures_font())
        self.facts = label("", "muted", "details_facts", wrap=True)
        self._make_actions()
        self.viewer = DocumentViewer(self._services, self._tasks)
        self.viewer.open_wanted.connect(self.open_wanted)
        self.viewer.save_wanted.connect(self.save_wanted)
        self.viewer.documents_wanted.connect(self._load_again)
        self.no_documents = label("No bill attached.", "muted", "details_no_documents")
        self.state_icon = QLabel()
        self.state = label("", "small", "details_state", wrap=True)

    def _make_actions(self) -> None:
        self.edit_button = self._action("Edit", "edit_button", "Edit (Enter)", self.edit_wanted)
        self.void_button = self._action(
            "Cross out", "void_button", f"Cross out this entry (Del). {CROSSED_OUT_MEANS}", self.void_wanted
        )
        self.restore_button = self._action(
            "Restore", "restore_button", "Restore this entry", self.restore_wanted
        )
        self.outbox_button = button("See why", "details_outbox", "link")
        self.outbox_button.clicked.connect(self.outbox_wanted)
        self.history_button = tool_button("history_button", "history", "History")
        self.history_button.clicked.connect(lambda: self.history_wanted.emit(self._shown))

    def _action(self, text: str, name: str, tip: str, wanted: SignalInstance) -> QPushButton:
        made = button(text, name)
        made.setProperty("small", "true")
        made.setToolTip(tip)
        made.clicked.connect(lambda: wanted.emit(self._shown))
        return made

    def _actions(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        for each in (self.edit_button, self.void_button, self.restore_button, self.outbox_button):
            row.addWidget(each)
        row.addStretch(1)
        row.addWidget(self.history_button)
        return row

    def _lay_out(self) -> None:
        state_row = QHBoxLayout()
        state_row.setSpacing(8)
        state_row.addWidget(self.state_icon)
        state_row.addWidget(self.state, 1)
        inner = QWidget()
        around = QVBoxLayout(self)
        around.setContentsMargins(1, 1, 1, 1)
        around.addWidget(ScrollRoom(inner, "details_room"))
        self.viewer.setMinimumHeight(_VIEWER_HEIGHT)
        column = QVBoxLayout(inner)
        column.setContentsMargins(17, 17, 17, 15)
        column.setSpacing(8)
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column.addWidget(self.empty, 1)
        for widget in (self.description, self.amount, self.facts):
            column.addWidget(widget)
        column.addLayout(self._actions())
        column.addWidget(self.viewer, 1)
        column.addWidget(self.no_documents)
        column.addStretch(0)
        column.addLayout(state_row)

    def show_entry(self, entry: ListedEntry | None, mark: StateMark | None = None) -> None:
        """Show `entry` and its mark at once, and its documents when they are loaded; None shows nothing."""
        same = entry is not None and self._shown is not None and entry.id == self._shown.id
        before, self._shown = self._shown, entry
        self._show_parts(entry)
        if entry is not None and mark is not None:
            self._show_mark(entry, mark)
        if not same:
            self._detail = None
        if entry is None:
            self.viewer.show_documents(())
            self._tasks.supersede(self, "detail")
        elif not same or self._detail is None or entry != before:
            self._load(entry)

    def _load_again(self) -> None:
        if self._shown is not None:
            self._load(self._shown)

    def _load(self, entry: ListedEntry) -> None:
        if self._detail is None:
            self.viewer.await_documents()
        entry_id = entry.id
        self._tasks.run(
            lambda: self._services.entries.detail(entry_id),
            self._show_detail,
            self._failed,
            owner=self,
            topic="detail",
        )

    def _show_parts(self, entry: ListedEntry | None) -> None:
        self.empty.setVisible(entry is None)
        for widget in (self.description, self.amount, self.facts, self.state, self.state_icon):
            widget.setVisible(entry is not None)
        self.viewer.setVisible(entry is not None and entry.document_count > 0)
        self.no_documents.setVisible(entry is not None and entry.document_count == 0)
        self._show_actions(entry)
        if entry is not None:
            self._show_texts(entry)

    def _show_actions(self, entry: ListedEntry | None) -> None:
        refused = entry is not None and entry.state is EntryState.REFUSED
        changeable = entry is not None and not refused
        voided = entry is not None and entry.voided
        self.edit_button.setVisible(changeable and not voided)
        self.void_button.setVisible(changeable and not voided)
        self.restore_button.setVisible(changeable and voided)
        self.outbox_button.setVisible(refused)
        self.history_button.setVisible(entry is not None)

    def _show_texts(self, entry: ListedEntry) -> None:
        short = isolated(entry.description or entry.category)
        self.description.setText(short if len(short) <= _LONG else f"{short[:_LONG].rstrip()}…")
        self.description.setToolTip(short if len(short) > _LONG else "")
        self.amount.setText(signed_amount(entry))
        credit = entry.direction is Direction.CREDIT and not entry.voided
        set_look(self.amount, "tone", "voided" if entry.voided else "credit" if credit else "")
        for struck in (self.amount, self.description):
            set_struck(struck, entry.voided)
        facts = (direction_word(entry.direction), isolated(entry.category), format_date(entry.entry_date))
        self.facts.setText("\u00a0· ".join((*facts, entry.human_code)))

    def _show_mark(self, entry: ListedEntry, mark: StateMark) -> None:
        put_icon(self.state_icon, mark.icon, mark.tint, size=16)
        self.state.setText(mark.sentence)
        self.state.setToolTip(mark.servers)
        set_look(self.state, "role", "error" if entry.state is EntryState.REFUSED else "small")

    def _show_detail(self, detail: EntryDetail) -> None:
        if self._shown is None or detail.entry.id != self._shown.id:
            return
        if self._detail is None:
            self.viewer.show_documents(detail.documents)
        elif detail.documents != self._detail.documents:
            self.viewer.show_changed(detail.documents)
        self._detail = detail
        self.viewer.setVisible(bool(detail.documents))
        self.no_documents.setVisible(not detail.documents)

    def _failed(self, error: AppError) -> None:
        if self._detail is None:
            self.viewer.fail(error)
