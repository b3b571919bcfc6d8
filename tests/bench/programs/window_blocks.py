"""Run as a program: handles each bill of the arguments in a real window, and prints the longest gaps.

Prints a line of JSON per bill: {"bill": name, "gaps": {step: seconds}, "most_work": seconds}.
"""

import json
import os
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtWidgets import QApplication

from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.bill_round import bill_round
from tests.support.fake_services import NOON, FakeServices, shop_entries
from tests.tour.driver import Driver


@dataclass
class Choice:
    """The path that the user picks in the next dialog."""

    path: Path = Path()

    def set(self, path: Path) -> None:
        """Pick `path` from now on."""
        self.path = path


def main(folder: Path) -> None:
    """Open a window over services in memory with files in `folder`, and handle one bill after the other."""
    application = QApplication([])
    fake, tasks, choice = FakeServices(folder, shop_entries()), Tasks(), Choice()
    fake.accounts.sign_in_local("Asha Rao", "")
    theme = Theme(application, Mode.LIGHT)
    desktop = Desktop(choose_save_path=lambda _parent, _name: choice.path, now=lambda: NOON)
    window = MainWindow(fake.services(), tasks, theme, desktop, proposed_name="asha")
    window.show()
    window.start()
    driver = Driver(window, theme)
    driver.wait("the book", lambda: window.listing.model.rowCount() > 0)
    for bill in map(Path, sys.argv[1:]):
        result = bill_round(driver, bill, folder, choice.set)
        told = {"bill": bill.name, "gaps": result.gaps, "most_work": result.most_work}
        print(json.dumps(told), flush=True)
    window.sync.stop()
    tasks.shutdown()
    fake.close()


with tempfile.TemporaryDirectory(prefix="bahi-window-") as made:
    main(Path(made))
