"""The marks of the listing: one tick, two, or a filled one, and the sentence with them."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from app.domain.entry import EntryState, ListedEntry
from app.domain.sync_state import ReplicationStatus
from app.ui.models.state_marks import Replication, StateMark, state_mark
from tests.support.fake_services import ABROAD, HOME, NOON, TODAY, shop_entries

ENTRY = replace(shop_entries(1)[0], ver=7, document_count=1)
SENT = "Sent to the server at 14:05"
TAKER = "in-mum-1 (ap-south-1)"


def mark(entry: ListedEntry, places: Replication | None, today: date = TODAY) -> StateMark:
    return state_mark(entry, places, today)


def placed(*regions: str, rows: tuple[str, ...] = (), ver: int = 0, at: datetime = NOON) -> Replication:
    whole, at_us = frozenset(regions), round(at.timestamp() * 1_000_000)
    status = ReplicationStatus(
        "op", ENTRY.id, ver or ENTRY.ver, whole | set(rows), whole, "in-mum-1", at_us, HOME
    )
    return {ENTRY.id: status}


def test_an_unsent_entry_has_one_tick() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING)
    assert mark(waiting, {}) == StateMark("check", "warn", "Waiting to be sent")


def test_an_unsent_edit_does_not_have_the_status_of_the_previous_version() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING, ver=8)
    assert mark(waiting, placed(HOME, ABROAD)).sentence == "Waiting to be sent"


def test_a_sent_entry_has_two_ticks_and_the_time_and_names_the_server_in_the_tool_tip() -> None:
    assert mark(ENTRY, placed(HOME)) == StateMark("check-double", "text_muted", SENT, TAKER)


def test_an_entry_in_two_regions_has_the_filled_tick() -> None:
    also = f"{SENT}. Another server has it too."
    expected = StateMark("check-filled", "text_muted", also, f"{TAKER}; also in eu-west-1")
    assert mark(ENTRY, placed(HOME, ABROAD)) == expected


@pytest.mark.parametrize(
    ("bills", "rest"), [(1, "its bill is still on its way."), (3, "its bills are still on their way.")]
)
def test_a_row_without_its_bills_does_not_fill_the_tick(bills: int, rest: str) -> None:
    found = mark(replace(ENTRY, document_count=bills), placed(HOME, rows=(ABROAD,)))
    also = f"{SENT}. Another server has it too, {rest}"
    places = f"{TAKER}; without bills in eu-west-1"
    assert found == StateMark("check-double", "text_muted", also, places)


def test_several_regions_are_listed_in_the_tool_tip() -> None:
    places = placed(HOME, ABROAD, "us-east-1", "me-central-1", rows=("af-south-1",))
    found = mark(ENTRY, places)
    assert found.sentence == f"{SENT}. Another server has it too."
    assert found.servers == (
        f"{TAKER}; also in eu-west-1, me-central-1 and us-east-1; without bills in af-south-1"
    )
    assert found.whole == f"{found.sentence}\n{found.servers}"


def test_an_entry_changed_on_another_device_since_is_only_confirmed() -> None:
    newer = replace(ENTRY, ver=8)
    assert mark(newer, placed(HOME, ABROAD)) == mark(ENTRY, {})
    assert mark(newer, placed(HOME, ABROAD, ver=9)).icon == "check-filled"


def test_an_entry_of_another_device_is_only_confirmed() -> None:
    assert mark(ENTRY, {}) == StateMark("check-double", "text_muted", "Sent to the server")


def test_entries_of_the_local_book_have_no_regions() -> None:
    waiting = replace(ENTRY, state=EntryState.WAITING)
    assert mark(waiting, None) == StateMark("clock", "warn", "Waiting to be stored")
    assert mark(ENTRY, None) == StateMark("check-double", "text_muted", "Saved")
    refused = replace(ENTRY, state=EntryState.REFUSED)
    assert mark(refused, None).sentence == "This entry was not stored."


def test_a_refused_entry_shows_its_reason() -> None:
    refused = replace(ENTRY, state=EntryState.REFUSED, note="The amount is too large.")
    expected = StateMark("alert", "danger", "The server did not accept this entry: The amount is too large.")
    assert mark(refused, placed(HOME)) == expected


def test_the_sentence_of_a_crossed_out_entry_begins_with_that() -> None:
    assert mark(replace(ENTRY, voided=True), placed(HOME)).sentence == f"Crossed out. {SENT}"


def test_a_time_on_another_day_includes_the_date() -> None:
    tomorrow = date(2026, 11, 23)
    said = "Sent to the server on 22 Nov 2026 at 14:05"
    assert mark(ENTRY, placed(HOME), tomorrow).sentence == said
