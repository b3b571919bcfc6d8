"""What the log-in tells about an address where no Bahi server can be reached: at the address, in a sentence
that says what to do, with everything typed still there."""

from pathlib import Path

import pytest
from PySide6.QtWidgets import QAbstractButton, QLineEdit

from app.ui.desktop import Desktop
from tests.app.remote.test_trouble import HTML, Place, nobody, plain, secure, unknown
from tests.tour.driver import Driver

CASES = {
    "unknown authority": (secure(trusted=False), "does not know the authority"),
    "expired": (secure(first_day=-9, last_day=-2), "has expired"),
    "not yet valid": (secure(first_day=2, last_day=9), "is not valid yet"),
    "other name": (secure("books.example.com"), "a certificate for another name"),
    "nobody there": (nobody, "refused the connection"),
    "http there": (plain(HTML % (b"400 Bad Request", b""), "https"), "not over a secure connection"),
    "a web site": (plain(HTML % (b"404 Not Found", b"")), "not a Bahi server"),
    "unknown host": (unknown, "There is no server with the name books.invalid"),
}


def log_in(driver: Driver, address: str) -> None:
    driver.type("address_field", address)
    driver.type("user_name_field", "asha")
    driver.type("password_field", "correct horse battery")
    driver.click("submit_button")


# The others take the same way through the window; tests/app/remote/test_trouble.py has all of them.
QUICK = {"expired", "nobody there"}


@pytest.mark.parametrize(
    ("place", "told"),
    [pytest.param(*CASES[name], id=name, marks=() if name in QUICK else pytest.mark.slow) for name in CASES],
)
def test_each_wrong_address_is_told_at_the_address(
    open_program, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, told: str
) -> None:
    with place(tmp_path, monkeypatch) as url, open_program(Desktop()) as (driver, _):
        button = driver.find("submit_button", QAbstractButton)
        driver.wait("the log-in", lambda: button.isVisible() and button.text() == "Start")
        driver.click("place_server")
        log_in(driver, url)
        driver.wait("the reason", lambda: told in driver.text("address_field_error"))
        driver.picture("wrong-address", told)
        assert driver.find("address_field_error").height() > 30  # all lines of it
        typed = [driver.find(f"{each}_field", QLineEdit).text() for each in ("address", "user_name")]
        assert typed == [url, "asha"]
        assert not driver.find("login_banner").isVisible()
