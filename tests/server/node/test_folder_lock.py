"""One server a data folder."""

import os
import threading
from pathlib import Path

import pytest

from server.errors import StartError
from server.node.folder_lock import lock_folder
from server.node.identity import kept_server_id
from server.tokens.keys import own_signers
from tests.support.planted import OTHER_USER, PLANTS, needs_posix, needs_root


def test_a_folder_is_locked_until_its_file_is_closed(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with lock_folder(folder):
        with pytest.raises(StartError, match=f"process {os.getpid()}"):
            lock_folder(folder)
        assert (folder / "server.lock").read_text() == str(os.getpid())
    lock_folder(folder).close()


def test_a_file_that_a_killed_server_left_locks_nobody_out(tmp_path: Path) -> None:
    (tmp_path / "server.lock").write_text("99999")
    with lock_folder(tmp_path):
        assert (tmp_path / "server.lock").read_text() == str(os.getpid())


@pytest.mark.skipif(os.name == "nt", reason="Windows has no mode bits")
def test_a_folder_made_here_is_closed_to_other_users(tmp_path: Path) -> None:
    lock_folder(tmp_path / "data").close()
    assert (tmp_path / "data").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(StartError, match="file"):
            lock_folder(folder)


def test_the_next_server_waits_for_one_that_is_still_ending(tmp_path: Path) -> None:
    held = lock_folder(tmp_path)
    ends = threading.Timer(0.1, held.close)
    ends.start()
    lock_folder(tmp_path, timeout=10).close()
    ends.join()


@needs_posix
@pytest.mark.parametrize("plant", PLANTS)
def test_a_lock_that_is_no_regular_file_is_told_at_once_and_left_as_it_is(tmp_path: Path, plant: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    PLANTS[plant](tmp_path / "data" / "server.lock", victim)
    with pytest.raises(StartError, match=r"cannot be used: server\.lock is "):
        lock_folder(tmp_path / "data")
    assert victim.read_text() == "precious"


@needs_posix
def test_a_folder_in_which_everybody_can_write_is_not_used(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o777)
    with pytest.raises(StartError, match="can be written by every user of this computer"):
        lock_folder(folder)
    assert list(folder.iterdir()) == []


@needs_root
def test_a_folder_or_a_lock_of_another_user_is_not_used(tmp_path: Path) -> None:
    lock_folder(tmp_path).close()
    os.chown(tmp_path / "server.lock", OTHER_USER, OTHER_USER)
    with pytest.raises(StartError, match=r"server\.lock belongs to another user"):
        lock_folder(tmp_path)
    (tmp_path / "server.lock").unlink()
    os.chown(tmp_path, OTHER_USER, OTHER_USER)
    with pytest.raises(StartError, match="belongs to another user"):
        lock_folder(tmp_path)


@needs_posix
@pytest.mark.parametrize("name", ["server-id", "server-key.pem"])
@pytest.mark.parametrize("plant", ["link", "pipe", "folder"])
def test_what_the_server_reads_at_its_start_is_told_if_it_is_no_regular_file(
    tmp_path: Path, name: str, plant: str
) -> None:
    (tmp_path / "victim").write_text("precious")
    PLANTS[plant](tmp_path / name, tmp_path / "victim")
    with pytest.raises(StartError, match=rf"{name} (is|cannot be used|cannot be read)"):
        kept_server_id(tmp_path) if name == "server-id" else own_signers(tmp_path)
