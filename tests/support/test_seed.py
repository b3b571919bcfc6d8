"""The set-based loader gives exactly the result of the triggers and the roll-up."""

import asyncio
from uuid import UUID

from server.db.pool import make_pool
from server.journal.rollup import fold_all
from tests.support.postgres import Cluster, dump_of_book, rows
from tests.support.seed import Seed, load, load_through_triggers, seed_book

BOOK = UUID(int=7)
USER = UUID(int=8)
COUNT = 10_000


def test_ten_thousand_seeded_entries_are_what_the_triggers_make_of_the_same_journal(cluster: Cluster) -> None:
    with cluster.database() as by_set, cluster.database() as by_trigger:
        seed = seed_book(by_set, BOOK, USER, COUNT, documents_every=7)
        load_through_triggers(by_trigger, seed)
        asyncio.run(_fold(by_trigger))
        ours, theirs = dump_of_book(by_set, str(BOOK)), dump_of_book(by_trigger, str(BOOK))
    assert len(theirs["journal"]) == COUNT + COUNT // 7
    assert theirs["entry_delta"] == []
    for table in theirs:
        assert ours[table] == theirs[table], table


def test_seeding_leaves_every_index_and_trigger_as_it_was(database_url: str) -> None:
    before = _shape(database_url)
    seed_book(database_url, BOOK, USER, 500)
    assert _shape(database_url) == before


def test_a_book_can_be_loaded_in_pieces_beside_another(database_url: str) -> None:
    seed_book(database_url, UUID(int=1), USER, 600)
    load(database_url, Seed(BOOK, USER, 1, 300, per_day=10))
    load(database_url, Seed(BOOK, USER, 301, 400, per_day=10))
    piecemeal = dump_of_book(database_url, str(BOOK))
    rows(database_url, "truncate public.journal, public.accounting_entry, public.accounting_document")
    rows(database_url, "truncate public.entry_month, public.suggestion")
    load(database_url, Seed(BOOK, USER, 1, 400, per_day=10))
    assert dump_of_book(database_url, str(BOOK)) == piecemeal


def _shape(url: str) -> list[tuple[str, ...]]:
    return rows(
        url,
        """select 'index', c.relname, pg_get_indexdef(c.oid)
        from pg_class c where c.relkind = 'i' and c.relnamespace = 'public'::regnamespace
        union all
        select 'trigger', g.tgname, g.tgenabled::text from pg_trigger g where not g.tgisinternal
        order by 1, 2, 3""",
    )


async def _fold(url: str) -> None:
    pool = make_pool(url, 2)
    async with pool:
        await fold_all(pool)
