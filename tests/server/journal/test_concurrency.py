"""Many connections at once on one entry and one roll-up: nobody is a deadlock's victim, totals stay exact."""

import asyncio
import random
from typing import Any

from server.db.pool import Pool, make_pool
from server.journal.append import SQL, Appended, Operation, append
from server.journal.rollup import fold_all
from tests.support import operations
from tests.support.exact import not_highest, wrong_totals, wrong_uses
from tests.support.postgres import rows

CONNECTIONS = 8
EDITS = 25
WHO = operations.an_identity()


def test_eight_connections_edit_one_entry_while_three_fold(database_url: str) -> None:
    created = operations.create(WHO, bills=6)
    asyncio.run(_edit_and_fold(database_url, created))
    assert not_highest(database_url) == []
    assert wrong_totals(database_url) == []
    assert wrong_uses(database_url) == []
    (count,) = rows(database_url, "select count(*) from public.journal where kind = 'entry'")[0]
    assert count == 1 + CONNECTIONS * EDITS
    assert rows(database_url, "select count(*) from public.entry_delta") == [(0,)]


def test_one_operation_from_eight_connections_at_once_is_kept_once(database_url: str) -> None:
    made = [operations.create(WHO, bills=2) for _ in range(20)]
    answers = asyncio.run(_all_at_once(database_url, made))
    for of_one in answers:
        assert len({answer.at for answer in of_one}) == 1
        assert sum(not answer.replayed for answer in of_one) <= 1
    assert rows(database_url, "select count(*) from public.accounting_entry") == [(20,)]
    assert rows(database_url, "select count(*) from public.journal") == [(60,)]
    assert wrong_totals(database_url) == []


def test_a_large_transaction_and_small_ones_over_the_same_entries_end_exact(database_url: str) -> None:
    made = [operations.create(WHO, bills=1, **operations.some_fields(random.Random(n))) for n in range(150)]
    asyncio.run(_large_and_small(database_url, made))
    assert not_highest(database_url) == []
    assert wrong_totals(database_url) == []
    assert wrong_uses(database_url) == []


async def _edit_and_fold(url: str, created: Operation) -> None:
    async with make_pool(url, CONNECTIONS + 3) as pool:
        async with pool.connection() as connection:
            await append(connection, created, "here")
        work = asyncio.Event()
        folding = [asyncio.create_task(_fold(pool, work)) for _ in range(3)]
        await asyncio.gather(*(_edit(pool, created, number) for number in range(CONNECTIONS)))
        work.set()
        await asyncio.gather(*folding)
        await fold_all(pool)


async def _edit(pool: Pool, created: Operation, number: int) -> None:
    """Each edit also touches bills, every connection in an order of its own."""
    chance = random.Random(number)
    bills = {str(r.id): operations.doc_of(created, n) for n, r in enumerate(created.records) if n}
    for _ in range(EDITS):
        some = dict(chance.sample(sorted(bills.items()), 4))
        changes = {"removed": some, **operations.some_fields(chance)}
        async with pool.connection() as connection:
            await append(connection, operations.edit(WHO, created, **changes), "here")


async def _fold(pool: Pool, ended: asyncio.Event) -> None:
    """Fold small batches under the roll-up's own lock, as two servers on one database would."""
    book: dict[str, Any] = {"book_id": WHO.book_id}
    while not ended.is_set():
        async with pool.connection() as connection, connection.transaction():
            row = await (await connection.execute(SQL["lock_rollup"], book)).fetchone()
            if row and row[0]:
                await connection.execute(SQL["fold"], {**book, "limit": 3})
        await asyncio.sleep(0)


async def _all_at_once(url: str, made: list[Operation]) -> list[list[Appended]]:
    async def send(pool: Pool, operation: Operation) -> Appended:
        async with pool.connection() as connection:
            return await append(connection, operation, "here")

    async with make_pool(url, CONNECTIONS) as pool:
        return [await asyncio.gather(*(send(pool, one) for _ in range(CONNECTIONS))) for one in made]


async def _large_and_small(url: str, made: list[Operation]) -> None:
    """One transaction, as an apply worker's, edits every entry; meanwhile clients edit them one by one."""
    async with make_pool(url, CONNECTIONS) as pool:
        async with pool.connection() as connection:
            for operation in made:
                await append(connection, operation, "here")

        async def small(number: int) -> None:
            for operation in random.Random(number).sample(made, 30):
                async with pool.connection() as connection:
                    await append(connection, operations.edit(WHO, operation, amount="5.00"), "here")

        await asyncio.gather(_large(pool, made), *(small(number) for number in range(4)), _large_fold(pool))


async def _large(pool: Pool, made: list[Operation]) -> None:
    async with pool.connection() as connection, connection.transaction():
        for operation in made:
            edited = operations.edit(WHO, operation, category="Elsewhere")
            record = edited.records[0]
            await connection.execute(
                "insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)"
                " values (%s, %s, %s, %s, %s, %s, %s, %s, 'there')",
                (
                    *(WHO.book_id, edited.op_id, record.kind, record.id, edited.ver, record.doc),
                    *(WHO.user_id, WHO.device_id),
                ),
            )


async def _large_fold(pool: Pool) -> None:
    for _ in range(10):
        await fold_all(pool)
