"""`kill -9` of the bundled program, its server and its preview worker at random moments.

`make bundle-check` runs it after `make bundle`. It needs Xvfb, openbox and xdotool. BAHI_KILLS is the number
of kills (default 30), BAHI_KILLS_SEED chooses the moments. The person at the screen is that of test_deb.py.
"""

import contextlib
import hashlib
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pytest

from app.paths import Paths
from server.db.embedded import EmbeddedPostgres
from tests.bundle.person import DATA, Person
from tests.display.x_display import XDisplay, missing_programs, x_display
from tests.support.postgres import remove_cluster, rows
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.campaign, pytest.mark.timeout(3600)]

ROOT: Final = Path(__file__).parents[2]
BUNDLE: Final = ROOT / "build/bundle/dist/bahi"
BILL: Final = ROOT / "resources/samples/stationery-bill.png"
TARGETS: Final = {"program": "/bahi ", "server": "bahi-server --quiet local", "worker": "--previews"}
_ENTRIES: Final = """
select e.description, count(d.id), min(d.sha256::text) from public.accounting_entry e
left join public.accounting_document d on d.book_id = e.book_id and d.accounting_entry_id = e.id
where e.voided_at is null group by e.book_id, e.id"""


@dataclass(frozen=True, slots=True)
class Workplace:
    """This computer, as far as a home folder of its own: what is started there, and what runs of it."""

    home: Path
    root: Path = Path("/")

    def start(self, screen: XDisplay) -> None:
        """Start the bundled program, and do not wait for it."""
        environment = {**screen.environment, "LC_ALL": "C.UTF-8"}
        with (self.home / "output").open("ab") as said:
            subprocess.Popen(
                [BUNDLE / "bahi"], env=environment, stdout=said, stderr=said, start_new_session=True
            )

    def processes(self, named: str = "") -> dict[int, str]:
        """Return the processes of the bundle and its PostgreSQL that belong to the home: number, command."""
        mark, found = f"HOME={self.home}".encode(), {}
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdecimal() and mark in (entry / "environ").read_bytes().split(b"\0"):
                    command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                    found[int(entry.name)] = command
        ours = {number: text for number, text in found.items() if str(BUNDLE) in text or "postgres" in text}
        return {number: text for number, text in ours.items() if named in text}


@dataclass(slots=True)
class Ledger:
    """What was shown as saved, and what was killed."""

    saved: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)


class Killing:
    """A person who saves entries while parts of the program are killed."""

    def __init__(self, person: Person, seed: int) -> None:
        self.person, self.place, self.ledger = person, person.system, Ledger()
        self._chance = random.Random(seed)
        self._number = 0

    def start(self) -> None:
        """Start the program and wait until its book is open. What was being typed is saved first."""
        self.place.start(self.person.screen)
        self.person.focus()
        wait_until(lambda: self.place.processes("postgres: bahi"), seconds=60, pause=0.05)

    def save_and_kill(self) -> None:
        """Save an entry, and kill one part a moment later; the program is started again if it was killed."""
        self._number += 1
        description = f"Number {self._number}"
        self._type(description)
        self.person.screen.press("ctrl+Return")
        time.sleep(self._chance.uniform(0, 0.6))
        running = [name for name, text in TARGETS.items() if self.place.processes(text)]
        target = self._chance.choice(running)
        if self._is_saved(description):
            self.ledger.saved.append(description)
        for number in self.place.processes(TARGETS[target]):
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
        self.ledger.kills[target] += 1
        if target == "program":
            self._see_that_all_has_ended()
            self.start()
        self._note_if_saved(description)

    def _type(self, description: str) -> None:
        self.person._begin_entry("12.50")
        self.person.screen.press("Tab", "Tab")
        self.person.screen.type("Meals")
        self.person.screen.press("Tab")
        self.person.screen.type(description)
        wait_until(lambda: description in self.person._draft(), seconds=30, pause=0.05)
        if self._number % 3 == 0:
            self.person.screen.press("ctrl+o")
            self.person.screen.activate(self.person.screen.window("Choose bills"))
            self.person.screen.type(str(BILL))
            self.person.screen.press("Return")
            wait_until(lambda: _digest() in self.person._draft(), seconds=30, pause=0.05)
            self.person.focus()

    def _is_saved(self, description: str) -> bool:
        """Return whether the draft is gone: it goes in the transaction that saves the entry."""
        return description not in self.person._draft()

    def _note_if_saved(self, description: str) -> None:
        """Save the draft that came back after a kill, so that the next entry begins with an empty form."""
        if description in self.ledger.saved:
            return
        deadline = time.monotonic() + 60
        while not self._is_saved(description):
            assert time.monotonic() < deadline, f"{description} cannot be saved"
            self.person.focus()
            self.person.screen.press("ctrl+n", "ctrl+Return")
            with contextlib.suppress(AssertionError):
                wait_until(lambda: self._is_saved(description), seconds=3, pause=0.1)
        self.ledger.saved.append(description)

    def _see_that_all_has_ended(self) -> None:
        wait_until(lambda: not self.place.processes(), seconds=40, pause=0.05)

    def finish(self) -> None:
        """Wait until everything is sent, close the program, and see that nothing of it runs."""
        wait_until(lambda: not self.person._kept("SELECT op_id FROM outbox"), seconds=120, pause=0.2)
        for number in self.place.processes(TARGETS["program"]):
            os.kill(number, signal.SIGTERM)
        self._see_that_all_has_ended()


def _digest() -> str:
    return hashlib.sha256(BILL.read_bytes()).hexdigest()


@pytest.fixture
def killing(tmp_path: Path) -> Iterator[Killing]:
    if not (BUNDLE / "bahi").exists():
        pytest.skip("There is no bundle. Please run `make bundle` first.")
    if lacking := missing_programs():
        pytest.skip(f"This needs {', '.join(lacking)}.")
    place = Workplace(tmp_path / "home")
    with x_display(place.home, "1280x800x24") as screen:
        try:
            yield Killing(Person(place, screen), int(os.environ.get("BAHI_KILLS_SEED", "1")))
        finally:
            for number in place.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(number, signal.SIGKILL)
            remove_cluster(place.home / DATA / "server")


def test_kills_of_every_part_lose_nothing_and_leave_nothing_running(killing: Killing) -> None:
    killing.start()
    killing.person.begin_book()
    for _ in range(int(os.environ.get("BAHI_KILLS", "30"))):
        killing.save_and_kill()
    killing.finish()
    postgres = EmbeddedPostgres(Paths(killing.place.home / DATA).server)
    try:
        stored = rows(postgres.start(), _ENTRIES)
    finally:
        postgres.stop()
    print(f"kills: {dict(killing.ledger.kills)}; {len(killing.ledger.saved)} entries shown as saved")
    with_bill = {f"Number {number}" for number in range(3, len(stored) + 1, 3)}
    assert Counter(row[0] for row in stored) == Counter(killing.ledger.saved)
    assert {row[0] for row in stored if row[1:] == (1, _digest())} == with_bill
