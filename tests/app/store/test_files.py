"""Bills on this computer: whole under their hash, or not there."""

import errno
import hashlib
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import IO

import pytest

from app.errors import InputError, StoreError
from app.store import files as files_module
from app.store.chosen_files import open_file
from app.store.files import Files
from server.contract.limits import MAX_DOCUMENT_BYTES
from tests.app.store.samples import PNG

PDF = b"%PDF-1.7\n" + b"x" * 5000


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "bills")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "Tea bill.pdf"
    path.write_bytes(PDF)
    return path


def names_in(tmp_path: Path) -> list[str]:
    folder = tmp_path / "bills"
    return sorted(p.name for p in folder.iterdir()) if folder.exists() else []


def refusal(files: Files, path: Path) -> str:
    with pytest.raises(InputError) as caught:
        files.keep_file(path)
    assert caught.value.fields == {"documents": caught.value.message}
    return caught.value.message


def test_a_file_is_stored_under_its_hash(files: Files, source: Path, tmp_path: Path) -> None:
    kept = files.keep_file(source)
    assert (kept.file_name, kept.media_type, kept.byte_size) == ("Tea bill.pdf", "application/pdf", len(PDF))
    assert kept.sha256 == hashlib.sha256(PDF).hexdigest()
    assert files.has(kept.sha256)
    assert files.path(kept.sha256).read_bytes() == PDF
    assert source.read_bytes() == PDF
    assert names_in(tmp_path) == [kept.sha256]


def test_pasted_bytes_get_the_extension_of_their_type(files: Files) -> None:
    assert files.keep_bytes(PNG, "Pasted image").file_name == "Pasted image.png"
    assert files.keep_bytes(PNG, "a/b/scan.PNG").file_name == "scan.PNG"


def test_the_same_bytes_twice_are_one_file_and_two_attachments(
    files: Files, source: Path, tmp_path: Path
) -> None:
    one, two = files.keep_file(source), files.keep_file(source)
    assert one.sha256 == two.sha256
    assert one.id != two.id
    assert len(names_in(tmp_path)) == 1


def test_storing_a_file_again_repairs_a_damaged_copy(files: Files, source: Path) -> None:
    kept = files.keep_file(source)
    files.path(kept.sha256).write_bytes(b"rotten")
    files.keep_file(source)
    assert files.path(kept.sha256).read_bytes() == PDF


def test_each_file_that_cannot_be_attached_is_refused_with_its_name_and_reason(
    files: Files, tmp_path: Path
) -> None:
    (tmp_path / "folder.pdf").mkdir()
    (tmp_path / "empty.pdf").touch()
    (tmp_path / "notes.pdf").write_text("not a PDF at all")
    os.mkfifo(tmp_path / "pipe.pdf")
    with (tmp_path / "large.pdf").open("wb") as large:
        large.truncate(MAX_DOCUMENT_BYTES + 1)
    assert refusal(files, tmp_path / "gone.pdf") == "“gone.pdf” no longer exists."
    assert "“folder.pdf” is a folder" in refusal(files, tmp_path / "folder.pdf")
    assert refusal(files, tmp_path / "empty.pdf") == "“empty.pdf” is empty."
    assert "“notes.pdf” is not a photo" in refusal(files, tmp_path / "notes.pdf")
    assert "“pipe.pdf” is not a file" in refusal(files, tmp_path / "pipe.pdf")
    assert refusal(files, tmp_path / "large.pdf") == "“large.pdf” is larger than 25 MB."
    assert "cannot be read" in refusal(files, tmp_path / "a\x00b.pdf")
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("number", [errno.EACCES, errno.EIO])
def test_a_file_that_cannot_be_read_is_refused(
    files: Files, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    real = os.open

    def broken(path: str | Path, flags: int, mode: int = 0o777, **more: int) -> int:
        if Path(path) == source:
            raise OSError(number, os.strerror(number))
        return real(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", broken)
    assert "“Tea bill.pdf” cannot be read" in refusal(files, source)
    assert names_in(tmp_path) == []


def test_the_size_limit_applies_to_a_file_that_grows_during_the_copy(
    files: Files, source: Path, tmp_path: Path
) -> None:
    opened = open_file(source)
    with source.open("r+b") as growing:
        growing.truncate(MAX_DOCUMENT_BYTES + 1)
    with pytest.raises(InputError, match="larger than 25 MB"):
        files.keep_open(opened)
    assert names_in(tmp_path) == []


def test_a_file_of_the_maximum_size_is_accepted(files: Files) -> None:
    assert files.keep_bytes(PDF.ljust(MAX_DOCUMENT_BYTES), "a.pdf").byte_size == MAX_DOCUMENT_BYTES


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_reported_and_leaves_no_file(
    files: Files, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(_file: IO[bytes]) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(files_module, "sync_file", full)
    with pytest.raises(StoreError, match="The disk is full") as caught:
        files.keep_file(source)
    assert caught.value.retryable
    assert names_in(tmp_path) == []


def test_the_bytes_are_synced_before_the_name_and_the_folder_after(
    files: Files, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, Path.replace

    def fsync(descriptor: int) -> None:
        steps.append("folder" if os.path.isdir(f"/dev/fd/{descriptor}") else "bytes")  # noqa: PTH112
        real_fsync(descriptor)

    def replace(path: Path, target: Path) -> Path:
        steps.append("name")
        return real_replace(path, target)

    files.keep_bytes(PNG, "first")  # makes the folder
    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "replace", replace)
    files.keep_file(source)
    assert steps == ["bytes", "name", "folder"]


def test_a_folder_that_cannot_hold_bills_is_reported(tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(StoreError, match="could not use"):
        Files(tmp_path / "plain" / "bills").keep_bytes(PNG, "a.png")


def test_downloaded_bytes_with_the_right_hash_are_stored(files: Files) -> None:
    sha256 = hashlib.sha256(PDF).hexdigest()
    path = files.put(sha256, [PDF[:100], PDF[100:]])
    assert path == files.path(sha256)
    assert path.read_bytes() == PDF


def test_downloaded_bytes_with_another_hash_are_refused(files: Files, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="arrived damaged") as caught:
        files.put(hashlib.sha256(PDF).hexdigest(), [PDF, b"!"])
    assert caught.value.retryable
    with pytest.raises(StoreError, match="too large"):
        files.put(hashlib.sha256(PDF).hexdigest(), [bytes(MAX_DOCUMENT_BYTES), b"!"])
    assert names_in(tmp_path) == []


def test_an_interrupted_download_raises_its_own_error_and_leaves_no_file(
    files: Files, tmp_path: Path
) -> None:
    def breaking() -> Iterator[bytes]:
        yield PDF
        raise ConnectionResetError("the network's own")

    with pytest.raises(ConnectionResetError, match="the network's own"):
        files.put(hashlib.sha256(PDF).hexdigest(), breaking())
    assert names_in(tmp_path) == []


@pytest.mark.parametrize("text", ["", "../../etc/passwd", "A" * 64, "a" * 63, "a" * 64 + "\n"])
def test_a_path_is_returned_only_for_a_valid_hash(files: Files, text: str) -> None:
    with pytest.raises(ValueError, match="not a SHA-256"):
        files.path(text)


def test_unused_bills_of_an_earlier_run_are_removed(files: Files, tmp_path: Path) -> None:
    used, unused = (files.keep_bytes(PNG + name, "a.png").sha256 for name in (b"1", b"2"))
    next_run = Files(tmp_path / "bills")
    assert next_run.remove_unused({used}) == 1
    assert next_run.has(used)
    assert not next_run.has(unused)


def test_bills_stored_in_this_run_are_not_removed(files: Files) -> None:
    kept = files.keep_bytes(PNG, "a.png").sha256
    assert files.remove_unused(set()) == 0
    assert files.has(kept)


def test_partial_files_left_by_a_crash_are_removed_after_a_day(files: Files, tmp_path: Path) -> None:
    files.keep_bytes(PNG, "a.png")
    young, old = (tmp_path / "bills" / f".part-{name}" for name in ("young", "old"))
    young.touch()
    old.touch()
    two_days_ago = time.time() - 48 * 3600
    os.utime(old, (two_days_ago, two_days_ago))
    (tmp_path / "bills" / "somebody's notes.txt").touch()
    assert files.remove_unused(set()) == 1
    assert [name for name in names_in(tmp_path) if len(name) < 64] == [".part-young", "somebody's notes.txt"]


def test_removing_from_a_missing_folder_is_not_an_error(files: Files) -> None:
    assert files.remove_unused(set()) == 0


def test_many_threads_can_store_the_same_and_other_files_at_once(files: Files, tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        kept = list(pool.map(lambda n: files.keep_bytes(PNG + bytes([n % 5]), "a.png"), range(40)))
    assert names_in(tmp_path) == sorted({k.sha256 for k in kept})
    assert len({k.id for k in kept}) == 40


def test_on_windows_a_complete_copy_that_a_viewer_has_open_is_kept(
    files: Files, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = files.keep_file(source)

    def held(path: Path, target: Path) -> Path:
        raise PermissionError(errno.EACCES, "held open", str(target))

    monkeypatch.setattr(Path, "replace", held)
    assert files.keep_file(source).sha256 == kept.sha256
    assert names_in(tmp_path) == [kept.sha256]
    with pytest.raises(StoreError, match="cannot write to"):
        files.keep_bytes(PNG, "a.png")
