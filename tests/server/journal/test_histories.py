"""Random histories, arriving in any order: tables, totals and suggestions equal a model at every moment."""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.search_key import search_key
from server.entries import store
from server.entries.search import Filter
from server.journal.append import SQL, Operation, append
from tests.support import operations
from tests.support.exact import NOT_HIGHEST, WRONG_TOTALS, WRONG_USES
from tests.support.examples import examples
from tests.support.model import Model, Row, Totals
from tests.support.postgres import Cluster

START: Final = 1_700_000_000_000_000  # µs
OFFSETS: Final = (-2_000_000, 2_000_000)  # the clocks of the two devices
WHOLE_BOOK: Final = Filter()
RANGES: Final = (
    WHOLE_BOOK,
    Filter(first=date(2024, 2, 10), last=date(2024, 9, 20)),
    Filter(first=date(2024, 3, 1), last=date(2024, 3, 31)),
    Filter(first=date(2024, 5, 3), last=date(2024, 5, 17)),
)
ACTIONS: Final = ("create", "create", "edit", "edit", "edit", "void", "restore", "bill", "unbill")


# --- histories ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Act:
    """What one device does: to which entry, from which of its versions, how many µs after the last act."""

    action: str
    device: int
    target: int
    base: int
    waited: int
    chance: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What happens at the journal: rows come in one transaction, one operation is sent (again), some fold."""

    rows: int
    sent: int | None
    folded: int | None


ACTS: Final = st.builds(
    Act,
    action=st.sampled_from(ACTIONS),
    device=st.integers(0, 1),
    target=st.integers(0, 4),
    base=st.integers(0, 3),
    waited=st.sampled_from((0, 1, 700_000, 4_000_000)),
    chance=st.integers(0, 2**32),
)
MOMENTS: Final = st.builds(
    Moment,
    rows=st.integers(0, 6),
    sent=st.none() | st.integers(0, 30),
    folded=st.none() | st.sampled_from((1, 3, 1000)),
)


class Devices:
    """Two devices of one user with clocks that are off; makes operations as the program does."""

    def __init__(self, book_id: UUID) -> None:
        user = UUID(int=1)
        self.who = tuple(operations.an_identity(book_id, user) for _ in OFFSETS)
        self.now = START
        self.made: list[Operation] = []
        self.versions: list[list[Operation]] = []
        self.bills: list[dict[str, dict[str, Any]]] = []

    def do(self, act: Act) -> None:
        """Add the operation of `act`."""
        self.now += act.waited
        chance = random.Random(act.chance * 64 + len(self.made))  # no two operations share an id
        stamp = {
            "op_id": str(UUID(int=chance.getrandbits(128), version=4)),
            "ver": self.now + OFFSETS[act.device],
        }
        if act.action == "create" or not self.versions:
            self._create(act, chance, stamp)
        else:
            self._change(act, chance, stamp)

    def _create(self, act: Act, chance: random.Random, stamp: dict[str, Any]) -> None:
        fields = operations.some_fields(chance)
        operation = operations.create(
            self.who[act.device], bills=chance.choice((0, 0, 1, 2)), **stamp, **fields
        )
        self.versions.append([operation])
        self.bills.append({})
        self._made(len(self.versions) - 1, operation)

    def _change(self, act: Act, chance: random.Random, stamp: dict[str, Any]) -> None:
        number = act.target % len(self.versions)
        base = self.versions[number][-1 - act.base % len(self.versions[number])]
        stamp["ver"] = max(stamp["ver"], base.ver + 1)
        who = self.who[act.device]
        if act.action == "void":
            operation = operations.void(who, base, **stamp)
        elif act.action == "restore":
            operation = operations.restore(who, base, **stamp)
        elif act.action == "bill":
            operation = operations.edit(who, base, bills=chance.choice((1, 2)), **stamp)
        elif act.action == "unbill":
            operation = operations.edit(
                who, base, removed=dict(list(self.bills[number].items())[:1]), **stamp
            )
        else:
            operation = operations.edit(who, base, **stamp, **operations.some_fields(chance))
        self.versions[number].append(operation)
        self._made(number, operation)

    def _made(self, number: int, operation: Operation) -> None:
        self.made.append(operation)
        for position, record in enumerate(operation.records[1:], 1):
            self.bills[number][str(record.id)] = operations.doc_of(operation, position)


# --- the database ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Desk:
    """A database, a loop to ask it in, and how many books it holds; each history gets its own."""

    runner: asyncio.Runner
    connection: psycopg.AsyncConnection[Any]
    books: int = 0

    def new_book(self) -> UUID:
        """Return the id of a book that is not there yet."""
        self.books += 1
        return UUID(int=self.books)


@pytest.fixture(scope="module")
def desk(cluster: Cluster) -> Iterator[Desk]:
    """A database for all histories of this module."""
    with cluster.database() as url, asyncio.Runner() as runner:
        connection = runner.run(psycopg.AsyncConnection.connect(url, autocommit=True))
        yield Desk(runner, connection)
        runner.run(connection.close())


@settings(max_examples=examples(220), derandomize=True)
@given(
    acts=st.lists(ACTS, min_size=1, max_size=16), moments=st.lists(MOMENTS, max_size=7), shuffled=st.randoms()
)
def test_any_history_in_any_order_leaves_what_the_model_says(
    desk: Desk, acts: list[Act], moments: list[Moment], shuffled: random.Random
) -> None:
    devices = Devices(desk.new_book())
    for act in acts:
        devices.do(act)
    desk.runner.run(_live(desk.connection, devices, moments, shuffled))


async def _live(
    connection: psycopg.AsyncConnection[Any], devices: Devices, moments: list[Moment], shuffled: random.Random
) -> None:
    book_id, model = devices.who[0].book_id, Model()
    waiting = [row for operation in devices.made for row in _rows_of(operation)]
    waiting += shuffled.sample(waiting, len(waiting) // 4)  # what comes twice
    shuffled.shuffle(waiting)
    for moment in [*moments, Moment(len(waiting), None, 3), Moment(0, None, 10_000)]:
        arriving = [waiting.pop() for _ in range(min(moment.rows, len(waiting)))]
        await _insert(connection, book_id, arriving)
        for row in arriving:
            model.arrive(row)
        if moment.sent is not None:
            await _send(connection, devices.made[moment.sent % len(devices.made)], model)
        if moment.folded is not None:
            await connection.execute(SQL["fold"], {"book_id": book_id, "limit": moment.folded})
        await _assert_equal(connection, book_id, model)
    assert len(model.journal) == len({row.key for operation in devices.made for row in _rows_of(operation)})


def _rows_of(operation: Operation) -> list[Row]:
    return [
        Row(operation.op_id, record.kind, record.id, operation.ver, record.doc)
        for record in operation.records
    ]


async def _insert(connection: psycopg.AsyncConnection[Any], book_id: UUID, arriving: list[Row]) -> None:
    """Write rows as an apply worker does: one transaction, whatever their operations."""
    who = UUID(int=1)
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.executemany(
            "insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, 'there')",
            [(book_id, row.op_id, row.kind, row.id, row.ver, row.doc, who, who) for row in arriving],
        )


async def _send(connection: psycopg.AsyncConnection[Any], operation: Operation, model: Model) -> None:
    """Send an operation to the server, first or again; a transaction never arrives in part elsewhere."""
    keys = [row.key in model.journal for row in _rows_of(operation)]
    if any(keys) != all(keys):
        return
    appended = await append(connection, operation, "here")
    assert appended.replayed is all(keys)
    for row in _rows_of(operation):
        model.arrive(row)


# --- comparing ------------------------------------------------------------------------------------


async def _assert_equal(connection: psycopg.AsyncConnection[Any], book_id: UUID, model: Model) -> None:
    book = {"book_id": book_id}
    entries = await (await connection.execute(_ENTRIES, book)).fetchall()
    assert set(entries) == model.entries()
    bills = await (await connection.execute(_BILLS, book)).fetchall()
    assert set(bills) == model.documents()
    for question in (NOT_HIGHEST, WRONG_TOTALS, WRONG_USES):  # a plain GROUP BY, of every book so far
        assert await (await connection.execute(question)).fetchall() == []
    for filter_ in RANGES:
        await _assert_totals(connection, book_id, model, filter_)
    await _assert_suggestions(connection, book_id, model)


async def _assert_totals(
    connection: psycopg.AsyncConnection[Any], book_id: UUID, model: Model, filter_: Filter
) -> None:
    """Ask both paths: month totals, and the entries themselves (every human code holds a hyphen)."""
    expected = model.totals(filter_.first, filter_.last)
    by_entries = Filter(words=("-",), first=filter_.first, last=filter_.last)
    assert filter_.by_months
    assert not by_entries.by_months
    for path in (filter_, by_entries):
        groups = (await store.summary(connection, book_id, path)).groups
        assert len(groups) == len({(g.month, g.category, g.cr_dr) for g in groups})
        found = {(g.month, g.category, g.cr_dr): (g.amount, g.count) for g in groups}
        assert found == _grouped(expected)


def _grouped(totals: Totals) -> dict[tuple[date | None, str | None, str], tuple[Decimal, int]]:
    """Return the groups of a summary: by direction, by category, by month."""
    found: dict[tuple[date | None, str | None, str], tuple[Decimal, int]] = {}
    for (month, category, cr_dr), (amount, count) in totals.items():
        for key in ((None, None, cr_dr), (None, category, cr_dr), (month, None, cr_dr)):
            known_amount, known_count = found.get(key, (Decimal(0), 0))
            found[key] = (known_amount + amount, known_count + count)
    return found


async def _assert_suggestions(connection: psycopg.AsyncConnection[Any], book_id: UUID, model: Model) -> None:
    categories = await store.suggest_categories(connection, book_id, "", 20)
    assert {search_key(c.text): c.uses for c in categories} == _by_key(model.category_uses())
    descriptions = await store.suggest_descriptions(connection, book_id, "", 20)
    uses = model.description_uses()
    assert {search_key(d.text): d.uses for d in descriptions} == _by_key(uses)
    assert all(uses[d.text] == max(uses[t] for t in uses if _one(t, d.text)) for d in descriptions)
    begun = await store.suggest_descriptions(connection, book_id, "TAXI", 20)
    assert {search_key(d.text) for d in begun} == {key for key in _by_key(uses) if key.startswith("taxi")}


def _by_key(uses: Counter[str]) -> Counter[str]:
    found: Counter[str] = Counter()
    for text, count in uses.items():
        found[search_key(text)] += count
    return found


def _one(text: str, other: str) -> bool:
    return search_key(text) == search_key(other)


_ENTRIES: Final = """
select id, entry_date, amount, cr_dr, category, description, human_code, voided_at is not null, ver, op_id
from public.accounting_entry where book_id = %(book_id)s
"""

_BILLS: Final = """
select id, accounting_entry_id, doc_code, voided_at is not null, ver, op_id
from public.accounting_document where book_id = %(book_id)s
"""
