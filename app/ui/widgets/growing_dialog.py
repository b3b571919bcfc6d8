"""A dialog that grows when a sentence appears in it."""

from PySide6.QtCore import QEvent
from PySide6.QtWidgets import QDialog


class GrowingDialog(QDialog):
    """Is at least as high as its layout needs. Qt itself does not count wrapped labels that appear later."""

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
