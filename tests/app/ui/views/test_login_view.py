"""Login: first start, a book with and without a password, a server, and errors where they belong."""

import threading

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.domain.book_location import LOCATION_KEY
from app.errors import InputError, OfflineError
from app.services.accounts import LocalBookFacts
from app.services.login import read_invite
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.login_card import NO_KEY_STORE
from app.ui.views.login_view import ADDRESS_KEY, REMEMBER_KEY, LoginView
from server.contract import join
from tests.support.fake_services import FakeServices
from tests.support.fakes.book import Account


@pytest.fixture
def login(window: MainWindow) -> LoginView:
    return window.login


def at_rest(qtbot: QtBot, login: LoginView) -> None:
    qtbot.waitUntil(lambda: not login.card.progress_label.text())


def error(login: LoginView, name: str) -> str:
    label = login.findChild(QLabel, f"{name}_error")
    assert label is not None
    return label.text()


def test_the_progress_is_shown_while_the_local_server_starts(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    gate = threading.Event()
    fake.book.gates["local_book"] = lambda: gate.wait(60)
    window.start()
    assert login.card.progress_label.text() == "Opening your book…"
    assert not login.card.submit_button.isVisible()
    window.show()
    qtbot.waitUntil(lambda: login.card.height() > 100)  # the sentence is on the screen, not only in a label
    assert login.card.progress_label.visibleRegion().boundingRect().height() > 10
    gate.set()
    at_rest(qtbot, login)


def test_the_first_start_creates_the_book_with_the_users_name(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    window.start()
    at_rest(qtbot, login)
    assert login.card.title.text() == "Start your book"
    assert login.card.submit_button.text() == "Start"
    assert login.card.user_name.text() == "asha"
    with qtbot.waitSignal(login.signed_in):
        login.submit()
    assert fake.accounts.local_book() == LocalBookFacts(True, "asha", False)
    assert window.signed_in


def test_the_first_start_requires_a_name(qtbot: QtBot, window: MainWindow, login: LoginView) -> None:
    window.start()
    at_rest(qtbot, login)
    login.card.user_name.clear()
    login.submit()
    assert error(login, "user_name_field") == "Enter your name."


def test_a_book_without_a_password_opens_at_once(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    fake.accounts.computer.own = Account("asha")
    with qtbot.waitSignal(login.signed_in):
        window.start()


def test_a_book_with_a_password_asks_only_for_it(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    fake.accounts.computer.own = Account("asha", "open sesame")
    window.start()
    at_rest(qtbot, login)
    assert login.card.password.isVisible()
    assert not login.card.user_name.isVisible()
    login.card.password.setText("wrong")
    login.submit()
    qtbot.waitUntil(lambda: bool(error(login, "password_field")))
    login.card.password.setText("open sesame")
    with qtbot.waitSignal(login.signed_in):
        qtbot.keyClick(login.card.password, Qt.Key.Key_Return)
    assert login.card.password.text() == ""


def test_a_failed_start_of_the_local_server_can_be_retried(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    fake.book.errors["local_book"] = OfflineError("The book could not be opened.")
    window.start()
    qtbot.waitUntil(lambda: login.card.banner.text() == "The book could not be opened.")
    fake.book.errors.clear()
    login.submit()
    qtbot.waitUntil(lambda: login.card.title.text() == "Start your book")


@pytest.fixture
def at_server(qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices) -> LoginView:
    fake.settings.set(LOCATION_KEY, "server")
    fake.settings.set(ADDRESS_KEY, "https://books.example.in")
    window.start()
    at_rest(qtbot, login)
    return login


def test_the_address_of_the_server_is_remembered(at_server: LoginView) -> None:
    assert at_server.card.address.text() == "https://books.example.in"
    assert at_server.card.user_name.hasFocus()


def test_each_empty_field_has_its_error(at_server: LoginView) -> None:
    at_server.card.address.clear()
    at_server.submit()
    assert error(at_server, "address_field")
    assert error(at_server, "user_name_field")
    assert error(at_server, "password_field")


def test_a_log_in_stores_the_address_and_the_choices(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("correct horse")
    at_server.card.remember.setChecked(True)
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert fake.settings.get(LOCATION_KEY) == "server"
    assert fake.settings.get(REMEMBER_KEY) == "yes"


def test_an_error_without_a_field_is_shown_in_the_banner(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    fake.book.registration = "closed"
    qtbot.mouseClick(at_server.card.create_button, Qt.MouseButton.LeftButton)
    at_server.card.user_name.setText("meera")
    at_server.card.password.setText("long enough")
    at_server.submit()
    qtbot.waitUntil(lambda: "Registration is closed" in at_server.card.banner.text())


def test_a_wrong_password_is_shown_at_its_field(qtbot: QtBot, at_server: LoginView) -> None:
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("wrong")
    at_server.submit()
    qtbot.waitUntil(lambda: bool(error(at_server, "password_field")))
    assert at_server.card.banner.text() == ""


def test_an_error_with_a_field_is_shown_under_it(qtbot: QtBot, at_server: LoginView) -> None:
    at_server.card.address.setText("not an address")
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("wrong")
    at_server.submit()
    qtbot.waitUntil(lambda: bool(error(at_server, "address_field")))
    assert at_server.card.banner.text() == ""


def test_an_account_can_be_created(qtbot: QtBot, at_server: LoginView, fake: FakeServices) -> None:
    qtbot.mouseClick(at_server.card.create_button, Qt.MouseButton.LeftButton)
    assert at_server.card.submit_button.text() == "Create account"
    at_server.card.user_name.setText("meera")
    at_server.card.password.setText("long enough")
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert "create_account" in fake.book.calls


def test_choosing_another_place_drops_a_late_answer(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices, tasks: Tasks
) -> None:
    gate = threading.Event()
    fake.accounts.computer.own = Account("asha")
    fake.book.gates["local_book"] = lambda: gate.wait(60)
    window.start()
    qtbot.waitUntil(lambda: "local_book" in fake.book.calls)
    place = window.findChild(QAbstractButton, "place_server")
    assert place is not None
    qtbot.mouseClick(place, Qt.MouseButton.LeftButton)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert not window.signed_in
    assert "sign_in_local" not in fake.book.calls
    assert login.card.address.isVisible()


def test_a_remembered_session_opens_at_once_even_without_a_server(
    qtbot: QtBot, window: MainWindow, login: LoginView, fake: FakeServices
) -> None:
    fake.settings.set(LOCATION_KEY, "server")
    fake.accounts.sign_in_remote(ADDRESS, "asha", "correct horse", remember=True)
    fake.accounts.session = None  # the program is started again
    fake.book.offline = True
    with qtbot.waitSignal(login.signed_in):
        window.start()
    assert window.signed_in
    assert "local_book" not in fake.book.calls


def test_the_choice_to_stay_signed_in_is_passed_on(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("correct horse")
    at_server.card.remember.setChecked(True)
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert fake.accounts.computer.remembered is not None


def test_without_a_key_store_a_hint_says_that_the_next_start_needs_a_log_in(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    at_server.card.remember.setChecked(True)
    assert not at_server.card.no_store.isVisible()
    fake.accounts.computer.store = "memory"
    at_server.start()
    qtbot.waitUntil(lambda: at_server.card.submit_button.isVisible())
    at_server.card.remember.setChecked(True)
    qtbot.waitUntil(at_server.card.no_store.isVisible)
    assert at_server.card.no_store.text() == NO_KEY_STORE
    at_server.card.remember.setChecked(False)
    assert not at_server.card.no_store.isVisible()


def test_the_invitation_field_is_shown_only_to_create_an_account(qtbot: QtBot, at_server: LoginView) -> None:
    assert not at_server.card.invite.isVisible()
    qtbot.mouseClick(at_server.card.create_button, Qt.MouseButton.LeftButton)
    assert at_server.card.invite.isVisible()


def test_no_text_of_the_card_is_cut(qtbot: QtBot, at_server: LoginView) -> None:
    at_server.card.set_key_store(False)
    at_server.card.remember.setChecked(True)
    at_server.card.show_errors(
        "", dict.fromkeys(("address", "userName", "password"), "A long sentence. " * 8)
    )
    labels = [field.error for field in at_server.card.fields.values() if field.isVisible()]
    assert len(labels) == 3
    qtbot.waitUntil(lambda: all(each.height() >= each.heightForWidth(each.width()) for each in labels))
    assert at_server.card.password.height() >= at_server.card.password.sizeHint().height()


# --- an invite link -----------------------------------------------------------------------------------

ADDRESS = "https://books.example.com"
LINK = join.make_link(join.InviteLink(ADDRESS, "ab" * 32, "once-only-code"))
BARE_LINK = join.make_link(join.InviteLink(ADDRESS, "ab" * 32))


def paste(login: LoginView, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    login.card.address.clear()
    login.card.address.paste()


def test_the_address_field_accepts_an_address_or_a_link(at_server: LoginView) -> None:
    assert at_server.card.fields["address"].label.text() == "Server address or invite link"
    assert at_server.card.address.maxLength() > join.MAX_LINK
    assert at_server.card.invite.maxLength() > join.MAX_LINK


def test_a_pasted_invitation_shows_the_form_to_create_an_account(qtbot: QtBot, at_server: LoginView) -> None:
    paste(at_server, LINK)
    card = at_server.card
    assert card.address.text() == ADDRESS
    assert card.invite.isVisible()
    assert card.invite.text() == "once-only-code"
    assert card.submit_button.text() == "Create account"
    assert card.banner.text() == "Invitation for books.example.com read. Create your account."
    assert card.banner.property("tone") == "good"
    qtbot.waitUntil(card.user_name.hasFocus)


def test_the_log_in_uses_the_whole_link(qtbot: QtBot, at_server: LoginView, fake: FakeServices) -> None:
    paste(at_server, LINK)
    at_server.card.user_name.setText("meera")
    at_server.card.password.setText("long enough")
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert fake.accounts.asked_at == LINK  # the fingerprint in it says whom to believe
    assert fake.settings.get(ADDRESS_KEY) == ADDRESS


def test_an_address_typed_over_the_link_is_used_instead(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    paste(at_server, BARE_LINK)
    at_server.card.address.setText("other.example.com")
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("correct horse")
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert fake.accounts.asked_at == "other.example.com"


def test_a_link_without_a_code_does_not_change_the_form(at_server: LoginView) -> None:
    paste(at_server, BARE_LINK)
    assert at_server.card.address.text() == ADDRESS
    assert at_server.card.submit_button.text() == "Sign in"
    assert at_server.card.banner.text() == "Server books.example.com found in the link. Now sign in."


def test_the_banner_says_which_address_a_link_has_replaced(at_server: LoginView) -> None:
    at_server.card.address.setText("https://old.example.com")
    QGuiApplication.clipboard().setText(LINK.replace("books.example.com", "b%D0%BE%D0%BEks.example"))
    at_server.card.address.selectAll()
    at_server.card.address.paste()
    said = at_server.card.banner.text()
    assert "Invitation for xn--bks-seda.example read. It replaces old.example.com" in said
    assert at_server.card.address.text() == "https://xn--bks-seda.example"


def test_an_address_with_letters_of_another_script_is_shown_as_it_is_called_before_anything_is_sent(
    qtbot: QtBot, at_server: LoginView, fake: FakeServices
) -> None:
    at_server.card.address.setText("b\u043e\u043eks.example")
    at_server.card.user_name.setText("asha")
    at_server.card.password.setText("correct horse")
    at_server.submit()
    assert at_server.card.address.text() == "https://xn--bks-seda.example"
    assert "xn--bks-seda.example" in error(at_server, "address_field")
    assert fake.accounts.asked_at == ""
    with qtbot.waitSignal(at_server.signed_in):
        at_server.submit()
    assert fake.accounts.asked_at == "https://xn--bks-seda.example"


def test_a_link_broken_into_lines_by_a_mail_program_is_read(at_server: LoginView) -> None:
    paste(at_server, f"{LINK[:60]}\n {LINK[60:]}\n")
    assert at_server.card.address.text() == ADDRESS


def test_a_damaged_link_is_shown_at_its_field(at_server: LoginView) -> None:
    paste(at_server, LINK[:70])
    with pytest.raises(InputError) as damaged:
        read_invite(LINK[:70])
    assert error(at_server, "address_field") == damaged.value.message
    assert at_server.card.submit_button.text() == "Sign in"


def test_a_typed_link_is_read_only_when_it_is_finished(qtbot: QtBot, at_server: LoginView) -> None:
    at_server.card.address.clear()
    qtbot.keyClicks(at_server.card.address, LINK[:-3])  # whole as far as it goes
    assert error(at_server, "address_field") == ""
    assert at_server.card.address.text() == LINK[:-3]
    qtbot.keyClicks(at_server.card.address, LINK[-3:])
    qtbot.keyClick(at_server.card.address, Qt.Key.Key_Return)
    assert at_server.card.invite.text() == "once-only-code"
    assert at_server.card.banner.text() != ""
