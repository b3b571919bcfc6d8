"""A dialog is never larger than its screen, and what does not fit scrolls."""

from PySide6.QtWidgets import QDialog, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from app.ui.widgets.scroll_room import DialogRoom, bound_to_screen


def dialog_with(buttons: int) -> tuple[QDialog, DialogRoom, QVBoxLayout]:
    """Return a dialog with so many buttons below each other."""
    dialog, inner = QDialog(), QWidget()
    column = QVBoxLayout(inner)
    for number in range(buttons):
        column.addWidget(QPushButton(f"Button {number}"))
    room = DialogRoom(inner)
    QVBoxLayout(dialog).addWidget(room)
    return dialog, room, column


def test_a_long_dialog_is_as_high_as_the_screen_and_scrolls(qtbot: QtBot) -> None:
    dialog, room, _column = dialog_with(100)
    qtbot.addWidget(dialog)
    bound_to_screen(dialog)
    dialog.show()
    assert dialog.height() <= dialog.screen().availableGeometry().height()
    assert room.verticalScrollBar().maximum() > 0
    last = room.findChildren(QPushButton)[-1]
    last.setFocus()
    room.ensureWidgetVisible(last)
    assert room.viewport().rect().contains(last.mapTo(room.viewport(), last.rect().center()))


def test_a_short_dialog_does_not_scroll(qtbot: QtBot) -> None:
    dialog, room, _column = dialog_with(3)
    qtbot.addWidget(dialog)
    bound_to_screen(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: room.verticalScrollBar().maximum() == 0)


def test_a_dialog_asks_for_more_room_when_its_content_grows(qtbot: QtBot) -> None:
    dialog, room, column = dialog_with(3)
    qtbot.addWidget(dialog)
    dialog.show()
    before = room.sizeHint().height()
    column.addWidget(QPushButton("One more"))
    qtbot.waitUntil(lambda: room.sizeHint().height() > before)
