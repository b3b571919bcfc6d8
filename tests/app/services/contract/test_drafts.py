"""The draft of the Add Entry form: kept for each book, gone once its entry is saved."""

from app.domain.entry import EntryFilter
from app.domain.form_draft import FormDraft
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import SIGNED_OUT, refusal
from tests.app.services.contract.stages import Desk, a_draft
from tests.app.store.samples import PNG

FORM = FormDraft("someday", "12,34", "DR", "Travel", "Taxi")


def test_a_draft_is_stored_as_typed_and_survives_a_restart(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    assert book.drafts.load(id_) is None
    bill = book.documents.attach_bytes(PNG, "bill.png")
    form = FormDraft("someday", "12,34", "DR", "Travel", "Taxi", (bill,))
    book.drafts.keep(id_, form, 1)
    assert book.drafts.load(id_) == form
    book.restart()
    assert book.drafts.load(id_) == form


def test_each_book_has_its_own_draft(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    book.drafts.keep(id_, FORM, 1)
    assert book.drafts.load("another book") is None
    book.drafts.keep("another book", FormDraft(amount="5"), 2)
    assert book.drafts.load(id_) == FORM


def test_an_empty_form_deletes_the_draft(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    book.drafts.keep(id_, FORM, 1)
    book.drafts.keep(id_, FormDraft("22 Nov 2026", " ", "CR"), 2)
    assert book.drafts.load(id_) is None


def test_the_newer_of_two_editions_is_kept_in_any_order(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    book.drafts.keep(id_, FormDraft(amount="2"), 2)
    book.drafts.keep(id_, FormDraft(amount="1"), 1)
    assert book.drafts.load(id_) == FormDraft(amount="2")
    book.drafts.keep(id_, FormDraft(), 1)
    assert book.drafts.load(id_) == FormDraft(amount="2")


def test_saving_the_entry_deletes_its_draft(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    book.drafts.keep(id_, FORM, 1)
    saved = book.drafts.save_entry(id_, a_draft("Taxi"), 3)
    assert book.drafts.load(id_) is None
    assert book.entries.pending(EntryFilter()) == (saved,)
    book.drafts.keep(id_, FORM, 2)  # it was asked for before the save, and runs after it
    assert book.drafts.load(id_) is None
    book.drafts.keep(id_, FORM, 4)
    assert book.drafts.load(id_) == FORM


def test_the_draft_of_a_refused_entry_is_kept(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    book.drafts.keep(id_, FORM, 1)
    told = refusal(lambda: book.drafts.save_entry(id_, a_draft("x" * 501), 2))
    assert told.fields == {"description": "The description is longer than 500 characters."}
    assert book.drafts.load(id_) == FORM
    assert book.entries.pending(EntryFilter()) == ()
    book.accounts.sign_out()
    assert refusal(lambda: book.drafts.save_entry(id_, a_draft(), 3)) == SIGNED_OUT
    assert book.drafts.load(id_) == FORM


def test_a_bill_whose_file_is_missing_is_left_out(book: Desk) -> None:
    id_ = book.accounts.require_session().book_id
    here, gone = (book.documents.attach_bytes(PNG + bytes([n]), f"{n}.png") for n in range(2))
    book.drafts.keep(id_, FormDraft(amount="5", attachments=(here, gone)), 1)
    book.documents.fetch(gone).unlink()
    assert book.drafts.load(id_) == FormDraft(amount="5", attachments=(here,))
    book.drafts.keep(id_, FormDraft(attachments=(gone,)), 2)
    assert book.drafts.load(id_) is None  # nothing is left of it


def test_a_draft_needs_no_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    id_ = desk.register().book_id
    stage.stop()
    desk.drafts.keep(id_, FORM, 1)
    assert desk.drafts.load(id_) == FORM
    assert desk.drafts.save_entry(id_, a_draft("Taxi"), 2).description == "Taxi"
