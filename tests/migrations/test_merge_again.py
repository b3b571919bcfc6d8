"""A column comes to a region that took rows of newer ones before: what it did not know is merged again."""

from collections.abc import Callable
from typing import Final, LiteralString

import psycopg
import pytest

from server.db import migrate as room
from server.db.migrate import Migration, all_migrations, migrate
from tests.support.exact import not_highest, wrong_totals, wrong_uses
from tests.support.journal import JournalRow, entry_row, write_journal
from tests.support.next_version import note_migration
from tests.support.postgres import rows

BOOK: Final = "0197e3a5-0000-7000-8000-0000000000b0"
NOTES: Final[LiteralString] = "select id::text, note from public.accounting_entry order by 1"


def _noted(note: str, *, of: JournalRow | None = None) -> JournalRow:
    """Return what a server of the next version writes."""
    row = entry_row(id_=of.id if of else "")
    row.doc["note"] = note
    return row


@pytest.fixture
def upgrade(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Bring the database to the next version."""

    def run() -> None:
        name, text = note_migration()
        later = Migration(int(name[:4]), name[5:-4], text)
        whole = all_migrations()
        with monkeypatch.context() as newer:
            newer.setattr(room, "all_migrations", lambda: [*whole, later])
            assert migrate(database_url) == [name[:-4]]

    return run


def _assert_exact(url: str) -> None:
    assert not_highest(url) == []
    assert wrong_totals(url) == []
    assert wrong_uses(url) == []


def test_what_was_unknown_on_arrival_is_in_the_column_afterwards(
    database_url: str, upgrade: Callable[[], None]
) -> None:
    plain = [entry_row() for _ in range(3)]
    noted = [_noted(f"note {n}") for n in range(1_100)]  # more than one batch
    write_journal(database_url, BOOK, [*plain, *noted])
    upgrade()
    expected = {row.id: row.doc["note"] for row in noted} | {row.id: None for row in plain}
    assert dict(rows(database_url, NOTES)) == expected
    _assert_exact(database_url)


def test_only_the_standing_version_counts(database_url: str, upgrade: Callable[[], None]) -> None:
    first = _noted("first")
    newer = _noted("newer", of=first)
    taken_back = _noted("was there")
    without = entry_row(id_=taken_back.id)
    write_journal(database_url, BOOK, [newer, first, taken_back, without])
    upgrade()
    assert dict(rows(database_url, NOTES)) == {first.id: "newer", taken_back.id: None}
    _assert_exact(database_url)


def test_what_comes_after_the_column_needs_no_second_merge(
    database_url: str, upgrade: Callable[[], None]
) -> None:
    before = _noted("before")
    write_journal(database_url, BOOK, [before])
    upgrade()
    after, edited = _noted("after"), _noted("edited", of=before)
    write_journal(database_url, BOOK, [after, edited])
    assert dict(rows(database_url, NOTES)) == {after.id: "after", before.id: "edited"}
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("call public.bahi_merge_again('entry', 'note')")
    assert dict(rows(database_url, NOTES)) == {after.id: "after", before.id: "edited"}
    _assert_exact(database_url)


def test_every_merge_can_repeat_itself(database_url: str) -> None:
    merges: LiteralString = (
        "select proname, prosrc from pg_catalog.pg_proc p"
        " where starts_with(p.proname, 'bahi_merge_') and p.prokind = 'f'"
    )
    found = rows(database_url, merges)
    assert len(found) == 6
    assert all("(excluded.ver, excluded.op_id) >= (t.ver, t.op_id)" in source for _, source in found)
