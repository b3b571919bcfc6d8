"""A message about what was just done, shown for ten seconds, with a button to undo it."""

import time
from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QEvent, QRect, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from app.ui.icons import put_icon
from app.ui.widgets.pieces import ElidedLabel, button, tool_button

LIFE_S: Final = 10.0
_LEAST_TEXT: Final = 60
_GAP: Final = 20
_CHECK_MS: Final = 250  # the clock is polled, because tests replace it


class Toast(QFrame):
    """Shown over its parent, in the middle of the area given to `place`.

    `undo_wanted` is emitted by Undo, and `over` when its time is over or it is closed. `clock` returns
    seconds; tests pass their own.
    """

    undo_wanted = Signal()
    over = Signal()

    def __init__(self, parent: QWidget, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__(parent)
        self.setObjectName("toast")
        self.setProperty("role", "toast")
        self._clock = clock
        self._until = 0.0
        self._room = QRect()
        self._timer = QTimer(self)
        self._timer.setInterval(_CHECK_MS)
        self._timer.timeout.connect(self.hide_if_due)
        self._build()
        self.hide()

    def _build(self) -> None:
        self._icon = QLabel()
        self._text = ElidedLabel("", "strong", "toast_text")
        self._text.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._text.setMinimumWidth(_LEAST_TEXT)
        self.undo_button = button("Undo", "toast_undo", "link")
        self.undo_button.setToolTip("Undo (Ctrl+Z)")
        self.undo_button.clicked.connect(self._press)
        close = tool_button("toast_close", "x", "Close", size=14)
        close.clicked.connect(self._end)
        row = QHBoxLayout(self)
        row.setContentsMargins(14, 4, 6, 4)
        row.setSpacing(8)
        for widget in (self._icon, self._text, self.undo_button, close):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def say(self, text: str, *, undo: str, done: bool = True) -> None:
        """Show `text` for ten seconds; with `undo`, also a button with this text. `done`: it succeeded."""
        put_icon(self._icon, *(("check", "credit") if done else ("info", "text_muted")), size=16)
        self._text.setText(text)
        self.setAccessibleName(text)
        self.undo_button.setText(undo)
        self.undo_button.setVisible(bool(undo))
        self._until = self._clock() + LIFE_S
        self.show()
        self.raise_()
        self._settle()
        self._timer.start()

    def text(self) -> str:
        """Return the text; "" while hidden."""
        return self._text.text() if not self.isHidden() else ""

    @property
    def can_undo(self) -> bool:
        """Return whether Undo can be pressed now."""
        offered = not self.isHidden() and not self.undo_button.isHidden()
        is_hovered = not self._timer.isActive()  # the mouse is over it
        return offered and (is_hovered or self._clock() < self._until)

    def undo(self) -> None:
        """Press Undo, if possible."""
        if self.can_undo:
            self._press()

    def _press(self) -> None:
        """Undo. A button that can be seen works, also in the moment after its time is over."""
        self.hide_now()
        self.undo_wanted.emit()

    def hide_if_due(self) -> None:
        """Hide when the time is over."""
        if self._clock() >= self._until:
            self._end()

    def _end(self) -> None:
        self.hide_now()
        self.over.emit()

    def hide_now(self) -> None:
        """Hide at once."""
        self._timer.stop()
        self.hide()

    def move_to_corner(self, room: QRect) -> None:
        """Set the area in which the toast is centred, in the parent's coordinates."""
        self._room = room
        self._settle()

    def _settle(self) -> None:
        if self.isHidden() or self._room.isNull():
            return
        self.setMaximumWidth(max(1, self._room.width() - _GAP))  # title and buttons are beside
        self.adjustSize()
        x = self._room.left() + max(0, (self._room.width() - self.width()) // 2)
        self.move(x, self._room.center().y() - self.height() // 2)

    def enterEvent(self, event: QEnterEvent) -> None:
        """Stay visible while the mouse is over it."""
        super().enterEvent(event)
        self._timer.stop()

    def leaveEvent(self, event: QEvent) -> None:
        """Continue counting the time."""
        super().leaveEvent(event)
        if not self.isHidden():
            self._until = max(self._until, self._clock() + _CHECK_MS / 1000)
            self._timer.start()
