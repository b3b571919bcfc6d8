"""A dialog with a typed password asks before it closes, and closes when it is told again."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices

PASSWORD = "correct horse"
ESCAPE = Qt.Key.Key_Escape


@pytest.fixture
def owner(fake: FakeServices) -> None:
    """The book has a password."""
    fake.accounts.sign_in_local("Asha Rao", PASSWORD, remember=True)


@pytest.fixture
def open_dialog(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> Callable[[str, str], QDialog]:
    """Opens the account, and from there another dialog by a button."""

    def find(name: str) -> QDialog:
        qtbot.waitUntil(lambda: book.findChild(QDialog, name) is not None)
        found = book.findChild(QDialog, name)
        assert found is not None
        qtbot.waitUntil(found.isVisible)
        return found

    def opened(name: str, button: str) -> QDialog:
        qtbot.mouseClick(book.sidebar.user_button, Qt.MouseButton.LeftButton)
        account = find("account_dialog")
        qtbot.waitUntil(lambda: not tasks.busy)
        if button:
            press(qtbot, account, button)
        return find(name)

    return opened


def press(qtbot: QtBot, dialog: QDialog, name: str) -> None:
    found = dialog.findChild(QAbstractButton, name)
    assert found is not None
    qtbot.waitUntil(found.isVisible)
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def is_open(book: QWidget, name: str) -> bool:
    found = book.findChild(QDialog, name)
    return found is not None and found.isVisible()


def type_into(dialog: QDialog, name: str, text: str) -> QLineEdit:
    found = dialog.findChild(QLineEdit, name)
    assert found is not None
    found.setFocus()
    QTest.keyClicks(found, text)
    return found


def asks(dialog: QDialog, banner: str) -> bool:
    found = dialog.findChild(QLabel, f"{banner}_text")
    assert found is not None
    return found.isVisible() and "is lost when this window closes" in found.text()


DIALOGS = (
    ("account_dialog", "", "new_password_field", "account_banner"),
    ("new_code_dialog", "account_new_code", "new_code_password", "new_code_banner"),
    ("move_dialog", "account_move", "move_password_field", "move_banner"),
)


@pytest.mark.parametrize(("name", "button", "field", "banner"), DIALOGS)
def test_esc_asks_before_a_typed_password_is_lost(
    qtbot: QtBot,
    book: MainWindow,
    open_dialog: Callable[[str, str], QDialog],
    name: str,
    button: str,
    field: str,
    banner: str,
) -> None:
    dialog = open_dialog(name, button)
    typed = type_into(dialog, field, "long secret")
    QTest.keyClick(typed, ESCAPE)
    assert dialog.isVisible()
    assert asks(dialog, banner)
    QTest.keyClicks(typed, "2")  # what is typed after the question is asked for too
    assert not asks(dialog, banner)
    QTest.keyClick(typed, ESCAPE)
    assert dialog.isVisible()
    assert typed.text() == "long secret2"
    QTest.keyClick(typed, ESCAPE)
    qtbot.waitUntil(lambda: not is_open(book, name))


@pytest.mark.parametrize(("name", "button", "field", "banner"), DIALOGS)
def test_esc_closes_at_once_if_nothing_is_typed(
    qtbot: QtBot,
    book: MainWindow,
    open_dialog: Callable[[str, str], QDialog],
    name: str,
    button: str,
    field: str,
    banner: str,
) -> None:
    dialog = open_dialog(name, button)
    assert not asks(dialog, banner)
    edited = dialog.findChild(QLineEdit, field)
    QTest.keyClick(edited, ESCAPE)
    qtbot.waitUntil(lambda: not is_open(book, name))


def test_the_dialogs_are_no_higher_than_what_they_show(
    open_dialog: Callable[[str, str], QDialog],
) -> None:
    account = open_dialog("account_dialog", "")
    assert account.height() == account.sizeHint().height()
