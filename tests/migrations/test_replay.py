"""Each migration is applied to a database with rows in it; what comes out is what a new database has."""

import subprocess
from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from server.db.embedded import binaries
from server.db.migrate import all_migrations, migrate
from server.journal.append import Operation, Record
from tests.support import operations
from tests.support.api import now_us
from tests.support.exact import not_highest, wrong_totals, wrong_uses
from tests.support.postgres import Cluster, dump_of_book, rows

BOOK: Final = UUID(int=5)
WHO: Final = operations.an_identity(BOOK, UUID(int=6))
STEPS: Final = [migration.number for migration in all_migrations()]
MERGED: Final = (
    *("journal", "accounting_entry", "accounting_document", "app_user", "credential", "username_claim"),
    "device",
)
INSERT_ONLY: Final[dict[str, LiteralString]] = {
    "refresh_use": "insert into public.refresh_use (book_id, fam, gen, rid_hash, server, at)"
    " values (%s, %s, 1, repeat('a', 64), 'test', '2026-01-01')",
    "revocation": "insert into public.revocation (book_id, fam, at, reason)"
    " values (%s, %s, '2026-01-01', 'test')",
    "invite_use": "insert into public.invite_use (book_id, jti, at) values (%s, %s, '2026-01-01')",
}


def _operations(step: int) -> list[Operation]:
    """Return a little history of its own for each step: what a region of that version may have written."""
    created = operations.create(WHO, bills=2, category=f"Step {step}")
    bill = created.records[1]
    without = operations.edit(
        WHO, created, amount="99.00", removed={str(bill.id): operations.doc_of(created, 1)}
    )
    voided = operations.create(WHO, bills=1, description=f"Voided at {step}")
    void = operations.void(WHO, voided)
    return [created, without, voided, void, operations.restore(WHO, operations.create(WHO)), _account(step)]


def _account(step: int) -> Operation:
    ver = now_us()
    user, device = UUID(int=100 + step), UUID(int=200 + step)
    texts = {
        "user": (user, f'{{"displayName":"Asha {step}","createdVer":{ver}}}'),
        "username": (user, f'{{"nameKey":"asha{step}"}}'),
        "credential": (user, '{"passwordHash":"$argon2id$..."}'),
        "device": (device, f'{{"codePrefix":"0A{step}","displayName":"PC","createdVer":{ver}}}'),
        "from tomorrow": (user, '{"what":"a kind that nobody knows yet"}'),
    }
    records = tuple(Record(kind, id_, doc) for kind, (id_, doc) in texts.items())
    return Operation(BOOK, UUID(int=300 + step), ver, WHO.user_id, WHO.device_id, records)


def _seed(url: str, step: int, history: list[Operation], tables: Sequence[str] | None = None) -> list[str]:
    """Write rows as far as the schema allows (or into `tables` alone); return the insert-only tables used."""
    with psycopg.connect(url) as connection:
        for operation in history:
            for record in operation.records:
                connection.execute(
                    "insert into public.journal"
                    " (book_id, op_id, kind, id, ver, doc, author, device, region, at)"
                    " values (%s, %s, %s, %s, %s, %s, %s, %s, 'test', public.bahi_instant(%s))",
                    (
                        *(BOOK, operation.op_id, record.kind, record.id, operation.ver, record.doc),
                        *(operation.author, operation.device, operation.ver),
                    ),
                )
        used = [table for table in INSERT_ONLY if _has(connection, table)] if tables is None else list(tables)
        for table in used:
            connection.execute(INSERT_ONLY[table], (BOOK, UUID(int=400 + step)))
    return used


def _has(connection: psycopg.Connection[tuple[object, ...]], table: str) -> bool:
    found = connection.execute("select to_regclass('public.' || %s) is not null", (table,)).fetchone()
    return bool(found and found[0])


def _schema(url: str) -> list[str]:
    """Return the schema as pg_dump writes it, without its comments and the key of its own that changes."""
    command = [str(binaries(None) / "pg_dump"), "--schema-only", "--no-owner", "--dbname", url]
    text = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    noise = ("--", "\\restrict", "\\unrestrict")
    return [line for line in text.splitlines() if line and not line.startswith(noise)]


def _assert_merged(url: str) -> None:
    assert not_highest(url) == []
    assert wrong_totals(url) == []
    assert wrong_uses(url) == []


def _assert_same_book(url: str, other: str) -> None:
    ours, theirs = dump_of_book(url, str(BOOK)), dump_of_book(other, str(BOOK))
    for table in MERGED:
        assert ours[table] == theirs[table], table
        assert ours[table], table
    for table in INSERT_ONLY:
        assert _all_of(url, table) == _all_of(other, table), table


def _all_of(url: str, table: str) -> list[tuple[str]]:
    with psycopg.connect(url) as connection:
        statement = sql.SQL("select t::text from public.{} t order by 1").format(sql.Identifier(table))
        return connection.execute(statement).fetchall()


@pytest.mark.parametrize("step", STEPS)
def test_rows_written_after_a_step_survive_the_next_ones_and_are_merged(cluster: Cluster, step: int) -> None:
    history = _operations(step)
    with cluster.database(migrated=False) as url, cluster.database() as scratch:
        migrate(url, upto=step)
        used = _seed(url, step, history)
        migrate(url)
        assert _schema(url) == _schema(scratch)
        _assert_merged(url)
        _seed(scratch, step, history, used)
        _assert_same_book(url, scratch)


def test_rows_written_between_all_steps_end_as_if_they_came_after_the_last(cluster: Cluster) -> None:
    with cluster.database(migrated=False) as url, cluster.database() as scratch:
        for step in STEPS:
            history = _operations(step)
            migrate(url, upto=step)
            _seed(scratch, step, history, _seed(url, step, history))
        assert migrate(url) == []
        assert _schema(url) == _schema(scratch)
        _assert_merged(url)
        _assert_same_book(url, scratch)


def test_an_applied_migration_is_not_applied_again(database_url: str) -> None:
    assert migrate(database_url) == []
    applied = rows(database_url, "select number from public.schema_migration order by 1")
    assert [number for (number,) in applied] == STEPS
