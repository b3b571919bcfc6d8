"""A session that is ended on another computer: the idle window says so, and nothing is lost."""

import time
from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QPushButton

from app.bootstrap import make_desk
from app.domain.book_location import LOCATION_KEY, SERVER
from app.domain.send_schedule import Draw
from app.paths import Paths
from app.ui.desktop import Desktop
from app.ui.dialogs.account_dialog import AccountDialog
from tests.end_to_end.conftest import ServerProcess
from tests.tour.driver import Driver

PASSWORD = "correct horse battery"


def computer(home: Path) -> Path:
    """Return the folder of a computer that was last used at a server. It starts no server of its own."""
    desk = make_desk(Paths(home))
    desk.services.settings.set(LOCATION_KEY, SERVER)
    desk.close()
    return home


def log_in(driver: Driver, server: ServerProcess, *, create: bool) -> None:
    button = driver.find("submit_button", QAbstractButton)
    driver.wait("the login screen", lambda: button.isVisible() and button.text() == "Sign in")
    if create:
        driver.click("create_button")
    driver.type("address_field", server.url)
    driver.type("user_name_field", "asha")
    driver.type("password_field", PASSWORD)
    driver.click("submit_button")
    driver.wait("the book to open", lambda: driver.window.signed_in)


def sign_out_the_other(driver: Driver) -> None:
    """End the other session in the account dialog, as a person does."""
    driver.click("user_button")
    driver.wait("both sessions", lambda: len(dialog_of(driver).list.cards()) == 2)
    end = next(
        b for card in dialog_of(driver).list.cards() for b in card.findChildren(QPushButton, "session_end")
    )
    end.click()
    driver.wait("one session", lambda: len(dialog_of(driver).list.cards()) == 1)


def dialog_of(driver: Driver) -> AccountDialog:
    return driver.find("account_dialog", AccountDialog)


def end_one_from_the_other(
    open_program, server: ServerProcess, folder: Path, draw: Draw | None, seconds: float
) -> float:
    """End the session of an idle window from another one. Return how many seconds later it says so."""
    agreeing = Desktop(confirm=lambda *_: True)
    more = {"draw": draw} if draw is not None else {}
    with (
        open_program(agreeing, computer(folder / "counter")) as (counter, _),
        open_program(Desktop(), computer(folder / "back room"), **more) as (idle, desk),
    ):
        log_in(counter, server, create=True)
        log_in(idle, server, create=False)
        idle.type("amount_field", "12.34")
        idle.type("description_field", "half typed")
        idle.wait("the first run to end", lambda: not desk.services.worker.is_sending)
        sign_out_the_other(counter)
        began, again = time.monotonic(), idle.window.book.again
        idle.wait("the idle window to say so", again.isVisible, seconds)
        after = time.monotonic() - began

        assert again.sentence.text().startswith("You were signed out from this account on another computer.")
        assert "password of asha" in again.sentence.text()
        assert idle.window.signed_in  # the book stays open
        assert idle.text("amount_field") == "12.34"
        idle.type("category_field", "Travel")
        idle.click("save_button")
        idle.wait("the entry to wait here", lambda: desk.services.sync.waiting() == 1)
        idle.type("sign_in_again_password", PASSWORD)
        idle.click("sign_in_again_submit")
        idle.wait("the entry to be sent", lambda: desk.services.sync.waiting() == 0)
        assert not again.isVisible()
        return after


def test_an_idle_window_says_that_its_session_was_ended_on_another_computer(
    open_program, regional_server: ServerProcess, tmp_path: Path
) -> None:
    # The server is asked 50 times as often as usual.
    end_one_from_the_other(open_program, regional_server, tmp_path, lambda low, high: (low + high) / 100, 40)


@pytest.mark.slow
def test_an_idle_window_says_so_within_a_minute(
    open_program, regional_server: ServerProcess, tmp_path: Path
) -> None:
    assert end_one_from_the_other(open_program, regional_server, tmp_path, None, 90) < 60
