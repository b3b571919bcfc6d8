"""A text field whose completions arrive later."""

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QStyledItemDelegate

from app.domain.entry import Suggestion
from app.domain.suggestions import search_key, search_words

DEBOUNCE_MS = 100
_DATA = Qt.ItemDataRole.UserRole + 1


class SuggestField(QLineEdit):
    """`asked` requests completions of a text; answer with `offer`. `chosen` carries the picked Suggestion."""

    asked = Signal(str)
    chosen = Signal(object)

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setAcceptDrops(False)  # a dropped file is for the window
        self._model = QStandardItemModel(self)
        self._build_completer(name)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(lambda: self.asked.emit(self.text()))
        self.textEdited.connect(self._start)

    def _build_completer(self, name: str) -> None:
        self._completer = QCompleter(self._model, self)
        # The server has filtered and ordered the completions already.
        self._completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        self._completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self._completer.setMaxVisibleItems(8)
        self._popup = popup = QListView()
        popup.setObjectName(f"{name}_popup")
        popup.setProperty("role", "popup")
        popup.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self._completer.setPopup(popup)
        self.setCompleter(self._completer)
        popup.setItemDelegate(QStyledItemDelegate(popup))  # the default one ignores the style sheet
        self._completer.activated[QModelIndex].connect(self._take)  # type: ignore[index]

    def _start(self, text: str) -> None:
        words = search_words(text)
        # Remove completions that no longer match at once; the new ones take a moment to arrive.
        for row in reversed(range(self._model.rowCount())):
            known = search_key(self._model.item(row).text())
            if not all(word in known for word in words):
                self._model.removeRow(row)
        if self._model.rowCount() == 0:
            self._popup.hide()
        self._timer.start()

    def offer(self, asked_for: str, suggestions: Sequence[Suggestion]) -> None:
        """Show completions for `asked_for`, unless the text has changed since, or the focus is elsewhere."""
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
        """Return the texts of the completions, in order."""
        return [self._model.item(row).text() for row in range(self._model.rowCount())]

    def forget(self) -> None:
        """Empty the field and remove the completions."""
        self.setText("")  # unlike `clear`, this also empties the undo history
        self.stop_suggesting()

    def stop_suggesting(self) -> None:
        """Remove the completions, and ask for none until the text is edited."""
        self._timer.stop()
        self._model.clear()
        self._popup.hide()

    def _take(self, index: QModelIndex) -> None:
        suggestion = index.data(_DATA)
        self._timer.stop()
        if isinstance(suggestion, Suggestion):
            self.setText(suggestion.text)
            self.chosen.emit(suggestion)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Request completions when Down is pressed, even for an empty text."""
        if event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self.asked.emit(self.text())
            return
        super().keyPressEvent(event)
