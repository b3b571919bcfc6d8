"""The part of the help that lists the keys of the program."""

from typing import Final

from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.ui.widgets.pieces import label

_Keys = tuple[tuple[str, str], ...]
_EVERYWHERE: Final[_Keys] = (
    ("Tab, Shift+Tab", "Next, previous field or button"),
    ("Enter, Space", "Press the button"),
    ("Ctrl+N", "Add an entry"),
    ("Ctrl+F", "Search the entries"),
    ("Ctrl+E", "Export the entries"),
    ("Ctrl+Z", "Undo typing, or the last change"),
    ("F1", "Help"),
)
_FORM: Final[_Keys] = (
    ("Enter", "Next field; in the last one, save"),
    ("Ctrl+S, Ctrl+Enter", "Save"),
    ("Esc", "Clear the form, or cancel"),
    ("+ or −", "Date: the day after, the day before"),
    ("F4", "Date: pick it from a calendar"),
    ("D or C, ← →", "Type: Debit or Credit"),
    ("↓, then Enter", "Choose from the list that opens"),
)
_LIST: Final[_Keys] = (
    ("↑ ↓, Page Up, Page Down", "Choose an entry"),
    ("Home, End", "First, last entry"),
    ("Enter", "Edit the entry"),
    ("Delete", "Cross the entry out"),
)
_RECENT: Final[_Keys] = (
    ("Enter", "Change the entry"),
    ("Delete", "Undo the entry: back into the form"),
)
_BILLS: Final[_Keys] = (
    ("Ctrl+O", "Choose files"),
    ("Ctrl+Shift+C", "Photograph with a camera"),
    ("Ctrl+V", "Attach what was copied"),
    ("Enter", "Open the bill"),
    ("Delete", "Remove the bill"),
    ("Alt+← →", "Move the bill"),
)


def keys_page() -> QWidget:
    """Return the list of the keys, in two columns."""
    page = QWidget()
    halves = QHBoxLayout(page)
    halves.setContentsMargins(0, 0, 0, 0)
    halves.setSpacing(28)
    halves.addLayout(_half(("Everywhere", _EVERYWHERE), ("In the list of entries", _LIST)))
    forms = (("In the form of an entry", _FORM), ("Last entries, below the form", _RECENT), ("Bills", _BILLS))
    halves.addLayout(_half(*forms))
    return page


def _half(*parts: tuple[str, _Keys]) -> QVBoxLayout:
    column = QVBoxLayout()
    column.setSpacing(16)
    for heading, keys in parts:
        column.addLayout(_part(heading, keys))
    column.addStretch(1)
    return column


def _part(heading: str, keys: _Keys) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(4)
    grid.addWidget(label(heading, "heading"), 0, 0, 1, 2)
    for row, (key, effect) in enumerate(keys, start=1):
        grid.addWidget(label(key, "strong"), row, 0)
        grid.addWidget(label(effect, ""), row, 1)
    grid.setColumnStretch(1, 1)
    return grid
