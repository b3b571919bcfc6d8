"""Getting in again after a forgotten password, on this computer."""

from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import AppError, InputError, ServerError, StoreError
from app.services.accounts import LocalBookFacts
from server.contract.join import InviteLink, make_link
from tests.app.services.contract.stages import Desk
from tests.support.api import PASSWORD
from tests.support.waiting import wait_until

NEW = "a new and longer password"


def caught(call: Callable[[], object]) -> AppError:
    with pytest.raises(AppError) as found:
        call()
    return found.value


def first_code(desk: Desk) -> str:
    desk.accounts.sign_in_local("asha", PASSWORD)
    code = desk.services.recovery.take_code()
    assert desk.services.recovery.take_code() == ""  # it is shown once
    desk.accounts.sign_out()
    return code


def recover(desk: Desk, code: str, new: str = NEW) -> str:
    return desk.services.recovery.with_code(code, new).user_name


def test_with_the_code_the_owner_gets_in_again(desk: Desk) -> None:
    code = first_code(desk)
    desk.restart()
    assert recover(desk, f"\u2066{code.lower().replace('-', ' ')}\u2069") == "asha"
    next_code = desk.services.recovery.take_code()
    assert next_code not in {"", code}
    desk.restart()
    assert desk.accounts.sign_in_local("asha", NEW).user_name == "asha"
    assert desk.services.recovery.take_code() == ""
    desk.accounts.sign_out()
    assert "not the recovery code" in caught(lambda: recover(desk, code)).fields["recoveryCode"]
    assert recover(desk, next_code, PASSWORD) == "asha"


@pytest.mark.parametrize(
    ("typed", "new", "field", "said"),
    [
        ("", NEW, "recoveryCode", "type your recovery code"),
        ("ABC", NEW, "recoveryCode", "here are 3"),
        ("", "two\nlines are too many", "recoveryCode", "type your recovery code"),
        (None, "short", "newPassword", "at least 8"),
        (None, "two\nlines are too many", "newPassword", "line break"),
    ],
)
def test_each_mistake_is_told_at_its_field(
    desk: Desk, typed: str | None, new: str, field: str, said: str
) -> None:
    code = first_code(desk)
    error = caught(lambda: recover(desk, code if typed is None else typed, new))
    assert isinstance(error, InputError)
    assert said in error.fields[field]
    assert recover(desk, code) == "asha"  # none of these used it up


def test_the_next_wrong_password_costs_a_second_and_then_the_right_one_opens(desk: Desk) -> None:
    first_code(desk)
    waits = [caught(lambda: desk.accounts.sign_in_local("asha", "wrong")).retry_after for _ in range(2)]
    assert waits == [0, 1]
    error = caught(lambda: desk.accounts.sign_in_local("asha", PASSWORD))
    assert isinstance(error, ServerError)
    assert (error.code, error.retry_after) == ("too_many_attempts", 1)

    def opens() -> bool:
        try:
            return desk.accounts.sign_in_local("asha", PASSWORD).user_name == "asha"
        except ServerError:
            return False

    wait_until(opens)


def test_the_code_goes_with_the_password_and_comes_with_the_next(desk: Desk) -> None:
    recovery = desk.services.recovery
    desk.accounts.sign_in_local("asha", "")
    assert recovery.take_code() == ""
    desk.accounts.change_password("", PASSWORD)
    code = recovery.take_code()
    assert code
    desk.accounts.change_password(PASSWORD, NEW)
    assert recovery.take_code() == ""
    assert desk.accounts.local_book() == LocalBookFacts(True, "asha", True, has_recovery_code=True)
    desk.accounts.change_password(NEW, "")
    assert desk.accounts.local_book() == LocalBookFacts(True, "asha", False)
    assert recovery.take_code() == ""
    assert "no recovery code" in caught(lambda: recover(desk, code)).fields["recoveryCode"]


def test_a_new_code_needs_the_password(desk: Desk) -> None:
    recovery = desk.services.recovery
    desk.accounts.sign_in_local("asha", PASSWORD)
    old = recovery.take_code()
    assert "Wrong password" in caught(lambda: recovery.replace_code("wrong")).fields["password"]
    assert recovery.take_code() == ""
    desk.services.recovery.replace_code(PASSWORD)
    new = recovery.take_code()
    desk.accounts.sign_out()
    assert "not the recovery code" in caught(lambda: recover(desk, old)).fields["recoveryCode"]
    assert recover(desk, new) == "asha"


@pytest.mark.parametrize(
    "typed", ["", "bahi:", "bahi://join?address=x", "hello there", "bahi://reset?code=x"]
)
def test_what_is_no_link_is_told_at_its_field(desk: Desk, typed: str) -> None:
    error = caught(lambda: desk.services.recovery.with_link(typed, desk.stage.address, NEW))
    assert error.fields["resetCode"]


def test_a_link_for_another_server_is_doubted_and_nothing_is_sent(desk: Desk) -> None:
    link = make_link(InviteLink("https://evil.example", "cd" * 32, "a.b.c"), "reset")
    target = desk.services.recovery.target(link, desk.stage.address)
    assert target.host == "evil.example"
    assert "evil.example" in target.doubt
    error = caught(lambda: desk.services.recovery.with_link(link, desk.stage.address, NEW))
    assert error.fields["resetCode"] == target.doubt


def test_a_server_whose_operator_names_nobody_has_no_contact(desk: Desk) -> None:
    assert desk.services.recovery.contact(desk.stage.address) == ""


def test_a_code_is_saved_for_its_owner_only_and_a_missing_folder_is_told(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "code.txt"
    desk.services.recovery.save_code("7KX2M", file)
    assert "7KX2M" in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o077 == 0
    error = caught(lambda: desk.services.recovery.save_code("7KX2M", tmp_path / "nowhere" / "code.txt"))
    assert isinstance(error, StoreError)


def test_the_owner_of_the_files_is_told_a_command(desk: Desk) -> None:
    assert "--server user reset --data" in desk.services.recovery.command("asha")
