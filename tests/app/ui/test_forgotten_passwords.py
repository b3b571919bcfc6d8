"""A forgotten password, through the real windows: the code, the way back, the wait, and a server's link."""

import threading
from pathlib import Path
from typing import TypeVar

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QCheckBox, QDialog, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.book_location import LOCATION_KEY
from app.domain.bounds import MAX_PASSWORD
from app.ui.main_window import MainWindow
from app.ui.views.login_view import ADDRESS_KEY, USER_KEY
from app.ui.widgets.wait_countdown import wait_text
from server.contract.join import InviteLink, make_link
from server.contract.recovery_codes import read_code
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices
from tests.support.fakes.book import FINGERPRINT, Account, give_code

W = TypeVar("W", bound=QWidget)
OLD, NEW = "correct horse", "a new and longer password"


def find(window: QWidget, kind: type[W], name: str) -> W:
    found = window.findChild(kind, name)
    assert isinstance(found, kind), name
    return found


def click(qtbot: QtBot, window: QWidget, name: str) -> None:
    qtbot.mouseClick(find(window, QAbstractButton, name), Qt.MouseButton.LeftButton)


def fill(qtbot: QtBot, window: QWidget, **texts: str) -> None:
    for name, text in texts.items():
        line = find(window, QLineEdit, name)
        line.setFocus()
        line.selectAll()
        qtbot.keyClick(line, Qt.Key.Key_Delete)
        qtbot.keyClicks(line, text)


def error(window: QWidget, name: str) -> str:
    return find(window, QLabel, f"{name}_error").text()


def is_open(window: QWidget, name: str) -> bool:
    return window.findChild(QDialog, name) is not None


def start(qtbot: QtBot, window: MainWindow) -> None:
    window.start()
    qtbot.waitUntil(lambda: not window.login.card.progress_label.text())


@pytest.fixture
def owner(fake: FakeServices) -> Account:
    """The book on this computer has a password, and no recovery code yet."""
    fake.accounts.computer.own = made = Account("Asha Rao", OLD)
    return made


def open_forgotten(qtbot: QtBot, window: MainWindow) -> QDialog:
    start(qtbot, window)
    click(qtbot, window, "forgot_button")
    return find(window, QDialog, "forgotten_dialog")


# --- the code is shown once -----------------------------------------------------------------------


def test_at_the_first_start_the_field_says_what_helps_and_the_code_is_shown_once(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, person: Person, tmp_path: Path
) -> None:
    start(qtbot, window)
    note = find(window, QLabel, "password_note")
    assert not note.isVisible()  # for a book without a password there is nothing to know
    fill(qtbot, window, password_field=OLD)
    assert note.isVisible()
    assert "recovery code" in note.text()
    qtbot.keyClick(find(window, QLineEdit, "password_field"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: is_open(window, "recovery_code_dialog"))
    dialog = find(window, QDialog, "recovery_code_dialog")
    code = find(dialog, QLineEdit, "recovery_code").text()
    own = fake.accounts.computer.own
    assert own is not None
    assert read_code(code) == own.recovery_code
    click(qtbot, dialog, "recovery_code_copy")
    assert QGuiApplication.clipboard().text() == code
    person.save_path = tmp_path / "code.txt"
    click(qtbot, dialog, "recovery_code_save")
    banner = find(dialog, QLabel, "recovery_code_banner_text")
    qtbot.waitUntil(lambda: "Saved" in banner.text())
    assert code in person.save_path.read_text(encoding="utf-8")
    assert person.save_path.stat().st_mode & 0o077 == 0
    person.save_path = tmp_path / "nowhere" / "code.txt"
    click(qtbot, dialog, "recovery_code_save")
    qtbot.waitUntil(lambda: "nowhere" in banner.text())
    click(qtbot, dialog, "recovery_code_kept")
    qtbot.waitUntil(lambda: not is_open(window, "recovery_code_dialog"))
    assert window.signed_in


def test_the_code_can_be_left_after_a_sentence(qtbot: QtBot, window: MainWindow) -> None:
    start(qtbot, window)
    fill(qtbot, window, password_field=OLD)
    click(qtbot, window, "submit_button")
    qtbot.waitUntil(lambda: is_open(window, "recovery_code_dialog"))
    dialog = find(window, QDialog, "recovery_code_dialog")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert "Without this code" in find(dialog, QLabel, "recovery_code_banner_text").text()
    assert dialog.isVisible()
    assert find(dialog, QAbstractButton, "recovery_code_skip").text() == "Close without it"
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not is_open(window, "recovery_code_dialog"))


def test_a_book_without_a_password_gets_no_code(qtbot: QtBot, window: MainWindow) -> None:
    start(qtbot, window)
    click(qtbot, window, "submit_button")
    qtbot.waitUntil(lambda: window.signed_in)
    assert not is_open(window, "recovery_code_dialog")


# --- with the code --------------------------------------------------------------------------------


def test_with_the_code_the_owner_chooses_a_new_password_and_is_in(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: Account
) -> None:
    code = give_code(owner)
    dialog = open_forgotten(qtbot, window)
    typed = code.lower().replace("-", " ")
    fill(qtbot, dialog, forgotten_code=typed, forgotten_new=NEW, forgotten_again=NEW)
    qtbot.keyClick(find(dialog, QLineEdit, "forgotten_again"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.signed_in)
    assert owner.password == NEW
    shown = find(window, QLineEdit, "recovery_code").text()  # the next one, once
    assert read_code(shown) == owner.recovery_code != read_code(code)
    assert fake.recovery.take_code() == ""


def test_the_dialog_stays_until_the_next_code_has_come(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, owner: Account
) -> None:
    answer = threading.Event()
    fake.book.gates["recover"] = lambda: answer.wait(60)
    code = give_code(owner)
    dialog = open_forgotten(qtbot, window)
    fill(qtbot, dialog, forgotten_code=code, forgotten_new=NEW, forgotten_again=NEW)
    click(qtbot, dialog, "forgotten_submit")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    dialog.close()
    assert dialog.isVisible()
    answer.set()
    qtbot.waitUntil(lambda: window.signed_in)
    assert read_code(find(window, QLineEdit, "recovery_code").text()) == owner.recovery_code


def test_each_mistake_is_told_at_its_field_and_what_was_typed_stays(
    qtbot: QtBot, window: MainWindow, owner: Account
) -> None:
    code = give_code(owner)
    dialog = open_forgotten(qtbot, window)
    click(qtbot, dialog, "forgotten_submit")
    assert error(dialog, "forgotten_new")
    fill(qtbot, dialog, forgotten_code=code, forgotten_new=NEW, forgotten_again="another password")
    click(qtbot, dialog, "forgotten_submit")
    assert "not the same" in error(dialog, "forgotten_again")
    fill(qtbot, dialog, forgotten_again=NEW, forgotten_code=code[:-1])
    click(qtbot, dialog, "forgotten_submit")
    qtbot.waitUntil(lambda: "here are 24" in error(dialog, "forgotten_code"))
    assert not error(dialog, "forgotten_again")
    assert find(dialog, QLineEdit, "forgotten_new").text() == NEW
    fill(qtbot, dialog, forgotten_code=code, forgotten_new="short", forgotten_again="short")
    qtbot.waitUntil(find(dialog, QAbstractButton, "forgotten_submit").isEnabled)
    click(qtbot, dialog, "forgotten_submit")
    qtbot.waitUntil(lambda: "at least 8" in error(dialog, "forgotten_new"))
    label = find(dialog, QLabel, "forgotten_new_error")
    assert label.height() >= label.heightForWidth(label.width())  # the dialog has grown


def test_without_a_code_the_dialog_says_what_remains(
    qtbot: QtBot, window: MainWindow, owner: Account
) -> None:
    assert not owner.recovery_code
    dialog = open_forgotten(qtbot, window)
    assert "no recovery code" in find(dialog, QLabel, "forgotten_what").text()
    assert "does not encrypt" in find(dialog, QLabel, "forgotten_how").text()
    assert not find(dialog, QLineEdit, "forgotten_code").isVisible()
    click(qtbot, dialog, "forgotten_copy")
    assert "user reset --data" in QGuiApplication.clipboard().text()


def test_who_lost_the_code_finds_the_other_way(qtbot: QtBot, window: MainWindow, owner: Account) -> None:
    give_code(owner)
    dialog = open_forgotten(qtbot, window)
    assert not find(dialog, QLineEdit, "forgotten_command").isVisible()
    click(qtbot, dialog, "forgotten_no_code")
    assert find(dialog, QLineEdit, "forgotten_command").isVisible()


def test_escape_says_first_that_what_was_typed_would_be_lost(
    qtbot: QtBot, window: MainWindow, owner: Account
) -> None:
    give_code(owner)
    dialog = open_forgotten(qtbot, window)
    fill(qtbot, dialog, forgotten_code="ABCDE", forgotten_new=NEW)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert "lost" in find(dialog, QLabel, "forgotten_banner_text").text()
    assert dialog.isVisible()
    assert find(dialog, QLineEdit, "forgotten_new").text() == NEW
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not is_open(window, "forgotten_dialog"))


# --- the wait -------------------------------------------------------------------------------------


def test_a_wrong_password_waits_seconds_that_are_counted_down_and_then_the_right_one_opens(
    qtbot: QtBot, window: MainWindow, owner: Account
) -> None:
    start(qtbot, window)
    submit = find(window, QAbstractButton, "submit_button")
    for _ in range(2):
        fill(qtbot, window, password_field="wrong password")
        click(qtbot, window, "submit_button")
        qtbot.waitUntil(lambda: "Wrong password." in error(window, "password_field"))
    assert error(window, "password_field") == "Wrong password. Try again in 1 s."
    assert not submit.isEnabled()
    fill(qtbot, window, password_field=OLD)  # may be typed meanwhile
    qtbot.keyClick(find(window, QLineEdit, "password_field"), Qt.Key.Key_Return)
    assert not window.signed_in
    qtbot.waitUntil(lambda: window.signed_in)


def test_a_wait_of_a_server_is_counted_down_too_and_ends_with_another_location(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    fake.settings.set(LOCATION_KEY, "server")
    fake.settings.set(ADDRESS_KEY, "https://books.example")
    start(qtbot, window)
    for _ in range(21):
        fake.book.accounts["asha"].devices.clear()
        fill(qtbot, window, user_name_field="asha", password_field="w")
        click(qtbot, window, "submit_button")
        qtbot.waitUntil(lambda: not window.login.card.progress_label.text())
        if not find(window, QAbstractButton, "submit_button").isEnabled():
            break
    assert "Try again in 90 s." in error(window, "password_field")
    assert not find(window, QWidget, "login_banner").isVisible()
    click(qtbot, window, "place_local")
    qtbot.waitUntil(find(window, QAbstractButton, "submit_button").isEnabled)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "in 1 s."), (42, "in 42 s."), (119, "in 119 s."), (120, "in 2 minutes."), (121, "in 3 minutes.")],
)
def test_the_wait_is_said_in_seconds_and_then_in_minutes(seconds: int, said: str) -> None:
    assert said in wait_text(seconds)


# --- a book on a server ---------------------------------------------------------------------------


@pytest.fixture
def at_server(fake: FakeServices) -> FakeServices:
    fake.settings.set(LOCATION_KEY, "server")
    fake.settings.set(ADDRESS_KEY, "https://books.example")
    return fake


def test_the_operators_contact_is_named_as_plain_text(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices
) -> None:
    at_server.book.contact = "<b>Meera</b>, 98450 12345"
    dialog = open_forgotten(qtbot, window)
    what = find(dialog, QLabel, "forgotten_what")
    qtbot.waitUntil(lambda: "<b>Meera</b>, 98450 12345" in what.text())
    assert what.textFormat() == Qt.TextFormat.PlainText


@pytest.mark.parametrize("around", ["{}", "Hello Asha,\nhere it is: <{}>\nMeera", "\u2066{}\u2069"])
def test_with_a_link_a_new_password_is_set_and_the_book_opens(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices, around: str
) -> None:
    account = at_server.book.accounts["asha"]
    link = at_server.book.make_reset(account)
    dialog = open_forgotten(qtbot, window)
    QGuiApplication.clipboard().setText(around.format(link))
    line = find(dialog, QLineEdit, "forgotten_link")
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    fill(qtbot, dialog, forgotten_new=NEW, forgotten_again=NEW)
    click(qtbot, dialog, "forgotten_submit")
    qtbot.waitUntil(lambda: window.signed_in)
    assert account.password == NEW
    assert not is_open(window, "recovery_code_dialog")  # a server has no codes
    assert at_server.settings.get(USER_KEY, "") == "asha"


def test_a_link_that_was_used_and_what_is_no_link_are_told_at_the_field(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices
) -> None:
    link = at_server.book.make_reset(at_server.book.accounts["asha"])
    at_server.book.resets.clear()
    dialog = open_forgotten(qtbot, window)
    for typed, said in (("hello", "not the link"), (link, "used already")):
        fill(qtbot, dialog, forgotten_link=typed, forgotten_new=NEW, forgotten_again=NEW)
        click(qtbot, dialog, "forgotten_submit")
        qtbot.waitUntil(lambda said=said: said in error(dialog, "forgotten_link"))
        qtbot.waitUntil(find(dialog, QAbstractButton, "forgotten_submit").isEnabled)
    assert not window.signed_in


def paste(qtbot: QtBot, line: QLineEdit, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)


@pytest.mark.parametrize("name", ["address_field", "user_name_field", "password_field", "invite_field"])
def test_a_link_for_a_new_password_opens_its_dialog_whichever_field_it_is_pasted_into(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices, name: str
) -> None:
    account = at_server.book.accounts["asha"]
    link = at_server.book.make_reset(account)
    start(qtbot, window)
    click(qtbot, window, "create_button")
    paste(qtbot, find(window, QLineEdit, name), f"Hello Asha,\nhere it is: <{link}>\nMeera")
    dialog = find(window, QDialog, "forgotten_dialog")
    assert find(dialog, QLineEdit, "forgotten_link").text() == link
    assert "sets a new password" in find(dialog, QLabel, "forgotten_what").text()
    assert find(window, QLineEdit, "address_field").text() == "https://books.example"
    assert find(window, QLineEdit, "password_field").text() == ""
    fill(qtbot, dialog, forgotten_new=NEW, forgotten_again=NEW)
    qtbot.keyClick(find(dialog, QLineEdit, "forgotten_again"), Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.signed_in)
    assert account.password == NEW


def test_a_link_for_a_new_password_pasted_at_the_first_start_opens_its_dialog(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    link = fake.book.make_reset(fake.book.accounts["asha"])
    start(qtbot, window)
    paste(qtbot, find(window, QLineEdit, "password_field"), link)
    dialog = find(window, QDialog, "forgotten_dialog")
    assert find(dialog, QLineEdit, "forgotten_link").text() == link
    click(qtbot, dialog, "forgotten_cancel")
    assert window.login.location == "server"
    assert find(window, QLineEdit, "address_field").text() == "https://books.example"


def test_a_typed_link_for_a_new_password_opens_its_dialog_once(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices
) -> None:
    link = at_server.book.make_reset(at_server.book.accounts["asha"])
    start(qtbot, window)
    fill(qtbot, window, address_field=link)
    qtbot.keyClick(find(window, QLineEdit, "address_field"), Qt.Key.Key_Return)
    assert len(window.findChildren(QDialog, "forgotten_dialog")) == 1
    assert find(window, QLineEdit, "forgotten_link").text() == link


def a_link(address: str = "https://books.example", key: str = FINGERPRINT) -> str:
    return make_link(InviteLink(address, key, "reset.0123456789abcdef.code"), "reset")


def say_new(qtbot: QtBot, dialog: QWidget) -> None:
    fill(qtbot, dialog, forgotten_new=NEW, forgotten_again=NEW)
    qtbot.keyClick(find(dialog, QLineEdit, "forgotten_again"), Qt.Key.Key_Return)


def test_the_dialog_says_where_the_new_password_will_be_sent(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices
) -> None:
    dialog = open_forgotten(qtbot, window)
    paste(qtbot, find(dialog, QLineEdit, "forgotten_link"), a_link())
    host = find(dialog, QLabel, "forgotten_host")
    qtbot.waitUntil(host.isVisible)
    assert "books.example" in host.text()
    assert not find(dialog, QCheckBox, "forgotten_agree").isVisible()


@pytest.mark.parametrize(
    ("link", "said", "name"),
    [
        (a_link("https://evil.example"), ("evil.example", "books.example"), "forgotten_link"),
        (a_link("https://evil.example"), ("evil.example", "books.example"), "address_field"),
        (a_link("https://evil.example"), ("evil.example", "books.example"), "password_field"),
        (a_link("https://books.example:8443"), ("books.example:8443", "books.example"), "forgotten_link"),
        (
            a_link("https://b\u043e\u043eks.example"),
            ("xn--bks-seda.example", "books.example"),
            "address_field",
        ),
        (a_link(key="cd" * 32), ("another key",), "forgotten_link"),
        (a_link(key="cd" * 32), ("another key",), "password_field"),
    ],
)
def test_a_link_for_another_server_sends_nothing_until_the_user_agrees(
    qtbot: QtBot,
    window: MainWindow,
    at_server: FakeServices,
    link: str,
    said: tuple[str, ...],
    name: str,
) -> None:
    if name == "forgotten_link":
        dialog = open_forgotten(qtbot, window)
        paste(qtbot, find(dialog, QLineEdit, name), link)
    else:
        start(qtbot, window)
        paste(qtbot, find(window, QLineEdit, name), link)
        dialog = find(window, QDialog, "forgotten_dialog")
    say_new(qtbot, dialog)  # at once, before the dialog has found out where the link goes
    qtbot.waitUntil(lambda: error(dialog, "forgotten_link") != "")
    agree = find(dialog, QCheckBox, "forgotten_agree")
    qtbot.waitUntil(agree.isVisible)
    doubt = find(dialog, QLabel, "forgotten_doubt_text").text()
    assert [part for part in said if part not in doubt] == []
    qtbot.waitUntil(find(dialog, QAbstractButton, "forgotten_submit").isEnabled)
    say_new(qtbot, dialog)
    assert "Nothing was sent" in error(dialog, "forgotten_link")
    assert "reset" not in at_server.book.calls
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert find(window, QLineEdit, "address_field").text() == "https://books.example"
    assert at_server.settings.get(ADDRESS_KEY, "") == "https://books.example"


def test_a_user_who_agrees_signs_in_at_the_other_server_and_an_edit_of_the_link_asks_again(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices
) -> None:
    at_server.settings.set(ADDRESS_KEY, "https://old.example")
    account = at_server.book.accounts["asha"]
    link = at_server.book.make_reset(account)
    dialog = open_forgotten(qtbot, window)
    line, agree = find(dialog, QLineEdit, "forgotten_link"), find(dialog, QCheckBox, "forgotten_agree")
    paste(qtbot, line, link)
    qtbot.waitUntil(agree.isVisible)
    qtbot.keyClick(agree, Qt.Key.Key_Space)
    assert agree.isChecked()
    line.clear()
    assert not agree.isVisible()
    paste(qtbot, line, link)
    qtbot.waitUntil(agree.isVisible)
    assert not agree.isChecked()
    assert "books.example" in agree.text()
    qtbot.keyClick(agree, Qt.Key.Key_Space)
    say_new(qtbot, dialog)
    qtbot.waitUntil(lambda: window.signed_in)
    assert account.password == NEW


@pytest.mark.parametrize("name", ["forgotten_link", "forgotten_new"])
def test_a_mail_of_any_length_is_read_in_the_dialog_for_a_new_password(
    qtbot: QtBot, window: MainWindow, at_server: FakeServices, name: str
) -> None:
    link = at_server.book.make_reset(at_server.book.accounts["asha"])
    dialog = open_forgotten(qtbot, window)
    paste(qtbot, find(dialog, QLineEdit, name), "Received: by mail\n" * 3_000 + link)
    assert find(dialog, QLineEdit, "forgotten_link").text() == link
    assert find(dialog, QLineEdit, "forgotten_new").text() == ""


# --- the account ----------------------------------------------------------------------------------


def open_account(qtbot: QtBot, window: MainWindow) -> QDialog:
    qtbot.waitUntil(lambda: window.signed_in)
    qtbot.mouseClick(window.sidebar.user_button, Qt.MouseButton.LeftButton)
    return find(window, QDialog, "account_dialog")


def test_the_account_says_what_helps_and_the_first_password_shows_a_code(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    fake.accounts.computer.own = own = Account("Asha Rao")
    window.start()
    account = open_account(qtbot, window)
    assert "recovery code" in find(account, QLabel, "password_form_note").text()
    assert not find(account, QAbstractButton, "account_new_code").isVisible()
    fill(qtbot, account, new_password_field=NEW, again_password_field=NEW)
    click(qtbot, account, "password_save")
    qtbot.waitUntil(lambda: is_open(account, "recovery_code_dialog"))
    assert read_code(find(account, QLineEdit, "recovery_code").text()) == own.recovery_code
    click(qtbot, account, "recovery_code_kept")
    qtbot.waitUntil(find(account, QAbstractButton, "account_new_code").isVisible)


def test_a_new_code_is_made_with_the_password_only(qtbot: QtBot, window: MainWindow, owner: Account) -> None:
    before = give_code(owner)
    start(qtbot, window)
    fill(qtbot, window, password_field=OLD)
    click(qtbot, window, "submit_button")
    account = open_account(qtbot, window)
    new_code = find(account, QAbstractButton, "account_new_code")
    qtbot.waitUntil(new_code.isVisible)
    click(qtbot, account, "account_new_code")
    fill(qtbot, account, new_code_password="wrong password")
    click(qtbot, account, "new_code_submit")
    qtbot.waitUntil(lambda: "Wrong password" in error(account, "new_code_password"))
    assert read_code(before) == owner.recovery_code
    fill(qtbot, account, new_code_password=OLD)
    click(qtbot, account, "new_code_submit")
    qtbot.waitUntil(lambda: is_open(account, "recovery_code_dialog"))
    shown = find(account, QLineEdit, "recovery_code").text()
    assert read_code(shown) == owner.recovery_code != read_code(before)


def test_a_password_that_is_too_long_is_not_sent(qtbot: QtBot, window: MainWindow, owner: Account) -> None:
    code = give_code(owner)
    dialog = open_forgotten(qtbot, window)
    long = "x" * (MAX_PASSWORD + 1)
    for name in ("forgotten_new", "forgotten_again"):
        find(dialog, QLineEdit, name).setText(long)
    fill(qtbot, dialog, forgotten_code=code)
    click(qtbot, dialog, "forgotten_submit")
    assert "At most" in error(dialog, "forgotten_new")
    assert owner.password == OLD
