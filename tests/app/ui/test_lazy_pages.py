"""Pages of the book that are made at their first use: never by a question about their state, and in time."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QStackedWidget, QWidget
from pytestqt.qtbot import QtBot

from app.ui.lazy_page import LazyPage
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Theme
from tests.app.ui.conftest import Person
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier
PAGES = ("listing_view", "edit_view", "outbox_view")


def made(window: MainWindow) -> list[str]:
    return [name for name in PAGES if window.findChild(QWidget, name) is not None]


def open_at_once(window: MainWindow, fake: FakeServices) -> None:
    """Open the book as it is opened at a start, without a turn of the event loop."""
    window.enter(fake.accounts.sign_in_local("Asha Rao", ""))


@pytest.mark.parametrize(
    "ask",
    [
        lambda window: window.close(),
        lambda window: window.sign_out(),
        lambda window: window.book.follow_day(),
        lambda window: window.book.drop_goal(),
        lambda window: window.book.save(),
        lambda window: window.book.forget(),
        lambda window: window.sync.waiting_changed.emit(0),
        lambda window: window.sync.run_ended.emit(0),
        lambda window: window.sync.came_back.emit(),
        lambda window: window.sync.entries_confirmed.emit(1),
    ],
    ids=["close", "sign out", "day", "drop", "save", "forget", "waiting", "run", "came back", "confirmed"],
)
def test_a_question_about_a_page_does_not_make_it(
    window: MainWindow, fake: FakeServices, ask: Callable[[MainWindow], object]
) -> None:
    open_at_once(window, fake)
    ask(window)
    assert made(window) == []


def test_the_pages_are_made_when_the_window_has_nothing_else_to_do(
    qtbot: QtBot, window: MainWindow, fake: FakeServices
) -> None:
    fake.accounts.sign_in_local("Asha Rao", "")
    window.start()
    assert made(window) == []
    qtbot.waitUntil(lambda: len(made(window)) == len(PAGES))
    qtbot.waitUntil(lambda: window.signed_in and window.listing.model.rowCount() > 0)
    assert window.entry.isVisible()
    assert window.entry.form.amount.hasFocus()


@pytest.mark.parametrize(("key", "name"), [(Qt.Key.Key_F, "listing_view"), (Qt.Key.Key_E, "listing_view")])
def test_a_key_for_a_page_that_is_not_made_yet_shows_it(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, tasks: Tasks, key: Qt.Key, name: str
) -> None:
    open_at_once(window, fake)
    assert made(window) == []
    qtbot.keyClick(window, key, CTRL)
    assert made(window) == [name]
    assert window.listing.isVisible()
    qtbot.waitUntil(lambda: window.listing.model.rowCount() > 0 and not tasks.busy)


@pytest.mark.parametrize(("button", "name"), [("nav_entries", "listing_view"), ("nav_outbox", "outbox_view")])
def test_the_sidebar_shows_a_page_that_is_not_made_yet(
    qtbot: QtBot, window: MainWindow, fake: FakeServices, tasks: Tasks, button: str, name: str
) -> None:
    open_at_once(window, fake)
    window.sidebar.show_waiting(1)
    pressed = window.findChild(QAbstractButton, button)
    assert pressed is not None
    qtbot.mouseClick(pressed, Qt.MouseButton.LeftButton)
    shown = window.findChild(QWidget, name)
    assert shown is not None
    assert shown.isVisible()
    qtbot.waitUntil(lambda: not tasks.busy)


def test_a_page_that_is_made_late_has_what_was_set_before(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person
) -> None:
    """The width that the user gave the details, for example."""
    fake.settings.set("details_width", "300")
    window = MainWindow(fake.services(), tasks, theme, person.desktop(), proposed_name="asha")
    qtbot.addWidget(window)
    window.show()
    open_at_once(window, fake)
    assert made(window) == []
    window.show_listing()
    assert window.listing.details_width == 300
    qtbot.waitUntil(lambda: window.listing.model.rowCount() > 0 and not tasks.busy)
    window.sync.stop()


def test_calls_wait_until_the_page_is_made_and_keep_their_order(qtbot: QtBot) -> None:
    stack, calls = QStackedWidget(), []
    qtbot.addWidget(stack)
    page: LazyPage[QWidget] = LazyPage(stack, QWidget)
    page.when_made(lambda _made: calls.append("first"))
    page.when_made(lambda _made: calls.append("second"))
    page.if_made(lambda _made: calls.append("never"))
    assert (calls, stack.count()) == ([], 0)
    assert page.get() is page.get()
    page.when_made(lambda _made: calls.append("third"))
    assert calls == ["first", "second", "third"]
    assert stack.count() == 1
    assert page.get().parent() is stack
