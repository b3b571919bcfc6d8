"""Saving, changing, voiding and restoring entries, and their history."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain.entry import Direction, EntryDraft, EntryFilter, EntryState, Shown
from app.services.entries import draft_of
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import OFFLINE, SIGNED_OUT, not_found, refusal
from tests.app.services.contract.stages import TODAY, Desk, a_draft
from tests.app.store.samples import PNG
from tests.support.waiting import wait_until

NOBODYS = "0199aaaa-0000-7000-8000-000000000001"
"""An id that no entry has."""


# --- saving ---------------------------------------------------------------------------------------


def test_a_saved_entry_is_in_the_outbox_with_a_code_of_this_computer(book: Desk) -> None:
    saved = book.save("Taxi to the client", "12.5", direction=Direction.CREDIT, category="Travel")
    prefix = book.accounts.require_session().code_prefix
    assert saved.human_code == f"{prefix}-000001"
    assert (saved.entry_date, saved.amount, saved.direction) == (TODAY, Decimal("12.50"), Direction.CREDIT)
    assert (saved.category, saved.description) == ("Travel", "Taxi to the client")
    assert (saved.state, saved.voided, saved.note, saved.document_count) == (EntryState.WAITING, False, "", 0)
    assert book.save("Tea").human_code == f"{prefix}-000002"
    book.send()
    book.restart()
    book.login(book.name)
    assert book.save("Bus").human_code == f"{prefix}-000003"


def test_a_saved_entry_has_a_version_from_the_clock_and_increasing_ids(book: Desk) -> None:
    first, second = book.save("Taxi"), book.save("Tea")
    assert first.ver < second.ver
    assert first.id < second.id
    assert first.sort_key < second.sort_key


def test_saving_needs_no_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    stage.stop()
    assert desk.save().state is EntryState.WAITING
    stage.start()


def test_bills_get_codes_in_order(book: Desk) -> None:
    bills = [book.documents.attach_bytes(PNG + bytes([n]), f"{n}.png") for n in range(3)]
    saved = book.save("Taxi", "12.50", *bills)
    documents = book.entries.detail(saved.id).documents
    stem = saved.human_code[1:]
    assert [d.doc_code for d in documents] == [f"{stem}-1", f"{stem}-2", f"{stem}-3"]
    assert [(d.file_name, d.sha256) for d in documents] == [(b.file_name, b.sha256) for b in bills]
    assert [(d.media_type, d.byte_size) for d in documents] == [("image/png", len(PNG) + 1)] * 3
    assert len({d.id for d in documents}) == 3
    assert saved.document_count == 3
    book.send()
    assert book.entries.detail(saved.id).documents == documents


NO_CATEGORY = {"category": "Please fill in the category."}
TWO_DECIMALS = {"amount": "An amount has at most two decimals: rupees and paise."}


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"category": ""}, NO_CATEGORY),
        ({"category": " "}, NO_CATEGORY),
        ({"category": "x" * 101}, {"category": "The category is longer than 100 characters."}),
        ({"category": " x"}, {"category": "The category begins or ends with a space."}),
        (
            {"category": "x\ny"},
            {"category": "The category contains a line break or another control character."},
        ),
        ({"description": "x" * 501}, {"description": "The description is longer than 500 characters."}),
        ({"description": "x "}, {"description": "The description begins or ends with a space."}),
        (
            {"description": "x\x00y"},
            {"description": "The description contains a line break or another control character."},
        ),
        ({"amount": Decimal(0)}, {"amount": "The amount must be above zero."}),
        ({"amount": Decimal(-1)}, {"amount": "The amount must be above zero."}),
        ({"amount": Decimal("1.234")}, TWO_DECIMALS),
        (
            {"amount": Decimal("10000000000000000")},
            {"amount": "The amount is too large: at most 16 digits before the dot."},
        ),
        (
            {"amount": Decimal(0), "category": "", "description": "x" * 501},
            {
                **NO_CATEGORY,
                "description": "The description is longer than 500 characters.",
                "amount": "The amount must be above zero.",
            },
        ),
    ],
)
def test_an_entry_that_no_server_would_accept_is_refused_with_its_fields(
    book: Desk, changes: dict[str, object], fields: dict[str, str]
) -> None:
    saved = book.save()
    wrong = replace(a_draft(), **changes)
    calls: list[Callable[[], object]] = [
        lambda: book.entries.save(wrong),
        lambda: book.entries.edit(book.entries.detail(saved.id), wrong),
    ]
    for call in calls:
        told = refusal(call)
        assert told.fields == fields
        assert told.message == next(iter(fields.values()))
        assert told.code == ""
    assert book.sync.waiting() == 1


def test_an_entry_can_have_twenty_bills(book: Desk) -> None:
    bill = book.documents.attach_bytes(PNG, "bill.png")
    bills = [replace(bill, id=f"{bill.id[:-2]}{n:02}") for n in range(21)]
    assert refusal(lambda: book.save("Taxi", "1", *bills)).fields == {
        "documents": "An entry can have at most 20 bills."
    }
    assert book.save("Taxi", "1", *bills[:20]).document_count == 20
    book.send()


def _draft_of_nothing() -> EntryDraft:
    return a_draft()


def test_nothing_can_be_saved_or_changed_while_signed_out(book: Desk) -> None:
    before = book.confirm()
    version = book.entries.history(before.entry.id)[0]
    book.accounts.sign_out()
    calls: list[Callable[[], object]] = [
        lambda: book.entries.save(a_draft()),
        lambda: book.entries.edit(before, a_draft()),
        lambda: book.entries.void(before),
        lambda: book.entries.restore(before),
        lambda: book.entries.restore_version(before, version),
        lambda: book.entries.detail(before.entry.id),
        lambda: book.entries.history(before.entry.id),
    ]
    assert [refusal(call) for call in calls] == [SIGNED_OUT] * len(calls)


# --- changing -------------------------------------------------------------------------------------


def test_a_change_in_the_outbox_replaces_the_servers_version(book: Desk) -> None:
    before = book.confirm("Taxi")
    draft = EntryDraft(date(2026, 11, 20), Decimal("99.00"), Direction.CREDIT, "Meals", "Tea", ())
    changed = book.entries.edit(before, draft)
    entry = changed.entry
    assert (entry.id, entry.human_code) == (before.entry.id, before.entry.human_code)
    assert (entry.entry_date, entry.amount, entry.direction) == (
        draft.entry_date,
        draft.amount,
        draft.direction,
    )
    assert (entry.category, entry.description, entry.voided) == ("Meals", "Tea", False)
    assert entry.state is EntryState.WAITING
    assert entry.ver > before.entry.ver
    assert book.entries.detail(entry.id) == changed
    book.send()
    assert book.entries.detail(entry.id).entry == replace(entry, state=EntryState.CONFIRMED)


def test_a_change_of_an_unsent_entry_is_sent_after_it(book: Desk) -> None:
    saved = book.save("Taxi")
    book.change(saved.id, description="Taxi home")
    assert [row.description for row in book.entries.pending(EntryFilter())] == ["Taxi home"]
    book.send()
    assert [v.entry.description for v in book.entries.history(saved.id)] == ["Taxi home", "Taxi"]


def test_a_kept_bill_keeps_its_id_and_code_and_a_new_one_gets_the_next_code(book: Desk) -> None:
    one, two, three = (book.documents.attach_bytes(PNG + bytes([n]), f"{n}.png") for n in range(3))
    first = book.confirm("Taxi", "1", one, two)
    kept = first.documents[1]
    draft = replace(draft_of(first), attachments=(draft_of(first).attachments[1], three))
    changed = book.entries.edit(first, draft)
    stem = first.entry.human_code[1:]
    assert changed.documents[0] == kept
    assert changed.documents[1].doc_code == f"{stem}-3"
    assert changed.documents[1].sha256 == three.sha256
    assert changed.entry.document_count == 2
    book.send()
    assert book.entries.detail(first.entry.id).documents == changed.documents
    without = book.entries.edit(changed, replace(draft, attachments=()))
    assert (without.documents, without.entry.document_count) == ((), 0)
    book.send()
    again = book.entries.edit(book.entries.detail(first.entry.id), replace(draft, attachments=(one,)))
    assert again.documents[0].doc_code == f"{stem}-4"  # a code is never given twice


def test_bill_codes_of_another_installation_contain_its_prefix(book: Desk) -> None:
    first = book.confirm("Taxi")
    other = book.elsewhere()
    bill = other.documents.attach_bytes(PNG, "bill.png")
    changed = other.change(first.entry.id, bill)
    prefix = other.accounts.require_session().code_prefix
    assert changed.documents[0].doc_code == f"{first.entry.human_code}-{prefix}-1"


def test_an_entry_can_be_voided_and_restored(book: Desk) -> None:
    bill = book.documents.attach_bytes(PNG, "bill.png")
    first = book.confirm("Taxi", "12.50", bill)
    voided = book.entries.void(first)
    assert (voided.entry.voided, voided.entry.state) == (True, EntryState.WAITING)
    assert voided.documents == first.documents
    assert replace(voided.entry, ver=0, voided=False) == replace(first.entry, ver=0, state=EntryState.WAITING)
    book.send()
    assert book.listed() == []
    assert book.listed(EntryFilter(shown=Shown.VOIDED)) == ["Taxi"]
    restored = book.entries.restore(book.entries.detail(first.entry.id))
    assert not restored.entry.voided
    book.send()
    assert book.listed() == ["Taxi"]
    assert book.entries.detail(first.entry.id).documents == first.documents


def test_a_voided_entry_can_be_edited_and_stays_voided(book: Desk) -> None:
    first = book.confirm("Taxi")
    book.entries.void(first)
    book.send()
    assert book.change(first.entry.id, description="Tea").entry.voided
    book.send()
    assert book.listed(EntryFilter(shown=Shown.VOIDED)) == ["Tea"]


# --- one entry ------------------------------------------------------------------------------------


def test_an_entry_is_returned_with_its_current_bills(book: Desk) -> None:
    bill = book.documents.attach_bytes(PNG, "bill.png")
    saved = book.save("Taxi", "12.50", bill)
    waiting = book.entries.detail(saved.id)
    assert waiting.entry == saved
    book.send()
    confirmed = book.entries.detail(saved.id)
    assert confirmed.entry == replace(saved, state=EntryState.CONFIRMED)
    assert confirmed.documents == waiting.documents
    assert book.elsewhere().entries.detail(saved.id) == confirmed


def test_an_unknown_entry_is_not_found(book: Desk) -> None:
    assert refusal(lambda: book.entries.detail(NOBODYS)) == not_found("entry")
    assert refusal(lambda: book.entries.history(NOBODYS)) == not_found("entry")
    saved = book.save()
    assert refusal(lambda: book.entries.history(saved.id)) == not_found("entry")  # it only waits


def test_without_a_server_an_entry_comes_from_the_cache(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    other = desk.elsewhere()
    seen, listed, never = other.confirm("Seen"), other.confirm("Listed"), other.confirm("Never seen")
    desk.entries.detail(seen.entry.id)
    desk.entries.page(EntryFilter("Listed"), None)
    saved = desk.save("Waiting")
    stage.stop()
    assert desk.entries.detail(seen.entry.id) == seen
    assert desk.entries.detail(saved.id).entry == saved
    for entry in (listed, never):  # of a row in the listing the bills are not known
        assert refusal(lambda entry=entry: desk.entries.detail(entry.entry.id)) == OFFLINE
    assert refusal(lambda: desk.entries.history(seen.entry.id)) == OFFLINE


def test_an_entry_sent_from_here_is_in_the_cache(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    bill = desk.documents.attach_bytes(PNG, "bill.png")
    saved = desk.save("Taxi", "1", bill)
    desk.send()
    stage.stop()
    detail = desk.entries.detail(saved.id)
    assert detail.entry == replace(saved, state=EntryState.CONFIRMED)
    assert len(detail.documents) == 1


# --- history --------------------------------------------------------------------------------------


def test_a_history_has_every_version_newest_first(book: Desk) -> None:
    bill = book.documents.attach_bytes(PNG, "bill.png")
    first = book.confirm("Taxi", "12.50", bill)
    id_ = first.entry.id
    changed = book.change(id_, description="Taxi home")
    book.entries.void(changed)
    book.send()
    book.entries.restore(book.entries.detail(id_))
    without = replace(draft_of(book.entries.detail(id_)), attachments=())
    book.entries.edit(book.entries.detail(id_), without)
    book.send()
    told = book.entries.history(id_)
    assert [v.action for v in told] == ["edited", "restored", "voided", "edited", "created"]
    assert [v.stands for v in told] == [True, False, False, False, False]
    assert not any(v.superseded for v in told)
    assert [v.entry.voided for v in told] == [False, False, True, False, False]
    assert [v.entry.description for v in told][-2:] == ["Taxi home", "Taxi"]
    assert [v.entry.document_count for v in told] == [0, 1, 1, 1, 1]
    assert [len(v.documents_added) for v in told] == [0, 0, 0, 0, 1]
    assert told[0].documents_removed == first.documents
    assert told[-1].documents_added == first.documents
    assert told[0].entry == book.entries.detail(id_).entry
    assert told[-1].entry == first.entry
    assert {v.author for v in told} == {book.name}
    computer, _system = book.accounts.sessions()[0].device_name.split(" · ")
    assert {v.device for v in told} == {computer}
    assert len({v.op_id for v in told}) == 5
    assert [v.made_at for v in told] == [_at(v.entry.ver) for v in told]


def _at(ver: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=ver)


def test_the_later_of_two_changes_of_one_version_is_current_in_any_order(book: Desk) -> None:
    other = book.elsewhere()
    for later_first in (False, True):
        id_ = book.confirm("Taxi").entry.id
        other.entries.detail(id_)
        book.change(id_, description="earlier")
        other.change(id_, description="later")
        for desk in (other, book) if later_first else (book, other):
            desk.send()
        told = book.entries.history(id_)
        assert [(v.entry.description, v.stands, v.superseded) for v in told] == [
            ("later", True, False),
            ("earlier", False, True),
            ("Taxi", False, False),
        ]
        assert book.entries.detail(id_).entry.description == "later"
        assert other.entries.detail(id_).entry.description == "later"


def test_the_sender_of_a_superseded_change_is_informed(book: Desk) -> None:
    other = book.elsewhere()
    saved = book.confirm("Taxi").entry
    other.entries.detail(saved.id)
    earlier = book.change(saved.id, description="earlier").entry.ver
    # Each installation estimates the server's clock, so the second change may have the earlier time at first.
    wait_until(lambda: other.change(saved.id, description="later").entry.ver > earlier)
    assert other.sync.send_pending().superseded == ()
    assert book.sync.send_pending().superseded == (saved.human_code,)
    assert book.entries.overridden() == frozenset()
    assert book.listed() == ["later"]


def test_an_older_version_can_be_restored_with_the_current_bills(book: Desk) -> None:
    first = book.confirm("Taxi", "12.50")
    bill = book.documents.attach_bytes(PNG, "bill.png")
    book.change(first.entry.id, bill, description="Tea", amount=Decimal(99))
    book.send()
    now = book.entries.detail(first.entry.id)
    again = book.entries.restore_version(now, book.entries.history(first.entry.id)[-1])
    assert (again.entry.description, again.entry.amount) == ("Taxi", Decimal("12.50"))
    assert again.documents == now.documents
    assert again.entry.state is EntryState.WAITING
    book.send()
    told = book.entries.history(first.entry.id)
    assert [v.action for v in told] == ["edited", "edited", "created"]
    assert told[0].entry == replace(again.entry, state=EntryState.CONFIRMED)


def test_after_the_session_has_ended_entries_can_be_saved_but_no_history_read(book: Desk) -> None:
    first = book.confirm("Taxi")
    book.end_session_from_elsewhere()
    assert refusal(lambda: book.entries.history(first.entry.id)) == SIGNED_OUT
    assert refusal(lambda: book.entries.detail(first.entry.id)) == SIGNED_OUT
    assert book.save("Tea").state is EntryState.WAITING
    assert book.entries.void(first).entry.voided


# --- the last entries made on this computer ---------------------------------------------------------


def test_the_last_ten_are_the_newest_first_wherever_they_are(book: Desk) -> None:
    sent = [book.save(f"sent {number}") for number in range(8)]
    book.send()
    kept = [book.save(f"waiting {number}") for number in range(4)]
    wanted = [entry.human_code for entry in reversed((*sent, *kept))][:10]
    assert [entry.human_code for entry in book.entries.last_made()] == wanted
    states = {entry.state for entry in book.entries.last_made()}
    assert states == {EntryState.WAITING, EntryState.CONFIRMED}


def test_the_last_ten_are_as_they_are_now_and_not_crossed_out(book: Desk) -> None:
    first, second, third = (book.save(name) for name in ("Taxi", "Tea", "Bus"))
    book.send()
    book.entries.void(book.entries.detail(second.id))
    book.entries.edit(book.entries.detail(first.id), a_draft("Taxi home"))
    assert [entry.description for entry in book.entries.last_made()] == ["Bus", "Taxi home"]
    book.send()
    assert [entry.description for entry in book.entries.last_made()] == ["Bus", "Taxi home"]
    book.entries.restore(book.entries.detail(second.id))
    assert [entry.id for entry in book.entries.last_made()] == [third.id, second.id, first.id]


def test_the_last_ten_need_no_server_and_are_there_after_a_restart(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    saved = [desk.save("Taxi"), desk.save("Tea")]
    desk.send()
    desk.restart()
    desk.login(desk.name)
    stage.stop()
    assert [entry.id for entry in desk.entries.last_made()] == [entry.id for entry in reversed(saved)]
    stage.start()


def test_without_a_book_there_are_no_last_ten(book: Desk) -> None:
    book.save("Taxi")
    book.accounts.sign_out()
    assert book.entries.last_made() == ()
