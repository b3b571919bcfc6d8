"""The merge: rows of the journal in any order make the same tables, here and on an apply worker."""

import itertools
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.examples import examples
from tests.support.journal import JournalRow, document_row, entry_row, write_journal
from tests.support.postgres import dump_of_book, rows

ENTRIES = ["0197e3a5-0000-7000-8000-00000000000" + n for n in "123"]
OPERATIONS = [f"00000000-0000-4000-8000-00000000000{n}" for n in range(8)]
BOOK = "0197e3a5-0000-7000-8000-0000000000b0"
OTHER = "0197e3a5-0000-7000-8000-0000000000b1"


def _version(number: int, ver: int, op: int, voided: bool) -> JournalRow:
    """One of several versions of three entries; what it says follows from its identity."""
    text = f"{number} {ver} {op}"
    return entry_row(
        f"2026-0{1 + (ver + op) % 3}-15",
        f"{100 * number + 10 * ver + op}.50",
        ("CR", "DR")[op % 2],
        f"Category {ver % 2}",
        text,
        id_=ENTRIES[number],
        ver=1_000 + ver,
        op_id=OPERATIONS[op],
        voided=voided,
    )


def _account(ver: int, op: int) -> list[JournalRow]:
    who, op_id = ENTRIES[0], OPERATIONS[op]
    made = 1_000 + ver
    return [
        JournalRow("user", who, made, {"displayName": f"Asha {ver} {op}", "createdVer": made}, op_id),
        JournalRow("credential", who, made, {"passwordHash": f"hash {ver} {op}"}, op_id),
        JournalRow("username", who, made, {"nameKey": f"asha {ver} {op}"}, op_id),
        JournalRow("device", who, made, {"codePrefix": "T01", "displayName": "", "createdVer": made}, op_id),
    ]


VERSIONS = st.lists(
    st.builds(_version, st.integers(0, 2), st.integers(0, 4), st.integers(0, 7), st.booleans()),
    min_size=1,
    max_size=12,
    unique_by=lambda row: (row.op_id, row.id),
)
MERGED = ("accounting_entry", "accounting_document", "app_user", "credential", "username_claim", "device")


def _totals(url: str, book: str) -> list[tuple[object, ...]]:
    sums = """select month, category, cr_dr, sum(amount), sum(count) from public.entry_delta
        where book_id = %s group by 1, 2, 3 having sum(count) <> 0 or sum(amount) <> 0 order by 1, 2, 3"""
    return rows(url, sums, book)


def _plain_totals(url: str, book: str) -> list[tuple[object, ...]]:
    sums = """select date_trunc('month', entry_date::timestamp)::date, category, cr_dr, sum(amount), count(*)
        from public.accounting_entry where book_id = %s and voided_at is null
        group by 1, 2, 3 order by 1, 2, 3"""
    return rows(url, sums, book)


@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(VERSIONS, st.randoms(use_true_random=False))
def test_versions_in_any_order_make_the_same_tables(
    database_url: str, versions: list[JournalRow], order: random.Random
) -> None:
    ours, theirs = _books()
    write_journal(database_url, ours, versions)
    shuffled = [*versions, *order.choices(versions, k=3)]  # some arrive twice
    order.shuffle(shuffled)
    half = len(shuffled) // 2
    write_journal(database_url, theirs, shuffled[:half], as_replica=True)
    write_journal(database_url, theirs, shuffled[half:], as_replica=True)
    here, there = dump_of_book(database_url, ours), dump_of_book(database_url, theirs)
    for table in MERGED:
        assert [row.replace(ours, theirs) for row in here[table]] == there[table]
    assert _totals(database_url, ours) == _totals(database_url, theirs) == _plain_totals(database_url, ours)
    for number in ENTRIES:
        of_entry = [row for row in versions if row.id == number]
        if of_entry:
            highest = max(of_entry, key=lambda row: (row.ver, row.op_id))
            standing = (
                "select description, op_id::text from public.accounting_entry where book_id = %s and id = %s"
            )
            assert rows(database_url, standing, ours, number) == [(highest.doc["description"], highest.op_id)]


_counter = itertools.count(1)


def _books() -> tuple[str, str]:
    number = next(_counter)
    return f"{BOOK[:-12]}{number:06}0000a0", f"{BOOK[:-12]}{number:06}0000b0"


def test_accounts_and_devices_merge_like_entries(database_url: str) -> None:
    versions = [_account(ver, op) for ver, op in ((1, 1), (2, 0), (2, 3), (0, 7))]
    flat = [row for account in versions for row in account]
    write_journal(database_url, BOOK, flat)
    write_journal(database_url, OTHER, reversed(flat), as_replica=True)
    here, there = dump_of_book(database_url, BOOK), dump_of_book(database_url, OTHER)
    for table in MERGED:
        assert [row.replace(BOOK, OTHER) for row in here[table]] == there[table]
    names = "select display_name from public.app_user where book_id = %s"
    assert rows(database_url, names, BOOK) == [("Asha 2 3",)]


def test_a_document_may_arrive_before_its_entry(database_url: str) -> None:
    entry = entry_row()
    write_journal(database_url, BOOK, [document_row(entry.id)], as_replica=True)
    write_journal(database_url, BOOK, [entry], as_replica=True)
    found = """select count(*) from public.accounting_document d
        join public.accounting_entry e on e.book_id = d.book_id and e.id = d.accounting_entry_id"""
    assert rows(database_url, found) == [(1,)]


def test_a_kind_that_this_version_does_not_know_is_kept_and_touches_nothing(database_url: str) -> None:
    strange = JournalRow("budget", ENTRIES[0], 1, {"anything": [1, {"deep": None}]})
    write_journal(database_url, BOOK, [strange])
    dump = dump_of_book(database_url, BOOK)
    assert len(dump.pop("journal")) == 1
    assert not any(dump.values())


@pytest.mark.parametrize("as_replica", [False, True])
def test_a_row_that_is_here_already_is_skipped(database_url: str, as_replica: bool) -> None:
    row = entry_row(amount="1.00")
    changed = entry_row(amount="2.00", id_=row.id, ver=row.ver, op_id=row.op_id)
    write_journal(database_url, BOOK, [row])
    before = dump_of_book(database_url, BOOK)
    write_journal(database_url, BOOK, [row, changed, row], as_replica=as_replica)
    assert dump_of_book(database_url, BOOK) == before


def test_keys_that_this_version_does_not_know_stay_in_the_journal(database_url: str) -> None:
    row = entry_row()
    row.doc["tags"] = ["later"]
    write_journal(database_url, BOOK, [row])
    found = "select doc::jsonb -> 'tags' ->> 0 from public.journal where book_id = %s"
    assert rows(database_url, found, BOOK) == [("later",)]


def test_one_books_rows_never_touch_anothers(database_url: str) -> None:
    row = entry_row(ver=1_000)
    newer = entry_row(id_=row.id, op_id=row.op_id, ver=2_000, amount="9.00")
    write_journal(database_url, BOOK, [row])
    before = dump_of_book(database_url, BOOK)
    write_journal(database_url, OTHER, [newer])
    assert dump_of_book(database_url, BOOK) == before


def test_every_trigger_fires_on_an_apply_worker_too(database_url: str) -> None:
    triggers = "select tgname::text from pg_trigger where not tgisinternal and tgenabled <> 'A'"
    assert rows(database_url, triggers) == []


def test_merged_tables_have_no_unique_index_but_their_primary_keys(database_url: str) -> None:
    unique = """select count(*) from pg_index i join pg_class c on c.oid = i.indrelid
        where c.relnamespace = 'public'::regnamespace and i.indisunique and not i.indisprimary"""
    assert rows(database_url, unique) == [(0,)]
