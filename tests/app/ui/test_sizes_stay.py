"""What is shown has the size of its style from the first moment on: another theme moves nothing."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme

_KINDS = (QLabel, QAbstractButton)
_Places = dict[str, QRect]


def places(top: QWidget) -> _Places:
    """Return where each named label and button is that can be seen in `top`."""
    parts: list[QWidget] = [part for kind in _KINDS for part in top.findChildren(kind)]
    return {
        part.objectName(): QRect(part.mapTo(top, QPoint()), part.size())
        for part in parts
        if part.objectName() and part.isVisible()
    }


def settled(qtbot: QtBot, top: QWidget, tasks: Tasks) -> _Places:
    """Return the places as soon as they stay the same."""
    seen: list[_Places] = []

    def stay() -> bool:
        seen.append(places(top))
        return not tasks.busy and len(seen) > 2 and seen[-3] == seen[-1]

    qtbot.waitUntil(stay)
    return seen[-1]


def moved(qtbot: QtBot, top: QWidget, tasks: Tasks, theme: Theme) -> dict[str, tuple[QRect, QRect]]:
    """Return what has another place after the theme was dark and light again."""
    before = settled(qtbot, top, tasks)
    for mode in (Mode.DARK, Mode.LIGHT):
        theme.set_mode(mode)
    after = settled(qtbot, top, tasks)
    both = before.keys() & after.keys()  # a picture that comes hides the text in its place
    return {name: (before[name], after[name]) for name in both if before[name] != after[name]}


@pytest.mark.parametrize("width", [900, 1366])
@pytest.mark.parametrize("page", ["nav_add", "nav_entries"])
def test_another_theme_moves_nothing_on_a_page(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, theme: Theme, page: str, width: int
) -> None:
    book.resize(width, 768)
    qtbot.mouseClick(book.findChild(QAbstractButton, page), Qt.MouseButton.LeftButton)
    canvas = book.listing.details.viewer.canvas
    qtbot.waitUntil(lambda: canvas.has_image() or not canvas.isVisible())
    assert moved(qtbot, book, tasks, theme) == {}


@pytest.mark.parametrize("opener", ["user_button", "about_button", "help_button"])
def test_another_theme_moves_nothing_in_a_dialog(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, theme: Theme, opener: str
) -> None:
    qtbot.mouseClick(book.findChild(QAbstractButton, opener), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(each.isVisible() for each in book.findChildren(QDialog)))
    dialog = next(each for each in book.findChildren(QDialog) if each.isVisible())
    assert moved(qtbot, dialog, tasks, theme) == {}
