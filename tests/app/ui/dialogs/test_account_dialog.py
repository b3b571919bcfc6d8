"""The account: sessions, the password, signing out."""

from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import OfflineError
from app.services.session_facts import OpenSession
from app.services.this_computer import this_device
from app.ui.dialogs.account_dialog import AccountDialog
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.pieces import ElidedLabel
from tests.app.ui.conftest import Person
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


def row_texts(card: QWidget) -> list[str]:
    return [each.text() for each in card.findChildren(ElidedLabel)]


def test_a_session_is_named_by_computer_system_last_use_and_place(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices
) -> None:
    account = fake.accounts.computer.own
    assert account is not None
    now = datetime.now(UTC)
    began = OpenSession(
        "family-x",
        "counter-pc · Windows 11",
        now - timedelta(days=3),
        now - timedelta(seconds=30),
        this_one=False,
        address="203.0.113.7",
        region="ap-south-1",
    )
    fake.book.sessions["family-x"] = account, began
    dialog.load()
    qtbot.waitUntil(lambda: len(dialog.list.cards()) == 3)
    card = dialog.list.cards()[0]
    assert row_texts(card) == [
        "counter-pc · Windows 11",
        "Last used just now",
        "Signed in 3 days ago from the network address 203.0.113.7",
    ]
    assert "ap-south-1" in card.toolTip()  # no word for a shop owner
    marks = [each.text() for each in dialog.list.cards()[-1].findChildren(QLabel)]
    assert "this computer" in marks


def test_ending_a_session_asks_and_says_what_happens(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices, person: Person
) -> None:
    person.agrees = False
    end = dialog.list.cards()[0].findChild(QPushButton, "session_end")
    assert isinstance(end, QPushButton)
    qtbot.mouseClick(end, Qt.MouseButton.LeftButton)
    assert person.questions == ["Sign out shop counter?"]
    assert person.explanations == [
        "shop counter will be signed out within a minute. Entries that it has not sent stay on that computer."
    ]
    assert len(fake.accounts.sessions()) == 2
    assert "end_session" not in fake.book.calls


def test_all_other_sessions_can_be_ended_at_once(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices, person: Person, book: MainWindow
) -> None:
    assert fake.accounts.computer.own is not None
    fake.book.begin_session(fake.accounts.computer.own, "laptop")
    dialog.load()
    qtbot.waitUntil(lambda: len(dialog.list.cards()) == 3)
    qtbot.mouseClick(dialog.sessions.others_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: len(dialog.list.cards()) == 1)
    assert [each.this_one for each in fake.accounts.sessions()] == [True]
    assert person.questions == ["Sign out all other computers?"]
    assert person.explanations[0].startswith("2 other computers will be signed out within a minute.")
    assert not dialog.sessions.others_button.isVisible()  # nothing is left to end
    assert book.signed_in


def test_signing_out_everywhere_ends_this_session_last(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices, person: Person, book: MainWindow
) -> None:
    person.agrees = False
    qtbot.mouseClick(dialog.sessions.everywhere_button, Qt.MouseButton.LeftButton)
    assert len(fake.accounts.sessions()) == 2
    person.agrees = True
    qtbot.mouseClick(dialog.sessions.everywhere_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not book.signed_in)
    assert fake.book.sessions == {}
    assert person.questions[0] == "Sign out everywhere?"


def test_if_another_session_cannot_be_ended_this_one_is_not_either(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices, book: MainWindow
) -> None:
    fake.book.errors["end_session"] = OfflineError()
    qtbot.mouseClick(dialog.sessions.everywhere_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "cannot be reached" in dialog.banner.text())
    assert book.signed_in


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


def test_earlier_starts_of_this_computer_are_not_listed(
    qtbot: QtBot, dialog: AccountDialog, fake: FakeServices, tasks: Tasks
) -> None:
    own = fake.accounts.computer.own
    assert own is not None
    for _ in range(3):
        fake.book.begin_session(own, this_device())
    dialog.load()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert len(dialog.list.cards()) == 2  # this one, and the shop counter
    fake.accounts.end_other_sessions()
    fake.book.begin_session(own, this_device())
    dialog.load()
    qtbot.waitUntil(lambda: not dialog.sessions.isVisible())


def test_enter_in_the_account_that_was_just_opened_does_not_sign_out(
    qtbot: QtBot, dialog: AccountDialog, book: MainWindow, tasks: Tasks
) -> None:
    assert "password" in book.sidebar.user_button.toolTip()
    qtbot.keyClick(dialog.focusWidget() or dialog, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert book.signed_in
