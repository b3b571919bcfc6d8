"""Lets shortcuts of the window work while a text field has the focus."""

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QLineEdit, QWidget


class KeysForWindow(QObject):
    """Gives some keys to `window` instead of to its text fields.

    A text field claims keys that it has a use for itself: under X11, Ctrl+E moves its cursor to the end, as
    the key End does. The text fields of `window` must exist already.
    """

    def __init__(self, window: QWidget, *keys: str) -> None:
        super().__init__(window)
        self._keys = [QKeySequence(each) for each in keys]
        for editor in window.findChildren(QLineEdit, options=Qt.FindChildOption.FindChildrenRecursively):
            editor.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Keep a text field from claiming one of the keys."""
        if event.type() != QEvent.Type.ShortcutOverride or not isinstance(event, QKeyEvent):
            return False
        given = QKeySequence(event.keyCombination()) in self._keys
        if given:
            event.ignore()
        return given
