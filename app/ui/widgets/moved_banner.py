"""The message that the primary server has changed, and how many of the recent changes the new one has."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from app.domain.connection_status import Moved
from app.domain.money import group_digits
from app.ui.icons import put_icon
from app.ui.widgets.pieces import label, set_look, tool_button

MOVED: Final = "Your primary server has changed. Any missing data will be synced within 5 minutes."
LATE: Final = "Your primary server has changed. Some data takes longer than 5 minutes."
LOOKING: Final = "Looking for your recent changes here…"
NOT_KNOWN: Final = (
    "This server does not say which of your recent changes are here. They are kept on this computer."
)
ALL_HERE: Final = "All your data is here."


def moved_words(moved: Moved) -> tuple[str, str]:
    """Return the message, and the line under it."""
    if moved.complete:
        return MOVED, ALL_HERE
    if moved.unknown:
        return (LATE, NOT_KNOWN) if moved.late else (MOVED, LOOKING)
    here, total = group_digits(str(moved.here)), group_digits(str(moved.total))
    count = f"{here} of {total} of your recent changes are here"
    if not moved.late:
        return MOVED, count
    left = moved.total - moved.here
    rest = "is still on its way. It is" if left == 1 else "are still on their way. They are"
    return LATE, f"{count}; {group_digits(str(left))} {rest} kept on this computer."


class MovedBanner(QFrame):
    """Hidden until `show_moved`. `closed` is emitted by the close button."""

    closed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("moved_banner")
        self.setProperty("role", "banner")
        self._icon = QLabel()
        self.sentence = label("", "strong", "moved_banner_text", wrap=True)
        self.count = label("", "", "moved_banner_count", wrap=True)
        self.close_button = tool_button("moved_banner_button", "x", "Close", size=14)
        self.close_button.clicked.connect(self.closed)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.sentence)
        words.addWidget(self.count)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 6, 8)
        row.setSpacing(8)
        row.addWidget(self._icon, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addLayout(words, 1)
        row.addWidget(self.close_button)

    def show_moved(self, moved: Moved | None, server: str = "") -> None:
        """Show the message; hide it if `moved` is None. `server` names the new server in the tool tip."""
        if moved is None:
            self.hide()
            return
        sentence, count = moved_words(moved)
        late = moved.late and not moved.complete
        self.sentence.setText(sentence)
        self.setToolTip(f"Your book now works with {server}." if server else "")
        self.count.setText(count)
        self.setAccessibleName(f"{sentence} {count}")
        put_icon(self._icon, _icon(moved), "warn" if late else "credit", size=16)
        for widget in (self, self.sentence, self.count):
            set_look(widget, "tone", "warn" if late else "good")
        self.show()


def _icon(moved: Moved) -> str:
    if moved.complete:
        return "check"
    return "alert" if moved.late else "refresh"
