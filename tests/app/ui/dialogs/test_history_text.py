"""The history in words."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

from app.domain.entry import Direction, DocumentInfo, HistoryVersion, ListedEntry
from app.ui.dialogs.history_text import changes, shown_versions
from tests.support.fake_services import FakeServices, shop_entries

ENTRY: ListedEntry = shop_entries(1)[0]
AT = datetime(2026, 11, 22, 8, 35, tzinfo=UTC)
BILL = DocumentInfo("d1", "K7-000001-1", "taxi.jpg", "image/jpeg", 5, "0" * 64)


def version(entry: ListedEntry, action: str = "edited", **more: object) -> HistoryVersion:
    fields = {"stands": False, "superseded": False} | more
    return HistoryVersion(f"op-{entry.amount}", entry, action, "Asha", "laptop", AT, **fields)  # type: ignore[arg-type]


def test_every_changed_field_has_its_line() -> None:
    after = replace(
        ENTRY,
        amount=Decimal("99"),
        entry_date=date(2026, 11, 20),
        direction=Direction.CREDIT,
        category="Meals",
        description="",
    )
    assert changes(ENTRY, version(after)) == (
        "Date: 22 Nov 2026 → 20 Nov 2026",
        "Amount: ₹640.00 → ₹99.00",
        "Type: Debit → Credit",
        "Category: Travel → Meals",
        "Description: Taxi to client site → (empty)",
    )


def test_added_and_removed_bills_are_named() -> None:
    other = replace(BILL, doc_code="K7-000001-2", file_name="two.pdf")
    made = version(ENTRY, documents_added=(BILL,), documents_removed=(other,))
    assert changes(ENTRY, made) == (
        "Bill added: taxi.jpg (K7-000001-1)",
        "Bill removed: two.pdf (K7-000001-2)",
    )


def test_the_first_version_lists_its_fields() -> None:
    assert changes(None, version(ENTRY, "created")) == (
        "22 Nov 2026 · Debit ₹640.00 · Travel · Taxi to client site",
    )


def test_a_void_has_no_lines_and_an_edit_without_changes_says_so() -> None:
    assert changes(ENTRY, version(replace(ENTRY, voided=True), "voided")) == ()
    assert changes(ENTRY, version(ENTRY)) == ("Nothing changed.",)


def test_a_version_is_compared_with_the_last_one_that_was_not_replaced() -> None:
    lost = version(replace(ENTRY, amount=Decimal("700")), superseded=True)
    won = version(replace(ENTRY, amount=Decimal("99")), stands=True)
    first = version(ENTRY, "created")
    shown = shown_versions([won, lost, first], [], "Asha")
    assert [each.changes[0] for each in shown[:2]] == [
        "Amount: ₹640.00 → ₹99.00",
        "Amount: ₹640.00 → ₹700.00",
    ]


def test_unsent_versions_are_listed_above_those_of_the_server(tmp_path) -> None:  # type: ignore[no-untyped-def]
    fake = FakeServices(tmp_path, [ENTRY])
    fake.accounts.sign_in_local("Asha", "")
    fake.entries.void(fake.entries.detail(ENTRY.id))
    shown = shown_versions([version(ENTRY, "created", stands=True)], fake.sync.items(), "Asha")
    fake.close()
    assert [(each.version.action, each.waiting, each.version.stands) for each in shown] == [
        ("voided", True, True),
        ("created", False, False),
    ]
