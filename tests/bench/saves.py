"""Saving: from the click until the entry is durable in the outbox, compared with a bare commit of SQLite."""

import sqlite3
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final

from app.domain.entry import Direction, EntryDraft
from app.remote.endpoint import Endpoint
from app.services.accounts import Accounts, BookSession, Remote
from app.services.entries import Entries
from app.store.cache import ReadCache
from app.store.database import Database
from app.store.outbox import Outbox
from app.store.settings import Settings
from tests.bench.groups import Group
from tests.bench.rows import Row, percentile, spread_of
from tests.bench.stage import Stage

_ROUNDS: Final = 20
_A_ROUND: Final = 100
NEEDED: Final = 1_000


def save_durable(stage: Stage) -> list[Row]:
    """`save_durable_p50`, `save_durable_p99` in ms: `services.entries.save` into a durable outbox that
    fills up to 2,000 waiting entries. The goal (10 ms) is about ours, so the limit, the p50 and p99 of a
    bare insert with a WAL commit and synchronous = FULL, alternating, stands in the note."""
    folder = stage.folder / "saves"
    folder.mkdir()
    ours: list[float] = []
    bare: list[float] = []
    with (
        closing(Database(folder / "client.sqlite")) as database,
        closing(_bare(folder / "bare.sqlite")) as other,
    ):
        save, commit = _saves(database), _commits(other)
        for number in range(_ROUNDS + 1):
            mine, limit = [next(save) for _ in range(_A_ROUND)], [next(commit) for _ in range(_A_ROUND)]
            if number:  # the first round warms up
                ours += mine
                bare += limit
    return [
        Row(
            name=f"save_durable_{name}",
            unit="ms",
            ours=percentile(ours, share) if share != 0.5 else statistics.median(ours),
            goal="<= 10",
            samples=len(ours),
            needed=NEEDED,
            spread=spread_of(ours),
            note=f"bare SQLite commit {percentile(bare, share):.3f} ms",
        )
        for name, share in (("p50", 0.5), ("p99", 0.99))
    ]


def _saves(database: Database) -> Iterator[float]:
    outbox, settings = Outbox(database), Settings(database)
    accounts = Accounts(settings, outbox, _no_server, _no_remote)
    accounts.session = BookSession(
        "Asha", "0199aaaa-0000-7000-8000-000000000001", "0K7", "local", "local", "here"
    )
    entries = Entries(accounts, outbox, ReadCache(database))
    draft = EntryDraft(
        date(2026, 11, 22), Decimal("640.00"), Direction.DEBIT, "Travel", "Taxi to client site"
    )
    while True:
        began = time.perf_counter()
        entries.save(draft)
        yield (time.perf_counter() - began) * 1000


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("pragma journal_mode = wal")
    connection.execute("pragma synchronous = full")
    connection.execute("create table item (id integer primary key, payload text)")
    return connection


def _commits(connection: sqlite3.Connection) -> Iterator[float]:
    while True:
        began = time.perf_counter()
        connection.execute("insert into item (payload) values (?)", ("x" * 400,))
        yield (time.perf_counter() - began) * 1000


def _no_remote(_endpoint: Callable[[], Endpoint]) -> Remote:
    raise AssertionError("a save never waits for a server")


def _no_server() -> Endpoint:
    raise AssertionError("a save never waits for a server")


GROUPS: Final = (Group("save_durable", ("save_durable_p50", "save_durable_p99"), save_durable),)
