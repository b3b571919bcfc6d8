"""A text field whose text is selected when it gets the focus, and formatted when it loses it."""

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QLineEdit


class TidiedLine(QLineEdit):
    """A base class; what `tidy` does is for the subclass."""

    def tidy(self) -> None:
        """Format the text if it is valid."""
        raise NotImplementedError

    def replace_text(self, text: str) -> None:
        """Replace the text so that Ctrl+Z gives the typed one back, which it does not after `setText`."""
        if text != self.text():
            self.selectAll()
            self.insert(text)

    def focusInEvent(self, event: QFocusEvent) -> None:
        """Select the whole text, so that typing replaces it."""
        super().focusInEvent(event)
        if event.reason() is Qt.FocusReason.MouseFocusReason:
            QTimer.singleShot(0, self, self._select)  # the mouse press that gave the focus would deselect it
        else:
            self.selectAll()  # at once: the next key may have been pressed already

    def _select(self) -> None:
        if self.hasFocus():
            self.selectAll()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Format the text, unless only the window lost the focus."""
        super().focusOutEvent(event)
        if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
            self.tidy()
