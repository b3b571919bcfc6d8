"""The operator's file of regions: who may read it, and that nothing of it gets out."""

import sys
from pathlib import Path
from typing import Final

import pytest

from server.errors import StartError
from server.replication.regions import Region, read_regions

TWO: Final = """
[regions.ap-south-1]
url = "postgresql://admin:hidden%20word@127.0.0.1:5001/bahi"
[regions.ap-southeast-1]
url = "postgresql://admin@db.example/bahi?sslmode=verify-full&sslrootcert=system"
peer_url = "postgresql://10.0.0.5/bahi?sslmode=verify-full&sslrootcert=/etc/ca.pem"
"""


def _file(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "replication.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_the_regions_are_read_and_their_addresses_stay_out_of_texts(tmp_path: Path) -> None:
    mumbai, singapore = read_regions(_file(tmp_path, TWO))
    assert (mumbai.code, singapore.code) == ("ap-south-1", "ap-southeast-1")
    assert "hidden" not in repr(mumbai)
    assert mumbai.redacted("it said hidden word, hidden%20word") == "it said ***, ***"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(StartError, match="chmod 600"):
        read_regions(_file(tmp_path, TWO, mode))


def test_the_environment_may_hold_an_address(tmp_path: Path) -> None:
    path = _file(tmp_path, "[regions.a-1]\n[regions.b-1]\n")
    given = {"BAHI_DATABASE_URL_A_1": "postgresql:///a", "BAHI_DATABASE_URL_B_1": "postgresql:///b"}
    assert [region.url for region in read_regions(path, given)] == ["postgresql:///a", "postgresql:///b"]
    with pytest.raises(StartError, match="BAHI_DATABASE_URL_A_1"):
        read_regions(path, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[[", "mistake"),
        ("[regions.a-1]\nurl = 'postgresql:///a'\n", "at least two"),
        ("[regions.a-1]\ncolour = 'red'\n", "colour"),
        ("[regions.A_1]\nurl = 'x'\n[regions.b]\nurl = 'postgresql:///b'\n", "region code"),
        ("[regions.a]\nurl = 'a:hidden'\n[regions.b]\nurl = 'postgresql:///b'\n", "is not valid"),
        ("[regions.a]\nurl = 'postgresql://u:hidden@db.example/a'\n[regions.b]\nurl = ''\n", "not encrypted"),
        (
            "[regions.a]\nurl = 'postgresql:///a'\npeer_url = 'postgresql://u:hidden@127.0.0.1/a'\n[regions.b]\n",
            "contains a user",
        ),
    ],
)
def test_a_mistake_is_a_sentence_without_the_password(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(StartError, match=said) as caught:
        read_regions(_file(tmp_path, text), {})
    assert "hidden" not in str(caught.value)


def test_peers_get_a_role_of_their_own_and_no_file_of_the_operators_machine() -> None:
    local = Region("a", "postgresql://admin:secret@db/bahi?sslmode=verify-full&sslrootcert=/home/op/ca.pem")
    told = local.for_peer("bahi_a_to_b", "pa ss")
    assert "admin" not in told
    assert "secret" not in told
    assert "/home/op" not in told
    assert "user=bahi_a_to_b" in told
    assert "sslmode=verify-full" in told
    other = Region("a", local.url, "postgresql://10.0.0.5/bahi?sslrootcert=/etc/ca.pem")
    assert "/etc/ca.pem" in other.for_peer("r", "p")
    assert "host=10.0.0.5" in other.for_peer("r", "p")
