"""An error that nobody expected: told once, with a report without values, after the draft was kept."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QPlainTextEdit, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.errors import StoreError
from app.ui.crashes import CrashReporter
from app.ui.dialogs.crash_dialog import CrashDialog
from app.ui.main_window import MainWindow
from app.ui.opening import OpeningWindow
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices


@pytest.fixture
def opening(qtbot: QtBot) -> OpeningWindow:
    """The first window."""
    made = OpeningWindow()
    qtbot.addWidget(made)
    return made


@pytest.fixture
def reporter(opening: OpeningWindow, book: MainWindow, person: Person) -> Iterator[CrashReporter]:
    """What shows errors over the open book."""
    made = CrashReporter(opening, person.desktop())
    made.follow(book)
    yield made
    for each in dialogs():
        each.close()


def failure(text: str = "48,213.77 for Taxi to the lawyer") -> BaseException:
    """Return an error that has been raised, always at one place."""
    try:
        raise ValueError(text)
    except ValueError as error:
        return error


def dialogs() -> list[CrashDialog]:
    """Return the dialogs about errors that are open."""
    shown = [each for each in QApplication.topLevelWidgets() if isinstance(each, CrashDialog)]
    return [each for each in shown if each.isVisible()]


def text(dialog: QWidget, name: str) -> str:
    """Return the text of a label that is shown."""
    found = dialog.findChild(QLabel, name)
    return found.text() if found is not None and found.isVisible() else ""


def press(qtbot: QtBot, dialog: QWidget, name: str) -> None:
    """Click a button."""
    found = dialog.findChild(QPushButton, name)
    assert found is not None
    assert found.isVisible()
    qtbot.mouseClick(found, Qt.MouseButton.LeftButton)


def test_the_draft_of_this_second_is_kept_before_anything_is_shown(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow, fake: FakeServices
) -> None:
    qtbot.keyClicks(book.entry.form.description, "Taxi to the lawyer")
    reporter.show(failure())
    assert fake.draft().description == "Taxi to the lawyer"
    (dialog,) = dialogs()
    assert "What you saved is safe, and what you are typing is kept." in text(dialog, "crash_what")
    press(qtbot, dialog, "crash_go_on")
    qtbot.waitUntil(lambda: dialogs() == [])
    assert book.entry.form.description.text() == "Taxi to the lawyer"
    assert book.signed_in


def test_a_draft_that_cannot_be_kept_is_said(
    reporter: CrashReporter, book: MainWindow, fake: FakeServices
) -> None:
    book.entry.form.amount.setText("85")
    fake.book.errors["keep_draft"] = StoreError("The disk is full.")
    reporter.show(failure())
    (dialog,) = dialogs()
    assert "could not be kept: The disk is full." in text(dialog, "crash_what")


def test_a_draft_that_cannot_be_kept_because_of_an_error_is_said_and_is_one_error(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow, fake: FakeServices
) -> None:
    book.entry.form.amount.setText("85")
    fake.book.gates["keep_draft"] = lambda: 1 // 0
    with pytest.raises(ZeroDivisionError) as raised:  # in the program it goes to the hook
        reporter.show(failure())
    reporter.show(raised.value)
    del fake.book.gates["keep_draft"]
    (dialog,) = dialogs()
    assert "could not be kept: this is what went wrong." in text(dialog, "crash_what")


def test_the_report_is_shown_before_it_is_saved_and_saved_as_shown(
    qtbot: QtBot, reporter: CrashReporter, person: Person, tmp_path: Path
) -> None:
    reporter.show(failure())
    (dialog,) = dialogs()
    report = dialog.findChild(QPlainTextEdit, "crash_report")
    assert report is not None
    assert "ValueError: [removed]" in report.toPlainText()
    assert "tests/app/ui/test_crashes.py, line" in report.toPlainText()
    assert [each for each in ("48,213", "lawyer", str(Path.home())) if each in report.toPlainText()] == []
    assert report.isReadOnly()
    press(qtbot, dialog, "crash_save")
    assert text(dialog, "crash_banner_text") == ""  # the person has cancelled
    person.save_path = tmp_path / "gone" / "report.txt"
    press(qtbot, dialog, "crash_save")
    assert "cannot be found" in text(dialog, "crash_banner_text")
    person.save_path = tmp_path / "report.txt"
    press(qtbot, dialog, "crash_save")
    assert text(dialog, "crash_banner_text").startswith("Saved as")
    assert person.save_path.read_text(encoding="utf-8") == report.toPlainText()
    assert person.starts[0] == "Bahi report.txt"


def test_a_storm_of_errors_is_one_dialog_that_counts(reporter: CrashReporter) -> None:
    for _ in range(1200):
        reporter.show(failure())
    (dialog,) = dialogs()
    assert text(dialog, "crash_count") == "1,199 more errors have happened since."


def test_an_error_that_was_told_is_told_again_without_a_dialog(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow
) -> None:
    reporter.show(failure())
    press(qtbot, dialogs()[0], "crash_go_on")
    qtbot.waitUntil(lambda: dialogs() == [])
    reporter.show(failure())
    assert dialogs() == []
    assert book.book.banner.text().startswith("The same error has happened again.")
    reporter.show(RuntimeError("another one"))
    assert len(dialogs()) == 1


def test_errors_of_other_threads_are_told_on_the_thread_of_the_windows(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow
) -> None:
    for kept in (threading.Thread(target=reporter.report, args=(failure(),)) for _ in range(3)):
        kept.start()
    qtbot.waitUntil(lambda: len(dialogs()) == 1)
    qtbot.waitUntil(lambda: text(dialogs()[0], "crash_count") == "2 more errors have happened since.")


def test_an_error_under_an_open_dialog_is_shown_above_it(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow
) -> None:
    book.dialogs.show_account()
    account = book.findChild(QWidget, "account_dialog")
    reporter.show(failure())
    (dialog,) = dialogs()
    assert dialog.parentWidget() is account
    press(qtbot, dialog, "crash_close")
    qtbot.waitUntil(lambda: not book.isVisible())


def test_closing_from_the_dialog_asks_nothing_and_keeps_the_draft(
    qtbot: QtBot, reporter: CrashReporter, book: MainWindow, fake: FakeServices, person: Person
) -> None:
    qtbot.keyClicks(book.entry.form.description, "Taxi")
    reporter.show(failure())
    press(qtbot, dialogs()[0], "crash_close")
    qtbot.waitUntil(lambda: not book.isVisible())
    assert person.questions == []
    assert fake.draft().description == "Taxi"


def test_an_error_before_the_first_window_is_gone_is_told_there(
    qtbot: QtBot, opening: OpeningWindow, person: Person
) -> None:
    reporter = CrashReporter(opening, person.desktop())
    opening.show()
    reporter.show(failure())
    assert opening.failed
    (dialog,) = dialogs()
    press(qtbot, dialog, "crash_close")
    qtbot.waitUntil(lambda: not opening.isVisible())


@pytest.mark.parametrize(("trace", "what"), [("Fatal Python error: Aborted\n", "Aborted"), ("", "outside")])
def test_a_crash_of_the_last_time_is_told_once_and_can_be_read(
    qtbot: QtBot, opening: OpeningWindow, window: MainWindow, person: Person, trace: str, what: str
) -> None:
    reporter = CrashReporter(opening, person.desktop())
    reporter.follow(window, trace)
    assert window.book.ended.text() == ""
    window.start()
    qtbot.waitUntil(window.login.card.submit_button.isVisible)
    window.login.submit()
    qtbot.waitUntil(lambda: window.book.ended.text().startswith("Bahi ended unexpectedly last time."))
    press(qtbot, window.book.ended, "ended_banner_button")
    (dialog,) = dialogs()
    report = dialog.findChild(QPlainTextEdit, "crash_report")
    assert report is not None
    assert what in report.toPlainText()
    assert window.book.ended.text() == ""
    assert not dialog.close_button.isVisible()
    press(qtbot, dialog, "crash_go_on")
    window.sign_out()
    qtbot.waitUntil(lambda: not window.signed_in and window.login.card.submit_button.isVisible())
    window.login.submit()
    qtbot.waitUntil(lambda: window.signed_in)
    assert window.book.ended.text() == ""
