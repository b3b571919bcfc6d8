"""What the tour does: first start, four entries with bills, the listing, second thoughts, an export, and a
second start.

Every step looks at what the screen says and raises TourError where it is not what a person was promised.
"""

import csv
import hashlib
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog

from app.domain.dates import format_date
from app.domain.entry import EntryFilter
from app.domain.money import format_amount
from app.ui.desktop import Desktop
from app.ui.main_window import MainWindow
from app.ui.models.columns import Column
from app.ui.tasks import Tasks
from app.ui.theme import Mode, Theme
from app.ui.window_geometry import restore_geometry
from tests.support.fed_cameras import FedCameras
from tests.tour import bills, getting_in, more_surfaces, second_thoughts, surfaces
from tests.tour.driver import Driver, Picture, TourError

if TYPE_CHECKING:
    from app.services import Services

Opener = Callable[[], AbstractContextManager["Services"]]
CTRL: Final = Qt.KeyboardModifier.ControlModifier
TABLE: Final = "entry_table"


@dataclass(frozen=True, slots=True)
class Told:
    """One entry of the story; `bill` is how it is pinned."""

    days_ago: int
    amount: str
    credit: bool
    category: str
    description: str
    bill: str = ""

    @property
    def value(self) -> Decimal:
        """The amount in rupees."""
        return Decimal(self.amount.replace(",", ""))


ENTRIES: Final = (
    Told(3, "1,250.00", False, "Travel", "Taxi to client site", "taxi-receipt.jpg"),
    Told(2, "8,999.00", False, "Office", "Printer paper and toner", "stationery-bill.png"),
    Told(1, "12,34,567.00", True, "Sales", "Invoice 42, Meera Textiles"),
    Told(0, "640.50", False, "Travel", "Taxi to client site", "hotel-invoice.pdf"),
)


@dataclass(slots=True)
class Story:
    """`open_services` opens the program without its windows; `samples` holds the bills."""

    application: QApplication
    open_services: Opener
    samples: Path
    folder: Path
    fill_screen: bool = False
    pictures: list[Picture] = field(default_factory=list)
    problems: list[Exception] = field(default_factory=list)
    cameras: FedCameras = field(default_factory=FedCameras)

    @property
    def csv(self) -> Path:
        """Where the export goes."""
        return self.folder / "transactions.csv"

    def tell(self) -> None:
        """Do everything. Raises TourError."""
        with self._program() as (driver, services):
            self._first_start(driver)
            self._bad_input(driver)
            self._add_entries(driver)
            self._look_through(driver, services)
            second_thoughts.edit_and_undo(driver, ENTRIES[-1].value)
            second_thoughts.void_and_undo(driver)
            second_thoughts.look_at_outbox(driver)
            self._wait_rows(driver, len(ENTRIES))
            self._export(driver)
            second_thoughts.leave_a_draft(driver, self.samples / "taxi-receipt.jpg")
        with self._program() as (driver, services):
            self._second_start(driver, services)
            surfaces.look_at_dialogs(driver)
            surfaces.look_at_popups(driver)
            surfaces.look_at_banners(driver)
            bills.look_at_bills(driver, self.samples)
            more_surfaces.look_at_help(driver)
            more_surfaces.look_at_last_entries(driver)
            more_surfaces.look_at_camera(driver, self.cameras)
            getting_in.forget_password(driver)
            surfaces.look_at_start(driver)
        if self.problems:
            raise TourError(f"Something unexpected went wrong: {self.problems[0]!r}")

    # --- the program -------------------------------------------------------------------------------

    @contextmanager
    def _program(self) -> Generator[tuple[Driver, "Services"], None, None]:
        with self.open_services() as services:
            theme = Theme(self.application, Mode.LIGHT)
            tasks = Tasks(self.application)
            tasks.crashed.connect(self.problems.append)
            window = MainWindow(services, tasks, theme, self._desktop(), proposed_name="Asha Rao")
            driver = Driver(window, theme, self.folder, self.pictures)
            restore_geometry(window, "0 0 9999 9999" if self.fill_screen else "0 0 1180 760")
            window.show()
            window.start()
            try:
                yield driver, services
            except TourError:
                driver.last_picture()
                raise
            finally:
                driver.wait("the work to end", lambda: not tasks.busy)
                window.close()
                tasks.shutdown()
                theme.deleteLater()
                window.deleteLater()
                QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # now: see `surfaces`

    def _desktop(self) -> Desktop:
        return Desktop(
            choose_save_path=lambda _parent, _name: self.csv,
            choose_files=lambda _parent, _folder: [self.samples / "hotel-invoice.pdf"],
            confirm=lambda *_: True,
            cameras=lambda: self.cameras,
        )

    # --- first start -------------------------------------------------------------------------------

    def _first_start(self, driver: Driver) -> None:
        driver.wait("the card to be drawn", lambda: driver.find("login_card").height() > 100)
        driver.picture("01-opening", "The window is there at once and says what it is doing.")
        button = driver.find("submit_button", QAbstractButton)
        driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
        driver.check("The name is proposed", driver.text("user_name_field"), "Asha Rao")
        driver.picture("02-login", "First start: the book is kept on this computer, nothing to set up.")
        driver.type("address_field", "")  # the other place is there, and harmless to look at
        driver.click("place_server")
        driver.picture("03-login-server", "The same card for a book on a server.")
        driver.click("place_local")
        driver.wait("the first start again", lambda: button.isVisible() and button.text() == "Start")
        driver.click("submit_button")
        driver.wait("the book to open", lambda: driver.window.signed_in)

    # --- entries -----------------------------------------------------------------------------------

    def _bad_input(self, driver: Driver) -> None:
        driver.type("amount_field", "12,34")
        driver.press("amount_field", Qt.Key.Key_Return, CTRL)
        driver.wait("the amount's sentence", lambda: "12.34" in driver.text("amount_field_error"))
        driver.wait("the category's sentence", lambda: bool(driver.text("category_field_error")))
        driver.picture("04-bad-input", "What cannot be taken is explained where it was typed.")
        driver.press("amount_field", Qt.Key.Key_Escape)
        driver.wait("the form to be empty", lambda: driver.text("amount_field") == "")

    def _add_entries(self, driver: Driver) -> None:
        for number, told in enumerate(ENTRIES):
            self._fill(driver, told, by_completion=number == len(ENTRIES) - 1)
            self._pin(driver, told)
            if number in {0, len(ENTRIES) - 1}:
                driver.picture(f"05-add-entry-{number + 1}", f"Add Entry: {told.description}, with its bill.")
            self._save(driver, number, told)
        driver.picture("06-saved", "Ctrl+Enter saves, says so, and starts the next; the date stays.")
        driver.wait("everything to be confirmed", lambda: driver.text("status_pill").strip() == "Saved")

    def _fill(self, driver: Driver, told: Told, *, by_completion: bool) -> None:
        driver.type("date_field", format_date(self._day(told)))
        driver.type("amount_field", told.amount)
        if by_completion:
            online = "the entries before it to be confirmed"
            driver.wait(online, lambda: driver.text("status_pill").strip() == "Saved")
            # the description brings its category and direction along
            driver.choose_completion("description_field", "Tax", told.description)
            driver.check("The category came along", driver.text("category_field"), told.category)
            return
        driver.click("credit_button" if told.credit else "debit_button")
        driver.type("category_field", told.category)
        driver.type("description_field", told.description)
        driver.find("amount_field").setFocus()  # closes a list of completions

    def _pin(self, driver: Driver, told: Told) -> None:
        kind = Path(told.bill).suffix
        if kind == ".jpg":
            driver.drop(self.samples / told.bill)
        elif kind == ".png":
            driver.paste_picture(self.samples / told.bill, "amount_field")
        elif kind == ".pdf":
            driver.click("browse_button")
        if kind:
            panel = driver.window.entry.documents
            driver.wait(f"{told.bill} to be pinned", lambda: len(panel.attachments()) == 1)
            driver.wait("its picture", lambda: not driver.window.entry.documents.attaching)
            QTest.qWait(200)  # the thumbnail is painted a moment after the bytes are kept

    def _save(self, driver: Driver, number: int, told: Told) -> None:
        driver.press("amount_field", Qt.Key.Key_Return, CTRL)
        code = f"-{number + 1:06}"
        amount = format_amount(told.value)
        driver.wait(
            f"“Saved …{code} · {amount}”",
            lambda: code in driver.text("saved_label") and amount in driver.text("saved_label"),
        )

    # --- the listing -------------------------------------------------------------------------------

    def _look_through(self, driver: Driver, services: "Services") -> None:
        driver.click("nav_entries")
        self._wait_rows(driver, len(ENTRIES))
        newest_first = [t.description for t in reversed(ENTRIES)]
        driver.check("Newest first", driver.column(TABLE, Column.DESCRIPTION), newest_first)
        self._check_totals(driver)
        for row, name in ((0, "pdf"), (2, "png"), (3, "jpg")):
            driver.select_row(TABLE, row)
            self._wait_bill(driver, f".{name}")
            driver.picture(f"07-listing-{name}", f"The listing, with the {name.upper()} bill beside it.")
        driver.type("search_field", "taxi")
        self._wait_rows(driver, 2)
        driver.picture("08-search", "Search as you type; the totals are those of what is shown.")
        driver.type("from_field", format_date(self._day(ENTRIES[3])))
        driver.press("from_field", Qt.Key.Key_Return)
        self._wait_rows(driver, 1)
        driver.picture("09-date-range", "Search and dates together.")
        driver.type("search_field", "nothing like this")
        driver.wait("the empty state", lambda: driver.find("listing_empty").isVisible())
        driver.picture("10-nothing-matches", "Nothing matches, and the way out of it.")
        driver.click("clear_filters")
        self._wait_rows(driver, len(ENTRIES))
        self._check_bytes(services)

    def _wait_rows(self, driver: Driver, count: int) -> None:
        driver.wait(f"{count} rows", lambda: len(driver.column(TABLE, Column.CODE)) == count)
        out, into = self._sums() if count == len(ENTRIES) else (None, None)
        if out is not None and into is not None:
            driver.wait("the totals", lambda: driver.text("totals_out") == format_amount(out))

    def _wait_bill(self, driver: Driver, kind: str) -> None:
        canvas = driver.window.listing.details.viewer.canvas
        driver.wait(
            f"the {kind} bill's picture", lambda: kind in driver.text("document_name") and canvas.has_image()
        )

    def _check_totals(self, driver: Driver) -> None:
        out, into = self._sums()
        driver.check("Money out", driver.text("totals_out"), format_amount(out))
        driver.check("Money in", driver.text("totals_in"), format_amount(into))
        driver.check("Net", driver.text("totals_net"), format_amount(into - out))

    def _check_bytes(self, services: "Services") -> None:
        """Compare each bill, as the program keeps it, with the file that was dropped or chosen."""
        found = {}
        for entry in services.entries.page(EntryFilter(), None).entries:
            for document in services.entries.detail(entry.id).documents:
                found[document.file_name] = hashlib.sha256(services.documents.fetch(document).read_bytes())
        for name in ("taxi-receipt.jpg", "hotel-invoice.pdf"):  # a pasted picture has no file to compare with
            wanted = hashlib.sha256((self.samples / name).read_bytes()).hexdigest()
            if name not in found or found[name].hexdigest() != wanted:
                raise TourError(f"The bytes of {name} are not what was pinned.")

    # --- export ------------------------------------------------------------------------------------

    def _export(self, driver: Driver) -> None:
        driver.click("export_button")
        dialog = driver.find("export_dialog", QDialog)
        start = driver.find("export_start", QAbstractButton)
        driver.wait("the findings", start.isEnabled)
        driver.picture("17-export", "Export: what the file will hold, before it is written.", of=dialog)
        driver.click("export_start")
        driver.wait("the file", lambda: driver.find("export_rows").isVisible())
        driver.picture("18-exported", "The file's rows and totals, counted again in the file.", of=dialog)
        driver.click("export_done")
        self._check_csv()

    def _check_csv(self) -> None:
        with self.csv.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        seen = [(r["Date"], r["CR/DR"], Decimal(r["Net"]), r["Category"], r["Description"]) for r in rows]
        wanted = [
            (
                self._day(t).isoformat(),
                "CR" if t.credit else "DR",
                t.value if t.credit else -t.value,
                t.category,
                t.description,
            )
            for t in ENTRIES
        ]
        if seen != wanted:
            raise TourError(f"The CSV holds {seen}, entered was {wanted}.")
        counts = [int(r["Document Count"]) for r in rows]
        if counts != [1 if t.bill else 0 for t in ENTRIES]:
            raise TourError(f"The CSV counts {counts} documents.")

    # --- second start ------------------------------------------------------------------------------

    def _second_start(self, driver: Driver, services: "Services") -> None:
        driver.wait("the book to open by itself", lambda: driver.window.signed_in)
        second_thoughts.find_the_draft(driver)
        driver.click("nav_entries")
        self._wait_rows(driver, len(ENTRIES))
        self._check_totals(driver)
        driver.select_row(TABLE, 0)
        self._wait_bill(driver, ".pdf")
        driver.picture("20-second-start", "The next start goes straight in; everything is there.")
        self._check_bytes(services)

    def _day(self, told: Told) -> date:
        return Desktop().today() - timedelta(days=told.days_ago)

    def _sums(self) -> tuple[Decimal, Decimal]:
        out = sum((t.value for t in ENTRIES if not t.credit), Decimal(0))
        return out, sum((t.value for t in ENTRIES if t.credit), Decimal(0))
