"""One program a data folder, and one that opens even where its lock cannot be written."""

import os
import stat
from pathlib import Path

import pytest
from PySide6.QtCore import QLockFile

from app.ui.single_instance import SingleInstance
from tests.support.planted import OTHER_USER, PLANTS, needs_posix, needs_root


def test_a_second_instance_raises_the_first_and_ends(qapp: object, tmp_path: Path) -> None:
    first, second, other = (SingleInstance(tmp_path / name) for name in ("a", "a", "b"))
    assert first.claim()
    assert not second.claim()
    assert other.claim()
    first.release()
    assert second.claim()
    for each in (second, other):
        each.release()


def test_the_program_opens_if_the_lock_file_cannot_be_written(
    qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = SingleInstance(tmp_path)
    monkeypatch.setattr(QLockFile, "tryLock", lambda *_: False)
    monkeypatch.setattr(QLockFile, "error", lambda _self: QLockFile.LockError.UnknownError)
    assert instance.claim()


@pytest.mark.skipif(os.name == "nt", reason="Windows has other rights")
def test_each_folder_on_the_way_is_made_for_its_owner_alone(qapp: object, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        SingleInstance(tmp_path / "a" / "b" / "Bahi").claim()
    finally:
        os.umask(before)
    made = [folder for folder in tmp_path.rglob("*") if folder.is_dir()]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in made} == {0o700}
    assert len(made) == 3


@needs_posix
@pytest.mark.parametrize("plant", PLANTS)
def test_a_lock_that_is_no_regular_file_is_told_at_once(qapp: object, tmp_path: Path, plant: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    PLANTS[plant](tmp_path / "Bahi" / "program.lock", victim)
    with pytest.raises(OSError, match=r"program\.lock is "):
        SingleInstance(tmp_path / "Bahi")
    assert victim.read_text() == "precious"


@needs_root
def test_a_folder_of_another_user_is_not_used(qapp: object, tmp_path: Path) -> None:
    os.chown(tmp_path, OTHER_USER, OTHER_USER)
    with pytest.raises(OSError, match="belongs to another user"):
        SingleInstance(tmp_path)


@needs_posix
def test_the_rights_of_others_are_taken_from_the_folder_before_it_is_used(
    qapp: object, tmp_path: Path
) -> None:
    tmp_path.chmod(0o777)
    SingleInstance(tmp_path)
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
