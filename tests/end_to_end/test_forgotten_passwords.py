"""A forgotten password from beginning to end: the real windows, servers and databases, and the operator."""

import shlex
import subprocess
from pathlib import Path
from typing import Final

import psycopg
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from app.ui.desktop import Desktop
from app.ui.models.columns import Column
from server.contract.recovery_codes import code_hash, read_code
from server.db.embedded import EmbeddedPostgres
from tests.end_to_end.conftest import ServerProcess
from tests.support.servers import command
from tests.tour.driver import Driver

FIRST: Final = "the first long password"
NEW: Final = "a new and longer password"
OTHER: Final = "yet another long password"
DESKTOP: Final = Desktop()


def wait_in(driver: Driver) -> None:
    driver.wait("the book to open", lambda: driver.window.signed_in)


def wait_log_in(driver: Driver, button: str) -> None:
    submit = driver.find("submit_button", QAbstractButton)
    driver.wait("the log-in", lambda: submit.isVisible() and submit.text() == button)


def add_entry(driver: Driver, text: str) -> None:
    driver.type("amount_field", "640")
    driver.type("category_field", "Travel")
    driver.type("description_field", text)
    driver.click("save_button")
    driver.wait("the entry saved", lambda: "-0000" in driver.text("saved_label"))


def take_code(driver: Driver) -> str:
    driver.wait("the code", lambda: is_shown(driver, "recovery_code_dialog"))
    code = driver.text("recovery_code")
    driver.click("recovery_code_kept")
    driver.wait("the code closed", lambda: not is_shown(driver, "recovery_code_dialog"))
    return code


def is_shown(driver: Driver, name: str) -> bool:
    return any(each.isVisible() for each in driver.window.findChildren(object, name))


def choose(driver: Driver, new: str, **proof: str) -> None:
    for name, text in proof.items():
        driver.type(name, text)
    driver.type("forgotten_new", new)
    driver.type("forgotten_again", new)
    driver.click("forgotten_submit")


def first_start(driver: Driver, password: str) -> str:
    wait_log_in(driver, "Start")
    driver.type("password_field", password)
    driver.click("submit_button")
    wait_in(driver)
    return take_code(driver)


def entries(driver: Driver) -> list[str]:
    driver.click("nav_entries")
    driver.wait("the entries", lambda: bool(driver.column("entry_table", Column.CODE)))
    return driver.column("entry_table", Column.DESCRIPTION)


def open_with(driver: Driver, password: str) -> None:
    wait_log_in(driver, "Open")
    driver.type("password_field", password)
    driver.press("password_field", Qt.Key.Key_Return)
    wait_in(driver)


def test_with_the_code_from_the_papers_the_owner_of_a_book_is_in_again(open_program, tmp_path: Path) -> None:
    with open_program(DESKTOP) as (driver, desk):
        code = first_start(driver, FIRST)
        add_entry(driver, "Taxi to the market")
        driver.wait("it stored", lambda: desk.services.sync.waiting() == 0)

    with open_program(DESKTOP) as (driver, _desk):
        wait_log_in(driver, "Open")
        for _ in range(2):  # two guesses, and a wait of a second
            driver.type("password_field", "was it this one?")
            driver.click("submit_button")
            driver.wait("the answer", lambda: "Wrong password" in driver.text("password_field_error"))
        driver.wait("the end of the wait", driver.find("submit_button").isEnabled)
        driver.click("forgot_button")
        choose(driver, NEW, forgotten_code=code.lower().replace("-", " "))
        wait_in(driver)
        next_code = take_code(driver)
        assert entries(driver) == ["Taxi to the market"]

    with open_program(DESKTOP) as (driver, _desk):
        open_with(driver, NEW)
        assert not is_shown(driver, "recovery_code_dialog")  # it was shown once
        assert entries(driver) == ["Taxi to the market"]

    secrets = [FIRST, NEW, code, next_code, read_code(code), read_code(next_code)]
    secrets += [code_hash(read_code(each)) for each in (code, next_code)]
    for log in tmp_path.rglob("*.log*"):
        text = log.read_text(encoding="utf-8", errors="replace")
        assert [secret for secret in secrets if secret in text] == [], log


@pytest.mark.slow
def test_a_book_of_an_earlier_version_is_opened_by_the_owner_of_its_files(
    open_program, tmp_path: Path
) -> None:
    with open_program(DESKTOP) as (driver, _desk):
        first_start(driver, FIRST)
    postgres = EmbeddedPostgres(tmp_path / "home" / "server")
    try:  # an earlier version set the password: there is no code
        with psycopg.connect(postgres.start()) as connection:
            connection.execute("update public.journal set doc = (doc::jsonb - 'recoveryHash')::text")
    finally:
        postgres.stop()

    with open_program(DESKTOP) as (driver, _desk):
        wait_log_in(driver, "Open")
        driver.click("forgot_button")
        assert "no recovery code" in driver.text("forgotten_what")
        line = driver.text("forgotten_command")
        driver.click("forgotten_cancel")
    done = subprocess.run(  # as a person who pastes it into a terminal
        shlex.split(line), input=f"{NEW}\n", capture_output=True, text=True, check=True, timeout=120
    )
    code = done.stdout.rstrip().rpartition(" ")[2]
    assert read_code(code)

    with open_program(DESKTOP) as (driver, _desk):
        open_with(driver, NEW)
        driver.click("sign_out_button")
        wait_log_in(driver, "Open")
        driver.click("forgot_button")
        choose(driver, OTHER, forgotten_code=code)
        wait_in(driver)
        take_code(driver)


@pytest.mark.slow
def test_with_the_operators_link_the_user_of_a_server_is_in_again(
    open_program, regional_server: ServerProcess
) -> None:
    config = regional_server.data / "server.toml"
    regional_server.stop()
    regional_server.more = f'public_url = "{regional_server.url}"\ncontact = "Meera, 98450 12345"\n'
    regional_server.start()
    with open_program(DESKTOP) as (driver, desk):
        wait_log_in(driver, "Start")
        driver.click("place_server")
        driver.click("create_button")
        assert "send you a link" in driver.text("password_note")
        driver.type("address_field", regional_server.url)
        driver.type("user_name_field", "Asha")
        driver.type("password_field", FIRST)
        driver.click("submit_button")
        wait_in(driver)
        add_entry(driver, "Taxi to the market")
        driver.wait("it sent", lambda: desk.services.sync.waiting() == 0)
        driver.click("sign_out_button")
        wait_log_in(driver, "Sign in")
        driver.click("forgot_button")
        driver.wait("whom to ask", lambda: "Meera, 98450 12345" in driver.text("forgotten_what"))

        regional_server.stop()  # its database is embedded: the command starts it
        made = command("user", "reset", "asha", "--link", "--config", str(config))
        regional_server.start()
        assert made.status == 0, made.errors
        link = made.out.strip()
        assert link.partition("code=")[2] not in made.errors

        choose(driver, NEW, forgotten_link=f"Here is the link: <{link}> Meera")
        wait_in(driver)
        assert entries(driver) == ["Taxi to the market"]
        driver.click("sign_out_button")
        wait_log_in(driver, "Sign in")
        driver.click("forgot_button")
        choose(driver, OTHER, forgotten_link=link)
        driver.wait("it refused", lambda: "used already" in driver.text("forgotten_link_error"))
        driver.click("forgotten_cancel")
        driver.type("password_field", NEW)
        driver.press("password_field", Qt.Key.Key_Return)
        wait_in(driver)
