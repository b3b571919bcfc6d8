"""One server a data folder."""

import os
import threading
from pathlib import Path

import pytest

from server.errors import StartError
from server.node.folder_lock import lock_folder


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
