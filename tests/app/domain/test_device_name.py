"""How an installation is named in the list of sessions."""

import pytest

from app.domain.device_name import computer_of, device_name
from server.contract.checks import check_text
from server.contract.limits import MAX_DEVICE_NAME


@pytest.mark.parametrize(
    ("computer", "system", "name"),
    [
        ("counter-pc", "Windows 11", "counter-pc · Windows 11"),
        (" counter\u200b \n pc ", "Debian GNU/Linux 12", "counter\u200b pc · Debian GNU/Linux 12"),
        ("", "Windows 11", "Windows 11"),
        ("counter-pc", "", "counter-pc"),
        ("", "", ""),
        ("a · b", "macOS 15", "a b · macOS 15"),
    ],
)
def test_the_name_has_computer_and_system(computer: str, system: str, name: str) -> None:
    assert device_name(computer, system) == name


def test_a_long_name_is_cut_and_the_system_stays() -> None:
    name = device_name("x" * 500, "Windows 11 " * 9)
    assert len(name) <= MAX_DEVICE_NAME
    assert name.endswith("x · Windows 11 Windows 11 Windows")
    assert check_text("name", name, MAX_DEVICE_NAME, required=False) == []


def test_the_computer_is_found_in_names_of_every_version() -> None:
    assert computer_of("counter-pc · Windows 11") == computer_of("counter-pc") == "counter-pc"
