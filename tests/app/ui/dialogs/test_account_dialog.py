"""The account: sessions, the password, signing out."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from app.errors import OfflineError
from app.ui.dialogs.account_dialog import AccountDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices


@pytest.fixture
def owner(fake: FakeServices) -> None:
    """The book has a password, and is open on another computer too."""
    fake.accounts.sign_in_local("Asha Rao", "correct horse", remember=True)
    assert fake.accounts.computer.own is not None
    fake.book.begin_session(fake.accounts.computer.own, "shop counter")


@pytest.fixture
def dialog(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> AccountDialog:
    qtbot.mouseClick(book.sidebar.user_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tasks.busy)
    found = book.findChild(AccountDialog, "account_dialog")
    assert isinstance(found, AccountDialog)
    return found


def change(dialog: AccountDialog, old: str, new: str, again: str) -> None:
    form = dialog.password
    form.old.setText(old)
    form.new.setText(new)
    form.again.setText(again)
    form.save()


def test_the_sessions_are_listed_and_another_one_can_be_ended(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices
) -> None:
    newest, first = dialog.list.cards()
    assert first.findChild(QPushButton, "session_end") is None  # this one
    end = newest.findChild(QPushButton, "session_end")
    assert isinstance(end, QPushButton)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(dialog.list.cards()) == 1)
    assert [each.this_one for each in fake.accounts.sessions()] == [True]


def test_without_a_server_an_error_is_shown(qtbot: QtBot, dialog: AccountDialog, fake: FakeServices) -> None:
    fake.book.errors["sessions"] = OfflineError()
    dialog.load()
    qtbot.waitUntil(lambda: "cannot be reached" in dialog.banner.text())


def test_a_mistyped_new_password_is_not_sent(dialog: AccountDialog, fake: FakeServices) -> None:
    change(dialog, "correct horse", "long enough", "long enuff")
    assert dialog.password.fields["again"].error_text
    assert "change_password" not in fake.book.calls


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [("wrong", "long enough", "oldPassword"), ("correct horse", "short", "newPassword")],
)
def test_each_error_is_shown_at_its_field(
    qtbot: QtBot, dialog: AccountDialog, old: str, new: str, field: str
) -> None:
    change(dialog, old, new, new)
    qtbot.waitUntil(lambda: bool(dialog.password.fields[field].error_text))
    assert dialog.password.save_button.isEnabled()


def test_after_a_password_change_the_number_of_ended_sessions_is_shown(
    qtbot: QtBot, dialog: AccountDialog
) -> None:
    change(dialog, "correct horse", "long enough", "long enough")
    qtbot.waitUntil(lambda: dialog.banner.text() == "Your password was changed. 1 other session ended.")
    assert dialog.password.old.text() == ""


def test_sign_out_closes_the_dialog_and_signs_out(
    qtbot: QtBot, dialog: AccountDialog, book: MainWindow
) -> None:
    qtbot.mouseClick(dialog.sign_out_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not book.signed_in)
