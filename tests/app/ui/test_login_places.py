"""The two locations of the log-in: what is typed for one is not seen at the other."""

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.domain.book_location import LOCATION_KEY
from app.errors import OfflineError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from server.contract import join
from tests.app.ui.test_forgotten_passwords import click, error, fill, find, start
from tests.support.fake_services import FakeServices
from tests.support.fakes.book import FINGERPRINT, Account

_BROKEN = join.make_link(join.InviteLink("https://books.example.in", FINGERPRINT, "once-only"))[:60]


def text(window: QWidget, name: str) -> str:
    return find(window, QLineEdit, name).text()


def test_a_name_and_a_password_stay_with_their_location(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    start(qtbot, window)
    click(qtbot, window, "place_server")
    fill(qtbot, window, user_name_field="ravi", password_field="of the server")
    click(qtbot, window, "place_local")
    qtbot.waitUntil(lambda: text(window, "user_name_field") == "asha")
    assert text(window, "password_field") == ""
    click(qtbot, window, "place_server")
    assert (text(window, "user_name_field"), text(window, "password_field")) == ("ravi", "of the server")
    click(qtbot, window, "place_local")
    qtbot.waitUntil(find(window, QAbstractButton, "submit_button").isVisible)
    assert text(window, "user_name_field") == "asha"
    click(qtbot, window, "submit_button")
    qtbot.waitUntil(lambda: window.signed_in)
    assert fake.accounts.computer.own is not None
    assert fake.accounts.computer.own.password == ""


@pytest.mark.parametrize("field", ["user_name_field", "password_field"])
@pytest.mark.parametrize("place", ["place_local", "place_server"])
def test_a_link_that_cannot_be_used_is_told_where_it_was_pasted(
    qtbot: QtBot, window: MainWindow, place: str, field: str
) -> None:
    start(qtbot, window)
    click(qtbot, window, place)
    qtbot.waitUntil(find(window, QLineEdit, field).isVisible)
    shown = find(window, QLineEdit, "address_field").isVisible()
    if shown:
        fill(qtbot, window, address_field="books.example.org")
    fill(qtbot, window, user_name_field="asha")
    QGuiApplication.clipboard().setText(_BROKEN)
    line = find(window, QLineEdit, field)
    line.setFocus()
    qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "incomplete" in error(window, field)
    assert not error(window, "address_field")
    assert text(window, "user_name_field") == "asha"
    assert find(window, QLineEdit, "address_field").isVisible() is shown
    assert not shown or text(window, "address_field") == "books.example.org"


@pytest.mark.parametrize("by_enter", [False, True])
def test_a_link_in_the_invitation_that_cannot_be_used_is_told_there(
    qtbot: QtBot, window: MainWindow, by_enter: bool
) -> None:
    start(qtbot, window)
    click(qtbot, window, "place_server")
    click(qtbot, window, "create_button")
    fill(qtbot, window, address_field="books.example.org", user_name_field="asha")
    line = find(window, QLineEdit, "invite_field")
    line.setFocus()
    if by_enter:
        qtbot.keyClicks(line, _BROKEN)
        qtbot.keyClick(line, Qt.Key.Key_Return)
    else:
        QGuiApplication.clipboard().setText(_BROKEN)
        qtbot.keyClick(line, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    assert "incomplete" in error(window, "invite_field")
    assert not error(window, "address_field")
    assert text(window, "address_field") == "books.example.org"


# --- a start with a book --------------------------------------------------------------------------


@pytest.fixture
def gate(fake: FakeServices, tasks: Tasks, qtbot: QtBot) -> Iterator[threading.Event]:
    """A book without a password that takes its time to open."""
    made = threading.Event()
    fake.settings.set(LOCATION_KEY, "local")
    fake.accounts.computer.own = Account("asha")
    fake.book.gates["local_book"] = lambda: made.wait(60)
    yield made
    made.set()
    qtbot.waitUntil(lambda: not tasks.busy)


def test_while_a_book_opens_by_itself_no_location_is_asked_for(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, gate: threading.Event
) -> None:
    window.start()
    qtbot.waitUntil(lambda: "local_book" in fake.book.calls)
    assert window.login.card.progress_label.text() == "Opening your book…"
    assert not find(window, QWidget, "place_segment").isVisible()
    gate.set()
    qtbot.waitUntil(lambda: window.signed_in)
    click(qtbot, window, "sign_out_button")
    qtbot.waitUntil(lambda: not window.signed_in)
    assert find(window, QWidget, "place_segment").isVisible()


def test_the_locations_come_back_when_the_book_cannot_be_opened(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, gate: threading.Event
) -> None:
    fake.book.errors["local_book"] = OfflineError("It cannot be opened.")
    window.start()
    gate.set()
    qtbot.waitUntil(find(window, QWidget, "place_segment").isVisible)
    assert window.login.card.banner.text() == "It cannot be opened."


def test_a_start_that_takes_long_offers_the_locations(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, gate: threading.Event, tasks: Tasks
) -> None:
    window.login.offer_after_ms = 50
    window.start()
    qtbot.waitUntil(find(window, QWidget, "place_segment").isVisible)
    click(qtbot, window, "place_server")
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert not window.signed_in
    assert find(window, QLineEdit, "address_field").isVisible()
