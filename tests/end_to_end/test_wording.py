"""The words of the real program: on one computer while its server is killed, and while another takes over."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QDialog

from app.ui.desktop import Desktop
from app.ui.models.columns import Column
from tests.app.ui.test_wording import MOVE, OF_A_SERVER, OLD
from tests.support import haproxy
from tests.support.cluster import MUMBAI, Cluster, Layout, forget
from tests.support.shown_texts import Kind, ScreenReader, with_words
from tests.tour.driver import Driver

CTRL = Qt.KeyboardModifier.ControlModifier
PASSWORD = "correct horse battery"
PLACES = ("place_server", "login_place", *MOVE)
"""Where a person chooses where the book is kept."""


@pytest.fixture
def reader(qapp: object) -> Iterator[ScreenReader]:
    made = ScreenReader()
    yield made
    made.stop()


def save(driver: Driver, amount: str, description: str) -> None:
    driver.type("amount_field", amount)
    driver.type("category_field", "Travel")
    driver.type("description_field", description)
    driver.press("amount_field", Qt.Key.Key_Return, CTRL)
    driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))


def look_at_dialogs(driver: Driver) -> None:
    """Open and close each dialog of the listing and of the sidebar; the answers may be still to come."""
    for name, dialog in (
        ("history_button", "history_dialog"),
        ("export_button", "export_dialog"),
        ("user_button", "account_dialog"),
        ("about_button", "about_dialog"),
    ):
        driver.click(name)
        driver.wait(dialog, lambda dialog=dialog: driver.find(dialog).isVisible())  # type: ignore[misc]
        driver.wait("its content", lambda: not driver.window.dialogs._tasks.busy)
        driver.press(dialog, Qt.Key.Key_Escape)
        driver.wait("it to close", lambda dialog=dialog: not driver.window.findChildren(QDialog, dialog))  # type: ignore[misc]


@pytest.mark.slow
def test_a_book_on_this_computer_speaks_of_no_server_while_its_server_is_killed(
    open_program, reader: ScreenReader
) -> None:
    with open_program(Desktop(confirm=lambda *_: True)) as (driver, desk):
        button = driver.find("submit_button", QAbstractButton)
        driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
        driver.click("submit_button")
        driver.wait("the book to open", lambda: driver.window.signed_in)
        save(driver, "75.25", "Before the kill")
        driver.wait("it to be stored", lambda: driver.text("status_pill").strip() == "Saved")
        driver.click("nav_entries")
        driver.wait("its row", lambda: len(driver.column("entry_table", Column.CODE)) == 1)
        look_at_dialogs(driver)
        for number in range(2):
            killed = desk.local_server.pid
            assert killed is not None
            os.kill(killed, signal.SIGKILL)
            if number:
                driver.window.listing.refresh()
                look_at_dialogs(driver)
            driver.click("nav_add")
            save(driver, "12", f"After kill {number}")
            driver.click("nav_entries")
            driver.wait("it to be stored", lambda: desk.services.sync.waiting() == 0)
            assert desk.local_server.pid not in {None, killed}
            driver.wait("the state", lambda: driver.text("status_pill").strip() == "Saved")
        reader.stop()
    assert with_words(reader.seen, OF_A_SERVER, allowed=PLACES) == []
    assert with_words(reader.seen, ["Saved"])


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.skipif(haproxy.program() is None, reason="HAProxy is not installed")
def test_no_host_server_or_region_is_named_while_another_server_takes_over(
    open_program, reader: ScreenReader, tmp_path: Path
) -> None:
    folder = tmp_path / "cluster"
    try:
        with Cluster(folder, Layout((MUMBAI,))) as cluster, open_program(Desktop()) as (driver, desk):
            cluster.wait_up()
            button = driver.find("submit_button", QAbstractButton)
            driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
            driver.click("place_server")
            driver.type("address_field", cluster.operator.invite(7))
            driver.press("address_field", Qt.Key.Key_Return)
            driver.wait("the link to be read", lambda: "bahi:" not in driver.text("address_field"))
            driver.type("user_name_field", "asha")
            driver.type("password_field", PASSWORD)
            driver.click("submit_button")
            driver.wait("the book to open", lambda: driver.window.signed_in)
            reader.seen.clear()  # the log-in shows the address that was typed
            save(driver, "75.25", "Before")
            driver.wait("it to be sent", lambda: driver.text("status_pill").strip() == "Connected")
            driver.click("nav_entries")
            driver.wait("its row", lambda: len(driver.column("entry_table", Column.CODE)) == 1)
            session = desk.services.accounts.require_session()
            cluster.kill(session.server_id)
            driver.click("nav_add")
            save(driver, "12", "After")
            driver.click("nav_entries")
            driver.wait("the message", lambda: driver.find("moved_banner").isVisible(), 60)
            now = desk.services.accounts.require_session()
            look_at_dialogs(driver)
            assert now.server_id != session.server_id
            assert now.server_id in driver.find("moved_banner").toolTip()
            reader.stop()
    finally:
        forget(folder)
        shutil.rmtree(folder, ignore_errors=True)
    names = ("127.0.0.1", "localhost", session.server_id, now.server_id, session.region)
    written = {each for each in reader.seen if each.kind is Kind.TEXT}
    assert with_words(written, names, allowed=("about_dialog",)) == []
    assert with_words(reader.seen, OLD) == []
    assert with_words(written, ["primary server has changed"])
    assert with_words(reader.seen, [now.server_id])
