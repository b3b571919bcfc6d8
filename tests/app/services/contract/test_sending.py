"""What waits on this computer: sent in order, refused, tried again, discarded."""

from dataclasses import replace

from app.domain.entry import EntryFilter, EntryState
from app.domain.outbox_item import OutboxKind, OutboxState
from app.services.entries import draft_of
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import OFFLINE, SIGNED_OUT
from tests.app.services.contract.stages import Desk
from tests.app.store.samples import PNG
from tests.support.api import PASSWORD

LOST = "A bill of this entry is no longer on this computer."


def kinds(desk: Desk) -> list[tuple[OutboxKind, OutboxState]]:
    return [(item.kind, item.state) for item in desk.sync.items()]


def test_items_are_listed_oldest_first_with_their_base(book: Desk) -> None:
    bill = book.documents.attach_bytes(PNG, "bill.png")
    before = book.confirm("Taxi", "12.50", bill)
    saved = book.save("Chai")
    book.entries.edit(before, replace(draft_of(before), description="Bus", attachments=()))
    book.entries.void(book.entries.detail(saved.id))
    book.entries.restore(book.entries.detail(saved.id))
    create, edit, void, restore = book.sync.items()
    assert [item.kind for item in (create, edit, void, restore)] == ["create", "edit", "void", "restore"]
    assert book.sync.waiting() == 4
    assert (create.entry_id, create.human_code, create.base) == (saved.id, saved.human_code, None)
    assert (edit.entry_id, edit.description, edit.documents) == (before.entry.id, "Bus", ())
    assert edit.base == before
    assert edit.removed == (before.documents[0].id,)
    assert (void.voided, restore.voided) == (True, False)
    assert void.base is not None
    assert void.base.entry.ver == create.ver
    assert create.ver < edit.ver < void.ver < restore.ver
    assert create.created_at < restore.created_at
    assert create.created_at.utcoffset() is not None
    assert (create.attempts, create.last_error, create.state) == (0, "", OutboxState.WAITING)
    assert create.listed() == saved
    session = book.accounts.require_session()
    assert {item.book_id for item in (create, edit, void, restore)} == {session.book_id}


def test_a_run_returns_a_report(book: Desk) -> None:
    assert book.sync.send_pending().sent == 0
    book.save("Taxi")
    book.save("Chai")
    report = book.sync.send_pending()
    assert (report.sent, report.waiting, report.refused, report.error) == (2, 0, 0, None)
    assert book.sync.items() == ()
    assert book.listed() == ["Chai", "Taxi"]


def test_without_a_server_items_stay_and_their_attempts_are_counted(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    desk.save("Taxi")
    desk.save("Chai")
    stage.stop()
    for _ in range(2):
        report = desk.sync.send_pending()
        assert (report.sent, report.waiting, report.refused) == (0, 2, 0)
        assert report.error is not None
        assert (type(report.error), report.error.message) == (OFFLINE.kind, OFFLINE.message)
    first, second = desk.sync.items()
    assert (first.attempts, first.last_error, first.state) == (2, OFFLINE.message, OutboxState.WAITING)
    assert (second.attempts, second.last_error) == (0, "")
    stage.start()
    desk.login(desk.name)
    desk.send()
    assert desk.listed() == ["Chai", "Taxi"]


def test_after_the_session_has_ended_nothing_is_sent_until_the_next_log_in(book: Desk) -> None:
    book.save("Taxi")
    book.end_session_from_elsewhere()
    report = book.sync.send_pending()
    assert report.error is not None
    assert (type(report.error), report.error.code) == (SIGNED_OUT.kind, SIGNED_OUT.code)
    assert report.waiting == book.sync.waiting() == 1
    book.accounts.sign_in_again(PASSWORD)
    book.send()
    assert book.listed() == ["Taxi"]


def test_the_outbox_is_empty_while_signed_out(book: Desk) -> None:
    book.save("Taxi")
    book.accounts.sign_out()
    assert (book.sync.waiting(), book.sync.items()) == (0, ())
    report = book.sync.send_pending()
    assert (report.sent, report.waiting, report.error) == (0, 0, None)
    book.login(book.name)
    assert book.sync.waiting() == 1


def test_a_refused_entry_keeps_its_reason_and_does_not_block_others(book: Desk) -> None:
    refused = book.refused()
    assert (refused.state, refused.note) == (EntryState.REFUSED, LOST)
    (item,) = book.sync.items()
    assert (item.state, item.last_error, item.attempts) == (OutboxState.REFUSED, LOST, 1)
    assert book.entries.pending(EntryFilter()) == (refused,)
    book.save("Taxi")
    report = book.sync.send_pending()
    assert (report.sent, report.waiting, report.refused, report.error) == (1, 1, 1, None)
    assert book.sync.items() == (item,)  # it is not tried again by itself
    assert book.listed() == ["Taxi"]


def test_changes_of_a_refused_entry_wait_for_it(book: Desk) -> None:
    refused = book.refused()
    before = book.entries.detail(refused.id)
    book.entries.edit(before, replace(draft_of(before), description="Changed"))
    book.send_some()
    assert kinds(book) == [
        (OutboxKind.CREATE, OutboxState.REFUSED),
        (OutboxKind.EDIT, OutboxState.WAITING),
    ]
    assert [row.state for row in book.entries.pending(EntryFilter())] == [EntryState.WAITING]


def test_a_retried_entry_is_sent_when_its_reason_is_gone(book: Desk) -> None:
    book.refused()
    (item,) = book.sync.items()
    book.sync.retry(item.op_id)
    assert book.sync.items()[0].state is OutboxState.WAITING
    assert book.sync.items()[0].last_error == LOST
    assert book.sync.send_pending().refused == 1
    book.documents.attach_bytes(b"%PDF-1.7 gone", "gone.pdf")  # it is found again
    book.sync.retry(item.op_id)
    book.send()
    assert book.listed() == ["With a lost bill"]


def test_discarding_a_refused_new_entry_discards_its_changes(book: Desk) -> None:
    refused = book.refused()
    book.change(refused.id, description="Changed")
    book.save("Taxi")
    create, _, other = book.sync.items()
    book.sync.discard(other.op_id)  # only what was refused can be discarded
    assert len(book.sync.items()) == 3
    book.sync.discard(create.op_id)
    assert [item.description for item in book.sync.items()] == ["Taxi"]


def test_a_change_is_sent_without_the_discarded_one_before_it(book: Desk) -> None:
    entry = book.confirm("Taxi").entry
    bill = book.documents.attach_bytes(PNG, "bill.png")
    book.change(entry.id, bill, description="With a bill")
    book.documents.fetch(bill).unlink()
    before = book.entries.detail(entry.id)
    changed = book.entries.edit(before, replace(draft_of(before), description="Later", attachments=()))
    book.send_some()
    first, second = book.sync.items()
    assert (first.state, second.state) == (OutboxState.REFUSED, OutboxState.WAITING)
    book.sync.discard(first.op_id)
    (left,) = book.sync.items()
    assert left.base is not None
    assert left.base.entry.ver == entry.ver
    book.send()
    assert book.listed() == ["Later"]
    assert book.entries.detail(entry.id).entry.ver == changed.entry.ver
