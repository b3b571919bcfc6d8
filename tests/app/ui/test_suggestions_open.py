"""The list of suggestions while it is open: what a click elsewhere, a click in it, and the keys do."""

from dataclasses import dataclass

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QWindow
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLineEdit, QListView, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.views.entry_form import EntryForm
from app.ui.widgets.suggest_field import SuggestField

_LEFT = Qt.MouseButton.LeftButton


@dataclass
class Typist:
    """A person at the form, whose clicks and keys come from the platform, as real ones do."""

    qtbot: QtBot
    window: MainWindow

    @property
    def form(self) -> EntryForm:
        """The form of Add Entry."""
        return self.window.entry.form

    @property
    def handle(self) -> QWindow:
        """The window as the platform knows it. What arrives there goes to an open list first."""
        handle = self.window.windowHandle()
        assert handle is not None
        return handle

    def click(self, widget: QWidget) -> None:
        """Press and release at the left of a widget, which no list of another one covers."""
        place = widget.mapTo(self.window, QPoint(widget.width() // 4, widget.height() // 2))
        QTest.mouseClick(self.handle, _LEFT, Qt.KeyboardModifier.NoModifier, place)
        QApplication.processEvents()

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        for character in text:
            QTest.keyClick(self.handle, character)

    def press(self, key: Qt.Key) -> None:
        """Press a key in whatever gets it."""
        QTest.keyClick(self.handle, key)

    def open_list(self, field: SuggestField, text: str) -> QListView:
        """Type `text` into a field until its list is open."""
        self.click(field)
        self.type(text)
        popup = field.completer().popup()
        assert isinstance(popup, QListView)
        self.qtbot.waitUntil(popup.isVisible)
        return popup


@pytest.fixture
def typist(qtbot: QtBot, book: MainWindow) -> Typist:
    book.activateWindow()
    qtbot.waitUntil(book.isActiveWindow)
    return Typist(qtbot, book)


@pytest.mark.parametrize("chosen", ["amount", "date", "description"])
def test_a_click_into_another_field_closes_the_list_and_goes_there(typist: Typist, chosen: str) -> None:
    form = typist.form
    popup = typist.open_list(form.category, "Off")
    other = getattr(form, chosen)
    assert isinstance(other, QLineEdit)
    typist.click(other)
    assert not popup.isVisible()
    assert other.hasFocus()
    typist.type("12")
    assert form.category.text() == "Off"
    assert "12" in other.text()


def test_a_click_on_a_button_closes_the_list_and_presses_the_button(
    typist: Typist,
) -> None:
    form = typist.form
    typist.click(form.amount)
    typist.type("85")
    typist.click(form.category)
    typist.type("Travel")
    popup = typist.open_list(form.description, "Taxi")
    save = typist.window.entry.save_button
    with typist.qtbot.waitSignal(typist.window.entry.saved) as told:
        typist.click(save)
    assert not popup.isVisible()
    assert told.args[0].description == "Taxi"


def test_a_click_into_the_same_field_closes_the_list_and_typing_goes_on(typist: Typist) -> None:
    popup = typist.open_list(typist.form.description, "Taxi")
    typist.click(typist.form.description)
    assert not popup.isVisible()
    typist.type("s")
    assert typist.form.description.text() == "Taxis"


def test_a_click_that_leaves_the_category_gives_it_the_spelling_of_the_book(typist: Typist) -> None:
    form = typist.form
    typist.open_list(form.category, "TRAVEL")
    typist.click(form.amount)
    typist.qtbot.waitUntil(lambda: form.category.text() == "Travel")


def test_a_click_on_a_suggestion_picks_it(typist: Typist) -> None:
    field = typist.form.description
    popup = typist.open_list(field, "Taxi")
    first = field.offered()[0]
    row = popup.visualRect(popup.model().index(0, 0)).center()
    handle = popup.windowHandle()
    assert handle is not None
    place = popup.viewport().mapTo(popup, row)
    QTest.mouseClick(handle, _LEFT, Qt.KeyboardModifier.NoModifier, place)
    typist.qtbot.waitUntil(lambda: field.text() == first)
    assert not popup.isVisible()


def test_the_list_is_used_with_the_keys(typist: Typist) -> None:
    field = typist.form.description
    popup = typist.open_list(field, "Taxi")
    first = field.offered()[0]
    typist.press(Qt.Key.Key_Escape)
    assert not popup.isVisible()
    assert field.text() == "Taxi"
    typist.press(Qt.Key.Key_Down)
    typist.qtbot.waitUntil(popup.isVisible)
    typist.press(Qt.Key.Key_Down)
    typist.press(Qt.Key.Key_Return)
    assert field.text() == first
    assert not popup.isVisible()


def test_tab_leaves_the_field_while_the_list_is_open(typist: Typist) -> None:
    form = typist.form
    popup = typist.open_list(form.category, "Off")
    typist.press(Qt.Key.Key_Tab)
    assert not popup.isVisible()
    assert form.category.text() == "Off"
    assert form.description.hasFocus()
