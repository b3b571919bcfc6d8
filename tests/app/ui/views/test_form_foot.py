"""The foot of a form: its messages are in full at every width, and Tab reaches the save button first."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.date_field import DateField
from app.ui.widgets.form_foot import FormFoot
from tests.app.ui.test_keys import focus, press
from tests.support.fake_services import FakeServices

_TEXTS = (
    "Saved 0W6-000001 · ₹55.00 money out",
    "Saved 0W6-000001 · ₹99,99,99,99,999.99 money out",
    "The draft is not saved. The disk is full. Please free some room; then Bahi saves it by itself.",
)


def needed_height(line: QLabel) -> int:
    flags = Qt.TextFlag.TextWordWrap
    return line.fontMetrics().boundingRect(0, 0, line.width(), 1000, flags, line.text()).height()


@pytest.mark.parametrize("size", [(800, 560), (900, 600), (910, 512), (1180, 760), (1600, 900)])
def test_no_message_at_the_foot_is_cut(book: MainWindow, size: tuple[int, int]) -> None:
    book.resize(*size)
    for text in _TEXTS:
        for line in (book.entry.saved_label, book.entry.draft_label):
            book.entry.say(line, text)
            for _ in range(3):
                QApplication.processEvents()
            assert line.height() >= needed_height(line), (size, text)
            foot = book.entry.foot
            assert foot.rect().contains(line.mapTo(foot, QPoint(line.width() - 1, line.height() - 1)))
            assert book.entry.save_button.visibleRegion().boundingRect() == book.entry.save_button.rect()
        if len(text) < 40:
            assert needed_height(book.entry.saved_label) < 2 * book.entry.fontMetrics().height()


@pytest.mark.parametrize("prefix", ["", "edit_"])
def test_tab_reaches_the_save_button_before_the_other_one(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, prefix: str
) -> None:
    book.activateWindow()
    if prefix:
        book.changes.open(fake.book.entries[0])
        qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    screen = book.edit if prefix else book.entry
    foot = screen.findChild(FormFoot)
    assert foot is not None
    screen.form.description.setFocus()
    qtbot.waitUntil(screen.form.description.hasFocus)
    seen = []
    for _ in range(8):
        press(book, Qt.Key.Key_Tab)
        seen.append(focus())
    saving, leaving = foot.save_button.objectName(), foot.leave_button.objectName()
    assert seen.index(leaving) == seen.index(saving) + 1
    press(book, Qt.Key.Key_Escape)


@pytest.mark.parametrize("size", [(800, 560), (900, 600), (1180, 760)])
def test_a_date_in_the_filter_shows_its_day(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, size: tuple[int, int]
) -> None:
    book.show_listing()
    book.resize(*size)
    for name in ("from_field", "to_field"):
        field = book.findChild(DateField, name)
        assert field is not None
        field.setFocus()
        field.setText("28 Nov 2026")
        field.setCursorPosition(len(field.text()))
        book.grab()
        text = field.fontMetrics().horizontalAdvance(field.text())
        assert field.cursorRect().left() + 4 >= text, "the text begins in the field"
        assert field.cursorPositionAt(QPoint(0, field.height() // 2)) == 0
    qtbot.waitUntil(lambda: not tasks.busy)
