"""Copies of bills: whole, or none."""

import shutil
from pathlib import Path
from typing import cast

import pytest

from app.errors import StoreError
from app.services.accounts import Accounts
from app.services.documents import Documents
from app.store.files import Files
from tests.app.store.samples import PNG


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(cast(Accounts, None), Files(tmp_path / "bills"))


def test_a_copy_equals_the_bill_byte_for_byte(documents: Documents, tmp_path: Path) -> None:
    place = tmp_path / "copy.png"
    place.write_bytes(b"what was there before")
    documents.save_copy(documents.attach_bytes(PNG, "bill.png"), place)
    assert place.read_bytes() == PNG
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bills", "copy.png"]


def test_a_failed_copy_leaves_no_partial_file(
    documents: Documents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bill = documents.attach_bytes(PNG, "bill.png")

    def full(_source: Path, target: Path) -> None:
        target.write_bytes(PNG[:20])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(StoreError, match="No space left"):
        documents.save_copy(bill, tmp_path / "copy.png")
    assert [path.name for path in tmp_path.iterdir()] == ["bills"]
