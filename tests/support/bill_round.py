"""What a person does with a bill in the window, from its drop to the export, with the window's heartbeat."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QTableView

from tests.support.heartbeat import WindowHeartbeat
from tests.tour.driver import Driver

_KEYS: Final = (Qt.Key.Key_1, Qt.Key.Key_PageDown, Qt.Key.Key_End, Qt.Key.Key_Plus, Qt.Key.Key_0)


@dataclass(frozen=True, slots=True)
class RoundResult:
    """What a round showed: `sentence` instead of a page, or "", and how long the window was held.

    `gaps` are the longest gaps between two ticks, by step, and `most_work` is the most CPU time that the GUI
    thread used between two ticks. All in seconds.
    """

    sentence: str
    gaps: dict[str, float]
    most_work: float

    @property
    def longest_gap(self) -> float:
        """Return the longest gap of all steps."""
        return max(self.gaps.values())


def bill_round(driver: Driver, bill: Path, folder: Path, choose: Callable[[Path], None]) -> RoundResult:
    """Drop `bill` on the window, save the entry, look at its page, save a copy, and export the book.

    The last two are written to `folder`. `choose` sets the path that the user picks in a dialog.
    """
    copy, csv = folder / f"copy of {bill.name}", folder / f"{bill.name}.csv"
    gaps, work = dict[str, float](), list[float]()
    steps: tuple[tuple[str, Callable[[], None]], ...] = (
        ("drop", lambda: _drop(driver, bill)),
        ("save", lambda: _save(driver)),
        ("view", lambda: _view(driver, bill)),
        ("copy", lambda: _copy(driver, copy)),
        ("export", lambda: _export(driver, csv)),
    )
    for name, step in steps:
        choose(csv if name == "export" else copy)
        with WindowHeartbeat() as heartbeat:
            step()
        gaps[name] = heartbeat.longest_gap
        work.append(heartbeat.most_work)
    return RoundResult(driver.window.listing.details.viewer.canvas.message(), gaps, max(work))


def _drop(driver: Driver, bill: Path) -> None:
    panel = driver.window.entry.documents
    driver.click("nav_add")  # on the listing, a bill is attached to the selected entry
    driver.drop(bill)
    driver.wait("the bill attached", lambda: len(panel.attachments()) == 1)
    tile = panel.tiles()[0]
    driver.wait("its picture, or a note", lambda: tile.thumbnail.has_picture or bool(tile.note))


def _save(driver: Driver) -> None:
    driver.type("amount_field", "12.50")
    driver.type("category_field", "Office")
    driver.click("save_button")
    driver.wait("the entry saved", lambda: driver.window.entry.documents.empty)


def _view(driver: Driver, bill: Path) -> None:
    driver.click("nav_entries")
    table, viewer = driver.find("entry_table", QTableView), driver.window.listing.details.viewer
    driver.wait("the entry on top", lambda: table.model().rowCount() > 0)
    QTest.mouseClick(
        table.viewport(),
        Qt.MouseButton.LeftButton,
        pos=table.visualRect(table.model().index(0, 1)).center(),
    )
    canvas = viewer.canvas
    driver.wait("its bill", lambda: viewer.tools.name.text().startswith(bill.name))
    driver.wait("its page", lambda: canvas.has_image() or "kept as it is" in canvas.message())
    for key in _KEYS:
        QTest.keyClick(canvas, key)
        driver.wait("a sharp page", lambda: canvas.sharp)


def _copy(driver: Driver, copy: Path) -> None:
    driver.click("document_save")
    driver.wait("the copy", copy.exists)
    driver.wait("the banner", lambda: str(copy) in driver.text("window_banner_text"))


def _export(driver: Driver, csv: Path) -> None:
    driver.click("export_button")
    driver.wait("the findings", driver.find("export_start").isEnabled)
    driver.click("export_start")
    driver.wait("the file", lambda: csv.exists() and driver.find("export_rows").isVisible())
    driver.click("export_done")
