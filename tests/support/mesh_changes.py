"""Changes a mesh under load: a region joins a pair, leaves, joins again, is down for a long time, is restored
from an old backup, and loses its slot. Uses the operator's commands; the load uses the API."""

import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID

import requests

from server.replication.names import pair
from tests.support.api import Api, BookApi, RefusedError, a_name, an_entry
from tests.support.base_backup import put_back, take_backup
from tests.support.cluster import Cluster, Layout, forget
from tests.support.lost_slot import lose_slot
from tests.support.mesh_campaign import REGIONS
from tests.support.mesh_load import Load, Wave
from tests.support.node import ROOT, server_command
from tests.support.postgres import rows
from tests.support.region_failovers import switch_link
from tests.support.regions_verdict import (
    bills_of,
    diverged_rows,
    missing_operations,
    not_whole,
    wait_until_equal,
)
from tests.support.seed import seed_book
from tests.support.waiting import wait_until

FIRST, SECOND, THIRD = (region.code for region in REGIONS)
PAIR: Final = (FIRST, SECOND)
ALL: Final = (*PAIR, THIRD)
_BOOKS: Final = 4
_HOT: Final = 25
_SECONDS: Final = 300.0


@dataclass(slots=True)
class Phase:
    """One change of the mesh. In seconds: `command` until the operator's command returned, `seconds` until
    the third region held all that the pair had by then, while the load went on, `served` from then until it
    took an entry itself, `settled` from the writers' end until all held the same, `longest` the longest
    single operation, `gap` the longest time in which a region confirmed none. `rows` of the journal came to
    the third region meanwhile. `lost` are acknowledged operations that a region lacks, `refused` those that
    none took."""

    name: str
    command: float = 0.0
    seconds: float = 0.0
    served: float = 0.0
    settled: float = 0.0
    rows: int = 0
    acknowledged: int = 0
    per_second: float = 0.0
    longest: float = 0.0
    gap: float = 0.0
    diverged: int = 0
    lost: int = 0
    refused: int = 0


class ChangesCampaign:
    """A pair that holds `entries`, written to at `pace` (operations per second in each region), and a third
    region. `folder` is its own."""

    def __init__(
        self,
        folder: Path,
        *,
        entries: int = 20_000,
        pace: float = 150.0,
        seed: int = 1,
        quick: bool = False,
        say: Callable[[str], None] = print,
    ) -> None:
        layout = Layout(
            REGIONS,
            ("disc-1",),
            quick=quick,
            mesh=True,
            outside=(THIRD,),
            unset=("max_slot_wal_keep_size",),
        )
        self.phases: list[Phase] = []
        self.bills = self.bills_missing = 0
        self.cluster = Cluster(folder / "cluster", layout)
        self._folder, self._entries, self._pace, self._seed = folder, entries, pace, seed
        self._say, self._user = say, ""
        self._load: Load
        self._running = ExitStack()
        self._acknowledged: dict[str, int] = {}

    def __enter__(self) -> "ChangesCampaign":
        with ExitStack() as starting:
            starting.callback(self._running.close)
            self._running.callback(forget, self.cluster.folder)
            self._running.enter_context(self.cluster)
            self.cluster.wait_up()
            self._prepare()
            starting.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    def run(self) -> None:
        """Change the mesh in every way, one after the other; `phases` has what was seen."""
        self.join()
        self.leave()
        self.join_again()
        self.come_back()
        self.restore()
        self.repair()
        self.look_for_bills()

    # --- the changes -----------------------------------------------------------------------------

    def join(self) -> None:
        """The third region, which is new and empty, joins."""
        with self._phase("joined", ALL) as phase, self._timed(phase):
            self._command("join", THIRD)

    def leave(self) -> None:
        """It leaves."""
        with self._phase("left", PAIR) as phase:
            began = time.monotonic()
            self._command("leave", THIRD)
            phase.command = phase.seconds = time.monotonic() - began

    def join_again(self) -> None:
        """It joins with what it had, and with what was written there since."""
        with self._phase("joined again", ALL) as phase:
            self._take(self._load.write([THIRD], self._part(20)), phase)
            with self._timed(phase):
                self._command("join", THIRD)

    def come_back(self) -> None:
        """Its PostgreSQL is killed, and comes back after as many changes as the pair had entries."""
        had = _journal(self._url(THIRD))
        self.cluster.kill_database(THIRD)
        away = self._load.write(PAIR, self._entries)
        with self._phase("back", ALL) as phase:
            self._take(away, phase)
            with self._timed(phase, had):
                self.cluster.start_database(THIRD)

    def restore(self) -> None:
        """It is destroyed, and put back from a backup that is older than much that it confirmed; the last of
        that only one other region has heard."""
        with self._phase("restored", ALL) as phase:
            take_backup(self.cluster, THIRD, self._folder / "backup")
            before = self._load.write([THIRD], self._part(10))
            switch_link(self._url(FIRST), THIRD, "disable")
            last = self._load.write([THIRD], self._part(100))
            self._take(before, phase)
            self._take(last, phase)
            wait_until(lambda: self._lacks(SECOND, before) + self._lacks(SECOND, last) == 0, _SECONDS, 0.1)
            bills = bills_of(self._url(SECOND), [*before.acknowledged, *last.acknowledged])
            wait_until(lambda: self._not_whole(bills, [SECOND]) == 0, _SECONDS, 0.2)
            assert self._lacks(FIRST, last) == len(last.acknowledged), "the first region has heard of it"
            self.cluster.destroy(THIRD)
            put_back(self.cluster, THIRD, self._folder / "backup")
            self.cluster.start_database(THIRD)
            with self._timed(phase):
                self._command("join", THIRD, "--anew")
            self.cluster.heal(THIRD)

    def repair(self) -> None:
        """It is down while the first region writes more than it keeps for it."""
        with self._phase("repaired", ALL) as phase:
            self.cluster.kill_database(THIRD)
            lose_slot(self._url(FIRST), pair(FIRST, THIRD), pair(FIRST, SECOND), _SECONDS)
            self.cluster.start_database(THIRD)
            told = self._command("status", well=False)
            assert f"{FIRST} → {THIRD}: its slot is lost" in told, told
            with self._timed(phase):
                self._command("repair")

    def look_for_bills(self) -> None:
        """Count the entries whose bills are not whole in a region, once there was time to copy them."""
        wanted = bills_of(self._url(FIRST))
        self.bills = sum(map(len, wanted.values()))
        deadline = time.monotonic() + _SECONDS
        while (missing := self._not_whole(wanted, ALL)) and time.monotonic() < deadline:
            time.sleep(1)
        self.bills_missing = missing

    # --- around each -----------------------------------------------------------------------------

    @contextmanager
    def _phase(self, name: str, members: Sequence[str]) -> Iterator[Phase]:
        """Write to the pair while the block lasts; then judge the regions that are members."""
        phase = Phase(name)
        with self._load.writing(PAIR, self._pace) as wave:
            self._flow()
            since = time.monotonic()
            yield phase
            if THIRD in members:
                self._write_at_third(phase)
            self._flow()
        self._take(wave, phase)
        phase.longest, phase.gap = wave.longest(since), wave.widest_gap(since)
        phase.per_second = wave.per_second(since)
        self._judge(phase, {code: self._url(code) for code in members})
        self._say(f"  {phase}\n    {dict(wave.kinds)}")
        self.phases.append(phase)

    @contextmanager
    def _timed(self, phase: Phase, had: int | None = None) -> Iterator[None]:
        """Note how long the block takes, and how long until the third region, which `had` so many rows, holds
        all."""
        had = _journal(self._url(THIRD)) if had is None else had
        books = [self._book_at(code) for code in PAIR]
        began = time.monotonic()
        yield
        phase.command = time.monotonic() - began
        before = self._held(FIRST) | self._held(SECOND)
        marks = [book.create(an_entry()).op_id for book in books]
        # A link carries in order: what was written at either before its mark is there with it.
        wait_until(lambda: rows(self._url(THIRD), _MARKS, *marks) == [(len(marks),)], _SECONDS, 0.02)
        phase.seconds = time.monotonic() - began
        phase.lost += len(before - self._held(THIRD))
        phase.rows = _journal(self._url(THIRD)) - had
        self._acknowledged |= dict.fromkeys(marks, 1)

    def _judge(self, phase: Phase, urls: dict[str, str]) -> None:
        try:
            phase.settled = wait_until_equal(urls, _SECONDS)
        except AssertionError as error:  # counted below; what comes after is worth seeing, too
            self._say(f"  {phase.name}: {error}")
            phase.settled = _SECONDS
        phase.diverged += diverged_rows(urls)
        phase.lost += missing_operations(urls, self._acknowledged)

    def _take(self, wave: Wave, phase: Phase) -> None:
        self._acknowledged |= wave.acknowledged
        phase.acknowledged += len(wave.acknowledged)
        phase.refused += wave.refused.total()

    def _flow(self) -> None:
        """Return once the pair has taken some more."""
        wanted = {code: _journal(self._url(code)) + self._part(20) for code in PAIR}
        wait_until(lambda: all(_journal(self._url(code)) >= wanted[code] for code in PAIR), _SECONDS, 0.1)

    def _write_at_third(self, phase: Phase) -> None:
        """Save an entry at the third region, as soon as its server answers again."""
        entry, began = an_entry(), time.monotonic()

        def is_saved() -> bool:
            with suppress(RefusedError, requests.RequestException):
                self._book_at(THIRD).create(entry)
                self._acknowledged[entry.op_id] = 1
                return True
            return False

        wait_until(is_saved, _SECONDS, 0.1)
        phase.served = time.monotonic() - began

    # --- its parts -------------------------------------------------------------------------------

    def _prepare(self) -> None:
        books = [Api(self._servers[FIRST]).register(a_name()) for _ in range(_BOOKS)]
        hot = [[book.add() for _ in range(_HOT)] for book in books]
        self._user = books[0].signed_in.user_name
        user = rows(self._url(FIRST), _USER, books[0].book_id)[0][0]
        seed_book(self._url(FIRST), UUID(books[0].book_id), user, self._entries, documents_every=0)
        self._load = Load(self._servers, books, hot, self._seed)
        wait_until_equal({code: self._url(code) for code in PAIR}, _SECONDS)

    @property
    def _servers(self) -> dict[str, str]:
        return {region.code: self.cluster.servers[region.ids[0]].url for region in REGIONS}

    def _url(self, code: str) -> str:
        return self.cluster.database_url(code)

    def _book_at(self, code: str) -> BookApi:
        return Api(self._servers[code]).login(self._user)

    def _part(self, of: int) -> int:
        """Return so much of what the pair holds: how much is written, in a smaller run less."""
        return max(20, self._entries // of)

    def _held(self, code: str) -> set[str]:
        return {
            op_id for (op_id,) in rows(self._url(code), "select distinct op_id::text from public.journal")
        }

    def _lacks(self, code: str, wave: Wave) -> int:
        return missing_operations({code: self._url(code)}, wave.acknowledged)

    def _not_whole(self, wanted: dict[str, list[str]], codes: Sequence[str]) -> int:
        folder = self.cluster.folder
        return sum(len(not_whole(self._url(code), folder / code, wanted)) for code in codes)

    def _command(self, *arguments: str, well: bool = True) -> str:
        """Run `bahi-server replication …`; return what it says."""
        command = server_command("replication", *arguments, f"--file={self.cluster.regions_file}")
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=ROOT, timeout=_SECONDS, check=False
        )
        assert (done.returncode == 0) == well, done.stdout + done.stderr
        return done.stdout


def _journal(url: str) -> int:
    return int(rows(url, "select count(*) from public.journal")[0][0])


_USER: Final[LiteralString] = "select id from public.app_user where book_id = %s"
_MARKS: Final[LiteralString] = "select count(*) from public.journal where op_id in (%s, %s)"
