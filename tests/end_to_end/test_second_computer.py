"""A second computer: sign in, and the book is there with its bills; what is not saved stays where it is."""

from hashlib import sha256
from pathlib import Path

from PySide6.QtCore import Qt

from app.domain.entry import EntryFilter
from app.ui.desktop import Desktop
from app.ui.models.columns import Column
from tests.end_to_end.conftest import ServerProcess
from tests.end_to_end.test_first_day import NOON, note, save, wait_rows
from tests.end_to_end.test_signed_out_elsewhere import computer, log_in


def test_the_book_and_its_bills_are_on_a_second_computer_and_the_draft_is_not(
    open_program, regional_server: ServerProcess, samples: Path, tmp_path: Path
) -> None:
    bill = samples / "taxi-receipt.jpg"
    desktop = Desktop(now=lambda: NOON, confirm=lambda *_: True)
    with open_program(desktop, computer(tmp_path / "shop")) as (shop, desk):
        log_in(shop, regional_server, create=True)
        note(shop, "20/11/2026", "1250", "Travel", "Taxi to client site")
        shop.drop(bill)
        save(shop, "-000001")
        shop.wait("the entry at the server", lambda: desk.services.sync.waiting() == 0)
        shop.type("description_field", "not saved yet")
        shop.wait("the draft", lambda: shop.text("draft_label") == "Draft saved")

    with open_program(desktop, computer(tmp_path / "home pc")) as (home, desk):
        log_in(home, regional_server, create=False)
        assert home.text("description_field") == ""
        home.click("nav_entries")
        wait_rows(home, 1)
        assert home.column("entry_table", Column.DESCRIPTION) == ["Taxi to client site"]
        home.select_row("entry_table", 0)
        home.wait("the name of the bill", lambda: "taxi-receipt.jpg" in home.text("document_name"))
        (entry,) = desk.services.entries.page(EntryFilter(), None).entries
        (kept,) = desk.services.entries.detail(entry.id).documents
        home.wait("the bill to be here", lambda: (tmp_path / "home pc" / "bills" / kept.sha256).exists())
        copy = (tmp_path / "home pc" / "bills" / kept.sha256).read_bytes()
        assert sha256(copy).hexdigest() == sha256(bill.read_bytes()).hexdigest()
        home.click("nav_add")
        note(home, "21/11/2026", "85", "Meals", "Tea")
        home.press("amount_field", Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        home.wait("the entry to be saved", lambda: home.text("saved_label").startswith("Saved"))
        home.wait("the entry at the server", lambda: desk.services.sync.waiting() == 0)
        codes = [each.human_code for each in desk.services.entries.page(EntryFilter(), None).entries]
        assert len(set(codes)) == 2

    with open_program(desktop, tmp_path / "shop") as (shop, _):
        log_in(shop, regional_server, create=False)
        shop.wait("the draft of this computer", lambda: shop.text("description_field") == "not saved yet")
        shop.click("nav_entries")
        wait_rows(shop, 2)
