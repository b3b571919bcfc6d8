"""Files in a data folder: nothing there makes a reader wait, or leads it to another file."""

import os
from pathlib import Path

import pytest

from server.contract.private_files import check_own_file, private_opener, read_private, regular_opener
from tests.support.planted import OTHER_USER, PLANTS, needs_posix, needs_root

pytestmark = needs_posix


@pytest.mark.parametrize("plant", PLANTS)
def test_what_is_no_regular_file_is_told_at_once_and_not_followed(tmp_path: Path, plant: str) -> None:
    place, victim = tmp_path / "place", tmp_path / "victim"
    victim.write_text("precious")
    PLANTS[plant](place, victim)
    for flags in (os.O_RDONLY, os.O_WRONLY | os.O_APPEND | os.O_CREAT, os.O_RDWR | os.O_CREAT | os.O_TRUNC):
        with pytest.raises(OSError, match=r"place is (a symbolic link|not a regular file)"):
            private_opener(str(place), flags)
    for use in (read_private, check_own_file):
        with pytest.raises(OSError, match=r"place is (a symbolic link|not a regular file)"):
            use(place)
    assert victim.read_text() == "precious"
    assert not (tmp_path / "not there yet").exists()


def test_a_file_of_the_operator_may_be_a_link_but_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    with open(tmp_path / "link", opener=regular_opener) as file:
        assert file.read() == "text"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="pipe is not a regular file"):
        regular_opener(str(tmp_path / "pipe"), os.O_RDONLY)


def test_a_file_without_end_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(OSError, match="large is too large"):
        read_private(tmp_path / "large")


@needs_root
def test_a_file_of_another_user_is_read_only_where_that_is_meant(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"text")
    os.chown(file, OTHER_USER, OTHER_USER)
    for use in (read_private, check_own_file):
        with pytest.raises(OSError, match="file belongs to another user"):
            use(file)
    assert read_private(file, own=False) == b"text"
