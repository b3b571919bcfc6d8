"""A part of a window that scrolls up and down if there is no room for all of it."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget

_LEAST_HEIGHT: Final = 90
_TITLE_BAR: Final = 36
_AROUND: Final = 100
"""The title bar of a dialog, and the margins of its content."""


class ScrollRoom(QScrollArea):
    """Shows `inner` at the width that there is. It is as high as `inner`, or lower with a scroll bar."""

    def __init__(self, inner: QWidget, name: str = "") -> None:
        super().__init__()
        if name:
            self.setObjectName(name)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setProperty("role", "clear")
        if inner.property("role") is None:
            inner.setProperty("role", "clear")
        inner.setParent(self.viewport())
        self._inner = inner

    def event(self, event: QEvent) -> bool:
        """Take the inner part in when the style does. Its size is computed then, for which Qt styles all that
        is in it, and would do so again for every widget around it that is still to get a parent."""
        if event.type() is QEvent.Type.Polish and self.widget() is None:
            self.setWidget(self._inner)
            self._inner.setAutoFillBackground(False)  # set by Qt: a card would get square corners
        return super().event(event)

    def sizeHint(self) -> QSize:
        """Return the size at which nothing scrolls."""
        inner = self._inner.sizeHint()
        return QSize(max(inner.width(), self.minimumSizeHint().width()), inner.height())

    def minimumSizeHint(self) -> QSize:
        """Return the width of the inner part, and a height at which something can still be read."""
        inner = self._inner.minimumSizeHint()
        bar = self.verticalScrollBar().sizeHint().width()
        return QSize(inner.width() + bar, min(inner.height(), _LEAST_HEIGHT))

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Pass on that the inner part has another size now."""
        if watched is self._inner and event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)


class DialogRoom(ScrollRoom):
    """The content of a dialog. It asks for no more height than the screen has.

    `rest` is the height in logical pixels of what the dialog shows above and below the room.
    """

    def __init__(self, inner: QWidget, name: str = "", rest: int = 0) -> None:
        self._rest = rest
        super().__init__(inner, name)

    def sizeHint(self) -> QSize:
        """Return the size at which nothing scrolls, or the height of the screen."""
        hint = super().sizeHint()
        width = self._inner.sizeHint().width() if hint.height() <= self._room() else hint.width()
        return QSize(width, min(hint.height(), self._room()))

    def _room(self) -> int:
        return self.screen().availableGeometry().height() - _AROUND - self._rest


def bound_to_screen(dialog: QWidget) -> None:
    """Keep `dialog` from being larger than the screen of its window. Call it before it is shown."""
    most = dialog.screen().availableGeometry().size() - QSize(2, _TITLE_BAR)
    dialog.setMaximumSize(most)
    dialog.resize(dialog.size().expandedTo(dialog.sizeHint()).boundedTo(most))
