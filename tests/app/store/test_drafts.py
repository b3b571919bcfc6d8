"""Drafts: one a book, as typed, and the bills they name."""

import pytest

from app.domain.form_draft import FormDraft
from app.errors import StoreError
from app.store.database import Database
from app.store.drafts import DraftStore
from tests.app.store.samples import bill

FORM = FormDraft("22 Nov 2026", "12,34", "DR", "Trav", "“Taxi” ₹", (bill("one.pdf"), bill("two.pdf")))


@pytest.fixture
def drafts(database: Database) -> DraftStore:
    return DraftStore(database)


def test_a_draft_is_stored_as_typed_even_if_invalid(drafts: DraftStore) -> None:
    drafts.keep("book-1", FORM)
    assert drafts.get("book-1") == FORM


def test_each_book_has_one_draft(drafts: DraftStore) -> None:
    drafts.keep("book-1", FORM)
    drafts.keep("book-1", FormDraft(amount="5"))
    drafts.keep("book-2", FormDraft(amount="7"))
    assert drafts.get("book-1") == FormDraft(amount="5")
    drafts.clear("book-1")
    assert drafts.get("book-1") is None
    assert drafts.get("book-2") == FormDraft(amount="7")


def test_the_hashes_are_those_of_the_drafts_of_all_books(drafts: DraftStore) -> None:
    drafts.keep("book-1", FORM)
    drafts.keep("book-2", FormDraft(attachments=(bill("three.pdf"),)))
    assert drafts.file_hashes() == {bill(name).sha256 for name in ("one.pdf", "two.pdf", "three.pdf")}


def test_a_damaged_draft_is_read_as_none_but_file_hashes_raises(
    drafts: DraftStore, database: Database
) -> None:
    with database.write() as connection:
        connection.execute("INSERT INTO draft VALUES ('book-1', '{\"amount\": ')")
    assert drafts.get("book-1") is None
    with pytest.raises(StoreError):
        drafts.file_hashes()
