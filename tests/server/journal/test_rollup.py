"""The roll-up: every delta is folded once, and readers are exact at every moment."""

import asyncio
import random
import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import LiteralString
from uuid import UUID

import psycopg
import pytest

from server.contract import limits
from server.db.pool import Pool, make_pool
from server.entries.search import Filter, parameters
from server.entries.store import SQL as ENTRIES_SQL
from server.entries.store import _month_values
from server.journal import rollup as room
from server.journal.rollup import fold_all
from tests.support.journal import JournalRow, entry_row, write_journal
from tests.support.postgres import rows
from tests.support.servers import RunningServer
from tests.support.waiting import wait_until

BOOK = "0197e3a5-0000-7000-8000-0000000000b0"
OTHER = "0197e3a5-0000-7000-8000-0000000000b1"
Start = Callable[..., RunningServer]


def _rows(count: int, seed: int) -> list[JournalRow]:
    choose = random.Random(seed)
    made = [
        entry_row(
            date(2026, 1, 1) + timedelta(days=choose.randrange(100)),
            f"{choose.randrange(1, 99_999) / 100:.2f}",
            choose.choice(("CR", "DR")),
            choose.choice(("Rent", "Travel")),
            choose.choice(("one", "two")),
            ver=1_000 + n,
        )
        for n in range(count)
    ]
    changed = choose.sample(made, count // 4)
    again = [
        entry_row("2026-02-02", "5.00", id_=row.id, ver=row.ver + 1_000_000, voided=choose.random() < 0.5)
        for row in changed
    ]
    return made + again


def _fold(url: str) -> int:
    async def fold() -> int:
        async with make_pool(url, 2) as pool:
            return await fold_all(pool)

    return asyncio.run(fold())


PLAIN = """select date_trunc('month', entry_date::timestamp)::date, category, cr_dr, sum(amount), count(*)
    from public.accounting_entry where book_id = %s and voided_at is null group by 1, 2, 3 order by 1, 2, 3"""
MONTHS = """select month, category, cr_dr, amount, count from public.entry_month
    where book_id = %s and count <> 0 order by 1, 2, 3"""


def test_folding_gives_what_a_plain_group_by_gives(database_url: str) -> None:
    for seed in range(3):
        write_journal(database_url, BOOK, _rows(100, seed))
        write_journal(database_url, OTHER, _rows(40, seed + 10))
        assert _fold(database_url) > 140
        for book in (BOOK, OTHER):
            assert rows(database_url, MONTHS, book) == rows(database_url, PLAIN, book)
    assert rows(database_url, "select count(*) from public.entry_delta") == [(0,)]
    assert _fold(database_url) == 0


def test_what_is_taken_away_leaves_nothing_behind(database_url: str) -> None:
    row = entry_row(ver=1_000)
    write_journal(database_url, BOOK, [row])
    _fold(database_url)
    write_journal(database_url, BOOK, [entry_row(id_=row.id, ver=2_000, voided=True)])
    _fold(database_url)
    assert rows(database_url, "select sum(amount), sum(count) from public.entry_month") == [(0, 0)]
    assert rows(database_url, "select sum(uses) from public.suggestion") == [(0,)]


def test_suggestions_count_each_use_once(database_url: str) -> None:
    write_journal(database_url, BOOK, _rows(80, 5))
    _fold(database_url)
    counted = """select uses from public.suggestion where kind = 'c' and text = 'Rent'"""
    plain = """select count(*) from public.accounting_entry where category = 'Rent' and voided_at is null"""
    assert rows(database_url, counted) == rows(database_url, plain)


def test_deltas_of_several_batches_are_all_folded(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_journal(database_url, BOOK, [entry_row() for _ in range(25)])
    monkeypatch.setattr(room, "BATCH", 10)
    assert _fold(database_url) == 25
    assert rows(database_url, "select sum(count) from public.entry_month") == [(25,)]


def test_a_book_that_another_server_folds_is_left_to_it(database_url: str) -> None:
    write_journal(database_url, BOOK, [entry_row()])
    lock = "select pg_advisory_lock(hashtextextended('rollup ' || %s, 0))"
    with psycopg.connect(database_url) as other:
        other.execute(lock, (BOOK,))
        assert _fold(database_url) == 0
    assert _fold(database_url) == 1


def test_readers_see_exact_totals_while_others_write_and_fold(database_url: str) -> None:
    """Each write adds 1.00 in and 1.00 out, in one transaction: whoever reads must find them equal."""
    stop = threading.Event()
    seen: list[int] = []
    wrong: list[object] = []
    statement, values = ENTRIES_SQL["summary_of_months"], _everything()

    def write() -> None:
        while not stop.is_set():
            pair = [entry_row(amount="1.00", cr_dr=way) for way in ("CR", "DR") for _ in range(10)]
            write_journal(database_url, BOOK, pair)

    def read() -> None:
        with psycopg.connect(database_url, autocommit=True) as connection:
            while not stop.is_set():
                found = connection.execute(statement, values).fetchall()
                by_direction = {r[2]: (r[3], r[4]) for r in found if r[0] is None and r[1] is None}
                if not by_direction:
                    continue
                if by_direction["CR"] != by_direction["DR"] or by_direction["CR"][0] != by_direction["CR"][1]:
                    wrong.append(by_direction)
                seen.append(by_direction["CR"][1])

    threads = [threading.Thread(target=work) for work in (write, read, read)]
    for thread in threads:
        thread.start()
    folded = 0
    try:
        while folded < 1_500 or len(seen) <= 10:  # who reads may be slower than who folds
            folded += _fold(database_url)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not wrong
    assert len(seen) > 10
    _fold(database_url)
    assert rows(database_url, MONTHS, BOOK) == rows(database_url, PLAIN, BOOK)


def _everything() -> dict[str, object]:
    filter_ = Filter()
    return {**parameters(UUID(BOOK), filter_), **_month_values(filter_)}


def test_a_running_server_folds_by_itself_and_survives_a_failure(
    start_server: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = threading.Event()
    fold = room.fold_all

    async def fail_once(pool: Pool) -> int:
        if not failed.is_set():
            failed.set()
            raise psycopg.OperationalError
        return await fold(pool)

    monkeypatch.setattr(room, "fold_all", fail_once)
    monkeypatch.setattr(room, "_PAUSE_SECONDS", 0.02)
    server = start_server()
    server.api().register().add()
    wait_until(lambda: not rows(server.config.database_url, "select 1 from public.entry_delta"))
    assert failed.is_set()
    assert rows(server.config.database_url, "select sum(count) from public.entry_month") == [(1,)]


def test_no_text_stops_the_roll_up(database_url: str) -> None:
    # Too long for the primary key of suggestions, of many different signs, or with a key that is much longer.
    choose = random.Random(3)
    various = "".join(chr(choose.randrange(0x20000, 0x2A000)) for _ in range(500))
    texts = [various[:length] for length in (199, 200, 201, 500)] + ["ﷺ" * 200, "각힣" * 100, "क" * 500]
    write_journal(database_url, BOOK, [entry_row(description=text, category=various[:100]) for text in texts])
    assert _fold(database_url) == len(texts)
    assert rows(database_url, MONTHS, BOOK) == rows(database_url, PLAIN, BOOK)
    offered: LiteralString = "select count(*) from public.suggestion where kind = 'd'"
    assert rows(database_url, offered) == [(4,)]


def test_totals_of_any_number_of_the_highest_amounts_are_folded(database_url: str) -> None:
    highest = str(limits.MAX_AMOUNT)
    write_journal(database_url, BOOK, [entry_row("2026-01-01", highest), entry_row("2026-01-01", highest)])
    assert _fold(database_url) == 2
    # As after a million more entries, which would take minutes to make.
    rows(database_url, "update public.entry_month set amount = 500_001 * amount, count = 500_001 * count")
    write_journal(database_url, BOOK, [entry_row("2026-01-01", highest)])
    assert _fold(database_url) == 1
    total = (1_000_003 * limits.MAX_AMOUNT, 1_000_003)
    assert rows(database_url, "select sum(amount), sum(count) from public.entry_month") == [total]


_REFUSE: LiteralString = f"""
alter table public.entry_month add constraint refuses check (book_id <> '{BOOK}' or amount < 0)"""


def test_a_book_that_cannot_be_folded_stops_no_other_book(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    books = ["0197e3a5-0000-7000-8000-0000000000af", BOOK, OTHER]  # one before and one after it
    for book in books:
        write_journal(database_url, book, [entry_row(description="secret") for _ in range(3)])
    rows(database_url, _REFUSE)
    assert _fold(database_url) == 6
    assert rows(database_url, "select distinct book_id::text from public.entry_delta") == [(BOOK,)]
    (record,) = [each for each in caplog.records if each.name == room.__name__]
    assert record.__dict__["books"] == [BOOK]
    assert record.__dict__["errors"] == ["CheckViolation"]
    assert "secret" not in str(record.__dict__)
    rows(database_url, "alter table public.entry_month drop constraint refuses")
    assert _fold(database_url) == 3


def test_a_book_that_another_server_folds_stops_no_other_book(database_url: str) -> None:
    for book in (BOOK, OTHER):
        write_journal(database_url, book, [entry_row()])
    lock = "select pg_advisory_lock(hashtextextended('rollup ' || %s, 0))"
    with psycopg.connect(database_url) as other:
        other.execute(lock, (BOOK,))
        assert _fold(database_url) == 1
    assert _fold(database_url) == 1
