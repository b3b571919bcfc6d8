"""Other users of the computer can read nothing of the program's, whatever the umask; what the user saves for
himself follows his umask."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.local_server import forget_server_data
from app.paths import Paths
from server.contract.private_files import restrict
from tests.support.environment import clean_environment
from tests.support.servers import ROOT, server_process
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
UMASKS = ("000", pytest.param("022", marks=pytest.mark.slow))


@contextmanager
def kept_files(home: Path, out: Path, umask: str) -> Iterator[Path]:
    """Run the program until it has made its files; give its socket."""
    command = [sys.executable, "-m", "tests.end_to_end.keeps_files", str(home), str(out), umask]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=clean_environment(), **pipes) as process:  # type: ignore[call-overload]
        try:
            yield Path(json.loads(process.stdout.readline())["socket"])
        finally:
            process.communicate(b"\n", 60)
            forget_server_data(Paths(home).server)


def open_to_others(folder: Path) -> list[str]:
    """Return each file and folder, this one included, that others have any right on, with its mode."""
    found = [folder, *folder.rglob("*")]
    modes = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in found}
    return [f"{name} {mode:o}" for name, mode in modes.items() if mode & 0o077]


@pytest.mark.parametrize("umask", UMASKS)
def test_nothing_that_the_program_keeps_is_open_to_others(tmp_path: Path, umask: str) -> None:
    home, out = tmp_path / "Bahi", tmp_path / "desktop"
    out.mkdir()
    with kept_files(home, out, umask) as socket:
        assert open_to_others(home) == []
        names = {path.name for path in home.rglob("*")}
        assert {"client.sqlite", "client.sqlite-wal", "bahi.log", "program.lock"} <= names
        assert {"server.log", "server.lock", "postgres.log", "server-id", "documents"} <= names
        assert stat.S_IMODE(socket.lstat().st_mode) & 0o077 == 0
        usual = 0o666 & ~int(umask, 8)
        assert [stat.S_IMODE((out / name).stat().st_mode) for name in ("book.csv", "copy.pdf")] == [usual] * 2
    assert open_to_others(home) == []


@pytest.mark.slow
def test_the_files_of_an_earlier_version_are_closed_to_others(tmp_path: Path) -> None:
    home, out = tmp_path / "Bahi", tmp_path / "desktop"
    out.mkdir()
    with kept_files(home, out, "022"):
        pass
    own, not_ours = home / "own notes", tmp_path / "linked"
    own.mkdir()
    not_ours.write_text("of the user")
    (home / "bahi.log.9").symlink_to(not_ours)
    for path in [home, *home.rglob("*")]:
        if not path.is_symlink() and "postgres" not in path.parts:  # PostgreSQL refuses an open folder
            path.chmod(0o755 if path.is_dir() else 0o644)
    not_ours.chmod(0o644)
    with kept_files(home, out, "022"):
        wait_until(lambda: set(open_to_others(home)) == {"own notes 755", "bahi.log.9 777"})
    assert stat.S_IMODE(not_ours.stat().st_mode) == 0o644


@pytest.mark.parametrize("umask", UMASKS)
def test_nothing_that_a_server_keeps_is_open_to_others(tmp_path: Path, umask: str) -> None:
    data, config = tmp_path / "data", tmp_path / "server.toml"
    config.write_text(f'data = "{data}"\nserver_id = "in-1"\nregion = "r"\nregion_letter = "M"\n')
    before = os.umask(int(umask, 8))
    try:
        with server_process("--quiet", "run", "--config", str(config)):
            assert open_to_others(data) == []
    finally:
        os.umask(before)
        forget_server_data(data)


def test_a_folder_that_an_operator_made_keeps_its_mode(tmp_path: Path) -> None:
    data, config = tmp_path / "data", tmp_path / "server.toml"
    data.mkdir()
    data.chmod(0o750)
    (data / "server-id").write_text("local-1")
    (data / "server-id").chmod(0o644)
    config.write_text(f'data = "{data}"\nregion = "r"\nregion_letter = "M"\n')
    try:
        with server_process("--quiet", "run", "--config", str(config)):
            assert open_to_others(data) == [". 750"]
    finally:
        forget_server_data(data)


def test_a_link_is_not_followed_and_a_missing_file_is_no_error(tmp_path: Path) -> None:
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_text("x")
    file.chmod(0o644)
    link.symlink_to(file)
    restrict(link)
    restrict(tmp_path / "none")
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    restrict(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
