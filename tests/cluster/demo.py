"""Takes pictures of the real windows, offscreen, while servers of a real cluster are killed and drained."""

import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app import resources
from app.bootstrap import Desk, make_desk
from app.domain.book_location import LOCATION_KEY, SERVER
from app.domain.entry import Direction, EntryDraft
from app.paths import Paths
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from tests.support.cluster import MUMBAI, Cluster, Layout, forget
from tests.tour.driver import Driver, Picture, TourError
from tests.tour.report import write_page

CTRL: Final = Qt.KeyboardModifier.ControlModifier
_TABLE: Final = "entry_table"
_LAYOUT: Final = Layout((MUMBAI,), settings={"drain_seconds": 30})
_MEANWHILE: Final = 37
"""Entries that wait when the server dies: sending them takes long enough to be seen."""
_PASSWORD: Final = "correct horse battery"


def run_demo(folder: Path) -> int:
    """Leave pictures and index.html in `folder`; return 0 only if every step held."""
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.png"), folder / "index.html"):
        old.unlink(missing_ok=True)
    application = QApplication.instance() or QApplication(["bahi"])
    assert isinstance(application, QApplication)
    home = Path(tempfile.mkdtemp(prefix="bahi-demo-"))
    outcome, status = "Every step did what it says.", 0
    try:
        with Cluster(home / "cluster", _LAYOUT) as cluster:
            cluster.wait_up()
            demo = Demo(application, cluster, home, folder)
            try:
                demo.tell()
            except TourError as error:
                outcome, status = f"The demo stopped: {error}", 1
            page = write_page(folder, demo.pictures, outcome, "Bahi: what a person sees while servers die")
    finally:
        forget(home / "cluster")
        shutil.rmtree(home, ignore_errors=True)
    sys.stdout.write(f"{outcome}\n{len(demo.pictures)} pictures: {page}\n")
    return status


@dataclass(slots=True)
class Demo:
    """`home` is the person's, `folder` takes the pictures."""

    application: QApplication
    cluster: Cluster
    home: Path
    folder: Path
    pictures: list[Picture] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)
    _amount: int = 100

    def tell(self) -> None:
        """Do everything. Raises TourError."""
        with self._program() as (driver, desk):
            self._log_in(driver)
            self._kill(driver, desk)
            self._drain(driver, desk)
            self._kill_all(driver, desk)
        if self.problems:
            raise TourError(f"Something unexpected went wrong: {self.problems[0]!r}")

    @contextmanager
    def _program(self) -> Iterator[tuple[Driver, Desk]]:
        desk = make_desk(Paths(self.home / "Bahi"))
        desk.services.settings.set(LOCATION_KEY, SERVER)  # a book on this computer is another story
        theme, tasks = Theme(self.application, Mode.LIGHT), Tasks(self.application)
        tasks.crashed.connect(self.problems.append)
        desktop = Desktop(confirm=lambda *_: True)
        window = MainWindow(desk.services, tasks, theme, desktop, proposed_name="Asha Rao")
        driver = Driver(window, theme, self.folder, self.pictures)
        window.show()
        window.start()
        try:
            yield driver, desk
        finally:
            window.close()
            tasks.shutdown()
            desk.close()
            theme.deleteLater()
            window.deleteLater()

    # --- the steps ---------------------------------------------------------------------------------

    def _log_in(self, driver: Driver) -> None:
        driver.wait("the login screen", lambda: driver.find("address_field").isVisible())
        driver.type("address_field", self.cluster.operator.invite(7))
        driver.press("address_field", Qt.Key.Key_Return)
        driver.wait("the link to be read", lambda: "bahi:" not in driver.text("address_field"))
        driver.type("user_name_field", "asha")
        driver.type("password_field", _PASSWORD)
        driver.picture("01-log-in", "An invite link introduces the cluster; then a name and a password.")
        driver.click("submit_button")
        driver.wait("the book to open", lambda: driver.window.signed_in)
        self._save(driver, "Taxi to client site", "taxi-receipt.jpg")
        self._save(driver, "Printer paper and toner", "stationery-bill.png")
        self._wait_sent(driver)
        driver.picture("02-locked", "Signed in through the central URL, and locked to one server.")

    def _kill(self, driver: Driver, desk: Desk) -> None:
        victim = self._locked(driver)
        driver.window.sync.stop()  # so that there is something to send to the next server
        self._save_many(desk)
        self._hold_discovery()  # else it is over before anybody has seen it
        self.cluster.kill(victim)
        driver.window.sync.start()
        self._save(driver, "Saved just after the server died", "hotel-invoice.pdf")
        driver.wait("the countdown", lambda: driver.text("status_pill").strip() == "Reconnecting… 28 s")
        driver.picture("03-reconnecting", "The server was killed: the program says so, and counts down.")
        self._let_discovery_go_on()
        driver.wait("the message", lambda: driver.find("moved_banner").isVisible())
        driver.picture("04-moved", "Seconds later it works with another server, and counts what is there.")
        driver.wait("all of it", lambda: driver.text("moved_banner_count") == "All your data is here.")
        driver.picture("05-all-here", "Everything has arrived.")
        driver.check("The server changed", self._locked(driver) != victim, True)
        self._show_listing(driver, 3 + _MEANWHILE)
        driver.picture("06-listing", "The listing at the new server: every entry once, with its bill.")
        self._close_message(driver)
        self.cluster.start(victim)
        self.cluster.wait_state(victim, "up")

    def _drain(self, driver: Driver, desk: Desk) -> None:
        victim = self._locked(driver)
        draining = threading.Thread(target=self.cluster.drain, args=(victim,))
        draining.start()
        driver.click("nav_add")
        self._save(driver, "Saved while the server was drained", "taxi-receipt.jpg")
        driver.wait("another server", lambda: self._locked(driver) != victim)
        driver.wait("the message", lambda: driver.find("moved_banner").isVisible())
        draining.join(60)
        driver.check("The server has left", self.cluster.servers[victim].running, False)
        driver.picture("07-drained", "An operator took the server away: nothing failed, only the message.")
        self._close_message(driver)
        self.cluster.start(victim)
        self.cluster.wait_state(victim, "up")

    def _kill_all(self, driver: Driver, desk: Desk) -> None:
        for id_ in self.cluster.servers:
            self.cluster.kill(id_)
        driver.click("nav_add")
        self._save(driver, "Saved while nothing answers", "stationery-bill.png")
        driver.wait(
            "to be away", lambda: driver.text("status_pill").strip().startswith("Not connected"), seconds=60
        )
        self._show_listing(driver, 5 + _MEANWHILE)
        driver.picture("08-offline", "No server answers at all: entering, editing and looking go on.")
        for id_ in self.cluster.servers:
            self.cluster.start(id_)
        driver.click("try_now_button")
        self._wait_sent(driver)
        self._show_listing(driver, 5 + _MEANWHILE)
        driver.picture("09-back", "They are back: what waited was sent by itself.")
        driver.check("Entries waiting", desk.services.sync.waiting(), 0)

    # --- hands -------------------------------------------------------------------------------------

    def _locked(self, driver: Driver) -> str:
        """Return the id of the server that the tool tip in the sidebar names."""
        return driver.find("server_label").toolTip().split(" · ")[0].strip()

    def _save(self, driver: Driver, description: str, bill: str) -> None:
        self._amount += 150
        driver.drop(resources.ROOT / "samples" / bill)
        driver.type("amount_field", str(self._amount))
        driver.type("category_field", "Travel")
        driver.type("description_field", description)
        driver.wait("the bill to be read", lambda: not driver.window.entry.documents.attaching)
        driver.press("amount_field", Qt.Key.Key_Return, CTRL)
        driver.wait("it to be saved", lambda: driver.text("saved_label").startswith("Saved "))

    def _save_many(self, desk: Desk) -> None:
        """What many hands would type in a moment."""
        picture = (resources.ROOT / "samples" / "taxi-receipt.jpg").read_bytes()
        for number in range(1, _MEANWHILE + 1):
            # Another picture each time: bytes behind its end are shown by nobody.
            bill = desk.services.documents.attach_bytes(picture + bytes([number]), f"meter-{number}.jpg")
            day, amount = Desktop().today(), Decimal(20 + number)
            draft = EntryDraft(day, amount, Direction.DEBIT, "Travel", f"Auto ride {number}", (bill,))
            desk.services.entries.save(draft)

    def _hold_discovery(self) -> None:
        for node in self.cluster.discovery.values():
            node.stop()

    def _let_discovery_go_on(self) -> None:
        for node in self.cluster.discovery.values():
            node.cont()

    def _wait_sent(self, driver: Driver) -> None:
        driver.wait("it to be sent", lambda: driver.text("status_pill").strip() == "Connected", seconds=90)

    def _show_listing(self, driver: Driver, rows: int) -> None:
        driver.click("nav_entries")
        driver.wait(f"{rows} rows", lambda: len(driver.column(_TABLE, Column.CODE)) == rows)

    def _close_message(self, driver: Driver) -> None:
        if driver.find("moved_banner").isVisible():
            driver.click("moved_banner_button")
        driver.click("nav_add")
