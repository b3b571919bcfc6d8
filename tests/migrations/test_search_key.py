"""The search key comes to a database with entries, while programs of before and after work on it."""

import threading
from typing import Final, LiteralString

import psycopg
import pytest

from server.db.migrate import all_migrations, migrate
from server.journal.append import SQL as JOURNAL
from tests.support.exact import wrong_totals, wrong_uses
from tests.support.journal import entry_row, write_journal
from tests.support.postgres import rows
from tests.support.waiting import wait_until

BOOK: Final = "0197e3a5-0000-7000-8000-0000000000b0"
OTHER: Final = "0197e3a5-0000-7000-8000-0000000000b1"
BEFORE: Final = 8
# What the programs before 0009 run.
OLD_FOLD: Final[LiteralString] = JOURNAL["fold"].replace(
    "s.kind, '', s.text", 's.kind, lower(s.text collate "pg_c_utf8"), s.text'
)
OLD_SEARCH: Final[LiteralString] = """
select description from public.accounting_entry e
where e.book_id = %s and e.voided_at is null
  and public.bahi_search_text(e.description, e.category, e.human_code, e.amount) like %s order by 1"""
NEW_SEARCH: Final[LiteralString] = """
select description from public.accounting_entry e
where e.book_id = %s and e.voided_at is null
  and public.bahi_entry_key(e.description, e.category, e.human_code, e.amount) like %s order by 1"""
WRONG_KEYS: Final[LiteralString] = """
select text, text_key from public.suggestion
where text_key <> left(public.bahi_search_key(text), 300) or not public.bahi_is_suggestible(text)"""
INDEXES: Final[LiteralString] = """
select c.relname::text, i.indisvalid from pg_index i join pg_class c on c.oid = i.indexrelid
where c.relname in ('accounting_entry_key', 'accounting_entry_search') order by 1"""
TEXTS: Final = (
    "Café",
    "CAFÉ",
    "cafe\u0301",
    "\u0958लम",
    "क\u093cलम",
    "plain text",
    "Plain  TEXT",
    "१२३",
    "१२३४५",
)


def _fold(url: str, statement: LiteralString, book: str = BOOK) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(statement, {"book_id": book, "limit": 5_000})


def _found(url: str, statement: LiteralString, word: str) -> list[str]:
    return [text for (text,) in rows(url, statement, BOOK, f"%{word}%")]


@pytest.fixture
def old_url(empty_database_url: str) -> str:
    """A database as programs before the key left it, with two books."""
    migrate(empty_database_url, BEFORE)
    for book in (BOOK, OTHER):
        write_journal(
            empty_database_url, book, [entry_row(description=text, category=text) for text in TEXTS * 2]
        )
        _fold(empty_database_url, OLD_FOLD, book)
    return empty_database_url


def test_what_was_there_before_has_its_key_afterwards(old_url: str) -> None:
    assert migrate(old_url) == [m.full_name for m in all_migrations()[BEFORE:]]
    assert rows(old_url, WRONG_KEYS) == []
    assert rows(old_url, INDEXES) == [("accounting_entry_key", True)]
    assert _found(old_url, NEW_SEARCH, "cafe") == sorted(["Café", "CAFÉ", "cafe\u0301"] * 2)
    assert wrong_uses(old_url) == []
    assert wrong_totals(old_url) == []


def test_many_suggestions_are_given_their_keys_in_batches(old_url: str) -> None:
    many = [entry_row(description=f"é {number}", category=f"Ä{number % 7}") for number in range(2_600)]
    write_journal(old_url, BOOK, many)
    _fold(old_url, OLD_FOLD)
    migrate(old_url)
    assert rows(old_url, WRONG_KEYS) == []
    assert wrong_uses(old_url) == []


def test_older_programs_go_on_and_both_count_the_same(old_url: str) -> None:
    migrate(old_url)
    assert migrate(old_url, BEFORE) == []  # an older program may start
    for statement in (OLD_FOLD, JOURNAL["fold"], OLD_FOLD):
        write_journal(old_url, BOOK, [entry_row(description=text, category=text) for text in TEXTS])
        _fold(old_url, statement)
    assert rows(old_url, WRONG_KEYS) == []
    assert wrong_uses(old_url) == []
    spelled: LiteralString = (
        "select uses from public.suggestion where book_id = %s and kind = 'c' and text = 'CAFÉ'"
    )
    assert rows(old_url, spelled, BOOK) == [(5,)]
    # Their searches are slower without their index, and as right as before.
    assert _found(old_url, OLD_SEARCH, "café") == sorted(["Café", "CAFÉ"] * 5)


def test_a_search_is_right_while_the_index_is_missing_or_was_cut_short(old_url: str) -> None:
    migrate(old_url)
    rows(old_url, "update public.schema_migration set unfinished = true where number = 9")
    rows(old_url, "drop index public.accounting_entry_key")
    assert len(_found(old_url, NEW_SEARCH, "cafe")) == 6
    # As PostgreSQL leaves an index whose building was ended.
    rows(old_url, "create index accounting_entry_key on public.accounting_entry (id)")
    rows(
        old_url,
        "update pg_index set indisvalid = false where indexrelid = 'public.accounting_entry_key'::regclass",
    )
    assert len(_found(old_url, NEW_SEARCH, "cafe")) == 6
    assert migrate(old_url) == []
    assert rows(old_url, INDEXES) == [("accounting_entry_key", True)]
    (definition,) = rows(old_url, "select indexdef from pg_indexes where indexname = 'accounting_entry_key'")
    assert "gin" in definition[0]


def test_nobody_who_saves_waits_for_the_new_keys(old_url: str) -> None:
    migrate(old_url)
    with psycopg.connect(old_url) as folding, psycopg.connect(old_url, autocommit=True) as keys:
        folding.execute(JOURNAL["lock_rollup"], {"book_id": BOOK})  # a roll-up works on this book
        keys.execute("set statement_timeout = '300ms'")
        with pytest.raises(psycopg.errors.QueryCanceled):
            keys.execute("call public.bahi_key_suggestions_again()")
        write_journal(old_url, BOOK, [entry_row()])
    with psycopg.connect(old_url) as keying:
        keying.execute(JOURNAL["lock_rollup"], {"book_id": BOOK})
        write_journal(old_url, BOOK, [entry_row()])  # and it holds nobody up
        assert _rollup_passes_over(old_url)
    rows(old_url, "call public.bahi_key_suggestions_again()")
    assert rows(old_url, WRONG_KEYS) == []


def _rollup_passes_over(url: str) -> bool:
    with psycopg.connect(url) as connection:
        found = connection.execute(JOURNAL["lock_rollup"], {"book_id": BOOK}).fetchall()
    return found == [(False,)]


def test_an_index_that_is_built_lets_others_write(old_url: str) -> None:
    with psycopg.connect(old_url) as reading:
        reading.execute("begin isolation level repeatable read")
        reading.execute("select count(*) from public.accounting_entry")  # the building waits for its end
        migrating = threading.Thread(target=migrate, args=(old_url,))
        migrating.start()
        waits: LiteralString = (
            "select true from pg_stat_activity where datname = current_database()"
            " and query like 'create index concurrently%' and wait_event_type = 'Lock'"
        )
        wait_until(lambda: bool(rows(old_url, waits)))
        write_journal(old_url, BOOK, [entry_row(description="meanwhile")])
        assert _found(old_url, OLD_SEARCH, "meanwhile") == ["meanwhile"]
        reading.rollback()
        migrating.join(60)
    assert rows(old_url, INDEXES) == [("accounting_entry_key", True)]
    assert _found(old_url, NEW_SEARCH, "meanwhile") == ["meanwhile"]
