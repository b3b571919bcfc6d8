"""Moving the book of this computer to a server: what is asked, how it goes, stopping, and the end."""

import threading
from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton
from pytestqt.qtbot import QtBot

from app.domain.book_location import LOCATION_KEY
from app.domain.connection_status import Phase
from app.errors import InputError, OfflineError
from app.services.login import read_invite
from app.services.moving import MoveProgress, MoveResult
from app.services.session_facts import BookSession
from app.ui.dialogs.account_dialog import AccountDialog
from app.ui.dialogs.move_dialog import MoveDialog
from app.ui.dialogs.move_pages import progress_words, result_words
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.views.login_view import ADDRESS_KEY, USER_KEY
from server.contract import join
from tests.app.ui.conftest import Person
from tests.support.fake_connection import MUMBAI
from tests.support.fake_services import FakeServices

ADDRESS = "https://books.example.com"
LINK = join.make_link(join.InviteLink(ADDRESS, "ab" * 32, "once-only-code"))
LONG_ENOUGH = "long enough"
COPYING = 1  # the step of the fake at which it copies


def open_account(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> AccountDialog:
    qtbot.mouseClick(book.sidebar.user_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not tasks.busy)
    found = book.findChild(AccountDialog, "account_dialog")
    assert isinstance(found, AccountDialog)
    return found


@pytest.fixture
def open_dialog(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> Callable[[], MoveDialog]:
    def opened() -> MoveDialog:
        account = open_account(qtbot, book, tasks)
        qtbot.mouseClick(account.move_button, Qt.MouseButton.LeftButton)
        found = book.findChild(MoveDialog, "move_dialog")
        assert isinstance(found, MoveDialog)
        return found

    return opened


@pytest.fixture
def dialog(open_dialog: Callable[[], MoveDialog], fake: FakeServices) -> MoveDialog:
    fake.moving.steps = (
        MoveProgress(0, 0, 0, "connecting"),
        MoveProgress(60, 120, 4_000_000, "copying"),
        MoveProgress(120, 120, 9_000_000, "verifying"),
        MoveProgress(120, 120, 9_000_000, "done"),
    )
    return open_dialog()


def fill(dialog: MoveDialog, password: str = LONG_ENOUGH) -> None:
    dialog.form.address.setText("books.example.com")
    dialog.form.user_name.setText("meera")
    dialog.form.password.setText(password)


def click(qtbot: QtBot, dialog: MoveDialog, name: str) -> None:
    button = dialog.findChild(QPushButton, name)
    assert button is not None
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


def text(dialog: MoveDialog, name: str) -> str:
    label = dialog.findChild(QLabel, name)
    assert label is not None
    return label.text()


# --- where it is offered ------------------------------------------------------------------------------


def test_the_local_book_can_be_moved(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    account = open_account(qtbot, book, tasks)
    assert account.move_button.isVisible()
    assert account.move_button.text() == "Move this book to a server…"


@pytest.mark.parametrize("reported", [False, True], ids=["connection not reported yet", "reported"])
def test_a_book_on_a_server_is_not_offered_to_be_moved(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, tasks: Tasks, reported: bool
) -> None:
    fake.accounts.sign_in_remote(ADDRESS, "asha", "correct horse", remember=True)
    window.start()
    qtbot.waitUntil(lambda: window.signed_in and not tasks.busy)
    if reported:
        fake.connection.tell(Phase.PINNED)
        qtbot.waitUntil(lambda: window.connection.shown == fake.connection.view())
    assert not open_account(qtbot, window, tasks).move_button.isVisible()


def test_an_unfinished_move_can_be_continued(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.moving.begin(LINK, "asha")
    account = open_account(qtbot, book, tasks)
    assert account.move_button.text() == "Continue moving…"
    qtbot.mouseClick(account.move_button, Qt.MouseButton.LeftButton)
    dialog = book.findChild(MoveDialog, "move_dialog")
    assert isinstance(dialog, MoveDialog)
    assert dialog.form.address.text() == ADDRESS
    assert dialog.form.user_name.text() == "asha"
    assert not dialog.form.creating
    assert dialog.form.start_button.text() == "Continue"


def test_the_user_is_asked_about_unsaved_edits_before_a_move(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, person: Person, fake: FakeServices
) -> None:
    book.changes.open(fake.book.entries[0])
    qtbot.waitUntil(book.edit.isVisible)
    book.edit.form.amount.setText("1")
    person.agrees = False
    account = open_account(qtbot, book, tasks)
    qtbot.mouseClick(account.move_button, Qt.MouseButton.LeftButton)
    assert person.questions == ["Discard your changes?"]
    assert book.findChild(MoveDialog, "move_dialog") is None


# --- the form -----------------------------------------------------------------------------------------


def test_missing_input_is_shown_at_its_field(dialog: MoveDialog, fake: FakeServices) -> None:
    dialog.begin()
    assert [name for name, field in dialog.form.fields.items() if field.error_text] == [
        "address",
        "userName",
        "password",
    ]
    assert "move" not in fake.book.calls


def test_a_pasted_invitation_fills_the_form(dialog: MoveDialog, qtbot: QtBot, fake: FakeServices) -> None:
    click(qtbot, dialog, "move_sign_in")
    assert not dialog.form.invite.isVisible()
    QGuiApplication.clipboard().setText(LINK)
    dialog.form.address.paste()
    assert dialog.form.address.text() == ADDRESS
    assert dialog.form.invite.isVisible()
    assert dialog.form.invite.text() == "once-only-code"
    dialog.form.user_name.setText("meera")
    dialog.form.password.setText("long enough")
    click(qtbot, dialog, "move_start")
    qtbot.waitUntil(dialog.outcome.isVisible)
    assert fake.moving.asked == (LINK, "meera", True, "once-only-code")


def test_a_damaged_link_is_shown_at_its_field(dialog: MoveDialog) -> None:
    QGuiApplication.clipboard().setText(LINK[:70])
    dialog.form.address.paste()
    with pytest.raises(InputError) as damaged:
        read_invite(LINK[:70])
    assert dialog.form.fields["address"].error_text == damaged.value.message


def test_an_error_is_shown_at_its_field(qtbot: QtBot, dialog: MoveDialog) -> None:
    fill(dialog, "short")
    dialog.begin()
    qtbot.waitUntil(lambda: bool(dialog.form.fields["password"].error_text))
    assert dialog.form.isVisible()
    assert dialog.form.password.text() == "short"  # nothing has to be typed again


def test_a_wrong_password_at_the_other_server_does_not_sign_out(
    qtbot: QtBot, dialog: MoveDialog, book: MainWindow, fake: FakeServices
) -> None:
    click(qtbot, dialog, "move_sign_in")
    fill(dialog, "wrong")
    dialog.begin()
    qtbot.waitUntil(lambda: bool(dialog.form.fields["password"].error_text))
    assert not book.book.again.isVisible()


# --- at work ------------------------------------------------------------------------------------------


def test_the_progress_is_shown(qtbot: QtBot, dialog: MoveDialog, fake: FakeServices) -> None:
    gate = threading.Event()
    fake.book.gates[f"move {COPYING}"] = lambda: gate.wait(60)
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(lambda: text(dialog, "move_stage") == "Copying your book…")
    assert text(dialog, "move_progress_text") == "60 of 120 entries · 3.8 MB of bills"
    bar = dialog.findChild(QProgressBar, "move_progress")
    assert bar is not None
    assert (bar.value(), bar.maximum()) == (60, 120)
    gate.set()
    qtbot.waitUntil(dialog.outcome.isVisible)


@pytest.mark.parametrize("how", ["button", "escape"])
def test_a_move_can_be_stopped_and_continued(
    qtbot: QtBot, dialog: MoveDialog, book: MainWindow, fake: FakeServices, how: str
) -> None:
    gate = threading.Event()
    fake.book.gates[f"move {COPYING}"] = lambda: gate.wait(60)
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(lambda: text(dialog, "move_stage") == "Copying your book…")
    if how == "button":
        click(qtbot, dialog, "move_stop")
    else:
        qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert text(dialog, "move_stage") == "Stopping…"
    assert dialog.isVisible()
    gate.set()
    qtbot.waitUntil(dialog.form.isVisible)
    assert dialog.form.banner.text() == "Stopped. Nothing is lost. You can continue later."
    assert dialog.form.start_button.text() == "Continue"
    assert book.sidebar.server_label.text() == "This computer"
    dialog.begin()
    qtbot.waitUntil(dialog.outcome.isVisible)


def test_after_a_lost_connection_the_dialog_says_that_nothing_is_lost(
    qtbot: QtBot, dialog: MoveDialog, fake: FakeServices
) -> None:
    fake.book.errors[f"move {COPYING}"] = OfflineError()
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(dialog.form.isVisible)
    sentence = "The server cannot be reached right now. Nothing is lost. You can continue later."
    assert dialog.form.banner.text() == sentence


def test_closing_the_dialog_stops_the_move(
    qtbot: QtBot, dialog: MoveDialog, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    gate = threading.Event()
    fake.book.gates[f"move {COPYING}"] = lambda: gate.wait(60)
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(lambda: f"move {COPYING}" in fake.book.calls)
    book.end_unasked()
    gate.set()
    qtbot.waitUntil(lambda: not book.isVisible() and not tasks.busy)
    assert f"move {COPYING + 1}" not in fake.book.calls


# --- the end ------------------------------------------------------------------------------------------


def test_after_the_move_the_book_on_the_server_is_open(
    qtbot: QtBot, dialog: MoveDialog, book: MainWindow, fake: FakeServices
) -> None:
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(dialog.outcome.isVisible)
    assert text(dialog, "move_done_text") == (
        "120 entries and 112 bills are on the server, verified. The copy on this computer stays as it is."
    )
    assert dialog.form.password.text() == ""
    click(qtbot, dialog, "move_done")
    assert not dialog.isVisible()
    assert book.signed_in
    assert book.sidebar.server_label.toolTip() == MUMBAI
    kept = [fake.settings.get(key) for key in (LOCATION_KEY, ADDRESS_KEY, USER_KEY)]
    assert kept == ["server", "books.example.com", "meera"]


def test_the_draft_is_moved_too(
    qtbot: QtBot, book: MainWindow, open_dialog: Callable[[], MoveDialog], fake: FakeServices
) -> None:
    book.entry.form.amount.setText("85")
    dialog = open_dialog()
    fill(dialog)
    dialog.begin()
    qtbot.waitUntil(dialog.outcome.isVisible)
    assert book.entry.form.amount.text() == "85.00"
    qtbot.waitUntil(lambda: not fake.draft("book-2").empty)


def test_numbers_are_shown_as_people_say_them() -> None:
    session = BookSession("asha", "b", "0Q2", "in-mum-1", "ap-south-1", MUMBAI)
    assert result_words(MoveResult(1, 0, 1, session)).startswith("1 entry is on the server, verified.")
    assert result_words(MoveResult(1, 1, 1, session)).startswith("1 entry and 1 bill are on")
    assert progress_words(MoveProgress(0, 0, 0, "connecting")) == ""
    assert progress_words(MoveProgress(0, 1, 0, "copying")) == "0 of 1 entry"
    assert progress_words(MoveProgress(12345, 123456, 0, "copying")) == "12,345 of 1,23,456 entries"
