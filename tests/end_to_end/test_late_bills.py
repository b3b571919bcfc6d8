"""A bill for an entry that is saved already: dropped on its row, sent as an edit, and taken back."""

from hashlib import sha256
from pathlib import Path

from PySide6.QtCore import Qt

from app.ui.desktop import Desktop
from tests.end_to_end.test_first_day import NOON, note, save, start_book, wait_rows


def test_a_bill_dropped_on_a_row_reaches_the_server_and_undo_takes_it_away_there(
    open_program, samples: Path, tmp_path: Path
) -> None:
    bill = tmp_path / "aux.jpg"
    bill.write_bytes((samples / "taxi-receipt.jpg").read_bytes())
    hashed = sha256(bill.read_bytes()).hexdigest()
    with open_program(Desktop(now=lambda: NOON)) as (driver, desk):
        start_book(driver)
        note(driver, "20/11/2026", "640", "Travel", "Taxi")
        save(driver, "-000001")
        driver.click("nav_entries")
        wait_rows(driver, 1)
        driver.select_row("entry_table", 0)
        driver.drop(bill)
        bill.unlink()
        driver.wait("the message", lambda: driver.text("toast_text").startswith("Attached “_aux.jpg” to"))
        driver.wait("the edit at the server", lambda: desk.services.sync.waiting() == 0)
        entry = driver.window.listing.selected()
        assert entry is not None
        kept = desk.services.entries.detail(entry.id).documents
        assert [(each.file_name, each.sha256) for each in kept] == [("_aux.jpg", hashed)]
        assert sha256(desk.services.documents.fetch(kept[0]).read_bytes()).hexdigest() == hashed
        driver.press("entry_table", Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
        driver.wait("the undo", lambda: driver.text("toast_text").startswith("Undone"))
        driver.wait("the undo at the server", lambda: desk.services.sync.waiting() == 0)
        assert desk.services.entries.detail(entry.id).documents == ()
