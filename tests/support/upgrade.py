"""An upgrade with a new column: one server after the other, in three regions, under load.

Real clients of the present version, and raw calls of the old and the new version, write in all regions all
the time. In one region an old server is killed after its database has been migrated, and started again
unchanged.
"""

import itertools
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, LiteralString
from urllib.parse import urlsplit

from server.contract import paths, shapes
from tests.support.api import Api
from tests.support.cluster import FRANKFURT, MUMBAI, SINGAPORE, Layout, Region
from tests.support.cluster_clients import ClusterClient
from tests.support.failovers import Campaign, Say
from tests.support.kill_verdict import Verdict
from tests.support.next_version import make_next_version
from tests.support.noting import Noted, NotingPerson
from tests.support.postgres import rows
from tests.support.regions_verdict import (
    diverged_rows,
    forget_book,
    judge_when_copied,
    missing_operations,
    wait_until_equal,
)
from tests.support.waiting import wait_until

_HOT: Final = 20
_EQUAL_SECONDS: Final = 120.0
_STAGE_SECONDS: Final = 120.0


@dataclass(slots=True)
class Upgraded:
    """`unknown` counts, by region, rows with a note that had come before the column did; `wrong_notes` are
    entries whose column is not what their version says, `lost_notes` changes that lost a note they knew
    nothing of; `pauses` are the longest seconds between two successes of each client, `failed` its calls that
    failed while nothing was killed; `migrated` the seconds of a region's first start of the new version."""

    noted: Noted = field(default_factory=Noted)
    unknown: dict[str, int] = field(default_factory=dict)
    migrated: dict[str, float] = field(default_factory=dict)
    wrong_notes: int = 0
    lost_notes: int = 0
    with_note: int = 0
    diverged: int = 0
    missing: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    pauses: list[float] = field(default_factory=list)


class UpgradeCampaign(Campaign):
    """`people` write notes, or do not know of them; `each` is how many operations they do in each stage."""

    def __init__(
        self,
        folder: Path,
        clients: int = 6,
        people: int = 3,
        *,
        each: int = 150,
        regions: tuple[Region, ...] = (MUMBAI, SINGAPORE, FRANKFURT),
        quick: bool = False,
        say: Say = print,
    ) -> None:
        super().__init__(
            folder, clients, quick=quick, say=say, layout=Layout(regions, quick=quick, mesh=True)
        )
        self.upgraded = Upgraded()
        self._each, self._wanted_people = each, people
        self._next = make_next_version(folder / "next")
        self._new: set[str] = set()
        self._people: list[NotingPerson] = []
        self._killing = (0.0, 0.0)
        self._book_id = ""
        self._near = itertools.cycle([region.code for region in regions])

    @property
    def urls(self) -> dict[str, str]:
        """The databases by region."""
        return {region.code: self.cluster.database_url(region.code) for region in self.cluster.layout.regions}

    def add_client(self) -> ClusterClient:
        """Start one more, near the next region."""
        number = len(self.clients) + len(self._ended) + 1
        link = self.cluster.link(near=next(self._near))
        made = ClusterClient(self._folder, number, link, self._pause)
        self.clients.append(made)
        return made

    def upgrade(self) -> Upgraded:
        """Upgrade everything, judge, and return what was seen."""
        self.start_clients()
        self._start_people()
        self._go_on()
        for number, ids in enumerate(zip(*(r.ids for r in self.cluster.layout.regions), strict=True)):
            for id_ in ids:
                self._renew(id_)
                self._go_on()
            if not number and len(self.cluster.layout.regions[0].ids) > 1:
                self._kill_an_old_one(self.cluster.layout.regions[0].ids[-1])
        self._go_on()
        for person in self._people:
            person.end()
        self._take_notes()
        self.finish()
        return self.upgraded

    # --- the upgrade -----------------------------------------------------------------------------

    def _renew(self, id_: str) -> None:
        """Let a server end as an operator does, and start it as the next version."""
        code = self.cluster.region_of(id_).code
        if code not in self.upgraded.migrated:
            self.upgraded.unknown[code] = rows(self.urls[code], _WITH_NOTE)[0][0]
        there, drained = len(self.at(id_)), self.cluster.drain(id_)
        self.cluster.servers[id_].root = self._next
        began = time.monotonic()
        self.cluster.start(id_)
        took = time.monotonic() - began
        self._new.add(id_)
        self.upgraded.migrated.setdefault(code, took)
        self._say(f"  {id_}: {there} clients there, gone after {drained:.1f} s, new after {took:.1f} s")
        self.wait_healthy()

    def _kill_an_old_one(self, id_: str) -> None:
        """Kill an old server whose database is new already; it comes back as it was."""
        began = time.monotonic()
        self.cluster.kill(id_)
        self.cluster.start(id_)
        self.wait_healthy()
        self._killing = (began, time.monotonic())
        self._say(f"  {id_} was killed, and came back as the old version at the new database")

    def _go_on(self) -> None:
        wanted = self._done() + self._each
        wait_until(lambda: self._done() >= wanted, _STAGE_SECONDS)

    def _done(self) -> int:
        return sum(len(person.noted.acknowledged) for person in self._people)

    # --- people ----------------------------------------------------------------------------------

    def _start_people(self) -> None:
        servers = {id_: node.url for id_, node in self.cluster.servers.items()}
        book = Api(next(iter(servers.values()))).register()
        home = next(url for url in servers.values() if urlsplit(url) == urlsplit(book.signed_in.primary.url))
        book.url, self._book_id = home, book.book_id
        hot = [(saved.entry.id, saved.entry.ver) for saved in (book.add() for _ in range(_HOT))]
        book.send(
            "POST",
            paths.AUTH_LOGOUT,
            shapes.SessionsEnded,
            shapes.LogoutRequest(book.signed_in.refresh_token),
        )
        wait_until_equal(self.urls, _EQUAL_SECONDS)
        for number in range(self._wanted_people):
            name = book.signed_in.user_name
            person = NotingPerson(servers, self._new.__contains__, name, hot, number)
            self._people.append(person)
            person.start()

    def _take_notes(self) -> None:
        whole = self.upgraded.noted
        for person in self._people:
            whole.acknowledged |= person.noted.acknowledged
            whole.versions |= person.noted.versions
            whole.longest = max(whole.longest, person.noted.longest)
            for name in ("kinds", "passing", "unexpected"):
                getattr(whole, name).update(getattr(person.noted, name))

    # --- the end ---------------------------------------------------------------------------------

    def finish(self) -> Verdict:
        """Let everything be sent, end the clients, and look into every region once they are equal."""
        for client in self.clients:
            self.upgraded.pauses.append(_longest_pause(client))
            self.upgraded.failed.update(_failed(client, self._killing))
        saved, drained = self._end_clients()
        wait_until_equal(self.urls, _EQUAL_SECONDS)
        self._judge_people()
        for url in self.urls.values():
            forget_book(url, self._book_id)  # what is left is the clients'
        stores = {code: (url, self.cluster.folder / code) for code, url in self.urls.items()}
        verdict = judge_when_copied(stores, saved, drained, _EQUAL_SECONDS)
        self.result.verdict = verdict
        return verdict

    def _judge_people(self) -> None:
        found = self.upgraded
        found.diverged = diverged_rows(self.urls)
        found.missing = missing_operations(self.urls, found.noted.acknowledged)
        found.wrong_notes = sum(len(rows(url, _WRONG_NOTES)) for url in self.urls.values())
        found.with_note = min(rows(url, _IN_COLUMN)[0][0] for url in self.urls.values())
        found.lost_notes = sum(self._lost_notes(url) for url in self.urls.values())

    def _lost_notes(self, url: str) -> int:
        """Count versions whose note is neither what they set nor, where they set none, that of their base."""
        notes = {(str(id_), ver): note for id_, ver, note in rows(url, _NOTES)}
        made = self.upgraded.noted.versions.values()
        return sum(
            notes[id_, ver] != (note if note is not None else notes.get((id_, base)))
            for id_, ver, base, note in made
        )


def _longest_pause(client: ClusterClient) -> float:
    ends = [call.end for call in client.heard.calls if call.succeeded]
    return max((b - a for a, b in itertools.pairwise(ends)), default=0.0)


def _failed(client: ClusterClient, killing: tuple[float, float]) -> Counter[str]:
    calls: Sequence[Any] = client.heard.calls
    failed = (c for c in calls if c.failed and not killing[0] <= c.end <= killing[1])
    return Counter(f"{c.kind} {c.status or c.error}" for c in failed)


_WITH_NOTE: Final[LiteralString] = """
select count(*) from public.journal where kind = 'entry' and doc::jsonb ? 'note'"""
_IN_COLUMN: Final[LiteralString] = "select count(*) from public.accounting_entry where note is not null"
_WRONG_NOTES: Final[LiteralString] = """
select e.id from public.accounting_entry e
join public.journal j on j.book_id = e.book_id and j.op_id = e.op_id and j.kind = 'entry' and j.id = e.id
where e.note is distinct from j.doc::jsonb ->> 'note'"""
_NOTES: Final[LiteralString] = """
select id, ver, doc::jsonb ->> 'note' from public.journal where kind = 'entry'"""
