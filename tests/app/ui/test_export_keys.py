"""Ctrl+E from wherever the focus is, and what covers the button for it."""

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.ui.dialogs.export_dialog import ExportDialog
from app.ui.main_window import MainWindow
from app.ui.widgets.date_field import DateField
from tests.app.ui.conftest import Person

CTRL = Qt.KeyboardModifier.ControlModifier
FIELDS = [
    ("amount_field", "date_field", "category_field", "description_field", "save_button"),
    ("edit_amount_field",),
    ("edit_description_field",),
    ("search_field", "from_field", "to_field", "entry_table", "outbox_send"),
]


def place(widget: QWidget) -> QRect:
    """Return where a widget is in its window."""
    return QRect(widget.mapTo(widget.window(), QPoint()), widget.size())


def show(qtbot: QtBot, book: MainWindow, widget: QWidget) -> None:
    """Show the screen of a widget, as a person does, and put the focus there."""
    if book.edit.isAncestorOf(widget):
        book.show_listing()
        qtbot.keyClick(book.listing.table, Qt.Key.Key_Return)
        qtbot.waitUntil(book.edit.isVisible)
    elif book.listing.isAncestorOf(widget):
        book.show_listing()
    elif book.outbox.isAncestorOf(widget):
        book.show_outbox()
    else:
        book.show_add()
    widget.setFocus()
    qtbot.waitUntil(widget.hasFocus)


@pytest.mark.parametrize("names", FIELDS)
def test_ctrl_e_opens_the_export_from_everywhere_and_loses_nothing(
    qtbot: QtBot, book: MainWindow, person: Person, names: tuple[str, ...]
) -> None:
    for name in names:
        qtbot.waitUntil(lambda name=name: book.findChild(QWidget, name) is not None)
        widget = book.findChild(QWidget, name)
        assert isinstance(widget, QWidget)
        export_from(qtbot, book, widget)
        assert person.questions == []


def open_exports(book: MainWindow) -> list[ExportDialog]:
    return [each for each in book.findChildren(ExportDialog, "export_dialog") if each.isVisible()]


def export_from(qtbot: QtBot, book: MainWindow, widget: QWidget) -> None:
    """Type into `widget`, press Ctrl+E there, and cancel."""
    show(qtbot, book, widget)
    if isinstance(widget, QLineEdit) and not isinstance(widget, DateField):
        qtbot.keyClick(widget, Qt.Key.Key_Home)
        qtbot.keyClicks(widget, "1")
    dirty = book.edit.dirty
    qtbot.keyClick(widget, Qt.Key.Key_E, CTRL)
    qtbot.waitUntil(lambda: open_exports(book) != [])
    (dialog,) = open_exports(book)
    assert book.screens.currentWidget() is (book.edit if dirty else book.listing)
    qtbot.mouseClick(dialog.setup_page.cancel_button, Qt.MouseButton.LeftButton)
    assert open_exports(book) == []
    assert book.edit.dirty is dirty


def test_an_invalid_date_of_the_filter_is_shown_instead_of_an_export(qtbot: QtBot, book: MainWindow) -> None:
    book.show_listing()
    field = book.findChild(QLineEdit, "from_field")
    assert isinstance(field, QLineEdit)
    qtbot.keyClicks(field, "31/2/2026")
    book.show_add()
    qtbot.keyClick(book.entry.form.amount, Qt.Key.Key_E, CTRL)
    assert book.listing.isVisible()
    assert book.findChild(ExportDialog, "export_dialog") is None


@pytest.mark.parametrize("width", [900, 960, 1180])
@pytest.mark.parametrize("text", ["Saved 0K7-000042", "Restored a version of 0K7-000042 and 3 bills"])
def test_the_toast_covers_no_button(qtbot: QtBot, book: MainWindow, width: int, text: str) -> None:
    book.resize(width, 640)
    book.show_listing()
    book.book.offer_undo(text, undo="Undo")
    toast, buttons = book.book.toast, (book.listing.export_button, book.listing.add_button)
    qtbot.waitUntil(lambda: not any(place(toast).intersects(place(each)) for each in buttons))
    assert toast.text() == text
    assert toast.undo_button.isVisible()
