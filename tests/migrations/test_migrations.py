"""The numbered migrations: from scratch, step by step with data inside, and what is refused."""

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import LiteralString
from uuid import uuid4

import psycopg
import pytest

from server.db import migrate as room
from server.db.migrate import all_migrations, migrate
from server.errors import StartError
from tests.support.journal import entry_row, write_journal
from tests.support.postgres import dump_of_book, rows
from tests.support.waiting import wait_until

BOOK = "0197e3a5-0000-7000-8000-0000000000b0"
FOLDER = Path(room.__file__).with_name("migrations")
_STRUCTURE = """
    select 'column ' || table_name || '.' || column_name || ' ' || data_type || ' '
        || coalesce(character_maximum_length::text, '') || ' ' || is_nullable
    from information_schema.columns where table_schema = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint ' || conrelid::regclass::text || ' ' || pg_get_constraintdef(oid)
        from pg_constraint where connamespace = 'public'::regnamespace
    union all select 'function ' || pg_get_functiondef(p.oid)
        from pg_proc p join pg_language l on l.oid = p.prolang
        where p.pronamespace = 'public'::regnamespace and l.lanname in ('sql', 'plpgsql')
    union all select 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text
        from pg_trigger where not tgisinternal
    order by 1"""


def test_the_files_are_numbered_without_gaps() -> None:
    names = sorted(path.name for path in FOLDER.glob("*.sql"))
    assert all(re.fullmatch(r"\d{4}_\w+\.sql", name) for name in names)
    assert [int(name[:4]) for name in names] == list(range(1, len(names) + 1))
    assert [f"{m.number:04}_{m.name}.sql" for m in all_migrations()] == names


def test_from_scratch_is_all_of_them_once(empty_database_url: str) -> None:
    names = [f"{m.number:04}_{m.name}" for m in all_migrations()]
    assert migrate(empty_database_url) == names
    assert migrate(empty_database_url) == []
    applied = "select number, sha256 from public.schema_migration order by number"
    assert rows(empty_database_url, applied) == [(m.number, m.sha256) for m in all_migrations()]


def test_one_by_one_gives_the_same_as_all_at_once(empty_database_url: str, database_url: str) -> None:
    for migration in all_migrations():
        assert migrate(empty_database_url, migration.number) == [f"{migration.number:04}_{migration.name}"]
    assert rows(empty_database_url, _STRUCTURE) == rows(database_url, _STRUCTURE)


def test_what_is_in_the_book_stays_through_the_later_migrations(empty_database_url: str) -> None:
    # The tables of entries stand after 0004; what comes later must take them with data inside.
    migrate(empty_database_url, 4)
    write_journal(empty_database_url, BOOK, [entry_row(description=f"entry {n}") for n in range(50)])
    kept = ("journal", "accounting_entry", "entry_delta")
    statements = [f"select t::text from public.{table} t order by 1" for table in kept]  # noqa: S608
    before = [_texts(empty_database_url, statement) for statement in statements]
    migrate(empty_database_url)
    after = [_texts(empty_database_url, statement) for statement in statements]
    assert [len(texts) for texts in after] == [50, 50, 50]
    assert before == after or all(map(_only_columns_added, before, after))
    assert len(dump_of_book(empty_database_url, BOOK)["journal"]) == 50


def _texts(url: str, statement: str) -> list[str]:
    with psycopg.connect(url) as connection:
        return [text for (text,) in connection.execute(statement.encode()).fetchall()]


def _only_columns_added(before: list[str], after: list[str]) -> bool:
    return all(new.startswith(old[:-1]) for old, new in zip(before, after, strict=True))


def test_servers_that_start_at_once_migrate_one_after_the_other(empty_database_url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(migrate, [empty_database_url] * 4))
    assert sorted(map(len, done)) == [0, 0, 0, len(all_migrations())]


def test_an_applied_file_that_has_changed_is_refused(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url, 2)
    changed = [
        room.Migration(m.number, m.name, m.sql + (" " if m.number == 2 else "")) for m in all_migrations()
    ]
    monkeypatch.setattr(room, "all_migrations", lambda: changed)
    with pytest.raises(StartError, match="0002"):
        migrate(empty_database_url)
    assert rows(empty_database_url, "select max(number) from public.schema_migration") == [(2,)]


def test_a_database_of_a_newer_version_is_refused_and_left_alone(database_url: str) -> None:
    newer = (
        "insert into public.schema_migration (number, name, sha256) values (9999, 'later', repeat('0', 64))"
    )
    rows(database_url, newer)
    with pytest.raises(StartError, match="newer version"):
        migrate(database_url)
    assert rows(database_url, "select count(*) from public.schema_migration") == [
        (len(all_migrations()) + 1,)
    ]


def test_a_migration_that_fails_leaves_nothing_of_itself(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = all_migrations()
    last = room.Migration(whole[-1].number + 1, "broken", "create table public.half (x int); select 1 / 0;")
    monkeypatch.setattr(room, "all_migrations", lambda: [*whole, last])
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(empty_database_url)
    assert rows(empty_database_url, "select to_regclass('public.half')") == [(None,)]
    assert rows(empty_database_url, "select count(*) from public.schema_migration") == [(len(whole),)]


def _later(monkeypatch: pytest.MonkeyPatch, text: str) -> room.Migration:
    """Let this program bring one migration more."""
    whole = all_migrations()
    later = room.Migration(whole[-1].number + 1, "later", text)
    monkeypatch.setattr(room, "all_migrations", lambda: [*whole, later])
    return later


def test_a_migration_that_has_the_journal_waits_for_others_for_a_moment_only(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url)
    _later(monkeypatch, "create table public.seen as select current_setting('lock_timeout') as it")
    migrate(empty_database_url)
    assert rows(empty_database_url, "select it from public.seen") == [("200ms",)]


def test_a_server_that_stands_still_in_a_migration_holds_nobody_up_for_long(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url)
    later = _later(monkeypatch, "select 1")
    stands_still, goes_on = threading.Event(), threading.Event()

    def stand_still(_: room.Migration) -> str:
        stands_still.set()
        assert goes_on.wait(30)
        return later.sql

    monkeypatch.setattr(room.Migration, "inside", property(stand_still))
    with ThreadPoolExecutor(1) as pool:
        migrating = pool.submit(migrate, empty_database_url)
        assert stands_still.wait(30)
        write_journal(empty_database_url, BOOK, [entry_row()])  # until PostgreSQL ends the idle transaction
        goes_on.set()
        with pytest.raises(StartError, match="was lost"):
            migrating.result()
    assert rows(empty_database_url, "select count(*) from public.journal") == [(1,)]


def test_a_server_says_that_another_one_migrates(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as other:
        other.execute("select pg_advisory_lock(%s)", (room.LOCK_KEY,))
        with pytest.raises(StartError, match="Another server"):
            migrate(empty_database_url, timeout=0)
    assert len(migrate(empty_database_url)) == len(all_migrations())


def test_limits_that_are_set_for_calls_do_not_cut_a_migration_short(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url)
    now = "current_setting('statement_timeout') as one, current_setting('transaction_timeout') as all"
    later = _later(
        monkeypatch,
        f"create table public.seen as select {now}\n-- afterwards\ninsert into public.seen select {now}",
    )
    # Long enough for whatever is asked before the first of them is lifted, and for this test.
    limit: LiteralString = (
        "do $$ begin execute format('alter database %I set {} = 50000', current_database()); end $$"
    )
    for name in ("statement_timeout", "transaction_timeout", "idle_in_transaction_session_timeout"):
        rows(empty_database_url, limit.replace("{}", name))
    assert migrate(empty_database_url) == [later.full_name]
    assert rows(empty_database_url, "select * from public.seen") == [("0", "0"), ("0", "0")]


def test_a_user_who_may_not_change_the_tables_is_told_so(empty_database_url: str) -> None:
    migrate(empty_database_url, len(all_migrations()) - 1)
    role = f"stranger_{uuid4().hex[:8]}"
    rows(empty_database_url, f"create role {role} login password 'word'")
    rows(empty_database_url, f"grant select on public.schema_migration to {role}")
    try:
        address = psycopg.conninfo.make_conninfo(empty_database_url, user=role, password="word")
        with pytest.raises(StartError, match="connect as their owner"):
            migrate(address)
    finally:
        rows(empty_database_url, f"drop owned by {role}; drop role {role}")


def test_a_migration_comes_again_until_nobody_is_in_its_way(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url)
    later = _later(monkeypatch, "create table public.seen (x int)")
    with psycopg.connect(empty_database_url) as writer, ThreadPoolExecutor(1) as pool:
        writer.execute("lock table public.journal in row exclusive mode")
        migrating = pool.submit(migrate, empty_database_url)
        tried: LiteralString = (
            "select true from pg_locks where not granted and relation = 'public.journal'::regclass"
        )
        wait_until(lambda: bool(rows(empty_database_url, tried)))
        wait_until(lambda: not rows(empty_database_url, tried))  # it gives up for a moment, and others pass
        writer.rollback()
        assert migrating.result() == [f"{later.number:04}_later"]


def test_a_database_that_is_in_use_for_too_long_is_left_as_it_was(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(empty_database_url)
    _later(monkeypatch, "create table public.seen (x int)")
    with psycopg.connect(empty_database_url) as copying:
        copying.execute("lock table public.journal in row exclusive mode")
        with pytest.raises(StartError, match="in use"):
            migrate(empty_database_url, timeout=0)
    assert rows(empty_database_url, "select to_regclass('public.seen')") == [(None,)]


def test_a_program_goes_on_with_a_newer_database_that_says_it_may(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = all_migrations()[-1].number
    with monkeypatch.context() as newer:
        _later(newer, f"-- oldest program: {ours:04}\ncreate table public.seen (x int)")
        migrate(empty_database_url)
    assert migrate(empty_database_url) == []
    with monkeypatch.context() as newest:
        whole = all_migrations()
        both = [
            room.Migration(
                ours + 1, "later", f"-- oldest program: {ours:04}\ncreate table public.seen (x int)"
            )
        ]
        both.append(room.Migration(ours + 2, "breaking", f"-- oldest program: {ours + 1:04}\nselect 1"))
        newest.setattr(room, "all_migrations", lambda: [*whole, *both])
        migrate(empty_database_url)
    with pytest.raises(StartError, match="newer version"):
        migrate(empty_database_url)


def test_what_comes_afterwards_is_done_again_where_it_was_cut_short(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    inside = "create table public.done (n bigint generated always as identity, x int)"
    with monkeypatch.context() as broken:
        later = _later(broken, f"{inside}\n-- afterwards\nselect 1 / 0")
        with pytest.raises(psycopg.errors.DivisionByZero):
            migrate(empty_database_url)
    repaired = room.Migration(
        later.number, later.name, f"{inside}\n-- afterwards\ninsert into public.done (x) values (1)"
    )
    monkeypatch.setattr(room.Migration, "sha256", "0" * 64)  # the same file, as if the database had healed
    whole = all_migrations()
    monkeypatch.setattr(room, "all_migrations", lambda: [*whole, repaired])
    rows(empty_database_url, "update public.schema_migration set sha256 = repeat('0', 64)")
    assert migrate(empty_database_url) == []
    assert migrate(empty_database_url) == []
    assert rows(empty_database_url, "select x from public.done") == [(1,)]


def test_the_roll_up_and_the_search_sort_alike_everywhere(database_url: str) -> None:
    locale = "select datlocprovider::text, datlocale from pg_database where datname = current_database()"
    assert rows(database_url, locale) == [("b", "C.UTF-8")]
