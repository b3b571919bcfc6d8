"""Drafts and saving: a crash never loses what was typed and never doubles an entry."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from app.domain.entry import EntryFilter
from app.domain.form_draft import FormDraft
from app.errors import InputError, StoreError
from app.services.accounts import Accounts, BookSession
from app.services.drafts import Drafts
from app.services.entries import Entries
from app.store.cache import ReadCache
from app.store.database import Database
from app.store.drafts import DraftStore
from app.store.files import Files
from app.store.outbox import Outbox
from tests.app.store.samples import PNG, draft

BOOK = "book-1"
FORM = FormDraft("22 Nov 2026", "12.50", "DR", "Food", "Tea")


class SignedIn:
    """Accounts of somebody who is signed in, without a network."""

    session = BookSession("asha", BOOK, "0K7", "s", "r", "This computer")
    offset_us = 0

    def require_session(self) -> BookSession:
        return self.session


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    opened = Database(tmp_path / "client.sqlite")
    yield opened
    opened.close()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path / "bills")


@pytest.fixture
def entries(database: Database) -> Entries:
    return Entries(cast(Accounts, SignedIn()), Outbox(database), ReadCache(database))


@pytest.fixture
def drafts(database: Database, entries: Entries, files: Files) -> Drafts:
    return Drafts(database, DraftStore(database), entries, files)


def saved(entries: Entries) -> list[str]:
    return [entry.description for entry in entries.pending(EntryFilter())]


def test_saving_an_entry_deletes_its_draft_in_the_same_transaction(drafts: Drafts, entries: Entries) -> None:
    drafts.keep(BOOK, FORM, 1)
    made = drafts.save_entry(BOOK, draft("Tea"), 2)
    assert made.human_code == "0K7-000001"
    assert saved(entries) == ["Tea"]
    assert drafts.load(BOOK) is None


def test_the_draft_of_a_refused_entry_is_kept(drafts: Drafts, entries: Entries) -> None:
    drafts.keep(BOOK, FORM, 1)
    with pytest.raises(InputError):
        drafts.save_entry(BOOK, draft("x" * 501), 2)
    assert drafts.load(BOOK) == FORM
    assert saved(entries) == []


def test_if_the_draft_cannot_be_deleted_no_entry_is_saved(
    drafts: Drafts, entries: Entries, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_self: DraftStore, _book: str) -> None:
        raise StoreError("The disk is full.")

    drafts.keep(BOOK, FORM, 1)
    monkeypatch.setattr(DraftStore, "clear", fail)
    with pytest.raises(StoreError):
        drafts.save_entry(BOOK, draft("Tea"), 2)
    monkeypatch.undo()
    assert saved(entries) == []
    assert drafts.load(BOOK) == FORM
    assert drafts.save_entry(BOOK, draft("Tea"), 3).human_code == "0K7-000001"  # nor was a number used up


def test_a_late_autosave_does_not_restore_the_draft_of_a_saved_entry(drafts: Drafts) -> None:
    drafts.save_entry(BOOK, draft("Tea"), 7)
    drafts.keep(BOOK, FORM, 6)  # asked for before the save, and run after it
    assert drafts.load(BOOK) is None
    drafts.keep(BOOK, FORM, 8)
    assert drafts.load(BOOK) == FORM


def test_of_autosaves_in_any_order_the_newest_is_kept(drafts: Drafts) -> None:
    forms = [FormDraft(amount=str(number)) for number in range(40)]
    threads = [
        threading.Thread(target=drafts.keep, args=(BOOK, form, number)) for number, form in enumerate(forms)
    ]
    for thread in reversed(threads):
        thread.start()
    for thread in threads:
        thread.join()
    assert drafts.load(BOOK) == forms[-1]


def test_an_empty_form_deletes_the_draft(drafts: Drafts) -> None:
    drafts.keep(BOOK, FORM, 1)
    drafts.keep(BOOK, FormDraft("21 Nov 2026", " ", "CR"), 2)
    assert drafts.load(BOOK) is None


def test_a_bill_whose_file_is_missing_is_left_out(drafts: Drafts, files: Files) -> None:
    here, gone = files.keep_bytes(PNG, "here.png"), files.keep_bytes(PNG + b"x", "gone.png")
    drafts.keep(BOOK, FormDraft(amount="5", attachments=(here, gone)), 1)
    files.path(gone.sha256).unlink()
    found = drafts.load(BOOK)
    assert found is not None
    assert found.attachments == (here,)
