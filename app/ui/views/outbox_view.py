"""The page Waiting: the operations that are only on this computer, and the actions on them."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QRect, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.text import isolated
from app.domain.wording import Words
from app.errors import AppError
from app.ui.bounds import count_text
from app.ui.desktop import Desktop
from app.ui.models.copy_texts import copy_text, operations_text
from app.ui.tasks import Tasks
from app.ui.views.outbox_card import OutboxCard
from app.ui.widgets.banner import Banner
from app.ui.widgets.card_list import CardList
from app.ui.widgets.empty_state import EmptyState
from app.ui.widgets.pieces import HeadRow, button, label

if TYPE_CHECKING:
    from app.domain.outbox_item import OutboxItem
    from app.services import Services
    from app.services.copy_check import ReadCopy

_MOST_CARDS: Final = 200
_MOST_LINES: Final = 8
_WIDEST: Final = 1376
"""On a larger screen, the buttons of a card would be far from its text. Logical pixels."""


class OutboxView(QWidget):
    """Shows the items. `send_wanted` requests to send them now. `changed` follows a discard, a retry and an
    opened copy. `correction_wanted` carries the Correction that the user wants to make.
    """

    send_wanted = Signal()
    correction_wanted = Signal(object)
    changed = Signal()

    def __init__(self, services: "Services", tasks: Tasks, desktop: Desktop, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("outbox_view")
        self.setProperty("role", "canvas")
        self._services = services
        self._tasks = tasks
        self._desktop = desktop
        self._items: tuple[OutboxItem, ...] = ()
        self._make()
        self._lay_out()

    def _make(self) -> None:
        self.send_button = button("", "outbox_send", icon="refresh")
        self.send_button.clicked.connect(self.send_wanted)
        self.open_button = button("Open a copy…", "outbox_open_copy", icon="folder-open")
        self.open_button.setToolTip("Add entries that you saved as a copy, here or on another computer")
        self.open_button.clicked.connect(self._open_copies)
        self.explanation = label("", "muted", "outbox_explanation", wrap=True)
        self.banner = Banner("outbox_banner")
        self.banner.pressed.connect(self.banner.hide)
        self.list = CardList("outbox_list")
        self.more = label("", "muted", "outbox_more")
        self.empty = EmptyState("outbox_empty")
        self.speak(self._services.accounts.words)

    def _lay_out(self) -> None:
        full = QWidget()
        inside = QVBoxLayout(full)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(10)
        inside.addWidget(self.explanation)
        self.list.setMaximumWidth(_WIDEST)
        row = QHBoxLayout()
        row.addWidget(self.list, 1)
        row.addStretch()
        inside.addLayout(row, 1)
        inside.addWidget(self.more)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.empty)
        self._stack.addWidget(full)
        self._full = full
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 24)
        column.setSpacing(14)
        self._head = HeadRow(label("Waiting", "title"), self.open_button, self.send_button)
        column.addLayout(self._head)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)

    def speak(self, words: Words) -> None:
        """Use the words for the place of the open book."""
        self.send_button.setText(words.send_now)
        self.send_button.setAccessibleName(words.send_now)
        self.explanation.setText(words.waiting_means)
        self.empty.say("check-double", "Nothing is waiting", words.nothing_waits, "")

    def free_room(self) -> QRect:
        """Return the free space in the head, where a toast hides nothing."""
        return self._head.free_room()

    def begin(self) -> None:
        """Show the present items."""
        self.refresh()
        self.send_button.setFocus(Qt.FocusReason.OtherFocusReason)

    def clear(self) -> None:
        """Remove all items: the next book may be another user's."""
        self._tasks.supersede(self, "items")
        self.banner.hide()
        self._show(())

    def refresh(self) -> None:
        """Load the items again, if the view is visible."""
        if self.isVisible():
            self._tasks.run(self._services.sync.items, self._show, self._failed, owner=self, topic="items")

    def _show(self, items: "tuple[OutboxItem, ...]") -> None:
        self._stack.setCurrentWidget(self._full if items else self.empty)
        if items == self._items:
            return
        self._items = items
        self.list.show_cards([self._card(item) for item in items[:_MOST_CARDS]])
        left = len(items) - _MOST_CARDS
        self.more.setText(f"and {count_text(left, 'more', 'more')}" if left > 0 else "")
        self.more.setVisible(left > 0)

    def _card(self, item: "OutboxItem") -> OutboxCard:
        card = OutboxCard(item, self._services.accounts.words)
        card.correct_wanted.connect(self._correct)
        card.retry_wanted.connect(self._retry)
        card.copy_wanted.connect(self._copy)
        card.discard_wanted.connect(self._discard)
        return card

    def _correct(self, item: "OutboxItem") -> None:
        items, op_id = self._services.outbox_items, item.op_id
        found = self.correction_wanted.emit
        self._tasks.run(lambda: items.to_correct(op_id), found, self._failed, owner=self, local=True)

    def _open_copies(self) -> None:
        files = self._desktop.choose_copies(self, self._services.folders.saved_in())
        if files:
            items = self._services.outbox_items
            self._tasks.run(lambda: items.read_copies(files), self._copies_read, self._failed, owner=self)

    def _copies_read(self, copies: "Sequence[ReadCopy]") -> None:
        """Show what is in the copies, and ask whether to add it."""
        new = [copy for copy in copies if copy.found.value == "nowhere"]
        # What changes an entry comes first: there are never more of these than lines.
        shown = sorted(copies, key=lambda copy: copy.found.value != "nowhere" or copy.before is None)
        lines = [copy_text(copy) for copy in shown[:_MOST_LINES]]
        if len(copies) > _MOST_LINES:
            lines.append(f"and {count_text(len(copies) - _MOST_LINES, 'more', 'more')}")
        if not new:
            self.banner.say("\n".join(("Nothing was added.", *lines)), "good", "Close")
            return
        what = operations_text(new)
        question = f"Add {what} from the copy?"
        if self._desktop.confirm(self, question, "\n".join(lines), "Add", "Cancel"):
            add = self._services.outbox_items.add
            added = partial(self._copies_added, what)
            self._tasks.run(lambda: add(copies), added, self._failed, owner=self)

    def _copies_added(self, what: str, _count: int) -> None:
        self.banner.say(f"{what} added from the copy.", "good", "Close")
        self._acted()

    def _retry(self, item: "OutboxItem") -> None:
        sync, op_id = self._services.sync, item.op_id
        self._tasks.run(lambda: sync.retry(op_id), lambda _none: self._acted(), self._failed, owner=self)

    def _discard(self, item: "OutboxItem") -> None:
        question = f"Discard this {_WHAT[item.kind.value]} {item.human_code}?"
        explanation = "It is nowhere else, so it will be lost for good. If in doubt, save a copy first."
        if self._desktop.confirm(self, question, explanation, "Discard", "Keep"):
            sync, op_id = self._services.sync, item.op_id
            self._tasks.run(
                lambda: sync.discard(op_id), lambda _none: self._acted(), self._failed, owner=self
            )

    def _acted(self) -> None:
        self.changed.emit()
        self.refresh()

    def _copy(self, item: "OutboxItem") -> None:
        folder = self._desktop.choose_folder(self, self._services.folders.saved_in())
        if folder is not None:
            items, folders = self._services.outbox_items, self._services.folders

            def work() -> Path:
                target = items.save_copy(item, folder)
                folders.note_saved(folder)
                return target

            self._tasks.run(work, self._copied, self._failed, owner=self)

    def _copied(self, folder: Path) -> None:
        self.banner.say(f"Saved in {isolated(str(folder))}", "good", "Close")

    def _failed(self, error: AppError) -> None:
        self.banner.say(error.message, "danger", "Close")


_WHAT: Final = {
    "create": "new entry",
    "edit": "change of",
    "void": "crossing out of",
    "restore": "restoring of",
}
