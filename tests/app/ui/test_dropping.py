"""Bills that are dropped on the window: always copied, and what is refused is told and not accepted."""

import os
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QCursor, QDropEvent, QImage
from PySide6.QtWidgets import QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.widgets.document_tile import TILE_MIME
from tests.app.ui.conftest import make_photo
from tests.support.drags import ALL, COPY, LINK, MOVE, Drag, data_of, files_data, urls_data
from tests.support.fake_services import FakeServices

SHIFT = Qt.KeyboardModifier.ShiftModifier
CTRL_SHIFT = SHIFT | Qt.KeyboardModifier.ControlModifier


def overlay(window: MainWindow) -> QWidget:
    found = window.findChild(QWidget, "drop_overlay")
    assert isinstance(found, QWidget)
    return found


def text_of(window: MainWindow, name: str) -> str:
    found = window.findChild(QLabel, f"{name}_text")
    assert isinstance(found, QLabel)
    return found.text() if found.isVisible() else ""


def refused(window: MainWindow, data: QMimeData, actions: Qt.DropAction = ALL) -> str:
    """Drag what must be refused, and let go: the other program sends no drop then. Return the sentence, which
    the overlay shows first and the window afterwards."""
    drag = Drag(window, data, actions)
    assert not drag.enter().isAccepted()
    assert overlay(window).isVisible()
    sentence = overlay(window).accessibleName()
    assert not drag.move().isAccepted()
    QCursor.setPos(window.mapToGlobal(window.rect().center()))
    drag.leave()
    assert not overlay(window).isVisible()
    shown = [text_of(window, name) for name in ("documents_refusal", "window_banner", "login_banner")]
    assert [each for each in shown if each] == [sentence]
    return sentence


@pytest.mark.parametrize(
    ("keys", "proposed"),
    [(Qt.KeyboardModifier.NoModifier, COPY), (SHIFT, MOVE), (CTRL_SHIFT, LINK)],
    ids=["none", "shift", "ctrl-shift"],
)
def test_every_drop_is_a_copy_whatever_the_other_program_proposes(
    qtbot: QtBot, book: MainWindow, photo: Path, keys: Qt.KeyboardModifier, proposed: Qt.DropAction
) -> None:
    drag = Drag(book, files_data(photo), ALL, keys)
    events: list[QDropEvent] = [drag.enter(), drag.move(), drag.drop()]
    assert events[0].proposedAction() == proposed
    for event in events:
        assert event.isAccepted()
        assert event.dropAction() is COPY
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    assert photo.exists()


@pytest.mark.parametrize("actions", [MOVE, LINK, MOVE | LINK])
def test_what_may_only_be_moved_or_linked_is_refused(
    book: MainWindow, photo: Path, actions: Qt.DropAction
) -> None:
    assert "Bahi only copies" in refused(book, files_data(photo), actions)
    assert book.entry.documents.empty


def test_the_bytes_are_safe_when_the_drop_returns(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, tmp_path: Path
) -> None:
    files = [make_photo(tmp_path / f"{n}.png", f"#{n:02x}2233") for n in range(6)]
    hashes = {sha256(file.read_bytes()).hexdigest() for file in files}
    gate = threading.Event()
    fake.book.gates["attach"] = lambda: gate.wait(30)  # the copy begins long after the drop
    Drag(book, files_data(*files), ALL, SHIFT).whole()
    for file in files[:3]:
        file.unlink()
    for file in files[3:]:
        file.replace(tmp_path / f"moved-{file.name}")
    gate.set()
    qtbot.waitUntil(lambda: not book.entry.documents.attaching)
    kept = book.entry.documents.attachments()
    assert {bill.sha256 for bill in kept} == hashes
    assert {sha256(fake.files.path(each.sha256).read_bytes()).hexdigest() for each in kept} == hashes
    assert book.entry.documents.refusal.text() == ""


def test_no_descriptor_is_left_open(qtbot: QtBot, book: MainWindow, tmp_path: Path, tasks: Tasks) -> None:
    files = [make_photo(tmp_path / f"{n}.png", f"#{n:02x}2233") for n in range(30)]
    Drag(book, files_data(*files)).whole()
    qtbot.waitUntil(lambda: not book.entry.documents.attaching and not tasks.busy)
    assert len(book.entry.documents.attachments()) == 20
    assert "at most 20" in book.entry.documents.refusal.text()
    open_files = [os.path.realpath(each) for each in Path("/proc/self/fd").iterdir()]
    assert [each for each in open_files if each.endswith(".png")] == []


def test_what_is_no_file_for_a_bill_is_refused_with_its_reason(book: MainWindow, tmp_path: Path) -> None:
    folder, pipe = tmp_path / "May", tmp_path / "pipe.pdf"
    folder.mkdir()
    os.mkfifo(pipe)
    for path, reason in (
        (folder, "“May” is a folder. Please choose the files in it."),
        (pipe, "“pipe.pdf” is not a file that can be copied."),
    ):
        assert refused(book, files_data(path)) == reason
    assert book.entry.documents.empty


def test_a_file_that_is_not_there_is_refused_when_it_is_dropped(
    qtbot: QtBot, book: MainWindow, tmp_path: Path
) -> None:
    path = tmp_path / "from an archive.png"
    drag = Drag(book, files_data(path))
    drag.enter()
    assert not drag.drop().isAccepted()
    assert book.entry.documents.refusal.text() == "“from an archive.png” no longer exists."
    drag.enter()
    make_photo(path)  # an archive program writes it only now
    assert drag.drop().isAccepted()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)


def test_what_becomes_unusable_between_drag_and_drop_is_refused(book: MainWindow, photo: Path) -> None:
    drag = Drag(book, files_data(photo))
    assert drag.enter().isAccepted()
    photo.unlink()
    os.mkfifo(photo)
    drop = drag.drop()
    assert not drop.isAccepted()
    assert "is not a file" in book.entry.documents.refusal.text()


def test_what_comes_after_very_many_files_is_told(qtbot: QtBot, book: MainWindow, tmp_path: Path) -> None:
    texts = [tmp_path / f"{n}.txt" for n in range(45)]
    for text in texts:
        text.write_text("no bill")
    Drag(book, files_data(*texts)).whole()
    qtbot.waitUntil(lambda: not book.entry.documents.attaching)
    told = book.entry.documents.refusal.text()
    assert "Only the first 40 of 45 files were looked at." in told
    assert book.entry.documents.empty


def test_the_files_next_to_a_folder_are_attached_and_the_folder_is_told(
    qtbot: QtBot, book: MainWindow, photo: Path, tmp_path: Path
) -> None:
    (tmp_path / "May").mkdir()
    drop = Drag(book, files_data(tmp_path / "May", photo)).whole()
    assert drop.isAccepted()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    assert "“May” is a folder" in book.entry.documents.refusal.text()


ADDRESSES = [
    ("https://example.com/a%20bill.jpg", "“a bill.jpg” is on the web."),
    ("http://example.com/", "This is on the web."),
    ("mtp://Nokia/DCIM/IMG_1.jpg", "“IMG_1.jpg” is on a phone or camera."),
    ("gphoto2://Canon/1.jpg", "“1.jpg” is on a phone or camera."),
    ("file://otherhost/share/bill.pdf", "“bill.pdf” is on another computer."),
    ("smb://nas/share/bill.pdf", "“bill.pdf” is not on this computer."),
    ("imap://me@mail/INBOX", "“INBOX” is in a mail program."),
    ("blob:https://example.com/1234", "is on the web."),
]


def test_an_address_that_is_no_file_of_this_computer_is_told(book: MainWindow) -> None:
    for url, where in ADDRESSES:
        sentence = refused(book, urls_data(url))
        assert where in sentence
        assert "to this computer first" in sentence


def test_text_and_offers_without_bytes_are_told(book: MainWindow) -> None:
    text = QMimeData()
    text.setText("Tea for visitors")
    assert "only text" in refused(book, text)
    virtual = data_of({"application/x-moz-file-promise": b"", "application/x-something": b"1"})
    assert "nothing that Bahi can read" in refused(book, virtual)
    assert "could not be read" in refused_at_drop(book, data_of({"image/png": b""}))


def refused_at_drop(book: MainWindow, data: QMimeData) -> str:
    drop = Drag(book, data).whole()
    assert not drop.isAccepted()
    return book.entry.documents.refusal.text()


def test_a_picture_dragged_out_of_a_browser_is_taken_instead_of_its_address(
    qtbot: QtBot, book: MainWindow, photo: Path, fake: FakeServices
) -> None:
    data = data_of({"text/uri-list": b"https://example.com/bill.png", "image/png": photo.read_bytes()})
    assert Drag(book, data).whole().isAccepted()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    kept = book.entry.documents.attachments()[0]
    assert kept.sha256 == sha256(photo.read_bytes()).hexdigest()
    assert kept.file_name == "Pasted picture.png"


def test_file_addresses_of_every_form_are_understood(
    qtbot: QtBot, book: MainWindow, photo: Path, tmp_path: Path
) -> None:
    odd = tmp_path / os.fsdecode("caf\u00e9 #1 100%.png".encode("latin-1"))
    make_photo(tmp_path / "two.png", "#102030").rename(odd)
    latin = "".join(f"%{byte:02X}" for byte in os.fsencode(odd.name))
    urls = (f"file://localhost{photo}", f"file://{tmp_path}/{latin}")
    assert Drag(book, urls_data(*urls)).whole().isAccepted()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 2)


def test_nothing_can_be_dropped_before_a_book_is_open(window: MainWindow, photo: Path) -> None:
    assert "open your book first" in refused(window, files_data(photo))
    assert "open your book first" in text_of(window, "login_banner")


def test_nothing_can_be_dropped_while_a_dialog_is_open(
    qtbot: QtBot, book: MainWindow, photo: Path, tasks: Tasks
) -> None:
    book.sidebar.account_wanted.emit()
    qtbot.waitUntil(lambda: book.findChild(QWidget, "account_dialog") is not None and not tasks.busy)
    assert "close the dialog first" in refused(book, files_data(photo))
    dialog = book.findChild(QWidget, "account_dialog")
    assert isinstance(dialog, QWidget)
    drag = Drag(dialog, files_data(photo))
    assert not drag.enter().isAccepted()
    shown = dialog.findChild(QWidget, "drop_overlay")
    assert isinstance(shown, QWidget)
    assert shown.isVisible()
    assert "close this dialog first" in shown.accessibleName()
    drag.leave()
    assert not shown.isVisible()
    book.dialogs.close_all()
    assert Drag(book, files_data(photo)).whole().isAccepted()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)


def test_a_bill_dropped_while_the_entry_is_saved_is_refused_and_not_lost_silently(
    qtbot: QtBot, book: MainWindow, photo: Path, fake: FakeServices
) -> None:
    gate = threading.Event()
    fake.book.gates["save"] = lambda: gate.wait(30)
    form = book.entry.form
    form.amount.setText("85")
    form.category.setText("Travel")
    form.description.setText("Auto")
    book.entry.save()
    assert "being saved" in refused(book, files_data(photo))
    with qtbot.waitSignal(book.entry.saved):
        gate.set()
    assert "being saved" in text_of(book, "window_banner")  # the form was emptied since


def test_a_refused_drag_that_leaves_takes_its_sentence_along(book: MainWindow) -> None:
    drag = Drag(book, urls_data("mtp://Nokia/1.jpg"))
    drag.enter()
    QCursor.setPos(book.mapToGlobal(QPoint(-40, 40)))
    drag.leave()
    assert not overlay(book).isVisible()
    assert text_of(book, "documents_refusal") == ""


def test_a_tile_dragged_out_of_its_panel_is_nothing_to_drop(book: MainWindow) -> None:
    drag = Drag(book, data_of({TILE_MIME: b"1"}), MOVE)
    assert not drag.enter().isAccepted()
    assert not overlay(book).isVisible()
    assert not drag.drop().isAccepted()
    assert text_of(book, "documents_refusal") == ""


def test_no_text_field_takes_the_path_of_a_dropped_file(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    book.sidebar.account_wanted.emit()
    qtbot.waitUntil(lambda: book.findChild(QWidget, "account_dialog") is not None and not tasks.busy)
    fields = [each for each in book.findChildren(QLineEdit) if not each.objectName().startswith("qt_")]
    assert len(fields) > 10
    assert [each.objectName() for each in fields if each.acceptDrops()] == []
    book.dialogs.close_all()


def test_nothing_in_the_window_takes_the_end_of_a_drag_from_it(book: MainWindow) -> None:
    """Qt tells the end of a refused drag only to the widget under the mouse that accepts drops."""
    assert [each.objectName() for each in book.findChildren(QWidget) if each.acceptDrops()] == []


# a drop on the listing


def select(qtbot: QtBot, book: MainWindow, row: int, tasks: Tasks) -> str:
    book.show_listing()
    book.listing.table.selectRow(row)
    qtbot.waitUntil(lambda: not tasks.busy)
    entry = book.listing.model.entry_at(row)
    assert entry is not None
    return entry.id


def bills_of(fake: FakeServices, entry_id: str) -> set[str]:
    return {document.sha256 for document in fake.entries.detail(entry_id).documents}


def test_a_bill_dropped_on_the_listing_goes_to_the_selected_entry_and_undo_takes_it_away(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    entry_id = select(qtbot, book, 3, tasks)
    before = bills_of(fake, entry_id)
    drag = Drag(book, files_data(photo), ALL, SHIFT)
    drag.enter()
    assert overlay(book).accessibleName() == "Drop to attach to 0K7-000117 · Printer paper and toner"
    assert drag.drop().dropAction() is COPY
    photo_hash = sha256(photo.read_bytes()).hexdigest()
    photo.unlink()
    qtbot.waitUntil(lambda: book.book.toast.text() == "Attached “bill.png” to 0K7-000117")
    qtbot.waitUntil(lambda: bills_of(fake, entry_id) == {*before, photo_hash} and not tasks.busy)
    assert book.listing.isVisible()
    assert book.entry.documents.empty
    qtbot.keyClick(book, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bills_of(fake, entry_id) == before and not tasks.busy)


def test_the_first_new_bill_is_shown_after_a_drop_and_stays_when_it_is_sent(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    entry_id = select(qtbot, book, 3, tasks)
    old = len(bills_of(fake, entry_id))
    assert old > 0
    Drag(book, files_data(photo, make_photo(photo.with_name("second.png"), "#123456"))).whole()
    viewer = book.listing.details.viewer
    qtbot.waitUntil(lambda: len(bills_of(fake, entry_id)) == old + 2 and not tasks.busy)
    assert viewer.tools.name.text().startswith("bill.png")
    assert viewer.tools.position.text() == f"Bill {old + 1} of {old + 2}"
    book.sync.send_now()
    qtbot.waitUntil(lambda: not tasks.busy)
    book.listing.refresh()
    qtbot.waitUntil(lambda: not tasks.busy)
    assert viewer.tools.name.text().startswith("bill.png")


def test_the_bill_waits_in_the_outbox_when_no_server_answers(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    entry_id = select(qtbot, book, 3, tasks)  # its bills were shown, so they are known here
    fake.book.offline = True
    Drag(book, files_data(photo)).whole()
    qtbot.waitUntil(lambda: "Attached" in book.book.toast.text())
    assert len(bills_of(fake, entry_id)) == 2
    assert [row.id for row in fake.waiting()] == [entry_id]


def test_an_entry_whose_bills_are_not_known_offline_gets_none_and_says_so(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    fake.book.offline = True
    select(qtbot, book, 40, tasks)
    Drag(book, files_data(photo)).whole()
    qtbot.waitUntil(lambda: "Nothing was attached to 0K7-000080" in text_of(book, "window_banner"))
    assert fake.waiting() == []


def test_what_the_selected_entry_has_already_is_told(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    entry_id = select(qtbot, book, 3, tasks)
    Drag(book, files_data(photo)).whole()
    qtbot.waitUntil(lambda: len(bills_of(fake, entry_id)) == 2 and not tasks.busy)
    other = make_photo(photo.with_name("other.png"), "#123456")
    text = photo.with_name("notes.txt")
    text.write_text("hello")
    Drag(book, files_data(photo, other, text)).whole()
    qtbot.waitUntil(lambda: len(bills_of(fake, entry_id)) == 3 and not tasks.busy)
    told = text_of(book, "window_banner")
    assert "“bill.png” is already attached to 0K7-000117." in told
    assert "“notes.txt” is not a photo" in told
    assert book.book.toast.text() == "Attached “other.png” to 0K7-000117"


def test_a_voided_entry_takes_no_bill(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks
) -> None:
    entry_id = select(qtbot, book, 2, tasks)
    fake.entries.void(fake.entries.detail(entry_id))
    book.listing.filters.findChild(QWidget, "shown_all").click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: not tasks.busy)
    row = book.listing.model.row_of(entry_id)
    select(qtbot, book, row, tasks)
    assert "is crossed out. Restore it first" in refused(book, files_data(photo))


def test_a_drop_on_the_listing_without_a_selection_begins_a_new_entry(
    qtbot: QtBot, book: MainWindow, photo: Path, tasks: Tasks
) -> None:
    book.show_listing()
    book.listing.filters.search.setText("nothing like it")
    qtbot.waitUntil(lambda: book.listing.empty.isVisible() and not tasks.busy)
    drag = Drag(book, files_data(photo))
    drag.enter()
    assert overlay(book).accessibleName() == "Drop to attach to a new entry"
    drag.drop()
    assert book.entry.isVisible()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)


def test_the_overlay_shows_a_long_sentence_in_several_lines(book: MainWindow, tmp_path: Path) -> None:
    Drag(book, urls_data(f"mtp://phone/{'long ' * 12}.jpg")).enter()
    shown = overlay(book).grab().toImage()
    assert shown.format() != QImage.Format.Format_Invalid
    assert overlay(book).size() == book.centralWidget().size()
