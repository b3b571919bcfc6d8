"""What the dialog shows if there is no picture from a camera: what happened, and two ways on."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.ui.camera.trouble import TroubleText
from app.ui.icons import put_icon
from app.ui.widgets.pieces import button, label


class TroublePage(QFrame):
    """`again_wanted` and `files_wanted` are emitted by the buttons."""

    again_wanted = Signal()
    files_wanted = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("camera_trouble")
        self.setProperty("role", "viewer")
        icon = QLabel()
        put_icon(icon, "camera", "text_muted", size=36)
        self.heading = label("", "heading", "camera_trouble_heading", wrap=True)
        self.advice = label("", "muted", "camera_trouble_advice", wrap=True)
        self.advice.setMaximumWidth(460)
        self.again_button = button("Try again", "camera_again", icon="refresh")
        self.again_button.clicked.connect(self.again_wanted)
        self.files_button = button("Choose a file…", "camera_files", icon="folder-open")
        self.files_button.clicked.connect(self.files_wanted)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 16, 24, 16)
        column.setSpacing(10)
        column.addStretch(1)
        column.addWidget(icon, 0, Qt.AlignmentFlag.AlignHCenter)
        self.heading.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.heading)
        row = QHBoxLayout()
        row.addStretch(1)
        self.advice.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        row.addWidget(self.advice, 8)
        row.addStretch(1)
        column.addLayout(row)
        column.addLayout(self._buttons())
        column.addStretch(1)

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addStretch(1)
        row.addWidget(self.again_button)
        row.addWidget(self.files_button)
        row.addStretch(1)
        return row

    def say(self, text: TroubleText, said: str) -> None:
        """Show what happened; `said` is what the system said about it, for the tool tip."""
        self.heading.setText(text.heading)
        self.advice.setText(text.advice)
        self.setAccessibleName(f"{text.heading}. {text.advice}")
        self.setToolTip(said[:200])
