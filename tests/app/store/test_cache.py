"""The last entries seen."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.entry import Direction, DocumentInfo, EntryDetail, EntryFilter, ListedEntry
from app.store import cache as cache_module
from app.store.cache import ReadCache
from app.store.database import Database
from tests.app.store.samples import BOOK
from tests.support.examples import examples

ALL = EntryFilter()
DAY = date(2026, 11, 22)


@pytest.fixture
def cache(database: Database) -> ReadCache:
    return ReadCache(database)


def entry(number: int, day: date = DAY, *, text: str = "Tea", voided: bool = False) -> ListedEntry:
    amount, code = Decimal(f"{number + 1}.50"), f"0K7-{number + 1:06d}"
    return ListedEntry(
        f"id-{number:06d}", day, amount, Direction.CREDIT, "Food", text, code, 0, voided=voided
    )


def ids(entries: list[ListedEntry]) -> list[int]:
    return [int(e.id.removeprefix("id-")) for e in entries]


def test_cached_entries_are_unchanged_after_a_restart(tmp_path: Path) -> None:
    database = Database(tmp_path / "client.sqlite")
    ReadCache(database).remember(BOOK, [entry(1, text="चाय")])
    database.close()
    database = Database(tmp_path / "client.sqlite")
    assert ReadCache(database).page(BOOK, ALL, None, 10) == [entry(1, text="चाय")]
    database.close()


def test_pages_are_newest_first_and_contiguous(cache: ReadCache) -> None:
    seen = [entry(n, DAY - timedelta(days=n % 3)) for n in range(10)]
    cache.remember(BOOK, seen)
    pages: list[ListedEntry] = []
    after = None
    while page := cache.page(BOOK, ALL, after, 3):
        pages += page
        after = page[-1].sort_key
    assert pages == sorted(seen, key=lambda e: e.sort_key, reverse=True)


def test_a_page_contains_only_entries_of_the_filter(cache: ReadCache) -> None:
    cache.remember(BOOK, [entry(1, text="Taxi"), entry(2), entry(3, text="taxi home")])
    assert ids(cache.page(BOOK, EntryFilter(text="taxi"), None, 10)) == [3, 1]
    assert cache.page(BOOK, EntryFilter(waiting_only=True), None, 10) == []


def test_voided_entries_are_left_out(cache: ReadCache) -> None:
    cache.remember(BOOK, [entry(1), entry(2)])
    cache.remember(BOOK, [entry(2, voided=True)])
    assert ids(cache.page(BOOK, ALL, None, 10)) == [1]


def test_categories_come_with_their_uses_the_last_used_first(cache: ReadCache) -> None:
    used = ["Tea", "Tea", "Café", "Rent"]
    rows = [replace(entry(n, DAY + timedelta(n)), category=text) for n, text in enumerate(used)]
    cache.remember(BOOK, [*rows, replace(rows[0], id="id-000009", category="Old", voided=True)])
    assert cache.categories(BOOK, ()) == [("Rent", 1), ("Café", 1), ("Tea", 2)]
    assert cache.categories(BOOK, [rows[3].id, "of no entry"]) == [("Café", 1), ("Tea", 2)]
    assert cache.categories("another book", ()) == []


def test_an_entry_seen_again_replaces_the_earlier_one(cache: ReadCache) -> None:
    cache.remember(BOOK, [entry(1)])
    cache.remember(BOOK, [entry(1, DAY - timedelta(days=1), text="Coffee")])
    assert cache.page(BOOK, ALL, None, 10) == [entry(1, DAY - timedelta(days=1), text="Coffee")]


def test_entries_of_another_book_are_not_returned(cache: ReadCache) -> None:
    cache.remember("other", [entry(1)])
    assert cache.page(BOOK, ALL, None, 10) == []
    assert cache.detail(BOOK, entry(1).id) is None


def test_the_entries_seen_longest_ago_are_dropped(cache: ReadCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "MAX_ENTRIES", 5)
    cache.remember("other", [entry(n) for n in range(5)])
    cache.remember(BOOK, [entry(n) for n in range(4)])
    cache.remember(BOOK, [entry(0)])
    cache.remember(BOOK, [entry(8, date(2019, 1, 1)), entry(9, date(2019, 1, 1))])
    assert ids(cache.page(BOOK, ALL, None, 10)) == [3, 2, 0, 9, 8]
    assert len(cache.page("other", ALL, None, 10)) == 5


def test_two_thousand_are_kept(cache: ReadCache) -> None:
    cache.remember(BOOK, (entry(n, DAY - timedelta(days=n)) for n in range(2100)))
    assert ids(cache.page(BOOK, ALL, None, 5000)) == list(range(2000))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ReadCache]:
    database = Database(tmp_path_factory.mktemp("shared") / "client.sqlite")
    yield ReadCache(database)
    database.close()


@settings(max_examples=examples(40), deadline=None)
@given(st.sets(st.integers(0, 60), max_size=30), st.integers(0, 40), st.integers(0, 70))
def test_a_page_after_any_key_follows_the_sort_order(
    shared: ReadCache, numbers: set[int], limit: int, after: int
) -> None:
    seen = [entry(n, DAY - timedelta(days=n % 4)) for n in numbers]
    book_id = str(uuid4())  # a book of its own for each example
    shared.remember(book_id, seen)
    key = entry(after, DAY - timedelta(days=after % 4)).sort_key
    expected = sorted((e for e in seen if e.sort_key < key), key=lambda e: e.sort_key, reverse=True)
    assert shared.page(book_id, ALL, key, limit) == expected[:limit]


def test_an_entry_is_cached_with_its_bills(cache: ReadCache) -> None:
    bills = tuple(
        DocumentInfo(f"d{n}", f"K7-000001-{n}", "बिल.pdf", "application/pdf", 9, "0" * 64) for n in (1, 2)
    )
    cache.remember(BOOK, [entry(1)])
    assert cache.detail(BOOK, entry(1).id) is None
    cache.remember_detail(BOOK, EntryDetail(entry(1), bills))
    cache.remember(BOOK, [entry(1, text="Coffee")])
    assert cache.detail(BOOK, entry(1).id) == EntryDetail(entry(1, text="Coffee"), bills)
