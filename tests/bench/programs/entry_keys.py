"""Run as a program: enters purchases in a real window by keys, and prints how many each costs.

Prints one line of JSON: {"repeated": [keys, …], "new": [keys, …]}. The characters of the amount do not count,
and of a new entry neither do those of its category and description: they must be typed anywhere.
"""

import json
import os
import tempfile
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.fake_services import NOON, FakeServices, shop_entries
from tests.support.keyboard_hands import KeyboardHands

_TAB, _ENTER = Qt.Key.Key_Tab, Qt.Key.Key_Return
_AMOUNTS = ("85", "1250", "640.50", "99", "12000")
_NEW = (("Stock", "Two kettles"), ("Repairs", "Fan, new bearing"), ("Gifts", "Sweets"), ("Fees", "Licence"))


def repeated(hands: KeyboardHands, amount: str, description: str) -> int:
    """Enter a purchase whose description is known; return the keys."""
    before, form = hands.keys, hands.window.entry.form
    hands.type(amount)
    hands.press(_TAB, _TAB, _TAB)
    hands.choose(form.description, description)
    assert form.category.text(), "the category comes with the description"
    _save(hands)
    return hands.keys - before - len(amount)


def new(hands: KeyboardHands, amount: str, category: str, description: str) -> int:
    """Enter a purchase of which nothing is known; return the keys."""
    before = hands.keys
    hands.type(amount)
    hands.press(_TAB, _TAB)
    hands.type(category)
    hands.press(_TAB)
    hands.type(description)
    _save(hands)
    return hands.keys - before - len(amount) - len(category) - len(description)


def _save(hands: KeyboardHands) -> None:
    form = hands.window.entry.form
    hands.press(_ENTER)
    hands.wait("the next entry", lambda: hands.focused() == "amount_field" and not form.typed)


def main(folder: Path) -> None:
    """Open a window over services in memory with files in `folder`, and enter the purchases."""
    application = QApplication([])
    fake, tasks = FakeServices(folder, shop_entries()), Tasks()
    fake.accounts.sign_in_local("Asha Rao", "")
    theme = Theme(application, Mode.LIGHT)
    window = MainWindow(fake.services(), tasks, theme, Desktop(now=lambda: NOON))
    window.show()
    window.activateWindow()
    window.start()
    hands = KeyboardHands(window)
    hands.wait("the book", lambda: window.listing.model.rowCount() > 0)
    known = list(dict.fromkeys(entry.description for entry in fake.book.entries))[: len(_AMOUNTS)]
    told = {
        "repeated": [repeated(hands, *pair) for pair in zip(_AMOUNTS, known, strict=True)],
        "new": [new(hands, amount, *texts) for amount, texts in zip(_AMOUNTS, _NEW, strict=False)],
    }
    print(json.dumps(told), flush=True)
    window.sync.stop()
    tasks.shutdown()
    fake.close()


with tempfile.TemporaryDirectory(prefix="bahi-keys-") as made:
    main(Path(made))
