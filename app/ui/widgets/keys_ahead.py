"""Keys that are pressed while an entry is being saved."""

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QWidget


class KeysAhead(QWidget):
    """Has the focus while the form is disabled, and keeps the keys for the next entry.

    Otherwise the first digits of an amount would be lost if a disk is slow: a wrong amount.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedSize(0, 0)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # Tab does not lead here
        self._pressed: list[QKeyEvent] = []
        self._keeping = False

    def begin(self) -> None:
        """Take the focus, and keep the keys, after those that are kept already."""
        self._keeping = True
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def end(self) -> None:
        """Keep no more keys, and give up the focus."""
        self._keeping = False
        self.clearFocus()

    @property
    def waiting(self) -> bool:
        """Return whether there are keys for the next entry."""
        return bool(self._pressed)

    def forget(self) -> None:
        """Forget the keys, because the form is emptied or closed."""
        self._pressed.clear()

    def replay(self) -> None:
        """Press the keys in whatever has the focus."""
        pressed, self._pressed = self._pressed, []
        for key in pressed:
            if (focused := QApplication.focusWidget()) is not None:
                QApplication.sendEvent(focused, key)

    def event(self, event: QEvent) -> bool:
        """Keep the keys, Tab included. Shortcuts of the window act at once."""
        if self._keeping and event.type() is QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            self._pressed.append(event.clone())
            return True
        return super().event(event)
