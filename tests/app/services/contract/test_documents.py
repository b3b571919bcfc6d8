"""Bills: attached on this computer, fetched from the server."""

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from app.domain.entry import Attachment, DocumentInfo
from server.contract.limits import MAX_DOCUMENT_BYTES
from tests.app.services.contract.conftest import StartStage
from tests.app.services.contract.refusals import (
    DAMAGED_DOCUMENT,
    OFFLINE,
    SIGNED_OUT,
    no_folder,
    not_found,
    refusal,
    wrong_document,
)
from tests.app.services.contract.stages import Desk
from tests.app.store.samples import PNG

NOBODYS = "0199aaaa-0000-7000-8000-000000000001"
KINDS = {
    b"\xff\xd8\xff\xe0 photo": ("image/jpeg", "bill.jpg"),
    PNG: ("image/png", "bill.png"),
    b"GIF89a picture": ("image/gif", "bill.gif"),
    b"II*\x00 scan": ("image/tiff", "bill.tif"),
    b"RIFF....WEBP picture": ("image/webp", "bill.webp"),
    b"....ftypheic photo": ("image/heic", "bill.heic"),
    b"%PDF-1.7 invoice": ("application/pdf", "bill.pdf"),
}


# --- attaching ------------------------------------------------------------------------------------


@pytest.mark.parametrize("data", KINDS)
def test_a_bill_is_stored_byte_for_byte_and_its_type_comes_from_its_content(
    desk: Desk, tmp_path: Path, data: bytes
) -> None:
    media_type, name = KINDS[data]
    source = tmp_path / "bill.JPEG.txt"
    source.write_bytes(data)
    for kept in (desk.documents.attach_file(source), desk.documents.attach_bytes(data, "bill")):
        assert (kept.media_type, kept.byte_size) == (media_type, len(data))
        assert kept.sha256 == sha256(data).hexdigest()
        assert desk.documents.fetch(kept).read_bytes() == data
        assert source.read_bytes() == data
    assert desk.documents.attach_bytes(data, "bill").file_name == name


def test_an_opened_file_is_stored_although_it_was_deleted_meanwhile(desk: Desk, tmp_path: Path) -> None:
    source = tmp_path / "bill.png"
    source.write_bytes(PNG)
    assert desk.documents.refusals_of([source]) == ()
    opened = desk.documents.open_files([source])
    source.unlink()
    kept = desk.documents.attach_open(opened.files[0])
    assert (kept.file_name, desk.documents.fetch(kept).read_bytes()) == ("bill.png", PNG)


def test_what_cannot_be_opened_is_named(desk: Desk, tmp_path: Path) -> None:
    (sentence,) = desk.documents.refusals_of([tmp_path])
    opened = desk.documents.open_files([tmp_path])
    assert (opened.files, opened.refusals) == ((), (sentence,))
    assert tmp_path.name in sentence


def test_a_name_is_cleaned_and_gets_the_correct_extension(desk: Desk) -> None:
    attach = desk.documents.attach_bytes
    assert attach(PNG, "C:\\bills\\tea: 1.pdf").file_name == "tea_ 1.png"
    assert attach(PNG, "../..").file_name == "bill.png"
    assert attach(PNG, "Photo.PNG").file_name == "Photo.PNG"


def test_the_same_bill_attached_twice_shares_one_file(desk: Desk) -> None:
    first, second = (desk.documents.attach_bytes(PNG, "bill.png") for _ in range(2))
    assert first.id != second.id
    assert replace(first, id="") == replace(second, id="")
    assert desk.documents.fetch(first) == desk.documents.fetch(second)


def test_a_file_that_cannot_be_a_bill_is_refused(desk: Desk, tmp_path: Path) -> None:
    attach, large = desk.documents.attach_bytes, PNG + bytes(MAX_DOCUMENT_BYTES)
    assert refusal(lambda: attach(b"", "a.png")) == wrong_document("“a.png” is empty.")
    assert refusal(lambda: attach(large, "a.png")) == wrong_document("“a.png” is larger than 25 MB.")
    assert refusal(lambda: attach(b"MZ program", "a.png")) == wrong_document(
        "“a.png” is not a photo, a scan or a PDF file."
    )
    assert attach(large[:MAX_DOCUMENT_BYTES], "a.png").byte_size == MAX_DOCUMENT_BYTES
    attach_file = desk.documents.attach_file
    folder, gone, empty = tmp_path / "folder", tmp_path / "gone.png", tmp_path / "empty.png"
    folder.mkdir()
    empty.touch()
    assert refusal(lambda: attach_file(folder)) == wrong_document(
        "“folder” is a folder. Please choose the files in it."
    )
    assert refusal(lambda: attach_file(gone)) == wrong_document("“gone.png” no longer exists.")
    assert refusal(lambda: attach_file(empty)) == wrong_document("“empty.png” is empty.")


# --- what is remembered ---------------------------------------------------------------------------


def test_a_bill_stays_turned_after_a_restart_and_its_bytes_are_the_same(desk: Desk) -> None:
    bill, other = (desk.documents.attach_bytes(PNG + data, "bill.png") for data in (b"1", b"2"))
    assert [desk.documents.turns(bill), desk.documents.turn(bill, -1), desk.documents.turn(bill, 6)] == [
        *(0, 3, 1)
    ]
    assert desk.documents.fetch(bill).read_bytes() == PNG + b"1"
    desk.restart()
    assert (desk.documents.turns(bill), desk.documents.turns(other)) == (1, 0)
    assert (desk.documents.turn(bill, -1), desk.documents.turns(bill)) == (0, 0)


def test_the_folders_used_last_are_remembered_as_long_as_they_are_there(desk: Desk, tmp_path: Path) -> None:
    assert desk.folders.taken_from() is desk.folders.saved_in() is None
    scans, mail = tmp_path / "scans", tmp_path / "mail"
    for folder in (scans, mail):
        folder.mkdir()
        (folder / "bill.png").write_bytes(PNG)
    desk.documents.attach_file(scans / "bill.png")
    assert desk.folders.taken_from() == scans
    desk.documents.attach_open(desk.documents.open_files([mail / "bill.png"]).files[0])
    assert desk.folders.path_to_save("a.csv") == "a.csv"
    desk.folders.note_saved(scans)
    desk.restart()
    assert desk.folders.path_to_save("a.csv") == str(scans / "a.csv")
    assert (desk.folders.taken_from(), desk.folders.saved_in()) == (mail, scans)
    (mail / "bill.png").unlink()
    mail.rmdir()
    assert (desk.folders.taken_from(), desk.folders.saved_in()) == (None, scans)
    desk.folders.note_taken(scans)
    assert desk.folders.taken_from() == scans


# --- fetching -------------------------------------------------------------------------------------


@pytest.fixture
def sent(book: Desk) -> DocumentInfo:
    """A bill at the server."""
    return book.confirm("Taxi", "1", book.documents.attach_bytes(PNG, "bill.png")).documents[0]


def test_a_bill_attached_on_another_computer_is_downloaded(book: Desk, sent: DocumentInfo) -> None:
    other = book.elsewhere()
    assert other.documents.fetch(sent).read_bytes() == PNG


def test_a_stored_bill_needs_no_server(start_stage: StartStage) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    waiting = desk.documents.attach_bytes(PNG, "bill.png")
    sent = desk.confirm("Taxi", "1", desk.documents.attach_bytes(PNG + b"2", "2.png")).documents[0]
    other = desk.elsewhere()
    other.documents.fetch(sent)
    stage.stop()
    assert desk.documents.fetch(waiting).read_bytes() == PNG
    assert desk.documents.fetch(sent).read_bytes() == PNG + b"2"
    assert other.documents.fetch(sent).read_bytes() == PNG + b"2"


def test_a_bill_of_another_book_is_not_found(book: Desk, sent: DocumentInfo) -> None:
    other = book.elsewhere()
    stranger = replace(sent, id=NOBODYS, sha256="ab" * 32)
    assert refusal(lambda: other.documents.fetch(stranger)) == not_found("document")


def test_a_bill_damaged_during_the_download_is_not_stored(book: Desk, sent: DocumentInfo) -> None:
    other = book.elsewhere()
    damaged = replace(sent, sha256="ab" * 32)
    for _ in range(2):
        assert refusal(lambda: other.documents.fetch(damaged)) == DAMAGED_DOCUMENT


def test_a_copy_is_complete_or_not_written(book: Desk, sent: DocumentInfo, tmp_path: Path) -> None:
    folder = tmp_path / "copies"
    folder.mkdir()
    place = folder / "copy.png"
    place.write_bytes(b"what was there before")
    book.elsewhere().documents.save_copy(sent, place)
    assert place.read_bytes() == PNG
    attached = book.documents.attach_bytes(PNG + b"2", "2.png")
    book.documents.save_copy(attached, place)
    assert place.read_bytes() == PNG + b"2"
    assert refusal(lambda: book.documents.save_copy(sent, folder / "none" / "copy.png")) == no_folder(
        folder / "none" / "copy.png"
    )
    assert [path.name for path in folder.iterdir()] == ["copy.png"]


def test_a_bill_that_is_not_stored_needs_a_server_and_a_session(
    start_stage: StartStage, tmp_path: Path
) -> None:
    stage = start_stage()
    desk = stage.desk()
    desk.register()
    sent = desk.confirm("Taxi", "1", desk.documents.attach_bytes(PNG, "bill.png")).documents[0]
    other = desk.elsewhere()
    calls: list[Callable[[], object]] = [
        lambda: other.documents.fetch(sent),
        lambda: other.documents.save_copy(sent, tmp_path / "copy.png"),
    ]
    stage.stop()
    assert [refusal(call) for call in calls] == [OFFLINE] * 2
    other.accounts.sign_out()
    assert [refusal(call) for call in calls] == [SIGNED_OUT] * 2
    assert not (tmp_path / "copy.png").exists()


def test_a_stored_bill_survives_a_restart(book: Desk) -> None:
    kept: Attachment = book.documents.attach_bytes(PNG, "bill.png")
    saved = book.save("Taxi", "1", kept)
    book.restart()
    book.login(book.name)
    (bill,) = book.entries.detail(saved.id).documents
    assert book.documents.fetch(bill).read_bytes() == PNG
