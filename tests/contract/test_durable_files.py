"""Files that survive a crash: whole under their name, or as they were before."""

import os
import signal
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from server.contract.durable_files import make_folder, sync_folder, temporary_beside, write_file
from tests.support.servers import ROOT

OLD, NEW = b"o" * 300_000, b"n" * 200_000
posix = pytest.mark.skipif(os.name == "nt", reason="Windows has other rights and signals")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that holds OLD."""
    file = tmp_path / "file"
    write_file(file, OLD)
    return file


def test_a_file_is_written_in_place_of_what_was_there(path: Path) -> None:
    write_file(path, NEW)
    assert path.read_bytes() == NEW
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


@posix
def test_a_private_file_is_its_owners_alone_and_another_is_as_the_umask_says(path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(path, NEW, private=True)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        write_file(path, NEW)
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
    finally:
        os.umask(before)


@posix
def test_a_private_file_is_never_open_to_others_while_it_is_written(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    modes: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    write_file(path, NEW, private=True)
    assert modes[0] == 0o600


@posix
def test_the_bytes_are_synced_before_the_name_and_the_folder_after(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[object] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        found = os.fstat(descriptor)
        steps.append("folder" if stat.S_ISDIR(found.st_mode) else found.st_size)
        real_fsync(descriptor)

    def replace(temporary: Path, final: Path) -> Path:
        steps.append("name")
        return real_replace(temporary, final)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    write_file(path, b"short enough to wait in a buffer")
    assert steps == [len(b"short enough to wait in a buffer"), "name", "folder"]


_WRITES_TOO_MUCH = """
import resource, signal, sys
from pathlib import Path
from server.contract.durable_files import write_file
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    write_file(Path(sys.argv[1]), b"n" * 200_000)
except OSError as error:
    print(error.errno)
"""


@posix
def test_what_cannot_be_written_leaves_the_file_as_it_was_and_nothing_beside_it(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WRITES_TOO_MUCH, str(path)], capture_output=True, cwd=ROOT, check=False
    )
    assert done.stdout, done.stderr
    assert path.read_bytes() == OLD
    assert os.listdir(path.parent) == [path.name]  # noqa: PTH208


_WRITES_WITHOUT_END = """
import itertools, sys
from pathlib import Path
from server.contract.durable_files import write_file
for number in itertools.count():
    write_file(Path(sys.argv[1]), bytes([number % 256]) * 3_000_000)
    print(number, flush=True)
"""


@posix
def test_a_writer_that_is_killed_leaves_a_whole_file(path: Path) -> None:
    for _ in range(5):
        command = [sys.executable, "-c", _WRITES_WITHOUT_END, str(path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
            assert writer.stdout is not None
            for _ in range(3):
                writer.stdout.readline()
            writer.send_signal(signal.SIGKILL)
        content = path.read_bytes()
        assert content == content[:1] * 3_000_000


def test_two_writers_at_once_never_mix_their_bytes(path: Path) -> None:
    contents = [bytes([number]) * 500_000 for number in range(8)]
    writers = [threading.Thread(target=write_file, args=(path, content)) for content in contents]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert path.read_bytes() in contents


def _fail_beside(path: Path) -> None:
    with temporary_beside(path) as temporary:
        temporary.write_bytes(b"x")
        raise ValueError("no")


def test_a_temporary_file_goes_with_its_block_and_may_stand_beside_a_long_name(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no"):
        _fail_beside(tmp_path / ("x" * 250))
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_folder_is_made_with_its_parents_for_its_owner_alone(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    modes = {stat.S_IMODE(folder.stat().st_mode) for folder in (tmp_path / "a", tmp_path / "a" / "b")}
    assert modes == {0o700}
    (tmp_path / "a").chmod(0o755)
    make_folder(tmp_path / "a")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o755


@posix
def test_a_folder_that_is_missing_cannot_be_synced(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        sync_folder(tmp_path / "nowhere")
