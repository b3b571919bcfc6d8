"""The note of the newest program that used a data folder: written once, never lowered, never trusted."""

from pathlib import Path

import pytest

from app.store.last_program import newer_book_sentence, note_program


def test_the_newest_program_is_noted_and_an_older_one_does_not_lower_it(tmp_path: Path) -> None:
    for version in ("0.9.0", "0.10.1", "0.9.5"):
        note_program(tmp_path, version)
    assert newer_book_sentence(tmp_path) == (
        "This book was last used by a newer Bahi (0.10.1). Please install that version, or a later one. "
        "Nothing was changed."
    )


@pytest.mark.parametrize("noted", [None, b"", b"\xff\xfe", b"<b>1.0</b>", b"9" * 100, b"1.0\nrm -rf"])
def test_without_a_version_the_sentence_names_none(tmp_path: Path, noted: bytes | None) -> None:
    if noted is not None:
        (tmp_path / "program.version").write_bytes(noted)
    assert newer_book_sentence(tmp_path) == (
        "This book was last used by a newer Bahi. Please install the newest version. Nothing was changed."
    )


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    note_program(tmp_path / "gone", "1.0")
    assert not (tmp_path / "gone").exists()
