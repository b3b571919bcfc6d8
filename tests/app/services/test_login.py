"""The order in which the forms of a password are asked."""

from pathlib import Path

import pytest

from app.errors import SignInError
from app.services.login import first_accepted_again
from app.store.database import Database
from app.store.settings import Settings
from server.contract.errors import ErrorCode


def test_the_form_that_was_accepted_is_asked_first_next_time(tmp_path: Path) -> None:
    settings, asked, right = Settings(Database(tmp_path / "client.sqlite")), list[str](), "raw"

    def ask(form: str) -> str:
        asked.append(form)
        if form != right:
            raise SignInError("No.", code=ErrorCode.WRONG_CREDENTIALS)
        return form

    def log_in(name: str = "Asha", address: str = "a") -> list[str]:
        asked.clear()
        assert first_accepted_again(settings, address, name, ["prepared", "raw"], ask) == right
        return list(asked)

    assert log_in() == ["prepared", "raw"]
    assert log_in() == log_in("asha ") == ["raw"]
    assert log_in("Ravi") == log_in(address="b") == ["prepared", "raw"]
    right = "prepared"  # the password was changed
    assert log_in() == ["raw", "prepared"]
    assert log_in() == ["prepared"]
    right = "none"
    with pytest.raises(SignInError):
        log_in()
    assert asked == ["prepared", "raw"]
