"""The buttons of the dialog that photographs bills."""

from enum import Enum, auto

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from app.ui.bounds import count_text
from app.ui.widgets.pieces import button, tool_button


class CameraStep(Enum):
    """What the dialog shows: the live picture, a shot to look at, or why there is no picture."""

    LIVE = auto()
    LOOK = auto()
    TROUBLE = auto()


class CameraFoot(QWidget):
    """One row of buttons for each step. `turned` carries by how many quarters to turn clockwise."""

    turned = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._step: CameraStep | None = None
        self._could_capture = self._full = False
        self.left_button = tool_button("camera_left", "turn-left", "Turn to the left", size=22)
        self.right_button = tool_button("camera_right", "turn-right", "Turn to the right", size=22)
        self.left_button.clicked.connect(lambda: self.turned.emit(-1))
        self.right_button.clicked.connect(lambda: self.turned.emit(1))
        self.find_button = button("Cut out the bill", "camera_find", "link")
        self.find_button.setToolTip("Put the corners at those of the bill")
        self.whole_button = button("Whole picture", "camera_whole", "link")
        self.whole_button.setToolTip("Cut nothing off")
        self.cancel_button = button("Cancel", "camera_cancel")
        self.cancel_button.setToolTip("Add nothing (Esc)")
        self.retake_button = button("Retake", "camera_retake", icon="refresh")
        self.add_button = button("", "camera_add")
        self.add_button.setToolTip("Attach the pictures to the entry (Ctrl+Enter)")
        self.capture_button = button("Take picture", "camera_capture", "primary", "camera", "on_accent")
        self.capture_button.setToolTip("Take the picture (Space or Enter)")
        self.use_button = button("Use this picture", "camera_use", "primary", "check", "on_accent")
        self.use_button.setToolTip("Keep it as a bill (Space or Enter)")
        self._lay_out()

    def _lay_out(self) -> None:
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        left = (self.left_button, self.right_button, self.find_button, self.whole_button, self.cancel_button)
        for each in left:
            row.addWidget(each)
        row.addStretch(1)
        for each in (self.retake_button, self.add_button, self.capture_button, self.use_button):
            row.addWidget(each)

    def show_step(
        self, step: CameraStep, count: int, *, found: bool, can_capture: bool, full: bool, adding: bool
    ) -> bool:
        """Show the buttons of `step`, with `count` pictures taken.

        `found` is whether it is known where the bill is, and `full` whether no more pictures can be taken.

        Return whether another button is the main one now, or can be pressed now.
        """
        self._full = full
        look = step is CameraStep.LOOK
        shown = {
            self.left_button: look,
            self.right_button: look,
            self.find_button: look and found,
            self.whole_button: look,
            self.retake_button: look,
            self.use_button: look,
            self.cancel_button: not look,
            self.capture_button: step is CameraStep.LIVE,
            self.add_button: count > 0 and not look,
        }
        # Those that go, go first: side by side, all of them would widen the dialog.
        for each in sorted(shown, key=lambda button: shown[button]):
            each.setVisible(shown[each])
        self.capture_button.setEnabled(can_capture)
        self.add_button.setEnabled(not adding)
        self.add_button.setText("Adding…" if adding else f"Add {count_text(count, 'bill', 'bills')}")
        self.add_button.setAccessibleName(self.add_button.text())
        before = self._step, self._could_capture
        self._step, self._could_capture = step, can_capture
        return before != (step, can_capture)

    def main_button(self) -> QPushButton:
        """Return the button that Space and Enter press."""
        if self._step is CameraStep.LOOK:
            return self.use_button
        return self.add_button if self._full else self.capture_button
