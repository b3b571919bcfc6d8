"""The real windows over a book on this computer, in steady use.

argv: the folder of the bills, how many minutes, the minute from which the growth of objects is counted.
Prints JSON lines: {"ready": pid}, {"failed": sentence} for an action that did not do what it says, and at the
end {"actions": n, "grown": [[type, how many more], …]}.
"""

import gc
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from app.bootstrap import make_desk
from app.paths import default_paths
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.tour.driver import Driver, TourError

CTRL: Final = Qt.KeyboardModifier.ControlModifier
TABLE: Final = "entry_table"
_PAUSE_MS: Final = 300  # between two actions, as a quick person makes it
_MOST_GROWN: Final = 12
_EXPORT_EVERY: Final = 60


@dataclass(slots=True)
class Person:
    """Somebody who uses the windows without a rest."""

    driver: Driver
    bills: list[Path]
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    actions: int = 0

    def work(self, until: float) -> None:
        """Do one thing after the other."""
        things = (self.scroll, self.filter, self.save, self.view)
        for number in count(1):
            thing = self.export if number % _EXPORT_EVERY == 0 else things[number % len(things)]
            try:
                thing()
            except TourError as error:
                say(failed=f"{thing.__name__}: {error}")
            self.actions += 1
            QTest.qWait(_PAUSE_MS)
            if time.monotonic() >= until:
                return

    def scroll(self) -> None:
        """Page down through the newest entries, and back."""
        self.driver.click("nav_entries")
        self._rows()
        for _ in range(self.chance.randrange(3, 12)):
            self.driver.press(TABLE, Qt.Key.Key_PageDown)
            QTest.qWait(100)
        self.driver.press(TABLE, Qt.Key.Key_Home, CTRL)

    def filter(self) -> None:
        """Look for a word, and clear the filter."""
        self.driver.click("nav_entries")
        self.driver.type("search_field", self.chance.choice(["tea", "taxi", "rent 1", "paper", "soak"]))
        QTest.qWait(500)
        self.driver.type("search_field", "")
        self._rows()

    def save(self) -> None:
        """Save an entry with a bill."""
        driver = self.driver
        driver.click("nav_add")
        driver.wait("the form", lambda: driver.find("amount_field").isVisible())
        driver.type("amount_field", str(self.chance.randrange(1, 9_999)))
        driver.type("category_field", "Soak")
        driver.type("description_field", f"soak {self.actions}")
        driver.drop(self.chance.choice(self.bills))
        driver.wait("the bill", lambda: not driver.window.entry.documents.attaching)
        driver.find("amount_field").setFocus()  # closes a list of completions
        driver.press("amount_field", Qt.Key.Key_Return, CTRL)
        driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))

    def view(self) -> None:
        """Select entries with bills, turn their pages, and zoom."""
        driver = self.driver
        driver.click("nav_entries")
        self._rows()
        for row in self.chance.sample(range(8), 3):
            driver.select_row(TABLE, row)
            QTest.qWait(400)
            for name in ("page_next", "zoom_in", "zoom_fit", "page_previous"):
                button = driver.find(name)
                if button.isVisible() and button.isEnabled():
                    driver.click(name)
                    QTest.qWait(150)

    def export(self) -> None:
        """Export what was saved in this run."""
        driver = self.driver
        driver.click("nav_entries")
        driver.type("search_field", "soak")
        self._rows()
        driver.click("export_button")
        start = driver.find("export_start")
        driver.wait("the count", lambda: start.isVisible() and start.isEnabled())
        driver.click("export_start")
        driver.wait("the file", lambda: driver.find("export_rows").isVisible())
        driver.click("export_done")
        driver.type("search_field", "")

    def _rows(self) -> None:
        model = self.driver.window.listing.model
        self.driver.wait("rows", lambda: model.rowCount() > 0)


def say(**values: object) -> None:
    """Print one line."""
    os.write(1, json.dumps(values).encode() + b"\n")


def objects() -> Counter[str]:
    """Return how many objects there are of each type that the collector knows."""
    gc.collect()
    return Counter(type(each).__name__ for each in gc.get_objects())


def main() -> None:
    """Work for the minutes asked for."""
    bills, minutes, counted_from = sorted(Path(sys.argv[1]).iterdir()), float(sys.argv[2]), float(sys.argv[3])
    application = cast(QApplication, QApplication.instance() or QApplication(["bahi"]))
    desk = make_desk(default_paths())
    theme, tasks = Theme(application, Mode.LIGHT), Tasks(application)
    tasks.crashed.connect(lambda error: say(failed=repr(error)))
    with tempfile.TemporaryDirectory(prefix="bahi-soak-") as folder:
        file = Path(folder) / "book.csv"
        desktop = Desktop(choose_save_path=lambda *_: file, confirm=lambda *_: True)
        window = MainWindow(desk.services, tasks, theme, desktop)
        driver = Driver(window, theme)
        window.show()
        window.start()
        driver.wait("the book", lambda: window.signed_in, 120)
        say(ready=os.getpid())
        person = Person(driver, bills)
        began = time.monotonic()
        person.work(began + counted_from * 60)
        before = objects()
        person.work(began + minutes * 60)
        grown = (objects() - before).most_common(_MOST_GROWN)
        say(actions=person.actions, grown=grown)
        _close(window, tasks, desk.close)


def _close(window: MainWindow, tasks: Tasks, close_desk: Callable[[], Any]) -> None:
    window.close()
    tasks.shutdown()
    close_desk()


if __name__ == "__main__":
    main()
