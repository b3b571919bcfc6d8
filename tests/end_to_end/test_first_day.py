"""A shop owner's first day, through the real windows, the real server and PostgreSQL."""

import csv
import hashlib
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import psycopg
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton

from app.domain.entry import EntryFilter
from app.ui.desktop import Desktop
from app.ui.models.columns import Column
from server.db.embedded import EmbeddedPostgres
from tests.tour.driver import Driver

NOON = datetime(2026, 11, 23, 12).astimezone()
CTRL = Qt.KeyboardModifier.ControlModifier


def sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def start_book(driver: Driver) -> None:
    button = driver.find("submit_button", QAbstractButton)
    driver.wait("the first start", lambda: button.isVisible() and button.text() == "Start")
    driver.click("submit_button")
    driver.wait("the book to open", lambda: driver.window.signed_in)


def note(driver: Driver, day: str, amount: str, category: str, description: str) -> None:
    driver.type("date_field", day)
    driver.type("amount_field", amount)
    driver.type("category_field", category)
    driver.type("description_field", description)


def save(driver: Driver, code_ends: str) -> None:
    panel = driver.window.entry.documents
    driver.wait("the bills to be read", lambda: not panel.attaching)
    driver.press("amount_field", Qt.Key.Key_Return, CTRL)
    driver.wait(f"…{code_ends} to be saved", lambda: code_ends in driver.text("saved_label"))


def wait_rows(driver: Driver, count: int) -> None:
    driver.wait(f"{count} rows", lambda: len(driver.column("entry_table", Column.CODE)) == count)


def stored_bills(home: Path) -> dict[str, str]:
    """Return the names and hashes that the database holds, asked without the server."""
    postgres = EmbeddedPostgres(home / "server")
    try:
        with psycopg.connect(postgres.start()) as connection:
            rows = connection.execute(
                "select file_name, sha256 from public.accounting_document where voided_at is null"
            ).fetchall()
    finally:
        postgres.stop()
    return dict(rows)


def test_three_entries_with_bills_are_found_exported_and_there_after_a_restart(
    open_program, samples: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out" / "Transactions.csv"
    target.parent.mkdir()
    desktop = Desktop(
        now=lambda: NOON,
        choose_files=lambda _parent, _folder: [samples / "hotel-invoice.pdf"],
        choose_save_path=lambda _parent, _name: target,
    )
    with open_program(desktop) as (driver, desk):
        start_book(driver)
        note(driver, "20/11/2026", "1,250.00", "Travel", "Taxi to client site")
        driver.drop(samples / "taxi-receipt.jpg")
        save(driver, "-000001")

        note(driver, "21 Nov", "8999", "Office", "=Printer paper, “A4”")
        driver.paste_picture(samples / "stationery-bill.png", "amount_field")
        save(driver, "-000002")

        driver.wait("the first two at the server", lambda: desk.services.sync.waiting() == 0)
        driver.wait("the pill to say so", lambda: driver.text("status_pill").strip() == "Saved")
        driver.type("date_field", "yesterday")
        driver.type("amount_field", "₹640.5")
        driver.choose_completion("description_field", "tax", "Taxi to client site")
        assert driver.text("category_field") == "Travel"
        driver.click("browse_button")
        save(driver, "-000003")
        driver.wait("all at the server", lambda: desk.services.sync.waiting() == 0)

        driver.click("nav_entries")
        wait_rows(driver, 3)
        driver.type("search_field", "taxi")
        wait_rows(driver, 2)
        driver.type("to_field", "20 Nov 2026")
        driver.press("to_field", Qt.Key.Key_Return)
        wait_rows(driver, 1)
        assert driver.column("entry_table", Column.DATE) == ["20 Nov 2026"]
        driver.click("clear_filters")
        wait_rows(driver, 3)

        driver.click("export_button")
        driver.wait("the findings", lambda: driver.find("export_start").isEnabled())
        driver.click("export_start")
        driver.wait("the file", lambda: driver.find("export_rows").isVisible())
        driver.click("export_done")

    with target.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert target.read_bytes().startswith(b"\xef\xbb\xbfCode,Date,Money Out,")
    assert [(r["Date"], Decimal(r["Money Out"]), r["Category"], r["Description"]) for r in rows] == [
        ("2026-11-20", Decimal("1250.00"), "Travel", "Taxi to client site"),
        ("2026-11-21", Decimal("8999.00"), "Office", "'=Printer paper, “A4”"),
        ("2026-11-22", Decimal("640.50"), "Travel", "Taxi to client site"),
    ]
    assert [r["Document Count"] for r in rows] == ["1", "1", "1"]

    home = tmp_path / "home"
    bills = stored_bills(home)
    assert bills["taxi-receipt.jpg"] == sha256(samples / "taxi-receipt.jpg")
    assert bills["hotel-invoice.pdf"] == sha256(samples / "hotel-invoice.pdf")
    kept = {file.name: sha256(file) for file in (home / "server" / "documents").glob("*/*")}
    assert set(bills.values()) == set(kept)
    assert all(name == digest for name, digest in kept.items())

    for copy in (home / "bills").glob("*"):  # the second start must fetch them from the server
        copy.unlink()
    with open_program(desktop) as (driver, desk):
        driver.wait("the book to open by itself", lambda: driver.window.signed_in)
        driver.click("nav_entries")
        wait_rows(driver, 3)
        driver.wait("the totals", lambda: driver.text("totals_out") == "₹10,889.50")
        fetched = {}
        for entry in desk.services.entries.page(EntryFilter(), None).entries:
            for document in desk.services.entries.detail(entry.id).documents:
                fetched[document.file_name] = sha256(desk.services.documents.fetch(document))
        assert fetched == bills
