"""A dialog that grows when a sentence appears in it, and stays while it makes a call."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QDialog, QWidget


class GrowingDialog(QDialog):
    """Is at least as high as its layout needs. Qt itself does not count wrapped labels that appear later.

    While it is busy, the user cannot close it: the answer may bring a code that is shown only once.
    """

    _is_busy = False

    def set_busy(self, busy: bool, *buttons: QWidget) -> None:
        """Set whether a call runs. Its `buttons` are disabled meanwhile."""
        self._is_busy = busy
        for each in buttons:
            each.setEnabled(not busy)

    def reject(self) -> None:
        """Close, unless a call runs."""
        if not self._is_busy:
            super().reject()

    def event(self, event: QEvent) -> bool:
        """Grow after a change of the layout; never shrink, so that buttons stay where they are."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest:
            self._grow()
        return done

    def _grow(self) -> None:
        layout = self.layout()
        if layout is None:
            return
        needed = max(layout.totalHeightForWidth(self.width()), layout.totalMinimumSize().height())
        allowed = self.screen().availableGeometry().height()
        if self.height() < min(needed, allowed):
            self.resize(self.width(), min(needed, allowed))
