"""The marks of the listing: one tick, two, or a filled one, and the sentence with them."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from app.domain.entry import EntryState, ListedEntry
from app.domain.sync_state import ReplicationStatus
from app.ui.models.state_marks import Replication, StateMark, state_mark
from tests.support.fake_services import ABROAD, HOME, NOON, TODAY, shop_entries

ENTRY = replace(shop_entries(1)[0], ver=7, document_count=1)
CONFIRMED = "Confirmed by in-mum-1 (ap-south-1) at 14:05"


def mark(entry: ListedEntry, places: Replication | None, today: date = TODAY) -> StateMark:
    return state_mark(entry, places, today)


def placed(*regions: str, rows: tuple[str, ...] = (), ver: int = 0, at: datetime = NOON) -> Replication:
    whole, at_us = frozenset(regions), round(at.timestamp() * 1_000_000)
    status = ReplicationStatus(
        "op", ENTRY.id, ver or ENTRY.ver, whole | set(rows), whole, "in-mum-1", at_us, HOME
    )
    return {ENTRY.id: status}


def test_a_waiting_entry_has_one_tick() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING)
    assert mark(waiting, {}) == StateMark("check", "warn", "On this computer only")


def test_an_edit_that_waits_is_not_where_the_version_before_it_is() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING, ver=8)
    assert mark(waiting, placed(HOME, ABROAD)).sentence == "On this computer only"


def test_a_confirmed_entry_has_two_ticks_and_says_by_whom_and_when() -> None:
    assert mark(ENTRY, placed(HOME)) == StateMark("check-double", "text_muted", CONFIRMED)


def test_an_entry_in_two_regions_has_the_filled_tick() -> None:
    expected = StateMark("check-filled", "text_muted", f"{CONFIRMED}. Also in eu-west-1.")
    assert mark(ENTRY, placed(HOME, ABROAD)) == expected


@pytest.mark.parametrize(
    ("bills", "rest"), [(1, "its bill is still on its way."), (3, "its bills are still on their way.")]
)
def test_a_row_without_its_bills_does_not_fill_the_tick(bills: int, rest: str) -> None:
    found = mark(replace(ENTRY, document_count=bills), placed(HOME, rows=(ABROAD,)))
    assert found == StateMark("check-double", "text_muted", f"{CONFIRMED}. Also in eu-west-1, {rest}")


def test_several_regions_are_listed() -> None:
    places = placed(HOME, ABROAD, "us-east-1", "me-central-1", rows=("af-south-1",))
    assert mark(ENTRY, places).sentence == (
        f"{CONFIRMED}. Also in eu-west-1, me-central-1 and us-east-1."
        " Also in af-south-1, its bill is still on its way."
    )


def test_what_another_device_changed_since_is_only_known_to_be_confirmed() -> None:
    newer = replace(ENTRY, ver=8)
    assert mark(newer, placed(HOME, ABROAD)) == mark(ENTRY, {})
    assert mark(newer, placed(HOME, ABROAD, ver=9)).icon == "check-filled"


def test_of_what_is_not_this_computers_own_no_more_is_said() -> None:
    assert mark(ENTRY, {}) == StateMark("check-double", "text_muted", "Confirmed by the server")


def test_this_computers_own_book_is_marked_as_ever() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING)
    assert mark(waiting, None) == StateMark("clock", "warn", "On this computer, waiting to be sent")
    assert mark(ENTRY, None) == mark(ENTRY, {})


def test_a_refused_entry_says_why() -> None:
    refused = replace(ENTRY, state=EntryState.REFUSED, note="The amount is too large.")
    expected = StateMark("alert", "danger", "Refused by the server: The amount is too large.")
    assert mark(refused, placed(HOME)) == expected


def test_a_voided_entry_says_so_first() -> None:
    assert mark(replace(ENTRY, voided=True), placed(HOME)).sentence == f"Voided. {CONFIRMED}"


def test_on_another_day_the_date_is_said() -> None:
    tomorrow = date(2026, 11, 23)
    said = "Confirmed by in-mum-1 (ap-south-1) on 22 Nov 2026 at 14:05"
    assert mark(ENTRY, placed(HOME), tomorrow).sentence == said
