"""The history dialog: the versions of an entry, newest first; what each changed, who made it, and when."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QFrame, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from app.domain.entry import HistoryVersion, ListedEntry
from app.domain.text import isolated
from app.domain.wording import CROSSED_OUT_MEANS, Words
from app.errors import AppError
from app.ui.dialogs.history_text import ACTIONS, ShownVersion, shown_versions
from app.ui.local_time import moment_text
from app.ui.tasks import Tasks
from app.ui.widgets.banner import Banner
from app.ui.widgets.card_list import CardList
from app.ui.widgets.pieces import ElidedLabel, button, frame, label, set_look

if TYPE_CHECKING:
    from app.domain.outbox_item import OutboxItem
    from app.services import Services

_SUPERSEDED = "Replaced by a newer change from another device"
_RESTORES = "Restores date, amount, type, category and description, but not the bills"
_CROSSED_OUT_THEN = "The entry was crossed out then. To cross it out again, use the button Cross out."
_RESTORE_FIRST = (
    "This entry is crossed out. To go back to an older version, close this window and press Restore first."
)
_Found = tuple[tuple[HistoryVersion, ...], tuple["OutboxItem", ...], AppError | None]


class HistoryDialog(QDialog):
    """Shows the history of one entry. `version_wanted` carries the HistoryVersion to restore."""

    version_wanted = Signal(object)

    def __init__(self, services: "Services", tasks: Tasks, entry: ListedEntry, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("history_dialog")
        self.setWindowTitle(f"History of {entry.human_code}")
        self.resize(600, 520)
        self._services = services
        self._tasks = tasks
        self._entry = entry
        self._can_restore = not entry.voided
        self._lay_out()
        self.load()

    def _lay_out(self) -> None:
        self.banner = Banner("history_banner")
        self.banner.pressed.connect(self.load)
        self.list = CardList("history_list")
        self.state = label("", "muted", "history_state")
        self.meaning = label(CROSSED_OUT_MEANS, "muted", "history_meaning", wrap=True)
        self.meaning.hide()
        self.first = label(_RESTORE_FIRST, "warning", "history_first", wrap=True)
        self.first.hide()
        close = button("Close", "history_close")
        close.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(12)
        column.addWidget(label(f"History of {self._entry.human_code}", "title"))
        column.addWidget(ElidedLabel(self._entry.description or self._entry.category, "muted"))
        column.addWidget(self.banner)
        column.addWidget(self.state)
        column.addWidget(self.meaning)
        column.addWidget(self.first)
        column.addWidget(self.list, 1)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def load(self) -> None:
        """Load the versions. Changes that are not sent yet are shown even if no server answers."""
        self.banner.hide()
        self.state.setText("Reading the history…")
        self.state.show()
        self._tasks.run(self._read, self._show, self._failed, owner=self, topic="history")

    def _read(self) -> _Found:
        entry_id = self._entry.id
        waiting = tuple(item for item in self._services.sync.items() if item.entry_id == entry_id)
        if waiting and waiting[0].base is None:  # a new entry: no server has it yet
            return (), waiting, None
        try:
            return self._services.entries.history(entry_id), waiting, None
        except AppError as error:
            return (), waiting, error

    def _show(self, found: _Found) -> None:
        served, waiting, error = found
        session = self._services.accounts.session
        shown = shown_versions(served, waiting, session.user_name if session is not None else "")
        self.state.hide()
        self.meaning.setVisible(any(each.version.action == "voided" for each in shown))
        current = next((each.version.entry for each in shown if each.version.stands), self._entry)
        self._can_restore = not current.voided
        self.first.setVisible(current.voided)
        self.list.show_cards([self._card(each) for each in shown])
        if error is not None:
            words = self._services.accounts.words
            sentence = words.no_older_versions if error.retryable else error.message
            self.banner.say(sentence, "warn", "Try again")

    def _failed(self, error: AppError) -> None:
        self.state.hide()
        self.banner.say(error.message, "danger", "Try again")

    def _card(self, shown: ShownVersion) -> QFrame:
        version = shown.version
        column = QVBoxLayout()
        column.setContentsMargins(16, 12, 14, 12)
        column.setSpacing(5)
        column.addLayout(self._head(shown))
        author, device = isolated(version.author), isolated(version.device)
        by = f"{author} on {device}" if device else author
        column.addWidget(label(f"{moment_text(version.made_at)} · {by}", "small", "version_facts", wrap=True))
        if shown.changes:
            column.addWidget(label("\n".join(shown.changes), "", "version_changes", wrap=True))
        if version.superseded:
            column.addWidget(label(_SUPERSEDED, "warning", "version_note", wrap=True))
        return frame("item", column, "history_version")

    def _head(self, shown: ShownVersion) -> QHBoxLayout:
        version = shown.version
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(label(ACTIONS.get(version.action, version.action), "strong", "version_title"))
        for text, tone in _tags(shown, self._services.accounts.words):
            tag = label(text, "tag")
            set_look(tag, "tone", tone)
            row.addWidget(tag, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        if not version.stands and self._can_restore:
            row.addWidget(self._restore_button(version))
        return row

    def _restore_button(self, version: HistoryVersion) -> QPushButton:
        made = button("Restore this version", "version_restore")
        made.setProperty("small", "true")
        # A version has the content of an entry. Whether the entry counts is not restored with it.
        made.setEnabled(not version.entry.voided)
        tip = _CROSSED_OUT_THEN if version.entry.voided else _RESTORES
        made.setToolTip(tip)
        made.setAccessibleDescription(tip)
        made.clicked.connect(lambda: self._want(version))
        return made

    def _want(self, version: HistoryVersion) -> None:
        self.version_wanted.emit(version)
        self.accept()


def _tags(shown: ShownVersion, words: Words) -> list[tuple[str, str]]:
    tags = [("current", "good")] if shown.version.stands else []
    if shown.waiting:
        tags.append((words.waiting_tag, "warn"))
    if shown.version.superseded:
        tags.append(("replaced", "warn"))
    return tags
