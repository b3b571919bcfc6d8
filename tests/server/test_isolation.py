"""One book never shows, tells of, or changes another."""

from collections.abc import Iterator
from datetime import date, timedelta
from http import HTTPStatus
from typing import NamedTuple
from uuid import UUID

import pytest

from server.contract import shapes
from server.entries.search import encode_cursor
from tests.support.api import Bill, BookApi, a_document, an_entry, refusal
from tests.support.postgres import dump_of_book
from tests.support.servers import RunningServer


class Two(NamedTuple):
    """The owner's book with one entry and its bill, and a stranger's empty one."""

    owner: BookApi
    stranger: BookApi
    bill: Bill
    saved: shapes.EntrySaved


@pytest.fixture
def two(server: RunningServer) -> Iterator[Two]:
    """Whatever a test does as the stranger: not a row of the owner's may differ afterwards."""
    owner, stranger, bill = server.api().register(), server.api().register(), a_document()
    saved = owner.add(bill, category="Secret category", description="Secret description")
    owner.summary()
    url = server.config.database_url
    before = _without_derived(dump_of_book(url, owner.book_id))
    yield Two(owner, stranger, bill, saved)
    assert _without_derived(dump_of_book(url, owner.book_id)) == before
    assert owner.get(saved.entry.id).entry == saved.entry
    assert owner.fetch(bill.id) == bill.data


def _without_derived(dump: dict[str, list[str]]) -> dict[str, list[str]]:
    folding = {"entry_delta", "entry_month", "suggestion"}  # the roll-up may come in between
    return {table: rows for table, rows in dump.items() if table not in folding}


def test_the_entry_of_another_book_is_not_found(two: Two) -> None:
    error = refusal(lambda: two.stranger.get(two.saved.entry.id))
    assert (error.status, error.code) == (HTTPStatus.NOT_FOUND, "not_found")


def test_the_document_of_another_book_is_not_found(two: Two) -> None:
    error = refusal(lambda: two.stranger.link(two.bill.id))
    assert (error.status, error.code) == (HTTPStatus.NOT_FOUND, "not_found")


def test_a_plan_does_not_tell_that_another_book_has_the_bytes(two: Two) -> None:
    (plan,) = two.stranger.plan(two.bill)
    assert not plan.stored
    assert plan.upload is not None


def test_the_hash_of_another_books_bill_gives_nobody_the_bill(two: Two) -> None:
    error = refusal(lambda: two.stranger.create(an_entry(documents=[two.bill.pinned()])))
    assert error.code == "documents_missing"
    assert two.stranger.all() == []


def test_the_same_bytes_are_kept_once_for_each_book(server: RunningServer, two: Two) -> None:
    two.stranger.add(two.bill)
    stores = [server.config.folder / "documents" / b.book_id for b in (two.owner, two.stranger)]
    assert all((store / two.bill.sha256).exists() for store in stores)
    (stores[1] / two.bill.sha256).unlink()


def test_the_ids_of_another_book_are_free_in_ones_own(two: Two) -> None:
    two.stranger.upload(two.bill)
    mine = an_entry(
        op_id=two.saved.op_id,
        id=two.saved.entry.id,
        amount="1.00",
        ver=two.saved.entry.ver + 1_000_000,
        documents=[two.bill.pinned()],
    )
    saved = two.stranger.create(mine)
    assert saved.entry.amount == "1.00"
    assert two.stranger.get(two.saved.entry.id).entry.amount == "1.00"
    assert two.stranger.create(mine) == saved


def test_nothing_of_another_book_is_listed_totalled_suggested_or_exported(two: Two) -> None:
    stranger = two.stranger
    assert stranger.all() == stranger.all(q="secret") == stranger.all(status="all") == []
    assert stranger.summary().count == stranger.summary(q="secret").count == 0
    assert stranger.categories() == stranger.descriptions("Secret") == []
    assert b"Secret" not in stranger.export()


def test_a_cursor_of_another_book_opens_nothing(two: Two) -> None:
    entry = two.saved.entry
    cursor = encode_cursor(date.fromisoformat(entry.entry_date) + timedelta(days=1), UUID(entry.id))
    assert two.owner.page(cursor=cursor).entries == [entry]
    assert two.stranger.page(cursor=cursor).entries == []
    assert two.stranger.page(cursor=cursor, q="secret").entries == []


def test_the_refresh_token_of_another_book_stays_its_own(two: Two) -> None:
    mine = two.stranger.refresh(two.stranger.signed_in.refresh_token, "r1")
    assert two.stranger.with_token(mine.access_token).all() == []
