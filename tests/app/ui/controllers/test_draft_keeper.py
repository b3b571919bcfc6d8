"""Drafts: kept while typing, back after a crash, gone with the saved entry."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Theme
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices


@contextmanager
def started(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person
) -> Iterator[MainWindow]:
    """The program once more, on what the one before left behind."""
    window = MainWindow(fake.services(), tasks, theme, person.desktop(), proposed_name="asha")
    qtbot.addWidget(window)
    window.show()
    window.start()
    qtbot.waitUntil(lambda: window.signed_in and not tasks.busy)
    yield window
    window.sync.stop()


def test_a_draft_is_saved_half_a_second_after_typing_and_that_is_shown(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    qtbot.keyClicks(book.entry.form.amount, "12,34")
    book.entry.form.date.setText("someday")
    assert fake.draft().empty
    qtbot.waitUntil(lambda: book.entry.draft_label.text() == "Draft saved")
    assert fake.draft().amount == "12,34"
    assert fake.draft().date == "someday"
    assert fake.book.calls.count("keep_draft") == 1


def test_a_relative_date_is_saved_as_its_date(qtbot: QtBot, book: MainWindow, fake: FakeServices) -> None:
    book.entry.form.date.setText("yesterday")
    book.entry.form.amount.setText("5")
    qtbot.waitUntil(lambda: not fake.draft().empty)
    assert fake.draft().date == "21 Nov 2026"


def test_after_a_crash_the_draft_is_restored(
    qtbot: QtBot,
    book: MainWindow,
    fake: FakeServices,
    tasks: Tasks,
    theme: Theme,
    person: Person,
    photo: Path,
) -> None:
    book.entry.documents.add_files([photo])
    book.entry.form.amount.setText("12,34")
    book.entry.form.direction.set_value("CR")
    book.entry.form.description.setText("Half a sen")
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    qtbot.waitUntil(lambda: len(fake.draft().attachments) == 1)
    with started(qtbot, fake, tasks, theme, person) as again:
        form = again.entry.form
        assert (form.amount.text(), form.description.text()) == ("12,34", "Half a sen")
        assert form.direction.value() == "CR"
        assert [bill.file_name for bill in again.entry.documents.attachments()] == ["bill.png"]
        assert again.entry.banner.text() == "Your unsaved entry is back."
        again.entry.banner.pressed.emit()
        assert not again.entry.dirty
        qtbot.waitUntil(lambda: fake.draft().empty)


def test_a_saved_entry_leaves_no_draft(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    book.entry.form.amount.setText("5")
    book.entry.form.category.setText("Meals")
    qtbot.waitUntil(lambda: not fake.draft().empty)
    with qtbot.waitSignal(book.entry.saved):
        book.entry.save()
    assert fake.draft().empty
    assert book.entry.draft_label.text() == ""
    qtbot.wait(600)  # the debounce: nothing comes back
    qtbot.waitUntil(lambda: not tasks.busy)
    assert fake.draft().empty


def test_no_draft_is_saved_while_an_entry_is_being_saved(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    gate = threading.Event()
    fake.book.gates["save"] = lambda: gate.wait(60)
    book.entry.form.amount.setText("5")
    book.entry.form.category.setText("Meals")
    book.entry.save()
    book.entry.keep_draft()  # as closing the window does
    assert "keep_draft" not in fake.book.calls
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert fake.draft().empty


def test_an_error_is_shown_if_the_draft_cannot_be_saved(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    fake.book.errors["keep_draft"] = StoreError("The disk is full.")
    book.entry.form.amount.setText("5")
    qtbot.waitUntil(lambda: book.entry.draft_label.text() == "The draft is not saved. The disk is full.")


def test_the_status_does_not_say_saved_while_the_draft_is_not(
    qtbot: QtBot, book: MainWindow, fake: FakeServices
) -> None:
    status = book.sidebar.status
    qtbot.waitUntil(lambda: status.text() == "Saved")
    fake.book.errors["keep_draft"] = StoreError("The disk is full.")
    book.entry.form.amount.setText("5")
    qtbot.waitUntil(lambda: status.text() == "Draft not saved")
    assert (status.property("tone"), status.toolTip()) == ("warn", "The disk is full.")
    fake.book.errors.pop("keep_draft", None)
    book.entry.form.amount.setText("55")
    qtbot.waitUntil(lambda: status.text() == "Saved")
    assert status.property("tone") == "good"


def test_signing_out_keeps_the_draft(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tasks: Tasks, person: Person
) -> None:
    book.entry.form.amount.setText("85")
    book.sign_out()
    qtbot.waitUntil(lambda: not book.signed_in and not tasks.busy)
    assert person.questions == []
    assert not book.entry.dirty
    book.login.submit()
    qtbot.waitUntil(lambda: book.signed_in and not tasks.busy)
    assert book.entry.form.amount.text() == "85"


def test_the_book_opens_even_if_its_draft_cannot_be_read(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person
) -> None:
    fake.book.errors["load_draft"] = StoreError("The disk failed.")
    fake.accounts.sign_in_local("asha", "")
    with started(qtbot, fake, tasks, theme, person) as window:
        assert window.entry.banner.text() == "The disk failed."
