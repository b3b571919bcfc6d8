"""A text field whose completions arrive later."""

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication, QEvent, QModelIndex, QObject, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QShortcut,
    QStandardItem,
    QStandardItemModel,
)
from PySide6.QtWidgets import QApplication, QCompleter, QLineEdit, QListView, QStyledItemDelegate, QWidget

from app.domain.entry import Suggestion
from app.domain.suggestions import search_key, search_words
from app.ui.widgets.pieces import is_enter

DEBOUNCE_MS = 100
_DATA = Qt.ItemDataRole.UserRole + 1
_OWN_KEYS = (
    QKeySequence.StandardKey.Undo,
    QKeySequence.StandardKey.Redo,
    QKeySequence.StandardKey.Copy,
    QKeySequence.StandardKey.Cut,
    QKeySequence.StandardKey.Paste,
    QKeySequence.StandardKey.SelectAll,
)
"""Keys of the field itself, whatever shortcut the window has."""
PASSING = (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason)
"""Reasons for a focus that comes back: another window, or the list of completions."""
_PRESSES = (QEvent.Type.MouseButtonPress, QEvent.Type.MouseButtonDblClick)


class SuggestField(QLineEdit):
    """`asked` requests completions of a text; answer with `offer`. `chosen` carries the picked Suggestion.

    `left` is emitted when another field gets the focus. A press outside the list of completions closes it,
    and acts on what was pressed.
    """

    asked = Signal(str)
    chosen = Signal(object)
    left = Signal()

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
        # By `setCompleter`, the field would show a completion before it is chosen, and forget what was typed.
        self._completer.setWidget(self)
        popup.setItemDelegate(QStyledItemDelegate(popup))  # the default one ignores the style sheet
        popup.setAttribute(Qt.WidgetAttribute.WA_NoMouseReplay)  # only some platforms would do it
        popup.installEventFilter(self)  # asked before the completer, which would swallow the press
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
            self.selectAll()
            self.insert(suggestion.text)  # unlike `setText`, it can be undone with Ctrl+Z
            self.stop_suggesting()
            self.chosen.emit(suggestion)

    def completer(self) -> QCompleter:
        """Return the completer of the list."""
        return self._completer

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Request completions when Down is pressed, even for an empty text.

        While the list is open, Enter and Tab choose the marked completion. If none is marked, the list is
        closed, and Enter does what it does without a list.
        """
        if event.key() == Qt.Key.Key_Down and not self._popup.isVisible():
            self.asked.emit(self.text())
        elif is_enter(event) and self._popup.isVisible() and self._marked() is None:
            self._popup.hide()
            QApplication.sendEvent(self.parentWidget() or self.window(), event)
        elif not (self._popup.isVisible() and self._press_shortcut(event)):
            super().keyPressEvent(event)

    def _press_shortcut(self, event: QKeyEvent) -> bool:
        """Close the list and activate a shortcut of the window. Qt does not do it while a list is open."""
        if not event.modifiers() & Qt.KeyboardModifier.ControlModifier or any(map(event.matches, _OWN_KEYS)):
            return False
        keys = QKeySequence(event.keyCombination())
        for shortcut in self.window().findChildren(QShortcut):
            owner = shortcut.parent()
            if shortcut.key() == keys and isinstance(owner, QWidget) and owner.isAncestorOf(self):
                self._popup.hide()
                shortcut.activated.emit()
                return True
        return False

    def _marked(self) -> QModelIndex | None:
        """Return the completion that is marked in the open list; a list that opens marks none."""
        marked = self._popup.selectedIndexes() if self._popup.isVisible() else []
        return marked[0] if marked else None

    def focusNextPrevChild(self, forwards: bool) -> bool:
        """Choose the marked completion before Tab leaves the field."""
        marked = self._marked()
        if forwards and marked is not None:
            self._take(marked)
        return super().focusNextPrevChild(forwards)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Emit `left`, unless only the window lost the focus."""
        super().focusOutEvent(event)
        if event.reason() not in PASSING:
            self.left.emit()

    def event(self, event: QEvent) -> bool:
        """Keep Esc for the open list. It would also clear the form."""
        if (
            isinstance(event, QKeyEvent)
            and event.type() is QEvent.Type.ShortcutOverride
            and event.key() == Qt.Key.Key_Escape
            and self._popup.isVisible()
        ):
            event.accept()
            return True
        return super().event(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Close the list at a press outside it, and pass the press on."""
        if watched is self._popup and isinstance(event, QMouseEvent) and _is_outside(self._popup, event):
            self._popup.hide()
            _pass_on(event)
            return True
        return super().eventFilter(watched, event)


def _is_outside(popup: QWidget, event: QMouseEvent) -> bool:
    return event.type() in _PRESSES and not popup.rect().contains(event.position().toPoint())


def _pass_on(event: QMouseEvent) -> None:
    """Send a press to the widget under the pointer, as if no list had been open."""
    point = event.globalPosition()
    target = QApplication.widgetAt(point.toPoint())  # None over the window of another program
    if target is None or _is_blocked(target):
        return
    window, handle = target.window(), target.window().windowHandle()
    _focus(target)
    local = window.mapFromGlobal(point)
    press = QMouseEvent(event.type(), local, point, event.button(), event.buttons(), event.modifiers())
    QCoreApplication.sendEvent(handle, press)  # at once, because the release may be waiting already


def _is_blocked(target: QWidget) -> bool:
    modal = QApplication.activeModalWidget()
    return modal is not None and target.window() is not modal


def _focus(target: QWidget) -> None:
    """Set the focus as a press does. Qt does this only for events of the platform."""
    taker: QWidget | None = target
    while taker is not None:
        if taker.isEnabled() and taker.focusPolicy() & Qt.FocusPolicy.ClickFocus:
            taker.setFocus(Qt.FocusReason.MouseFocusReason)
            return
        taker = None if taker.isWindow() else taker.parentWidget()
