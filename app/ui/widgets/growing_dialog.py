"""A dialog that grows when a sentence appears in it, and stays while it makes a call."""

from PySide6.QtCore import QEvent
from PySide6.QtGui import QShowEvent
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

    def showEvent(self, event: QShowEvent) -> None:
        """Take the height that is needed at this width: Qt takes too much for wrapped texts."""
        super().showEvent(event)
        if not event.spontaneous():
            self.fit()

    def fit(self) -> None:
        """Take the height that is needed now, also if it is smaller."""
        layout = self.layout()
        if layout is not None:
            layout.activate()
        self.resize(self.width(), self._needed())

    def needed_height(self) -> int:
        """Return the height at which nothing is cut."""
        layout = self.layout()
        if layout is None:
            return 0
        return max(layout.totalHeightForWidth(self.width()), layout.totalMinimumSize().height())

    def _needed(self) -> int:
        return min(self.needed_height(), self.screen().availableGeometry().height())

    def _grow(self) -> None:
        if self.height() < self._needed():
            self.resize(self.width(), self._needed())
