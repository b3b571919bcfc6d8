"""The mesh campaign: all regions are written to through the API while postmasters and servers are killed."""

import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec
import psycopg

from server.contract.shapes import EntrySaved
from tests.bench.programs.mesh_writer import Done, Order
from tests.support.api import PASSWORD, Api, BookApi, a_name
from tests.support.cluster import Cluster, Layout, Region, forget
from tests.support.lag import LagProbe
from tests.support.node import ROOT
from tests.support.postgres import rows
from tests.support.region_failovers import switch_link
from tests.support.regions_verdict import diverged_rows, missing_operations, wait_until_equal
from tests.support.seed import Seed, load
from tests.support.waiting import wait_until

REGIONS: Final = (
    Region("ap-south-1", "M", ("in-mum-1",)),
    Region("ap-southeast-1", "S", ("sg-sin-1",)),
    Region("eu-central-1", "F", ("de-fra-1",)),
)
_BOOKS: Final = 8
_HOT: Final = 25
_EQUAL_SECONDS: Final = 300.0


@dataclass(slots=True)
class Result:
    """`lags` are seconds from when a region has confirmed an entry until it can be read in another, while all
    write and nobody is killed; `killed` is what was; `converged` are the seconds from the last write until
    all regions are equal, `caught_up` those that a region needed for so many `changes` (rows of the journal)
    that were written while it heard nothing."""

    acknowledged: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    killed: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    lags: list[float] = field(default_factory=list)
    converged: float = 0.0
    changes: int = 0
    caught_up: float = 0.0
    diverged: int = 0
    lost: int = 0
    apply_errors: dict[str, list[tuple[Any, ...]]] = field(default_factory=dict)


class MeshCampaign:
    """Three regions of one server each. `folder` is its own."""

    def __init__(self, folder: Path, *, seed: int = 1, quick: bool = False) -> None:
        self.result = Result()
        self.cluster = Cluster(folder / "cluster", Layout(REGIONS, ("disc-1",), quick=quick, mesh=True))
        self._folder = folder
        self._seed = seed
        self._chance = random.Random(seed)
        self._running = ExitStack()
        self._acknowledged: dict[str, int] = {}
        self._writing, self._killing = threading.Event(), threading.Event()

    def __enter__(self) -> "MeshCampaign":
        with ExitStack() as starting:
            starting.callback(self.close)
            self._running.callback(forget, self._folder / "cluster")
            self._running.enter_context(self.cluster)
            self.cluster.wait_up()
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End all and remove its data."""
        self._running.close()

    @property
    def urls(self) -> dict[str, str]:
        """The databases by region."""
        return {region.code: self.cluster.database_url(region.code) for region in REGIONS}

    # --- the load --------------------------------------------------------------------------------

    def write(self, operations: int, kills: int, threads: int = 3) -> None:
        """Let every region take its part of `operations` at once, kill so often meanwhile; judge the end."""
        books = self._books()
        hot = [[(saved.entry.id, saved.entry.ver) for saved in _hot(book)] for book in books]
        wait_until_equal(self.urls, _EQUAL_SECONDS)
        names = [book.signed_in.user_name for book in books]
        orders = [self._order(number, names, hot, operations, threads) for number in range(len(REGIONS))]
        writers = [started(order) for order in orders]
        self._writing.set()
        try:
            with ExitStack() as beside:
                beside.enter_context(self._measured(books[0]))
                killing = threading.Thread(target=self._kill, args=(kills, operations), daemon=True)
                killing.start()
                self._take([ended(writer) for writer in writers])
                self._writing.clear()
                killing.join()
            began = time.monotonic()
            self._heal()
            wait_until_equal(self.urls, _EQUAL_SECONDS)
            self.result.converged = time.monotonic() - began
        finally:
            self._writing.clear()
            for writer in writers:
                writer.kill()
                writer.wait()
        self._judge()

    def _books(self) -> list[BookApi]:
        first = self.cluster.servers[REGIONS[0].ids[0]]
        return [Api(first.url).register(a_name()) for _ in range(_BOOKS)]

    def _order(
        self, number: int, names: list[str], hot: list[list[tuple[str, int]]], operations: int, threads: int
    ) -> Order:
        servers = [self.cluster.servers[region.ids[0]].url for region in REGIONS]
        return Order(
            urls=servers[number:] + servers[:number],
            books=names,
            password=PASSWORD,
            hot=hot,
            operations=-(-operations // len(REGIONS)),
            threads=threads,
            seed=self._seed,
            prefix=f"{REGIONS[number].letter}W{number}",
        )

    def _take(self, parts: Sequence[Done]) -> None:
        for part in parts:
            self._acknowledged |= part.acknowledged
            self.result.kinds.update(part.kinds)
            self.result.refused.update(part.refused)
            self.result.seconds = max(self.result.seconds, part.seconds)
        self.result.acknowledged = len(self._acknowledged)

    @contextmanager
    def _measured(self, book: BookApi) -> Iterator[None]:
        """Save at the first region, look when it is in the others, while all write and nobody is killed."""
        others = [self.urls[region.code] for region in REGIONS[1:]]
        probe = LagProbe(book, others, lambda: self._writing.is_set() and not self._killing.is_set())
        thread = threading.Thread(target=probe.run, daemon=True)
        thread.start()
        yield
        thread.join()
        self.result.lags += probe.lags
        self._acknowledged |= dict.fromkeys(probe.saved, 1)

    # --- beside it -------------------------------------------------------------------------------

    def _kill(self, kills: int, operations: int) -> None:
        """Kill postmasters and servers in turn, of any region, spread over the load; none in its first fifth,
        in which the lag is measured."""
        url = self.cluster.database_url(REGIONS[0].code)
        for number in range(kills):
            wanted = operations * (0.2 + 0.75 * number / kills)
            self._wait_written(url, wanted)
            if not self._writing.is_set():
                return
            self._killing.set()
            region = self._chance.choice(REGIONS)
            time.sleep(self._chance.uniform(0, 1))
            if number % 2:
                self.cluster.kill(region.ids[0])
            else:
                self.cluster.kill_database(region.code)
            self.result.killed["server" if number % 2 else "postmaster"] += 1
            time.sleep(self._chance.uniform(0, 2))
            self.cluster.heal(region.code)

    def _wait_written(self, url: str, wanted: float) -> None:
        statement: LiteralString = "select count(*) from (select distinct op_id from public.journal) x"
        while self._writing.is_set():
            with suppress(psycopg.Error):
                if rows(url, statement)[0][0] >= wanted:
                    return
            time.sleep(1)

    def _heal(self) -> None:
        for region in REGIONS:
            self.cluster.heal(region.code)

    # --- a region that heard nothing -------------------------------------------------------------

    def catch_up(self, entries: int) -> None:
        """Let the last region hear nothing while so many entries are written at the first; then it hears."""
        deaf, codes = REGIONS[-1].code, [region.code for region in REGIONS]
        url = self.urls[deaf]
        before = _journal(url)
        for code in codes[:-1]:
            switch_link(url, code, "disable")
        load(self.urls[codes[0]], Seed(UUID(int=1), UUID(int=2), 1, entries, per_day=60))
        wanted = _journal(self.urls[codes[0]])
        wait_until(lambda: _journal(self.urls[codes[1]]) == wanted, _EQUAL_SECONDS)
        assert _journal(url) == before, "it heard something"
        began = time.monotonic()
        for code in codes[:-1]:
            switch_link(url, code, "enable")
        wait_until(lambda: _journal(url) == wanted, _EQUAL_SECONDS)
        self.result.caught_up = time.monotonic() - began
        self.result.changes = wanted - before
        wait_until_equal(self.urls, _EQUAL_SECONDS)
        self._judge()

    # --- the end ---------------------------------------------------------------------------------

    def _judge(self) -> None:
        self.result.diverged = diverged_rows(self.urls)
        self.result.lost = missing_operations(self.urls, self._acknowledged)
        self.result.apply_errors = {code: rows(url, _APPLY) for code, url in self.urls.items()}


def _hot(book: BookApi) -> list[EntrySaved]:
    return [book.add() for _ in range(_HOT)]


def started(order: Order) -> "subprocess.Popen[bytes]":
    """Start a writer process; SIGTERM ends it early."""
    program = [sys.executable, "-m", "tests.bench.programs.mesh_writer"]
    writer = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    assert writer.stdin is not None
    writer.stdin.write(msgspec.json.encode(order))
    writer.stdin.close()
    return writer


def ended(writer: "subprocess.Popen[bytes]") -> Done:
    """Wait for a writer process; return what it did."""
    assert writer.stdout is not None
    told = writer.stdout.read()
    writer.stdout.close()
    assert writer.wait() == 0, "a writer failed"
    return msgspec.json.decode(told, type=Done)


def _journal(url: str) -> int:
    return int(rows(url, "select count(*) from public.journal")[0][0])


_APPLY: Final[LiteralString] = """
select subname::text, apply_error_count, sync_error_count,
    coalesce((to_jsonb(s) ->> 'confl_insert_exists')::bigint, 0) -- PostgreSQL 17 does not count them
from pg_catalog.pg_stat_subscription_stats s order by 1"""
