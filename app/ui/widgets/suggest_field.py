"""A text field that offers completions which arrive later."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QStyledItemDelegate

from app.domain.entry import Suggestion

DEBOUNCE_MS = 100
_DATA = Qt.ItemDataRole.UserRole + 1


class SuggestField(QLineEdit):
    """`asked` wants completions of a text (answer with `offer`); `chosen` carries the Suggestion picked."""

    asked = Signal(str)
    chosen = Signal(object)

    def __init__(self, name: str, max_length: int) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setMaxLength(max_length)
        self.setAcceptDrops(False)
        self._model = QStandardItemModel(self)
        self._build_completer(name)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(lambda: self.asked.emit(self.text()))
        self.textEdited.connect(self._start)

    def _build_completer(self, name: str) -> None:
        self._completer = QCompleter(self._model, self)
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(8)
        self._popup = popup = QListView()
        popup.setObjectName(f"{name}_popup")
        popup.setProperty("role", "popup")
        popup.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._completer.setPopup(popup)
        self.setCompleter(self._completer)
        popup.setItemDelegate(QStyledItemDelegate(popup))  # the completer's own knows no style sheet
        self._completer.activated[QModelIndex].connect(self._take)  # type: ignore[index]

    def _start(self, text: str) -> None:
        words = text.lower().split()
        for row in reversed(range(self._model.rowCount())):  # what no longer fits goes at once
            known = self._model.item(row).text().lower()
            if not all(word in known for word in words):
                self._model.removeRow(row)
        if self._model.rowCount() == 0:
            self._popup.hide()
        self._timer.start()

    def offer(self, asked_for: str, suggestions: Sequence[Suggestion]) -> None:
        """Show `suggestions` for the text `asked_for`, unless the person has typed on or gone elsewhere."""
        if asked_for != self.text() or not self.hasFocus():
            return
        self._model.clear()
        for suggestion in suggestions:
            if suggestion.text != asked_for:
                item = QStandardItem(suggestion.text)
                item.setData(suggestion, _DATA)
                self._model.appendRow(item)
        if self._model.rowCount():
            self._completer.complete()
        else:
            self._popup.hide()

    def offered(self) -> list[str]:
        """Return the texts on offer, first first."""
        return [self._model.item(row).text() for row in range(self._model.rowCount())]

    def forget(self) -> None:
        """Empty the field and drop what is on offer."""
        self._timer.stop()
        self.setText("")  # and nothing to undo, as `clear` would leave
        self._model.clear()
        self._popup.hide()

    def _take(self, index: QModelIndex) -> None:
        suggestion = index.data(_DATA)
        self._timer.stop()
        if isinstance(suggestion, Suggestion):
            self.setText(suggestion.text)
            self.chosen.emit(suggestion)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Let Down ask for completions of what is there, even of nothing."""
        if event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self.asked.emit(self.text())
            return
        super().keyPressEvent(event)
