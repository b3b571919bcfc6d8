"""No bill holds the window: its heartbeat goes on while the bill is dropped, shown, copied and exported.

The limit here catches a window that stands still; the row `gui_block_max` of the benchmarks has the figure.
"""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QThread

from app.ui.main_window import MainWindow
from app.ui.theme import Theme
from tests.app.ui.conftest import Person
from tests.support import bills
from tests.support.bill_round import bill_round
from tests.support.heartbeat import WindowHeartbeat
from tests.tour.driver import Driver

_STANDS_STILL = 1.0  # seconds

SHOWN = {"photo.jpg": bills.photo_of_25_mb, "chat.png": bills.tall_screenshot}
# The worker needs all of its CPU time for the dense drawing, several times; the endless page is refused, as
# the one that draws itself is.
SLOW = {"dense.pdf", "endless-page.pdf"}
NAMES = [
    pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in (*bills.HOSTILE, *SHOWN)
]


@pytest.mark.parametrize("name", NAMES)
def test_no_bill_holds_the_window(
    book: MainWindow, theme: Theme, person: Person, tmp_path: Path, name: str
) -> None:
    write: Callable[[Path], Path] = (bills.HOSTILE | SHOWN)[name]
    bill = write(tmp_path / name)
    exports = tmp_path / "exports"
    exports.mkdir()

    def choose(path: Path) -> None:
        person.save_path = path

    result = bill_round(Driver(book, theme), bill, exports, choose)
    assert bool(result.sentence) is (name in bills.HOSTILE), result.sentence
    assert (exports / f"copy of {name}").read_bytes() == bill.read_bytes()
    assert result.longest_gap < _STANDS_STILL, result.gaps


def test_the_heartbeat_notices_a_window_that_stands_still(book: MainWindow) -> None:
    with WindowHeartbeat() as heartbeat:
        QThread.msleep(300)
    assert heartbeat.longest_gap >= 0.3
