"""Copies of bills: whole, or none."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.errors import StoreError
from app.services.accounts import Accounts
from app.services.documents import Documents
from app.store.bill_turns import BillTurns
from app.store.database import Database
from app.store.files import Files
from app.store.last_folders import LastFolders
from app.store.settings import Settings
from tests.app.store.samples import PNG


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    database = Database(tmp_path / "kept" / "client.sqlite")
    folders = LastFolders(Settings(database))
    yield Documents(cast(Accounts, None), Files(tmp_path / "bills"), BillTurns(database), folders)
    database.close()


def test_a_copy_equals_the_bill_byte_for_byte(documents: Documents, tmp_path: Path) -> None:
    place = tmp_path / "copy.png"
    place.write_bytes(b"what was there before")
    documents.save_copy(documents.attach_bytes(PNG, "bill.png"), place)
    assert place.read_bytes() == PNG
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bills", "copy.png", "kept"]


def test_a_failed_copy_leaves_no_partial_file(
    documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = documents.attach_bytes(PNG, "bill.png")

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(PNG[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StoreError, match="The disk is full"):
        documents.save_copy(bill, tmp_path / "copy.png")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == []
