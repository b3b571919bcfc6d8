"""Signed out by the server while the book is open: the password is asked for in place."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from app.errors import OfflineError, SignInError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.support.fake_services import FakeServices


@pytest.fixture
def owner(fake: FakeServices) -> None:
    """The book has a password."""
    fake.accounts.sign_in_local("Asha Rao", "correct horse", remember=True)


@pytest.fixture
def signed_out(qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks) -> MainWindow:
    book.entry.form.amount.setText("12,34")
    fake.wait(*(replace(row, id=f"w{row.id}") for row in fake.book.entries[:2]))
    fake.book.sessions.clear()
    book.sync.send_now()
    qtbot.waitUntil(lambda: book.book.again.isVisible() and not tasks.busy)
    return book


def test_the_form_is_kept_and_the_status_counts_unsent_entries(signed_out: MainWindow) -> None:
    assert signed_out.signed_in
    assert signed_out.entry.form.amount.text() == "12,34"
    assert "password of Asha Rao" in signed_out.book.again.sentence.text()
    assert signed_out.sidebar.status.text() == "Signed out: 2 entries waiting"


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("ended", "You were signed out from this account on another computer."),
        ("password", "The password of this account was changed on another computer."),
        ("reset", "The person who runs the server has given this account a new password."),
        ("a reason of a later server", "You are signed out."),
    ],
)
def test_why_the_session_has_ended_is_said_and_what_was_typed_stays(
    book: MainWindow, ended: str, words: str
) -> None:
    again = book.book.again
    book.entry.form.amount.setText("12,34")
    again.ask(SignInError("Please sign in."))  # a call may find out before the reason is known
    again.password.setText("half typ")
    again.ask(SignInError("Please sign in.", detail={"ended": ended}))
    assert again.sentence.text().startswith(words)
    assert "password of Asha Rao" in again.sentence.text()
    again.ask(SignInError("Please sign in."))
    assert again.sentence.text().startswith(words)
    assert again.password.text() == "half typ"
    assert book.entry.form.amount.text() == "12,34"


def test_an_error_that_is_not_of_the_password_does_not_mark_the_field(
    qtbot: QtBot, signed_out: MainWindow, fake: FakeServices
) -> None:
    again = signed_out.book.again
    fake.book.errors["sign_in_again"] = OfflineError()
    again.password.setText("correct horse")
    qtbot.keyClick(again.password, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: "cannot be reached" in again.problem.text())
    assert again.problem.isVisible()
    assert again.password.property("invalid") == ""
    again.password.setText("correct horse!")
    assert not again.problem.isVisible()  # a corrected field loses its sentence at once


def test_a_wrong_password_is_shown_at_its_field(qtbot: QtBot, signed_out: MainWindow) -> None:
    again = signed_out.book.again
    again.password.setText("wrong")
    qtbot.keyClick(again.password, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: again.problem.text() == "Wrong password.")
    assert again.password.property("invalid") == "true"
    assert again.isVisible()


def test_the_right_password_closes_the_banner_and_sends_the_outbox(
    qtbot: QtBot, signed_out: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    again = signed_out.book.again
    again.password.setText("correct horse")
    qtbot.mouseClick(again.submit_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not again.isVisible())
    qtbot.waitUntil(lambda: signed_out.sidebar.status.text() == "Saved")
    assert fake.waiting() == []
    assert signed_out.entry.form.amount.text() == "12,34"
    assert again.password.text() == ""
    qtbot.waitUntil(lambda: not tasks.busy)


def test_any_call_can_show_the_banner(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    fake.book.sessions.clear()
    book.show_listing()
    book.listing.refresh()
    qtbot.waitUntil(lambda: book.book.again.isVisible() and not tasks.busy)
    assert book.sidebar.status.text() == "Signed out"


def test_entries_can_be_saved_meanwhile(qtbot: QtBot, signed_out: MainWindow, fake: FakeServices) -> None:
    signed_out.entry.form.amount.setText("5")
    signed_out.entry.form.category.setText("Meals")
    with qtbot.waitSignal(signed_out.entry.saved):
        signed_out.entry.save()
    assert len(fake.waiting()) == 3
