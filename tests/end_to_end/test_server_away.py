"""Saving while no server answers, and what happens when one comes back."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from app.domain.entry import EntryFilter, EntryState
from app.ui.desktop import Desktop
from app.ui.models.columns import Column
from tests.end_to_end.conftest import ServerProcess
from tests.tour.driver import Driver

CTRL = Qt.KeyboardModifier.ControlModifier


def register(driver: Driver, server: ServerProcess) -> None:
    button = driver.find("submit_button", QAbstractButton)
    driver.wait("the login screen", lambda: button.isVisible() and button.text() == "Start")
    driver.click("place_server")
    driver.click("create_button")
    driver.type("address_field", server.url)
    driver.type("user_name_field", "asha")
    driver.type("password_field", "correct horse battery")
    driver.click("submit_button")
    driver.wait("the book to open", lambda: driver.window.signed_in)


def save(driver: Driver, amount: str, description: str) -> None:
    driver.type("amount_field", amount)
    driver.type("category_field", "Travel")
    driver.type("description_field", description)
    driver.wait("the bills to be read", lambda: not driver.window.entry.documents.attaching)
    driver.press("amount_field", Qt.Key.Key_Return, CTRL)
    driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))


def test_an_entry_saved_without_a_server_waits_and_is_confirmed_once_when_it_is_back(
    open_program, regional_server: ServerProcess, samples: Path
) -> None:
    with open_program(Desktop(), draw=lambda low, high: low / 5) as (driver, desk):
        register(driver, regional_server)
        save(driver, "100", "Before")
        driver.wait("the first at the server", lambda: desk.services.sync.waiting() == 0)

        regional_server.stop()
        driver.drop(samples / "taxi-receipt.jpg")
        save(driver, "250", "While away")
        driver.wait("the status to say so", lambda: "1 entry waiting" in driver.text("status_pill"))
        driver.click("nav_entries")
        driver.wait("both rows", lambda: len(driver.column("entry_table", Column.CODE)) == 2)
        states = {e.description: e.state for e in desk.services.entries.pending(EntryFilter())}
        assert states == {"While away": EntryState.WAITING}
        driver.wait("the banner", lambda: driver.find("listing_banner").isVisible())

        regional_server.start()
        driver.wait("the entry to be confirmed", lambda: driver.text("status_pill").strip() == "Connected")
        driver.wait("nothing to wait", lambda: desk.services.sync.waiting() == 0)
        driver.wait(
            "the listing from the server again", lambda: not driver.find("listing_banner").isVisible()
        )
        driver.wait(
            "both rows from there",
            lambda: sorted(driver.column("entry_table", Column.DESCRIPTION)) == ["Before", "While away"],
        )
        assert desk.services.entries.totals(EntryFilter()).count == 2
        desk.services.sync.send_pending()  # once more changes nothing
        assert desk.services.entries.totals(EntryFilter()).count == 2


def test_the_server_of_this_computer_is_started_anew_when_it_was_killed(open_program, tmp_path: Path) -> None:
    import os
    import signal

    with open_program(Desktop()) as (driver, desk):
        button = driver.find("submit_button", QAbstractButton)
        driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
        driver.click("submit_button")
        driver.wait("the book to open", lambda: driver.window.signed_in)
        killed = desk.local_server.pid
        assert killed is not None
        os.kill(killed, signal.SIGKILL)
        save(driver, "75.25", "After the kill")
        driver.wait("it to be confirmed", lambda: desk.services.sync.waiting() == 0)
        assert desk.local_server.pid not in {None, killed}
        assert desk.services.entries.totals(EntryFilter()).count == 1
