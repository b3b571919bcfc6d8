"""The part of the tour in which somebody sets a password, forgets it, and gets in again."""

from PySide6.QtWidgets import QAbstractButton, QDialog, QLineEdit
from shiboken6 import isValid

from tests.tour.driver import Driver, TourError

_OLD, _NEW = "a good long password", "a better long password"


def forget_password(driver: Driver) -> None:
    """Set a password, keep its recovery code, sign out, and choose a new password with the code."""
    code = _set_password(driver)
    driver.click("sign_out_button")
    button = driver.find("submit_button", QAbstractButton)
    driver.wait("the log-in", lambda: button.isVisible() and button.isEnabled())
    driver.type("password_field", "not this one")
    driver.click("submit_button")
    driver.wait("the sentence", lambda: bool(driver.text("password_field_error")))
    driver.picture("70-wrong-password", "A wrong password is told at the field.")
    _ask_operator(driver)
    _look_at_owners_way(driver)
    _come_back(driver, code)


def _set_password(driver: Driver) -> str:
    driver.click("user_button")
    account = driver.find("account_dialog", QDialog)
    driver.wait("the sessions", lambda: not driver.find("account_state").isVisible())
    for name in ("new", "again"):
        driver.type(f"{name}_password_field", _OLD)
    driver.click("password_save")
    driver.wait("the recovery code", lambda: _is_open("recovery_code_dialog", driver))
    dialog = driver.find("recovery_code_dialog", QDialog)
    driver.picture("71-recovery-code", "The recovery code, shown once.", of=dialog)
    code = driver.find("recovery_code", QLineEdit).text()
    driver.click("recovery_code_skip")
    driver.picture("72-code-skipped", "Without the code, a sentence says what that means.", of=dialog)
    driver.click("recovery_code_kept")
    account.accept()
    return code


def _ask_operator(driver: Driver) -> None:
    driver.click("place_server")
    driver.wait("the way back", lambda: driver.find("forgot_button").isVisible())
    driver.click("forgot_button")
    dialog = driver.find("forgotten_dialog", QDialog)
    driver.picture("73-forgotten-server", "A forgotten password of a server: whom to ask.", of=dialog)
    _close(driver, dialog)
    driver.click("place_local")
    driver.wait("the log-in here", lambda: driver.find("password_field").isVisible())


def _look_at_owners_way(driver: Driver) -> None:
    driver.click("forgot_button")
    dialog = driver.find("forgotten_dialog", QDialog)
    driver.picture("74-forgotten", "A forgotten password of this computer: the recovery code.", of=dialog)
    driver.click("forgotten_no_code")
    driver.picture("75-no-code", "Without the code there is one more way.", of=dialog)
    _close(driver, dialog)


def _come_back(driver: Driver, code: str) -> None:
    driver.click("forgot_button")
    driver.type("forgotten_code", code)
    for name in ("new", "again"):
        driver.type(f"forgotten_{name}", _NEW)
    driver.click("forgotten_submit")
    driver.wait("the book", lambda: driver.window.signed_in)
    driver.wait("a new code", lambda: _is_open("recovery_code_dialog", driver))
    driver.click("recovery_code_kept")


def _close(driver: Driver, dialog: QDialog) -> None:
    """Close a dialog, and wait until it is gone: the next one has the same name."""
    dialog.reject()
    driver.wait("the dialog to be gone", lambda: not isValid(dialog))


def _is_open(name: str, driver: Driver) -> bool:
    try:
        return driver.find(name).isVisible()
    except TourError:
        return False
