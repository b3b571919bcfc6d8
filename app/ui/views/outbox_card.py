"""The card of an outbox item: its operation and entry, the attempts to send it, and its buttons."""

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.domain.entry import ListedEntry
from app.domain.wording import Words
from app.ui.bounds import count_text
from app.ui.local_time import moment_text
from app.ui.models.columns import signed_amount
from app.ui.models.copy_texts import KINDS
from app.ui.theme import figures_font
from app.ui.widgets.pieces import ElidedLabel, button, label, set_look

if TYPE_CHECKING:
    from app.domain.outbox_item import OutboxItem

_WITH_CONTENT: Final = {"create", "edit"}


class OutboxCard(QFrame):
    """Shows one item. Each signal carries it. Only a refused item can be corrected or discarded."""

    correct_wanted = Signal(object)
    retry_wanted = Signal(object)
    copy_wanted = Signal(object)
    discard_wanted = Signal(object)

    def __init__(self, item: "OutboxItem", words: Words) -> None:
        super().__init__()
        self.setObjectName("outbox_item")
        self.setProperty("role", "item")
        self.item = item
        self._words = words
        self._refused = item.state.value == "refused"
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 12, 12)
        column.setSpacing(4)
        column.addLayout(self._head(item.listed()))
        column.addLayout(self._foot())
        if item.last_error:
            column.addWidget(self._error())

    def _head(self, entry: ListedEntry) -> QHBoxLayout:
        kind = label(KINDS[self.item.kind.value], "tag", "item_kind")
        set_look(kind, "tone", "danger" if self._refused else "warn")
        code = label(entry.human_code, "strong", "item_code")
        code.setFont(figures_font())
        amount = label(signed_amount(entry), "strong", "item_amount")
        amount.setFont(figures_font())
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(kind, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(code)
        row.addWidget(ElidedLabel(entry.description or entry.category, "", "item_title"), 1)
        row.addWidget(amount)
        return row

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(ElidedLabel(self._facts(), "small", "item_facts"), 1)
        buttons = [("Retry", "item_retry", self.retry_wanted), ("Save a copy", "item_copy", self.copy_wanted)]
        if self._refused and self.item.kind.value in _WITH_CONTENT:
            buttons.insert(0, ("Correct", "item_correct", self.correct_wanted))
        if self._refused:
            buttons.append(("Discard", "item_discard", self.discard_wanted))
        for text, name, signal in buttons:
            made = button(text, name)
            made.setProperty("small", "true")
            made.setAccessibleName(f"{text}: {self.item.human_code}")
            made.clicked.connect(lambda _checked=False, wanted=signal: wanted.emit(self.item))
            row.addWidget(made)
        return row

    def _facts(self) -> str:
        item = self.item
        tried = count_text(item.attempts, "attempt", "attempts") if item.attempts else "not tried yet"
        parts = [f"since {moment_text(item.created_at)}", tried]
        if item.documents:
            parts.append(count_text(len(item.documents), "bill", "bills"))
        return " · ".join(parts)

    def _error(self) -> QLabel:
        refusal = f"{self._words.not_accepted}: {self.item.last_error}"
        words = refusal if self._refused else self.item.last_error
        return label(words, "error" if self._refused else "warning", "item_error", wrap=True)
