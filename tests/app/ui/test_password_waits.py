"""After wrong passwords: the right one, typed during the wait, is tried at its end in every window."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.errors import SignInError
from app.ui.main_window import MainWindow
from tests.app.ui.test_forgotten_passwords import (
    NEW,
    OLD,
    click,
    error,
    fill,
    find,
    is_open,
    open_account,
    open_forgotten,
    start,
)
from tests.support.fake_services import FakeServices
from tests.support.fakes.book import Account, give_code

_WRONG = "wrong password"


@pytest.fixture
def owner(fake: FakeServices) -> Account:
    """The book on this computer has a password."""
    fake.accounts.computer.own = made = Account("Asha Rao", OLD)
    return made


def enter(qtbot: QtBot, window: QWidget, field: str) -> None:
    qtbot.keyClick(find(window, QLineEdit, field), Qt.Key.Key_Return)


def until_it_waits(qtbot: QtBot, window: QWidget, field: str, text: str, button: str, sentence: str) -> None:
    """Enter `text` until the window makes the user wait."""
    at = field.removesuffix("_password") if field.startswith("sign_in_again") else field
    for _ in range(3):
        fill(qtbot, window, **{field: text})
        enter(qtbot, window, field)
        qtbot.waitUntil(lambda: sentence in error(window, at))
        if not find(window, QAbstractButton, button).isEnabled():
            break
    assert "Try again in" in error(window, at)


def test_enter_at_the_log_in_is_remembered(qtbot: QtBot, window: MainWindow, owner: Account) -> None:
    start(qtbot, window)
    until_it_waits(qtbot, window, "password_field", _WRONG, "submit_button", "Wrong")
    fill(qtbot, window, password_field=OLD)
    assert "Wrong" not in error(window, "password_field")  # that was about the other text
    enter(qtbot, window, "password_field")
    assert error(window, "password_field").startswith("Bahi tries it in")
    qtbot.waitUntil(lambda: window.signed_in)


def test_a_text_that_changes_after_enter_is_not_tried(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: Account
) -> None:
    start(qtbot, window)
    until_it_waits(qtbot, window, "password_field", _WRONG, "submit_button", "Wrong")
    fill(qtbot, window, password_field="half of i")
    enter(qtbot, window, "password_field")
    qtbot.keyClicks(find(window, QLineEdit, "password_field"), "t")
    tried = fake.book.calls.count("sign_in_local")
    qtbot.waitUntil(find(window, QAbstractButton, "submit_button").isEnabled)
    assert not error(window, "password_field")
    assert fake.book.calls.count("sign_in_local") == tried


def test_enter_at_the_forgotten_password_is_remembered(
    qtbot: QtBot, window: MainWindow, owner: Account
) -> None:
    code = give_code(owner)
    dialog = open_forgotten(qtbot, window)
    wrong = give_code(Account("Somebody Else", OLD))
    fill(qtbot, dialog, forgotten_new=NEW, forgotten_again=NEW)
    until_it_waits(qtbot, dialog, "forgotten_code", wrong, "forgotten_submit", "code")
    fill(qtbot, dialog, forgotten_code=code)
    enter(qtbot, dialog, "forgotten_code")
    qtbot.waitUntil(lambda: window.signed_in)


def _again(qtbot: QtBot, window: MainWindow, fake: FakeServices) -> None:
    fake.book.sessions.clear()
    window.sync.send_now()
    qtbot.waitUntil(window.book.again.isVisible)
    until_it_waits(qtbot, window, "sign_in_again_password", _WRONG, "sign_in_again_submit", "rong")
    fill(qtbot, window, sign_in_again_password=OLD)
    enter(qtbot, window, "sign_in_again_password")
    qtbot.waitUntil(lambda: not window.book.again.isVisible())


def _change(qtbot: QtBot, window: MainWindow, fake: FakeServices) -> None:
    account = open_account(qtbot, window)
    wait = SignInError("Wait.", fields={"oldPassword": "Wrong."}, detail={"retryAfter": 1})
    fake.book.errors["change_password"] = wait
    fill(qtbot, account, new_password_field=NEW, again_password_field=NEW)
    until_it_waits(qtbot, account, "old_password_field", _WRONG, "password_save", "Wrong")
    del fake.book.errors["change_password"]
    fill(qtbot, account, old_password_field=OLD)
    enter(qtbot, account, "old_password_field")
    qtbot.waitUntil(lambda: not find(account, QLineEdit, "old_password_field").text())


def _new_code(qtbot: QtBot, window: MainWindow, fake: FakeServices) -> None:
    account = open_account(qtbot, window)
    qtbot.waitUntil(find(account, QAbstractButton, "account_new_code").isVisible)
    click(qtbot, account, "account_new_code")
    wait = SignInError("Wait.", fields={"password": "Wrong."}, detail={"retryAfter": 1})
    fake.book.errors["replace_code"] = wait
    until_it_waits(qtbot, account, "new_code_password", _WRONG, "new_code_submit", "Wrong")
    del fake.book.errors["replace_code"]
    fill(qtbot, account, new_code_password=OLD)
    enter(qtbot, account, "new_code_password")
    qtbot.waitUntil(lambda: is_open(account, "recovery_code_dialog"))


@pytest.mark.parametrize("place", [_again, _change, _new_code])
def test_enter_in_the_open_book_is_remembered(
    qtbot: QtBot,
    window: MainWindow,
    fake: FakeServices,
    owner: Account,
    place: Callable[[QtBot, MainWindow, FakeServices], None],
) -> None:
    start(qtbot, window)
    fill(qtbot, window, password_field=OLD)
    enter(qtbot, window, "password_field")
    qtbot.waitUntil(lambda: window.signed_in)
    place(qtbot, window, fake)
