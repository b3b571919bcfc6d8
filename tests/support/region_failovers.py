"""Campaigns on regions in a mesh: all of a region is killed, or destroyed, while clients save entries there.

Measured is, for each client there, how long it takes from that moment until its next successful call in
another region; and each time that its program says “All your data is here.” it is looked whether that is so.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, LiteralString

import psycopg
from psycopg import sql

from server.replication.names import subscription
from tests.support.cluster import MUMBAI, SINGAPORE, Layout, Region, Setting
from tests.support.cluster_clients import Call, Claim, ClusterClient, wait_all
from tests.support.failovers import BEAT_SECONDS, FAILOVER_SECONDS, Campaign, Say
from tests.support.kill_verdict import Verdict
from tests.support.postgres import rows
from tests.support.regions_verdict import judge_when_copied, not_whole, wait_until_equal
from tests.support.waiting import wait_until

Loss = Literal["servers", "region", "destroy"]
"""All servers of a region are killed; its PostgreSQL too; and what both kept is removed."""
Held = Literal["nothing", "rows", "bytes"]
"""What does not get to the other region, from before the hit on."""
ARRIVAL_SECONDS: Final = 150.0
_EQUAL_SECONDS: Final = 120.0
_LONGEST_HOLD: Final = 4.0


@dataclass(slots=True)
class Arrived:
    """Claims that all is there. `lagged` are those of clients of whose entries some were really missing at
    the hit, `early` those that were not true, `delays` are seconds from when all was there (and the client
    had moved) to the words, of the lagged ones; `looked` how long the proof took."""

    claims: int = 0
    lagged: int = 0
    early: int = 0
    delays: list[float] = field(default_factory=list)
    looked: list[float] = field(default_factory=list)


class RegionCampaign(Campaign):
    """Two regions, all clients in one of them. `missing` counts entries, saved before a
    hit, that the other region did not get whole; `confirmed` those that had been confirmed by then;
    `lagged_rounds` the hits at which some were really missing there."""

    def __init__(
        self,
        folder: Path,
        clients: int = 8,
        *,
        seed: int = 1,
        pause: float = 0.5,
        settings: dict[str, Setting] | None = None,
        quick: bool = False,
        spread: float = BEAT_SECONDS,
        say: Say = print,
        regions: tuple[Region, Region] = (MUMBAI, SINGAPORE),
    ) -> None:
        layout = Layout(regions, settings=settings or {}, quick=quick, mesh=True)
        super().__init__(folder, clients, seed=seed, pause=pause, spread=spread, say=say, layout=layout)
        self.arrived = Arrived()
        self.missing = self.confirmed = self.lagged_rounds = 0
        self.rejoined: list[float] = []

    def add_client(self) -> ClusterClient:
        """Start one more, which proves what it claims."""
        number = len(self.clients) + len(self._ended) + 1
        folder = self.cluster.folder
        made = ClusterClient(self._folder, number, self.cluster.link(), self._pause, folder)
        self.clients.append(made)
        return made

    def fullest(self) -> str:
        """Return the region where most clients are."""
        codes = [region.code for region in self.cluster.layout.regions]
        return max(codes, key=lambda code: len(self.in_region(code)))

    def other(self, code: str) -> str:
        """Return the other region."""
        return next(region.code for region in self.cluster.layout.regions if region.code != code)

    def in_region(self, code: str) -> list[ClusterClient]:
        """Return the clients whose last success was in a region."""
        places = self.netlocs(code)
        return [c for c in self.clients if (call := c.last_success()) is not None and call.to in places]

    def netlocs(self, code: str) -> set[str]:
        """Return host and port of each server of a region."""
        return {self.netloc(id_) for id_ in self.cluster.servers if self.cluster.region_of(id_).code == code}

    # --- hitting ---------------------------------------------------------------------------------

    def lose(self, loss: Loss, held: Held = "nothing", confirmed: int = 0) -> list[float]:
        """Hit the region that has most clients, once it has confirmed so many entries more, and wait for the
        clients; return their delays. What is lost is brought back."""
        victim = self.fullest()
        target = self.other(victim)
        there = self.in_region(victim)
        self._hold(held, target, victim)
        began = time.monotonic()  # what was confirmed while it was being held may have come through
        self._wait_confirmed(there, began, victim, confirmed)
        # a region is destroyed right after it has confirmed, else hit at any moment between two beats
        time.sleep(0 if confirmed else self._chance.uniform(0, self._spread))
        saved = {c.number: {id_: e["bills"] for id_, e in list(c.heard.saved.items())} for c in there}
        moment = self._lose(loss, victim)
        behind = _Behind(self.cluster.database_url(target), self.cluster.folder / target, saved)
        self.lagged_rounds += bool(behind.entries)
        with behind.watched():
            held_for = self._chance.uniform(0, _LONGEST_HOLD)
            letting_go = threading.Timer(held_for, self._let_go, (held, target, victim))
            letting_go.start()
            delays = self._wait_for_success(there, moment, victim)
            self._wait_for_claims(there, moment, behind)
            letting_go.join()
        self.missing += len(self._never_whole(target, saved))
        self.result.hits += 1
        self.result.delays += delays
        self._bring_back(loss, victim)
        self.wait_healthy()
        return delays

    def _wait_confirmed(self, there: Sequence[ClusterClient], began: float, code: str, wanted: int) -> None:
        places = self.netlocs(code)

        def confirmed() -> int:
            calls = (call for client in there for call in client.heard.calls)
            return sum(_creates(call) and call.at >= began and call.to in places for call in calls)

        wait_until(lambda: confirmed() >= wanted, ARRIVAL_SECONDS + wanted)
        self.confirmed += confirmed()

    def _lose(self, loss: Loss, code: str) -> float:
        if loss == "destroy":
            return self.cluster.destroy(code)
        moment = self.cluster.kill_servers(code)
        return min(moment, self.cluster.kill_database(code)) if loss == "region" else moment

    def _bring_back(self, loss: Loss, code: str) -> None:
        if loss != "destroy":
            self.cluster.heal(code)
            return
        began = time.monotonic()
        self.cluster.rebuild(code)
        self.rejoined.append(time.monotonic() - began)

    def _wait_for_success(self, there: Sequence[ClusterClient], moment: float, code: str) -> list[float]:
        places = self.netlocs(self.other(code))
        wait_all(
            list(there),
            f"a success after {code} was lost",
            lambda c: _success_in(c, moment, places) is not None,
            FAILOVER_SECONDS,
        )
        delays = []
        for client in there:
            call = _success_in(client, moment, places)
            assert call is not None
            delays.append(call.end - moment)
            self._note_stages(client, moment, call.end)
        return delays

    def _wait_for_claims(self, there: Sequence[ClusterClient], moment: float, behind: "_Behind") -> None:
        wait_all(
            list(there),
            "“All your data is here.”",
            lambda c: bool(c.heard.claims) and c.heard.claims[-1].at > moment,
            ARRIVAL_SECONDS,
        )
        for client in there:
            self._judge_claim(client, client.heard.claims[-1], behind)

    def _judge_claim(self, client: ClusterClient, claim: Claim, behind: "_Behind") -> None:
        lagged = behind.of[client.number] & set(claim.brought)
        self.arrived.claims += 1
        self.arrived.lagged += bool(lagged)
        self.arrived.early += bool(claim.missing)
        self.arrived.looked.append(claim.looked)
        if lagged and not claim.missing:
            wait_until(lambda: lagged <= behind.arrived.keys())  # whoever notes it looks every few ms
            last = max(behind.arrived[id_] for id_ in lagged)
            self.arrived.delays.append(max(0.0, claim.at - max(last, claim.moved, claim.last_own)))

    def _never_whole(self, code: str, saved: dict[int, dict[str, list[str]]]) -> list[str]:
        """Return what was saved before the hit and is not whole in a region, though there was time."""
        wanted = {id_: bills for each in saved.values() for id_, bills in each.items()}
        url, folder = self.cluster.database_url(code), self.cluster.folder / code
        deadline = time.monotonic() + ARRIVAL_SECONDS
        while (missing := not_whole(url, folder, wanted)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return missing

    # --- holding back ----------------------------------------------------------------------------

    def _hold(self, held: Held, target: str, source: str) -> None:
        url = self.cluster.database_url(target)
        if held == "rows":
            switch_link(url, source, "disable")
        elif held == "bytes":
            rows(url, _HOLD_BYTES)

    def _let_go(self, held: Held, target: str, source: str) -> None:
        url = self.cluster.database_url(target)
        if held == "rows":
            switch_link(url, source, "enable")
        elif held == "bytes":
            rows(url, _LET_BYTES_GO)

    # --- the end ---------------------------------------------------------------------------------

    def finish(self) -> Verdict:
        """Let everything be sent, end the clients, and look into every region once they are equal."""
        saved, drained = self._end_clients()
        claims = [claim for client in self._ended for claim in client.heard.claims]
        self.arrived.early = sum(bool(claim.missing) for claim in claims)  # those of no hit, too
        codes = [region.code for region in self.cluster.layout.regions]
        wait_until_equal({code: self.cluster.database_url(code) for code in codes}, _EQUAL_SECONDS)
        stores = {code: (self.cluster.database_url(code), self.cluster.folder / code) for code in codes}
        verdict = judge_when_copied(stores, saved, drained, _EQUAL_SECONDS)
        self.result.verdict = verdict
        return verdict


class _Behind:
    """Entries that are not whole in a region yet, by client, and when each of them came."""

    def __init__(self, url: str, folder: Path, saved: dict[int, dict[str, list[str]]]) -> None:
        self._url, self._folder = url, folder
        everything = {id_: bills for each in saved.values() for id_, bills in each.items()}
        missing = set(not_whole(url, folder, everything))
        self.entries = {id_: bills for id_, bills in everything.items() if id_ in missing}
        self.of = {number: missing.intersection(each) for number, each in saved.items()}
        self.arrived: dict[str, float] = {}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note meanwhile when each of them has come."""
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _watch(self, ended: threading.Event) -> None:
        left, began = dict(self.entries), time.monotonic()
        while left and not ended.wait(0.02):
            last, began = began, time.monotonic()
            missing = set(not_whole(self._url, self._folder, left))
            # It was not there at the look before this one, which began at `last`: not earlier has it come.
            self.arrived |= {id_: last for id_ in left if id_ not in missing}
            left = {id_: bills for id_, bills in left.items() if id_ in missing}


def _creates(call: Call) -> bool:
    return call.kind == "entries" and call.succeeded


def _success_in(client: ClusterClient, moment: float, places: set[str]) -> Call | None:
    """Return a client's first success after `moment` at one of `places`."""
    calls: list[Call] = client.heard.calls
    first = len(calls)
    while first and calls[first - 1].end > moment:
        first -= 1
    return next((call for call in calls[first:] if call.succeeded and call.to in places), None)


def switch_link(url: str, publisher: str, verb: Literal["disable", "enable"]) -> None:
    """Let the region of the database `url` hear no more, or again, of what `publisher` takes."""
    name: Any = sql.Identifier(subscription(publisher))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("alter subscription {} " + verb).format(name))


_HOLD_BYTES: Final[LiteralString] = """
create or replace function public.hold_bytes() returns trigger language plpgsql as $$
begin
    new.next_try := now() + interval '1 day';
    return new;
end $$;
create or replace trigger hold_bytes before insert on public.document_wanted
    for each row execute function public.hold_bytes();
alter table public.document_wanted enable always trigger hold_bytes"""
_LET_BYTES_GO: Final[LiteralString] = """
drop trigger hold_bytes on public.document_wanted;
update public.document_wanted set next_try = now()"""
