"""The help: the first steps, the keys, and where the data is, before a book is open and afterwards."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices


def opened(qtbot: QtBot, window: MainWindow, page: str = "steps") -> QWidget:
    """Press F1, and the button of a page."""
    qtbot.keyClick(window, Qt.Key.Key_F1)
    dialog = window.findChild(QWidget, "help_dialog")
    assert dialog is not None
    press(qtbot, dialog, f"help_{page}")
    return dialog


def press(qtbot: QtBot, dialog: QWidget, name: str) -> None:
    """Click a button."""
    found = dialog.findChild(QPushButton, name)
    assert found is not None
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def shown(dialog: QWidget) -> str:
    """Return all texts that can be read now."""
    return " ".join(each.text() for each in dialog.findChildren(QLabel) if each.isVisible())


@pytest.mark.parametrize("width", [900, 1280])
def test_the_button_help_is_read_in_full(qtbot: QtBot, book: MainWindow, width: int) -> None:
    book.resize(width, 600)
    button = book.sidebar.help_button
    qtbot.waitUntil(lambda: button.width() > 0)
    assert button.text() == "Help"
    assert button.width() >= button.sizeHint().width()


def test_the_help_begins_with_five_steps(qtbot: QtBot, book: MainWindow) -> None:
    texts = shown(opened(qtbot, book))
    assert [number for number in range(1, 7) if f"{number}. " in texts] == [1, 2, 3, 4, 5]
    assert "Drag a photo or a PDF into the window" in texts
    assert "Ctrl+Enter" not in texts


def test_the_arrows_go_from_page_to_page(qtbot: QtBot, book: MainWindow) -> None:
    dialog = opened(qtbot, book)
    dialog.activateWindow()
    qtbot.waitUntil(dialog.isActiveWindow)
    for expected in ("Ctrl+S, Ctrl+Enter", "How to keep a copy"):
        chosen = dialog.focusWidget()
        assert chosen is not None
        qtbot.keyClick(chosen, Qt.Key.Key_Right)
        assert expected in shown(dialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: book.findChild(QWidget, "help_dialog") is None)


def test_the_folder_of_the_data_is_named_and_opened(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, person: Person
) -> None:
    dialog = opened(qtbot, book, "data")
    assert str(fake.settings.folder) in shown(dialog)
    assert "your book: all entries, all older versions, and all bills" in shown(dialog)
    assert "Close Bahi. Then copy the whole folder" in shown(dialog)
    press(qtbot, dialog, "help_open")
    assert person.opened == [fake.settings.folder]


def test_a_folder_that_cannot_be_opened_is_said(qtbot: QtBot, book: MainWindow, person: Person) -> None:
    person.opens = False
    dialog = opened(qtbot, book, "data")
    press(qtbot, dialog, "help_open")
    assert "The folder could not be opened." in shown(dialog)


def test_before_the_book_is_open_the_help_is_there_too(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    window.start()
    assert str(fake.settings.folder) in shown(opened(qtbot, window, "data"))


def test_for_a_book_on_a_server_the_folder_has_only_what_the_server_lacks(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    fake.accounts.sign_in_remote("https://books.example.com", "meera", "kettle and tea 5", create=True)
    window.start()
    texts = shown(opened(qtbot, window, "data"))
    assert "Your book is on the server." in texts
    assert "your book: all entries" not in texts
    assert "sign in, and your book is there" in texts
    assert "example" not in texts
