"""The CSV for the accountant."""

import csv
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from app.domain.entry import Direction, EntryFilter, Shown, Totals
from app.services.exports import ExportResult, Preflight
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import (
    CANCELLED,
    LONG_SEARCH,
    OFFLINE,
    SIGNED_OUT,
    no_folder,
    refusal,
)
from tests.app.services.contract.stages import TODAY, Desk
from tests.app.store.samples import PNG

ALL = EntryFilter()
HEADINGS = (
    "Code,Date,Money Out,Money In,Net,CR/DR,Currency,Category,Description,Document Count,Document Files,"
    "Status,Entered By,Created UTC,Modified UTC,Revision"
)


@pytest.fixture
def shop(book: Desk) -> Desk:
    """Four entries at the server: one with two bills, one of money in, one voided, one like a formula."""
    bills = [book.documents.attach_bytes(PNG + bytes([n]), f"{n}.png") for n in range(2)]
    yesterday = TODAY - timedelta(days=1)
    book.save("Taxi, to Pune", "1234.5", *bills, category="Travel")
    book.save("Sale", "48250", category="Sales", direction=Direction.CREDIT, entry_date=yesterday)
    gone = book.save("Train", "640", entry_date=yesterday)
    book.save("=1+1", "5", category="@Office")
    book.send()
    book.entries.void(book.entries.detail(gone.id))
    book.send()
    return book


def export(desk: Desk, path: Path, filter_: EntryFilter = ALL) -> tuple[ExportResult, list[int]]:
    told: list[int] = []
    return desk.exports.write_csv(filter_, path, told.append, lambda: False), told


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_the_preflight_tells_what_an_export_would_contain(shop: Desk) -> None:
    assert shop.exports.preflight(ALL) == Preflight(3, 2, ())
    assert shop.exports.preflight(EntryFilter(without_document=True)) == Preflight(2, 2, ())
    assert shop.exports.preflight(EntryFilter("taxi")) == Preflight(1, 0, ())
    assert shop.exports.preflight(EntryFilter(shown=Shown.ALL)) == Preflight(4, 3, ())


def test_an_export_contains_the_servers_entries_oldest_first(shop: Desk, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    result, told = export(shop, path)
    assert result == ExportResult(path, 3, Totals(3, Decimal("1239.50"), Decimal(48250)), ())
    assert told == sorted(told)
    assert told[-1] == 3
    data = path.read_bytes()
    assert data.startswith(b"\xef\xbb\xbf" + HEADINGS.encode() + b"\r\n")
    assert data.count(b"\r\n") == data.count(b"\n") == 4
    sale, taxi, formula = rows(path)
    code = taxi["Code"]
    assert code == shop.entries.page(EntryFilter("taxi"), None).entries[0].human_code
    stem = f"Documents/2026-11/{code[1:]}"
    assert {**taxi, "Created UTC": "", "Modified UTC": ""} == {
        "Code": code,
        "Date": "2026-11-22",
        "Money Out": "1234.50",
        "Money In": "",
        "Net": "-1234.50",
        "CR/DR": "DR",
        "Currency": "INR",
        "Category": "Travel",
        "Description": "Taxi, to Pune",
        "Document Count": "2",
        "Document Files": f"{stem}-1.png;{stem}-2.png",
        "Status": "active",
        "Entered By": shop.name,
        "Created UTC": "",
        "Modified UTC": "",
        "Revision": "1",
    }
    assert taxi["Created UTC"] == taxi["Modified UTC"]
    assert taxi["Created UTC"].endswith("Z")
    assert (sale["Money Out"], sale["Money In"], sale["Net"]) == ("", "48250.00", "48250.00")
    assert (formula["Description"], formula["Category"]) == ("'=1+1", "'@Office")


def test_a_voided_entry_is_a_row_without_money(shop: Desk, tmp_path: Path) -> None:
    path = tmp_path / "book.csv"
    result, _ = export(shop, path, EntryFilter(shown=Shown.ALL))
    assert (result.rows, result.totals) == (4, Totals(4, Decimal("1239.50"), Decimal(48250)))
    assert [row["Status"] for row in rows(path)] == ["active", "voided", "active", "active"]
    assert [row["Revision"] for row in rows(path)] == ["1", "2", "1", "1"]
    result, _ = export(shop, path, EntryFilter("no such thing"))
    assert (result.rows, result.totals, rows(path)) == (0, Totals(), [])


def test_unsent_entries_that_the_export_leaves_out_are_named_oldest_first(shop: Desk, tmp_path: Path) -> None:
    taxi = shop.entries.page(EntryFilter("taxi"), None).entries[0]
    tea = shop.save("Tea", entry_date=TODAY - timedelta(days=9))
    bus = shop.save("Bus")
    shop.change(taxi.id, description="Bus to Pune")
    shop.change(bus.id, description="Bus home")
    codes = (tea.human_code, bus.human_code, taxi.human_code)
    assert shop.exports.preflight(ALL) == Preflight(3, 2, codes)
    assert shop.exports.preflight(EntryFilter("taxi")).waiting == (taxi.human_code,)  # it would go
    assert shop.exports.preflight(EntryFilter("home")).waiting == (bus.human_code,)
    result, _ = export(shop, tmp_path / "book.csv")
    assert (result.rows, result.left_out) == (3, codes)


def test_a_cancelled_or_failed_export_does_not_change_the_file(shop: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    path = folder / "book.csv"
    path.write_bytes(b"what was there before")

    def write(filter_: EntryFilter, cancelled: bool) -> object:
        return shop.exports.write_csv(filter_, path, lambda _: None, lambda: cancelled)

    assert refusal(lambda: write(ALL, cancelled=True)) == CANCELLED
    assert refusal(lambda: write(EntryFilter("x" * 101), cancelled=False)) == LONG_SEARCH
    assert refusal(lambda: export(shop, folder / "none" / "book.csv")) == no_folder(
        folder / "none" / "book.csv"
    )
    assert path.read_bytes() == b"what was there before"
    assert [each.name for each in folder.iterdir()] == ["book.csv"]
    export(shop, path)
    assert len(rows(path)) == 3


def test_an_export_can_be_cancelled_at_its_end(shop: Desk, tmp_path: Path) -> None:
    asked: list[bool] = []

    def cancelled() -> bool:
        asked.append(True)
        return len(asked) > 1

    path = tmp_path / "book.csv"
    assert refusal(lambda: shop.exports.write_csv(ALL, path, lambda _: None, cancelled)) == CANCELLED
    assert not path.exists()


def test_an_export_needs_a_server_and_a_session(start_stage: StartStage, tmp_path: Path) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    desk.confirm()
    path = tmp_path / "book.csv"
    stage.stop()
    assert refusal(lambda: desk.exports.preflight(ALL)) == OFFLINE
    assert refusal(lambda: export(desk, path)) == OFFLINE
    stage.start()
    desk.login(desk.name)
    desk.end_session_from_elsewhere()
    assert refusal(lambda: desk.exports.preflight(ALL)) == SIGNED_OUT
    assert refusal(lambda: export(desk, path)) == SIGNED_OUT
    desk.accounts.sign_out()
    assert refusal(lambda: desk.exports.preflight(ALL)) == SIGNED_OUT
    assert refusal(lambda: export(desk, path)) == SIGNED_OUT
    assert not path.exists()


def test_an_invalid_search_is_refused_before_the_export(shop: Desk) -> None:
    assert refusal(lambda: shop.exports.preflight(replace(ALL, text="x" * 101))) == LONG_SEARCH
