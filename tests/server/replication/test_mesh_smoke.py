"""Two real clusters, both with data, become one book and stay one through edits, replays and a kill."""

import asyncio
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import psycopg
import pytest

from server.journal.append import Operation, append
from server.tokens.tokens import Identity
from tests.support import operations
from tests.support.api import now_us
from tests.support.exact import not_highest, wrong_totals, wrong_uses
from tests.support.mesh import (
    Node,
    apply_errors,
    mesh,
    subscribe_all,
    wait_until,
    wait_until_copied,
    wait_until_equal,
)
from tests.support.seed import Seed, load

BOOK: Final = UUID(int=1)
USER: Final = UUID(int=2)
LOAD_SECONDS: Final = 6
FAMILY: Final = UUID(int=3)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]


@dataclass(slots=True)
class Log:
    """What was done. `latest` is what the clients know of each entry; both sides edit the same few."""

    acknowledged: list[Operation] = field(default_factory=list)
    latest: dict[UUID, Operation] = field(default_factory=dict)
    replays: int = 0
    cut: int = 0


@pytest.fixture
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    """Two clusters with 100,000 entries between them: 90,000 on both, 5,000 on each alone."""
    with mesh(tmp_path_factory.mktemp("mesh"), "a", "b") as started:
        a, b = started
        with ThreadPoolExecutor() as pool:
            list(pool.map(_prepare, (a, b), (1, 5_001), (95_000, 100_000)))
        yield started


def _prepare(node: Node, first: int, last: int) -> None:
    """Load entries, then edit every twentieth in this region's own way, as a failover leaves them."""
    load(node.url, Seed(BOOK, USER, first, last, per_day=60))
    node.rows(_EDIT, node.name, 1_000 if node.name == "a" else 2_000, node.name)
    # One session was used and ended at both.
    node.rows(
        "insert into public.revocation (book_id, fam, reason) values (%s, %s, %s)", BOOK, FAMILY, node.name
    )
    node.rows(
        "insert into public.refresh_use (book_id, fam, gen, rid_hash, server) values (%s, %s, 1, %s, %s)",
        *(BOOK, FAMILY, "f" * 64, node.name),
    )


_EDIT: Final = """
insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)
select book_id, md5(op_id::text || %s)::uuid, kind, id, ver + %s,
    (doc::jsonb || jsonb_build_object('amount', '77.00', 'basedOn', ver))::text, author, device, %s
from public.journal where kind = 'entry' and abs(hashtext(id::text)) %% 20 = 7
"""


def test_two_books_become_one_in_time_and_stay_one_through_edits_replays_and_a_kill(
    nodes: list[Node], record_property: Callable[[str, object], None]
) -> None:
    seconds, counts = _joined(nodes)
    record_property("replicated_load_s@100k", round(seconds, 2))
    print(f"100,000 overlapping entries were equal after {seconds:.2f} s")
    assert counts["accounting_entry"][0] == 100_000
    assert counts["journal"][0] > 110_000  # entries, bills, and other versions of every twentieth on each
    _assert_exact(nodes)

    log = _written_through_a_kill(nodes)
    counts = wait_until_equal(nodes, seconds=60)
    print(
        f"{len(log.acknowledged)} operations, {log.replays} replays, {log.cut} cut off by the kill: {counts}"
    )
    print([apply_errors(node) for node in nodes])
    _assert_exact(nodes)
    for node in nodes:
        there = {op_id for (op_id,) in node.rows("select distinct op_id from public.journal")}
        assert {operation.op_id for operation in log.acknowledged} <= there
    assert log.cut > 0
    assert log.replays > 10


def _joined(nodes: list[Node]) -> tuple[float, dict[str, tuple[int, str]]]:
    started = time.monotonic()
    subscribe_all(nodes)
    wait_until_copied(nodes, seconds=60)
    counts = wait_until_equal(nodes, seconds=60)
    return time.monotonic() - started, counts


def _written_through_a_kill(nodes: list[Node]) -> Log:
    log, may_end = Log(), threading.Event()
    writers = threading.Thread(target=asyncio.run, args=(_write(nodes, log, may_end),))
    writers.start()
    try:
        wait_until(lambda: len(log.acknowledged) > 300, "the load is under way")
        nodes[1].kill()
        wait_until(lambda: log.cut > 0, "somebody was cut off")
        nodes[1].restart()
    finally:
        may_end.set()
        writers.join()
    return log


def _assert_exact(nodes: list[Node]) -> None:
    for node in nodes:
        assert not_highest(node.url) == []
        assert wrong_totals(node.url) == []
        assert wrong_uses(node.url) == []
        assert node.rows("select count(*) from public.refresh_use")[0][0] == 1
        assert node.rows("select count(*) from public.revocation")[0][0] == 1


# --- the load -------------------------------------------------------------------------------------


async def _write(nodes: list[Node], log: Log, may_end: threading.Event) -> None:
    ends = time.monotonic() + LOAD_SECONDS

    def goes_on() -> bool:
        return time.monotonic() < ends or not may_end.is_set()

    await asyncio.gather(
        *(_client(node, log, number, goes_on) for number, node in enumerate(nodes * 2)),
        return_exceptions=False,
    )


async def _client(node: Node, log: Log, number: int, goes_on: Callable[[], bool]) -> None:
    """One device: creates, edits, voids, and sends again what another has sent elsewhere."""
    chance, who = random.Random(number), operations.an_identity(BOOK, USER)
    connection = None
    while goes_on():
        operation, is_replay = _next(log, who, chance, offset_us=(-2_000_000, 2_000_000)[number % 2])
        connection = await _send(node, connection, operation, log)
        log.replays += is_replay
        log.acknowledged.append(operation)
        known = log.latest.get(operation.records[0].id)
        if known is None or (known.ver, known.op_id) < (operation.ver, operation.op_id):
            log.latest[operation.records[0].id] = operation
    if connection is not None:
        await connection.close()


def _next(log: Log, who: Identity, chance: random.Random, offset_us: int) -> tuple[Operation, bool]:
    kind = chance.choices(("create", "edit", "void", "restore", "replay"), (25, 45, 8, 7, 15))[0]
    hot = list(log.latest.values())[:20]
    if kind == "create" or len(hot) < 5:
        fields = operations.some_fields(chance)
        bills = chance.choice((0, 0, 2))
        return operations.create(who, bills=bills, ver=now_us() + offset_us, **fields), False
    if kind == "replay":
        return chance.choice(log.acknowledged[-50:]), True
    base = chance.choice(hot)
    changes: dict[str, Any] = {"ver": max(now_us() + offset_us, base.ver + 1)}
    if kind == "edit":
        fields = operations.some_fields(chance)
        return operations.edit(who, base, bills=chance.choice((0, 0, 1)), **changes, **fields), False
    return (operations.void if kind == "void" else operations.restore)(who, base, **changes), False


async def _send(
    node: Node, connection: psycopg.AsyncConnection[Any] | None, operation: Operation, log: Log
) -> psycopg.AsyncConnection[Any]:
    """Send until it is acknowledged, as an outbox does."""
    while True:
        try:
            if connection is None or connection.closed:
                connection = await psycopg.AsyncConnection.connect(node.url, autocommit=True)
            await append(connection, operation, node.name)
        except psycopg.errors.DeadlockDetected:  # also an OperationalError, and not one that a kill explains
            raise
        except psycopg.OperationalError:
            log.cut += 1
            connection = None
            await asyncio.sleep(0.02)
        else:
            return connection
