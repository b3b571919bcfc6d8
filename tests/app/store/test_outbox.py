"""Nothing lost, nothing doubled, in order."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.entry import Attachment, EntryDetail, EntryState
from app.domain.outbox_item import OutboxItem, OutboxKind, OutboxState
from app.errors import StoreError
from app.store.database import Database
from app.store.outbox import Outbox
from server.contract import checks, limits, shapes
from tests.app.store.samples import BOOK, bill, draft
from tests.support.examples import examples

NOW = 1_795_000_000_000_000  # µs: November 2026
HOUR = 3_600_000_000
OTHER = "book-2"


def test_an_item_contains_the_input_and_the_generated_ids(outbox: Outbox) -> None:
    item = outbox.add(BOOK, draft("Tea", bill("a.pdf"), bill("b.pdf")), "0K7", NOW, 250)
    assert (item.human_code, item.ver, item.kind) == ("0K7-000001", NOW + 250, "create")
    assert (item.amount, item.category, item.description) == (Decimal("12.50"), "Food", "Tea")
    assert [(d.doc_code, d.file_name) for d in item.documents] == [
        ("K7-000001-1", "a.pdf"),
        ("K7-000001-2", "b.pdf"),
    ]
    assert item.created_at == datetime.fromtimestamp(NOW // 10**6, UTC)
    assert outbox.waiting(BOOK) == [item]
    assert outbox.get(item.op_id) == item == outbox.find_entry(BOOK, item.entry_id)


def test_a_server_accepts_the_content_of_an_item(outbox: Outbox) -> None:
    item = outbox.add(BOOK, draft("चाय", bill()), "0K7", NOW)
    document = item.documents[0]
    body = shapes.CreateEntry(
        op_id=item.op_id,
        ver=item.ver,
        id=item.entry_id,
        entry_date=item.entry_date.isoformat(),
        amount=str(item.amount),
        cr_dr=item.direction.value,
        category=item.category,
        description=item.description,
        human_code=item.human_code,
        documents=[
            shapes.NewDocument(
                id=document.id,
                doc_code=document.doc_code,
                file_name=document.file_name,
                media_type=document.media_type,
                byte_size=document.byte_size,
                sha256=document.sha256,
            )
        ],
    )
    assert checks.check_create(body, item.entry_date) == []


def test_items_come_in_the_order_in_which_they_were_saved(outbox: Outbox) -> None:
    saved = [outbox.add(BOOK, draft(str(n)), "0K7", NOW - n * HOUR) for n in range(5)]
    assert outbox.waiting(BOOK) == saved
    assert [item.human_code for item in saved] == [f"0K7-00000{n}" for n in range(1, 6)]


def test_versions_increase_even_if_the_clock_stands_or_goes_back_or_after_a_restart(tmp_path: Path) -> None:
    made = []
    for now_us in (NOW, NOW, NOW - HOUR, NOW - 2 * HOUR, NOW + 5, 0):
        database = Database(tmp_path / "client.sqlite")
        made.append(Outbox(database).add(BOOK, draft(), "0K7", now_us))
        database.close()
    assert [item.ver - NOW for item in made] == [0, 1, 2, 3, 5, 6]
    assert all(one.entry_id < next_.entry_id for one, next_ in pairwise(made))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outbox]:
    database = Database(tmp_path_factory.mktemp("shared") / "client.sqlite")
    yield Outbox(database)
    database.close()


@settings(max_examples=examples(40), deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2**50), st.integers(-(2**40), 2**40)), max_size=5))
def test_versions_and_counters_increase_whatever_the_clock_does(
    shared: Outbox, clocks: list[tuple[int, int]]
) -> None:
    before = shared.add(BOOK, draft(), "0K7", 0)
    made = [before, *(shared.add(BOOK, draft(), "0K7", now, offset) for now, offset in clocks)]
    assert all(one.ver < next_.ver for one, next_ in pairwise(made))
    assert all(one.human_code < next_.human_code for one, next_ in pairwise(made))


def test_each_book_and_prefix_has_its_own_counter(outbox: Outbox) -> None:
    wanted = [(BOOK, "0K7"), (BOOK, "0K8"), (OTHER, "0K7"), (BOOK, "0K7")]
    made = [outbox.add(book, draft(), prefix, NOW).human_code for book, prefix in wanted]
    assert made == ["0K7-000001", "0K8-000001", "0K7-000001", "0K7-000002"]


def test_a_counter_is_raised_to_the_servers_and_never_lowered(outbox: Outbox) -> None:
    outbox.raise_counter(BOOK, "0K7", 41)
    assert outbox.add(BOOK, draft(), "0K7", NOW).human_code == "0K7-000042"
    outbox.raise_counter(BOOK, "0K7", 7)
    assert outbox.add(BOOK, draft(), "0K7", NOW).human_code == "0K7-000043"


def test_a_counter_is_not_used_again_after_its_item_was_confirmed(outbox: Outbox) -> None:
    outbox.confirm(outbox.add(BOOK, draft(), "0K7", NOW).op_id)
    assert outbox.add(BOOK, draft(), "0K7", NOW).human_code == "0K7-000002"


def test_many_threads_can_save_at_once_without_gaps_or_duplicates(outbox: Outbox) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: outbox.add(BOOK, draft(str(n)), "0K7", NOW), range(80)))
    stored = outbox.waiting(BOOK)
    assert {i.op_id for i in made} == {i.op_id for i in stored}
    assert [i.human_code for i in stored] == [f"0K7-{n:06d}" for n in range(1, 81)]
    assert [i.ver for i in stored] == list(range(NOW, NOW + 80))


def test_an_item_that_cannot_be_stored_uses_no_counter_or_version(outbox: Outbox) -> None:
    def broken(_: int) -> bytes:
        return b""

    with pytest.raises(ValueError, match="random bytes"):
        outbox.add(BOOK, draft(), "0K7", NOW, random=broken)
    with pytest.raises(ValueError, match="prefix"):
        outbox.add(BOOK, draft(), "lower", NOW)
    item = outbox.add(BOOK, draft(), "0K7", NOW)
    assert (item.human_code, item.ver) == ("0K7-000001", NOW)


def test_on_a_full_disk_exactly_the_items_for_which_add_returned_exist(
    outbox: Outbox, database: Database
) -> None:
    with database.read() as connection:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    made: list[OutboxItem] = []

    def fill() -> None:
        while True:
            made.append(outbox.add(BOOK, draft("x" * 400), "0K7", NOW))

    with pytest.raises(StoreError, match="The disk is full"):
        fill()
    assert made
    assert outbox.waiting(BOOK) == made
    with database.read() as connection:
        connection.execute("PRAGMA max_page_count = 1000000")
    made.append(outbox.add(BOOK, draft(), "0K7", NOW))
    assert [i.human_code for i in made] == [f"0K7-{n:06d}" for n in range(1, len(made) + 1)]


def test_a_draft_saved_twice_gives_two_entries_with_their_own_bills(outbox: Outbox) -> None:
    twice = [outbox.add(BOOK, draft("Tea", bill("a.pdf"), bill("b.pdf")), "0K7", NOW) for _ in range(2)]
    assert len({d.id for item in twice for d in item.documents}) == 4
    for item in twice:
        assert [d.id for d in item.documents] == sorted(d.id for d in item.documents)


def test_a_confirmed_item_is_removed_and_confirming_is_idempotent(outbox: Outbox) -> None:
    item, other = (outbox.add(BOOK, draft(), "0K7", NOW) for _ in range(2))
    outbox.confirm(item.op_id)
    outbox.confirm(item.op_id)
    assert outbox.waiting(BOOK) == [other]
    assert outbox.get(item.op_id) is None


def test_a_failure_is_counted_and_the_item_stays_waiting(outbox: Outbox) -> None:
    op_id = outbox.add(BOOK, draft(), "0K7", NOW).op_id
    outbox.fail(op_id, "No server answered.")
    outbox.fail(op_id, "Time is up.")
    item = outbox.waiting(BOOK)[0]
    assert (item.attempts, item.last_error) == (2, "Time is up.")
    assert item.listed().state is EntryState.WAITING
    assert item.listed().note == ""


def test_a_refused_item_has_a_reason_and_stays_refused_until_a_retry(outbox: Outbox) -> None:
    op_id = outbox.add(BOOK, draft("Tea", bill()), "0K7", NOW).op_id
    outbox.refuse(op_id, "This book is kept in INR.")
    assert outbox.waiting(BOOK) == []
    item = outbox.items(BOOK)[0]
    assert (item.listed().state, item.listed().note) == (EntryState.REFUSED, "This book is kept in INR.")
    outbox.retry(op_id)
    assert outbox.waiting(BOOK)[0].listed().state is EntryState.WAITING


def test_items_are_counted_by_book_and_state(outbox: Outbox) -> None:
    made = [outbox.add(BOOK, draft(), "0K7", NOW) for _ in range(3)]
    outbox.add(OTHER, draft(), "0K7", NOW)
    outbox.refuse(made[0].op_id, "no")
    assert outbox.count(BOOK) == 3
    assert outbox.count(BOOK, OutboxState.WAITING) == 2
    assert outbox.count(BOOK, OutboxState.REFUSED) == 1


def test_an_item_is_listed_with_its_bills(outbox: Outbox) -> None:
    item = outbox.add(BOOK, draft("Tea", bill("a.pdf"), bill("b.pdf")), "0K7", NOW)
    detail = item.detail()
    assert detail.entry == item.listed()
    assert detail.entry.document_count == len(detail.documents) == 2
    assert detail.entry.sort_key == (item.entry_date, item.entry_id)


def test_the_hashes_are_those_of_all_bills(outbox: Outbox) -> None:
    outbox.add(BOOK, draft("Tea", bill("a"), bill("b")), "0K7", NOW)
    outbox.add(OTHER, draft("Tea", bill("b"), bill("c")), "0K7", NOW)
    assert outbox.file_hashes() == {bill(name).sha256 for name in "abc"}


def test_restamp_gives_versions_that_a_server_accepts_after_the_clock_was_ahead(outbox: Outbox) -> None:
    early = outbox.add(BOOK, draft("early"), "0K7", NOW)
    ahead = [outbox.add(BOOK, draft(str(n), bill()), "0K7", NOW + 9000 * HOUR) for n in range(3)]
    late = outbox.add(BOOK, draft("late"), "0K7", NOW + 1000)
    assert late.ver > NOW + limits.MAX_CLOCK_AHEAD_US  # the clock is right again, and yet it would be refused
    assert outbox.restamp(BOOK, NOW + 2000, 0) == 4
    items = outbox.waiting(BOOK)
    assert [i.entry_id for i in items] == [i.entry_id for i in (early, *ahead, late)]
    assert [i.documents for i in items] == [i.documents for i in (early, *ahead, late)]
    assert items[0] == early
    assert all(one.ver < next_.ver < NOW + 3000 for one, next_ in pairwise(items))
    assert not {i.op_id for i in items[1:]} & {i.op_id for i in (*ahead, late)}
    assert NOW + 2000 < outbox.add(BOOK, draft(), "0K7", NOW + 2500).ver < NOW + 3000


def test_restamp_does_not_change_items_of_other_books(outbox: Outbox) -> None:
    day = 24 * 3600 * 1_000_000
    for book in (BOOK, "another"):
        outbox.add(book, draft(), "0K7", NOW + day)
    before = outbox.items("another")
    assert outbox.restamp(BOOK, NOW, 0) == 1
    assert outbox.items("another") == before


def test_restamp_does_not_change_versions_that_are_not_ahead(outbox: Outbox) -> None:
    item = outbox.add(BOOK, draft(), "0K7", NOW + 1000)
    assert outbox.restamp(BOOK, NOW, 0) == 0
    assert outbox.waiting(BOOK) == [item]
    assert outbox.add(BOOK, draft(), "0K7", NOW).ver == item.ver + 1


def test_a_damaged_item_is_reported(outbox: Outbox, database: Database) -> None:
    outbox.add(BOOK, draft(), "0K7", NOW)
    with database.write() as connection:
        connection.execute("UPDATE outbox SET payload = '{}'")
    with pytest.raises(StoreError, match="damaged"):
        outbox.waiting(BOOK)


def test_an_item_is_in_the_file_when_add_returns(outbox: Outbox, tmp_path: Path) -> None:
    item = outbox.add(BOOK, draft(), "0K7", NOW)
    other = sqlite3.connect(tmp_path / "client.sqlite")
    assert other.execute("SELECT op_id FROM outbox").fetchall() == [(item.op_id,)]
    other.close()


def _change(outbox: Outbox, base: EntryDetail, *bills: Attachment, prefix: str = "0K7") -> EntryDetail:
    changed = draft("Tea", *bills)
    return outbox.change(BOOK, OutboxKind.EDIT, base, changed, prefix, NOW).detail()


def _as_bills(detail: EntryDetail) -> list[Attachment]:
    return [Attachment(d.id, d.file_name, d.media_type, d.byte_size, d.sha256) for d in detail.documents]


def test_the_code_of_a_removed_bill_is_never_used_again(outbox: Outbox) -> None:
    two = outbox.add(BOOK, draft("Tea", bill("a"), bill("b")), "0K7", NOW).detail()
    one = _change(outbox, two, _as_bills(two)[0])
    again = _change(outbox, one, _as_bills(one)[0], bill("c"))
    assert [d.doc_code for d in again.documents] == ["K7-000001-1", "K7-000001-3"]
    none = _change(outbox, again)
    last = _change(outbox, none, bill("d"))
    assert [d.doc_code for d in last.documents] == ["K7-000001-4"]


def test_bill_codes_of_another_device_contain_its_prefix(outbox: Outbox) -> None:
    own = outbox.add(BOOK, draft("Tea", bill("a")), "0K7", NOW).detail()
    both = _change(outbox, own, *_as_bills(own), bill("b"), bill("c"), prefix="1B3")
    assert [d.doc_code for d in both.documents] == ["K7-000001-1", "0K7-000001-1B3-1", "0K7-000001-1B3-2"]


@pytest.mark.parametrize("ver", [2**48 * 1000 - 1, 2**63 - 1])
def test_an_entry_whose_version_is_no_time_is_not_changed(outbox: Outbox, ver: int) -> None:
    detail = outbox.add(BOOK, draft("Tea"), "0K7", NOW).detail()
    damaged = replace(detail, entry=replace(detail.entry, ver=ver))
    with pytest.raises(StoreError, match="version of this entry is damaged"):
        outbox.change(BOOK, OutboxKind.EDIT, damaged, draft("Coffee"), "0K7", NOW)
    assert outbox.count(BOOK) == 1
    assert outbox.add(BOOK, draft("Milk"), "0K7", NOW + 1).ver == NOW + 1
