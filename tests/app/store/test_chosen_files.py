"""Open files: what is open stays readable, what is none for a bill is refused, and nothing blocks."""

import os
import socket
import threading
from pathlib import Path

import pytest

from app.errors import InputError
from app.store import chosen_files
from app.store.chosen_files import ChosenFile, check_path, open_file, open_files, refusals_of
from app.store.files import Files
from tests.support.waiting import wait_until

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 300


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Tea bill.pdf"
    path.write_bytes(PDF)
    return path


def descriptors() -> int:
    return len(os.listdir("/dev/fd"))  # noqa: PTH208


@pytest.mark.parametrize("how", ["deleted", "moved", "replaced"])
def test_an_open_file_is_kept_whatever_happens_to_its_name(tmp_path: Path, source: Path, how: str) -> None:
    opened = open_files([source], 5)
    if how == "deleted":
        source.unlink()
    elif how == "moved":
        source.rename(tmp_path / "elsewhere.pdf")
    else:
        other = tmp_path / "other"
        other.write_text("another file")
        other.replace(source)
    files = Files(tmp_path / "bills")
    kept = files.keep_open(opened.files[0])
    assert files.path(kept.sha256).read_bytes() == PDF
    assert kept.file_name == "Tea bill.pdf"


def test_what_is_no_regular_file_is_refused_at_once_and_not_opened(tmp_path: Path) -> None:
    pipe, folder, address = tmp_path / "pipe.pdf", tmp_path / "folder.pdf", tmp_path / "socket.pdf"
    os.mkfifo(pipe)
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(address))
        found = open_files([pipe, folder, address, Path("/dev/zero")], 5)
    assert found.files == ()
    assert ["folder" in sentence for sentence in found.refusals] == [False, True, False, False]
    assert sum("is not a file that can be copied" in sentence for sentence in found.refusals) == 3


def test_a_file_that_became_a_pipe_after_the_check_is_refused_without_blocking(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swapped(path: Path) -> None:
        check_path(path)
        path.unlink()
        os.mkfifo(path)

    monkeypatch.setattr(chosen_files, "check_path", swapped)
    before = descriptors()
    with pytest.raises(InputError, match="is not a file that can be copied"):
        open_file(source)
    assert descriptors() == before


def test_each_descriptor_is_closed_once(tmp_path: Path, source: Path) -> None:
    before = descriptors()
    opened = open_files([source, source, tmp_path / "gone.pdf"], 5)
    assert descriptors() == before + 2
    assert opened.refusals == ("“gone.pdf” no longer exists.",)
    for each in opened.files:
        each.close()
        each.close()
    assert descriptors() == before


def test_a_drive_that_does_not_answer_is_not_waited_for(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer, closed = threading.Event(), threading.Event()
    real = open_file

    class Late(ChosenFile):
        def close(self) -> None:
            super().close()
            closed.set()

    def slow(path: Path) -> ChosenFile:
        if path != source:
            return real(path)
        answer.wait(60)
        return Late(os.open(path, os.O_RDONLY), path)

    monkeypatch.setattr(chosen_files, "open_file", slow)
    fast = source.with_name("fast.pdf")
    fast.write_bytes(PDF)
    found = open_files([fast, source], 0.2)
    assert [each.name for each in found.files] == ["fast.pdf"]
    assert "does not answer" in found.refusals[0]
    answer.set()
    wait_until(closed.is_set)  # the late answer is not left open
    found.files[0].close()


def test_a_look_tells_a_folder_without_opening_anything(tmp_path: Path, source: Path) -> None:
    assert refusals_of([source], 5) == ()
    assert refusals_of([tmp_path / "written when it is dropped.pdf"], 5) == ()
    assert "is a folder" in refusals_of([tmp_path, source], 5)[0]
