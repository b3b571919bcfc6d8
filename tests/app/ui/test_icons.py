"""Icons that are drawn when they are shown."""

import gc

from PySide6.QtCore import QSize
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.ui.icons import icon, put_icon
from app.ui.widgets.pieces import button

_SIDE = QSize(18, 18)


def test_a_changed_copy_of_an_icon_lives_as_long_as_the_copy(qtbot: QtBot) -> None:
    """PySide deleted what draws the copy at once, and the program crashed when the copy was used."""
    for _ in range(20):
        first = icon("upload", "text_muted")
        changed = QIcon(first)
        changed.addPixmap(QPixmap(4, 4))
        gc.collect()
        assert not changed.isNull()
        assert not changed.pixmap(_SIDE).isNull()


def test_the_gap_after_an_icon_does_not_depend_on_when_the_text_was_set(qtbot: QtBot) -> None:
    """A button whose text comes later had none until the theme changed."""
    later, at_once = button("", "later", icon="upload"), button("Move", "at_once", icon="upload")
    later.setText("Move")
    bare = QPushButton("Move")
    for each in (later, at_once, bare):
        qtbot.addWidget(each)
    put_icon(bare, "upload")
    assert later.iconSize() == at_once.iconSize() == bare.iconSize()
    assert later.sizeHint() == at_once.sizeHint()


def test_an_icon_has_the_pixels_of_its_screen(qtbot: QtBot) -> None:
    """On a screen that is set to 150 % the icons were small, and their lines not sharp."""
    made = button("Export", "export", icon="download")
    qtbot.addWidget(made)
    for scale in (1.0, 1.5, 2.0):
        for each, wide in ((icon("download", "text"), 18), (made.icon(), made.iconSize().width())):
            drawn = each.pixmap(QSize(wide, 18), scale)
            assert drawn.devicePixelRatio() == scale
            assert abs(drawn.deviceIndependentSize().width() - wide) < 0.5
            assert drawn.height() == 18 * scale
