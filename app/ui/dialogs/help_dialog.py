"""The help: the first steps, the keys, and where the data is."""

from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from app.domain.wording import Words
from app.ui.desktop import Desktop
from app.ui.dialogs.help_keys import keys_page
from app.ui.widgets.banner import Banner
from app.ui.widgets.pieces import ElidedLabel, button, label
from app.ui.widgets.scroll_room import DialogRoom
from app.ui.widgets.segment import Choice, Segment

_STEPS: Final = (
    ("Add an entry", "Type the amount, a category such as Travel, and what it was for. Then press Enter."),
    (
        "Add the bill",
        "Drag a photo or a PDF into the window, paste it with Ctrl+V, or press Browse or Camera. An entry "
        "can have several bills.",
    ),
    (
        "Find an entry",
        "Press Entries, and type any part of what you remember: a word, an amount or a code. The bill is "
        "shown beside it.",
    ),
    (
        "Put something right",
        "Press Ctrl+Z to undo the last change. Later, choose the entry and press Edit, or Cross out. A "
        "crossed-out entry stays readable and does not count.",
    ),
    (
        "Hand over your accounts",
        "Press Export in Entries. Bahi writes a table that Excel opens, for you or your accountant.",
    ),
)
_PAGES: Final = (
    Choice("steps", "First steps", "help_steps"),
    Choice("keys", "Keys", "help_keys"),
    Choice("data", "Your data", "help_data"),
)
_WIDTH: Final = 640
_REST: Final = 150
"""The height of what is above and below the pages, in logical pixels."""


class HelpDialog(QDialog):
    """Shows one of three pages. `folder` is that of the data, and `words` are those of the open book.

    Object names: help_dialog, help_steps, help_keys, help_data, help_folder, help_open, help_close,
    help_banner(_text).
    """

    def __init__(self, folder: Path, words: Words, desktop: Desktop, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("help_dialog")
        self.setWindowTitle("Help")
        self._folder = folder
        self._desktop = desktop
        self.pages = Segment(_PAGES, "help_pages", "Parts of the help")
        self.pages.picked.connect(self._show_page)
        self.banner = Banner("help_banner")
        self.banner.pressed.connect(self.banner.hide)
        self._stack = QStackedWidget()
        for page in (_steps_page(), keys_page(), self._data_page(words)):
            self._stack.addWidget(_room(page))
        self._lay_out()
        self.setMinimumWidth(_WIDTH)
        self.pages.checked_button().setFocus()

    def _lay_out(self) -> None:
        close = button("Close", "help_close", "primary")
        close.clicked.connect(self.accept)
        head = QHBoxLayout()
        head.addWidget(label("Help", "title"))
        head.addStretch(1)
        head.addWidget(self.pages)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 22, 24, 20)
        column.setSpacing(14)
        column.addLayout(head)
        column.addWidget(self.banner)
        column.addWidget(self._stack, 1)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)

    def _show_page(self, value: str) -> None:
        self._stack.setCurrentIndex([choice.value for choice in _PAGES].index(value))

    def _data_page(self, words: Words) -> QWidget:
        open_button = button("Open folder", "help_open", icon="folder-open")
        open_button.clicked.connect(self._open)
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(
            ElidedLabel(str(self._folder), "strong", "help_folder", Qt.TextElideMode.ElideMiddle), 1
        )
        row.addWidget(open_button)
        page, column = _page()
        column.addWidget(label(words.data_is, "", wrap=True))
        column.addLayout(row)
        column.addLayout(_facts(words.data_files))
        column.addWidget(label("How to keep a copy", "heading"))
        column.addWidget(label(words.data_copy, "", wrap=True))
        column.addStretch(1)
        return page

    def _open(self) -> None:
        if not self._desktop.open_path(self._folder):
            self.banner.say("The folder could not be opened. You see its name below.", "warn", "Close")


def _page() -> tuple[QWidget, QVBoxLayout]:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(10)
    return page, column


def _room(page: QWidget) -> DialogRoom:
    return DialogRoom(page, rest=_REST)


def _steps_page() -> QWidget:
    page, column = _page()
    for number, (title, sentence) in enumerate(_STEPS, start=1):
        step = QVBoxLayout()
        step.setSpacing(2)
        step.addWidget(label(f"{number}. {title}", "strong"))
        step.addWidget(label(sentence, "", wrap=True))
        column.addLayout(step)
    column.addStretch(1)
    return page


def _facts(files: tuple[tuple[str, str], ...]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(4)
    grid.setColumnStretch(1, 1)
    for row, (name, what) in enumerate(files):
        grid.addWidget(label(name, "strong"), row, 0, Qt.AlignmentFlag.AlignTop)
        grid.addWidget(label(what, "", wrap=True), row, 1)
    return grid
