"""The sidebar: the views, the connection status, the user, and the theme."""

from enum import Enum
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
)

from app.domain.money import group_digits
from app.domain.text import isolated
from app.domain.wording import Words, words_of
from app.ui.icons import put_icon
from app.ui.theme import Mode
from app.ui.widgets.one_choice import OneChoice
from app.ui.widgets.pieces import button, label, set_look, tool_button

_MODES = (
    (Mode.SYSTEM, "monitor", "Same theme as the system"),
    (Mode.LIGHT, "sun", "Light theme"),
    (Mode.DARK, "moon", "Dark theme"),
)


_AROUND_NAME = 106
"""The pixels of the sidebar's width that are not for the user's name."""
_ACCOUNT_HERE = "Account: password, recovery code, moving the book"
_ACCOUNT_AT_SERVER = "Account: password, where you are signed in"


class Screen(Enum):
    """The views that can be chosen in the sidebar."""

    ADD = "add"
    ENTRIES = "entries"
    OUTBOX = "outbox"


_WIDTH = 200
_NARROW = 164


class Sidebar(QFrame):
    """The sidebar of the main window.

    `screen_wanted` carries a Screen, and `mode_picked` a theme Mode. `account_wanted`, `about_wanted`,
    `help_wanted`, `try_now_wanted` and `sign_out_wanted` are emitted by their buttons.
    """

    screen_wanted = Signal(object)
    mode_picked = Signal(object)
    account_wanted = Signal()
    about_wanted = Signal()
    try_now_wanted = Signal()
    help_wanted = Signal()
    sign_out_wanted = Signal()

    def __init__(self, mode: Mode) -> None:
        super().__init__()
        self.setObjectName("sidebar")
        self._words, self._waiting = words_of(is_local=True), 0
        self._user_name = ""
        self.setProperty("role", "sidebar")
        self.setFixedWidth(_WIDTH)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 20, 14, 16)
        column.setSpacing(6)
        column.addLayout(self._brand())
        column.addSpacing(14)
        self._screens(column)
        column.addStretch(1)
        self._foot(column, mode)

    def _brand(self) -> QHBoxLayout:
        icon = QLabel()
        put_icon(icon, "wallet", "accent", size=24)
        row = QHBoxLayout()
        row.setContentsMargins(6, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(icon)
        row.addWidget(label("Bahi", "brand"))
        row.addStretch(1)
        return row

    def _screens(self, column: QVBoxLayout) -> None:
        self.add_button = self._nav("Add entry", "nav_add", "plus-circle", "Ctrl+N")
        self.listing_button = self._nav("Entries", "nav_entries", "list", "")
        self.outbox_button = self._nav("Waiting", "nav_outbox", "clock", "")
        self._buttons = {
            Screen.ADD: self.add_button,
            Screen.ENTRIES: self.listing_button,
            Screen.OUTBOX: self.outbox_button,
        }
        group = OneChoice(self)
        for screen, made in self._buttons.items():
            group.add(made)
            column.addWidget(made)
            made.clicked.connect(partial(self._want, screen))
        self.add_button.setChecked(True)
        self._add_badge()

    def _want(self, screen: Screen, _checked: bool = False) -> None:
        self.screen_wanted.emit(screen)

    def _add_badge(self) -> None:
        self.badge = label("", "badge", "outbox_badge")
        row = QHBoxLayout(self.outbox_button)
        row.setContentsMargins(0, 0, 10, 0)
        row.addStretch(1)
        row.addWidget(self.badge, 0, Qt.AlignmentFlag.AlignVCenter)
        self.badge.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # a click is the button's
        self.show_waiting(0)

    def _nav(self, text: str, name: str, icon: str, keys: str) -> QPushButton:
        made = button(text, name, "nav")
        made.setCheckable(True)
        put_icon(made, icon, "text_muted", "accent_text")
        if keys:
            made.setToolTip(f"{text} ({keys})")
        return made

    def _foot(self, column: QVBoxLayout, mode: Mode) -> None:
        self.status = label("Starting…", "pill", "status_pill", wrap=True)
        self.status.setIndent(0)  # otherwise Qt adds one to the padding
        self.server_label = label("", "small", "server_label")
        self.help_button = button("Help", "help_button", "nav")
        self.help_button.setToolTip("First steps, keys, your data (F1)")
        put_icon(self.help_button, "help", "text_muted")
        self.help_button.clicked.connect(self.help_wanted)
        column.addWidget(self.help_button)
        self.user_button = button("", "user_button", "user")
        self._mark_as_button()
        self.user_button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.user_button.clicked.connect(self.account_wanted)
        self.sign_out_button = tool_button("sign_out_button", "log-out", "Sign out")
        self.sign_out_button.clicked.connect(self.sign_out_wanted)
        pill_row = QHBoxLayout()
        pill_row.setContentsMargins(4, 0, 0, 0)
        pill_row.addWidget(self.status)
        pill_row.addStretch(1)
        column.addLayout(pill_row)
        column.addLayout(self._try_row())
        column.addSpacing(6)
        user_row = QHBoxLayout()
        user_row.setContentsMargins(4, 0, 0, 0)
        user_row.addWidget(self.user_button, 1)
        user_row.addWidget(self.sign_out_button)
        server_row = QHBoxLayout()
        server_row.setContentsMargins(4, 0, 0, 4)
        server_row.addWidget(self.server_label, 1)
        self.about_button = tool_button("about_button", "info", "About this book", size=16)
        self.about_button.clicked.connect(self.about_wanted)
        server_row.addWidget(self.about_button)
        foot = QVBoxLayout()
        foot.setSpacing(0)
        foot.addLayout(user_row)
        foot.addLayout(server_row)
        column.addLayout(foot)
        column.addLayout(self._mode_row(mode))

    def _mark_as_button(self) -> None:
        mark = QLabel()
        put_icon(mark, "chevron-right", size=14)
        mark.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # a click is the button's
        row = QHBoxLayout(self.user_button)
        row.setContentsMargins(0, 0, 5, 0)
        row.addStretch(1)
        row.addWidget(mark, 0, Qt.AlignmentFlag.AlignVCenter)

    def _try_row(self) -> QHBoxLayout:
        self.try_button = button("Try now", "try_now_button")
        self.try_button.setProperty("small", "true")
        self.try_button.setToolTip("Try again now")
        self.try_button.clicked.connect(self.try_now_wanted)
        self.try_button.hide()
        row = QHBoxLayout()
        row.setContentsMargins(4, 0, 0, 0)
        row.addWidget(self.try_button)
        row.addStretch(1)
        return row

    def _mode_row(self, mode: Mode) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(2)
        self._modes = OneChoice(self)
        for number, (value, icon, tip) in enumerate(_MODES):
            made: QToolButton = tool_button(f"theme_{value}", icon, tip)
            made.setCheckable(True)
            made.setChecked(value is mode)
            made.setProperty("role", "mode")
            put_icon(made, icon, "text_muted", "accent_text")
            made.setIconSize(QSize(18, 18))
            self._modes.add(made, number)
            row.addWidget(made)
        row.addStretch(1)
        self._modes.idClicked.connect(lambda number: self.mode_picked.emit(_MODES[number][0]))
        return row

    def set_narrow(self, narrow: bool) -> None:
        """Set whether the window is so small that the views need the room."""
        self.setFixedWidth(_NARROW if narrow else _WIDTH)
        set_look(self.status, "tight", "true" if narrow else "")
        self._show_user()

    def show_mode(self, mode: Mode) -> None:
        """Check the button of the chosen theme."""
        for number, (value, _icon, _tip) in enumerate(_MODES):
            self._modes.button(number).setChecked(value is mode)

    def show_screen(self, screen: Screen) -> None:
        """Check the button of the shown view."""
        self._buttons[screen].setChecked(True)
        self._show_outbox()

    def show_waiting(self, count: int) -> None:
        """Show the number of items that wait; hide it if there are none.

        For a book on this computer, where nothing waits for long, the page is then hidden too.
        """
        self._waiting = count
        self._show_outbox()
        self.badge.setText(group_digits(str(count)))
        self.badge.setVisible(count > 0)
        self.outbox_button.setAccessibleName(f"Waiting, {count}" if count else "Waiting")

    def show_session(self, user_name: str, server: str) -> None:
        """Show the user's name and the server of the book."""
        self._user_name = user_name
        self._show_user()
        self.user_button.setAccessibleName(f"Account of {isolated(user_name)}")
        self.show_server(server)

    def _show_user(self) -> None:
        room = self.width() - _AROUND_NAME
        metrics = self.user_button.fontMetrics()
        self.user_button.setText(metrics.elidedText(self._user_name, Qt.TextElideMode.ElideRight, room))

    def speak(self, words: Words) -> None:
        """Use the words for the place of the open book."""
        self._words = words
        self.user_button.setToolTip(_ACCOUNT_HERE if words.is_local else _ACCOUNT_AT_SERVER)
        self.server_label.setText(words.location)
        self._show_outbox()

    def show_server(self, server: str) -> None:
        """Show the name of the book's server, in the tool tip."""
        self.server_label.setToolTip("" if self._words.is_local else server)

    def _show_outbox(self) -> None:
        used = self._waiting > 0 or self.outbox_button.isChecked()
        self.outbox_button.setVisible(used or not self._words.is_local)

    def show_try_now(self, shown: bool) -> None:
        """Show or hide the button that looks for a server at once."""
        self.try_button.setVisible(shown)

    def set_trying(self, trying: bool) -> None:
        """Disable the button while a server is being looked for."""
        self.try_button.setEnabled(not trying)

    def show_status(self, text: str, tone: str, explanation: str = "") -> None:
        """Show the connection status. `tone` is good, warn, danger or "". `explanation` is the tool tip."""
        self.status.setText(text)
        self.status.setToolTip(explanation)
        self.status.setAccessibleName(f"Status: {text}")
        set_look(self.status, "tone", tone)
        self.status.setAlignment(Qt.AlignmentFlag.AlignVCenter)
