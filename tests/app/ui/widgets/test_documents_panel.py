"""The documents panel: pinning, refusing, removing, moving, opening."""

from functools import partial
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QLabel, QPushButton
from pytestqt.qtbot import QtBot

from app.ui.tasks import Tasks
from app.ui.theme import Theme
from app.ui.widgets.document_tile import TILE_MIME, DocumentTile
from app.ui.widgets.documents_panel import DocumentsPanel
from tests.app.ui.conftest import Person, make_photo
from tests.support import bills
from tests.support.fake_services import FakeServices
from tests.support.pdf_files import locked
from tests.support.pictures import blank_png


@pytest.fixture
def panel(qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person) -> DocumentsPanel:
    made = DocumentsPanel(fake.services(), tasks, person.desktop())
    qtbot.addWidget(made)
    made.resize(360, 600)
    made.show()
    return made


def photos(folder: Path, count: int) -> list[Path]:
    return [make_photo(folder / f"{n}.png", f"#{n + 16:02x}3344") for n in range(count)]


def pin(qtbot: QtBot, panel: DocumentsPanel, paths: list[Path]) -> list[DocumentTile]:
    panel.add_files(paths)
    qtbot.waitUntil(lambda: not panel.attaching)
    return panel.tiles()


def names(panel: DocumentsPanel) -> list[str]:
    return [bill.file_name for bill in panel.attachments()]


def test_chosen_files_are_attached(
    qtbot: QtBot, panel: DocumentsPanel, person: Person, tmp_path: Path
) -> None:
    person.files = photos(tmp_path, 2)
    qtbot.mouseClick(panel.browse_button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: names(panel) == ["0.png", "1.png"])
    assert panel.count_label.text() == "2 of 20"


def test_the_twenty_first_bill_is_refused(qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path) -> None:
    pin(qtbot, panel, photos(tmp_path, 22))
    assert len(panel.attachments()) == 20
    assert "at most 20" in panel.refusal.text()


def test_a_file_that_is_not_a_bill_is_refused_and_others_are_attached(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("hello")
    pin(qtbot, panel, [*photos(tmp_path, 1), text])
    assert names(panel) == ["0.png"]
    assert "notes.txt" in panel.refusal.text()


def test_the_same_file_twice_is_refused(qtbot: QtBot, panel: DocumentsPanel, photo: Path) -> None:
    pin(qtbot, panel, [photo, photo])
    assert names(panel) == ["bill.png"]
    assert "already" in panel.refusal.text()


def test_a_bill_can_be_removed(qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path) -> None:
    tiles = pin(qtbot, panel, photos(tmp_path, 3))
    qtbot.mouseClick(tiles[1].remove_button, Qt.MouseButton.LeftButton)
    assert names(panel) == ["0.png", "2.png"]


def test_removing_a_bill_that_is_being_read_emits_settled(
    qtbot: QtBot, panel: DocumentsPanel, photo: Path, tasks: Tasks
) -> None:
    panel.add_files([photo])
    with qtbot.waitSignal(panel.settled):
        panel.tiles()[0].removed.emit(panel.tiles()[0].key)
    assert panel.empty
    qtbot.waitUntil(lambda: not tasks.busy)
    assert panel.empty


def test_tiles_can_be_moved_removed_and_opened_by_keys(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    tiles = pin(qtbot, panel, photos(tmp_path, 3))
    qtbot.keyClick(tiles[0], Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert names(panel) == ["1.png", "0.png", "2.png"]
    qtbot.keyClick(tiles[0], Qt.Key.Key_Left, Qt.KeyboardModifier.AltModifier)
    assert names(panel) == ["0.png", "1.png", "2.png"]
    with qtbot.waitSignal(panel.open_wanted) as told:
        qtbot.keyClick(tiles[2], Qt.Key.Key_Return)
    assert told.args[0].file_name == "2.png"
    qtbot.keyClick(tiles[2], Qt.Key.Key_Delete)
    assert names(panel) == ["0.png", "1.png"]


def test_a_tile_can_be_moved_by_dragging(qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path) -> None:
    tiles = pin(qtbot, panel, photos(tmp_path, 3))
    data = QMimeData()
    data.setData(TILE_MIME, tiles[2].key.encode())
    target = tiles[0].mapTo(panel, tiles[0].rect().center())
    left, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    assert not panel.acceptDrops()
    tiles[2].dragged.emit(True)
    assert panel.acceptDrops()
    enter = QDragEnterEvent(target, Qt.DropAction.MoveAction, data, left, none)
    QApplication.sendEvent(panel, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(target), Qt.DropAction.MoveAction, data, left, none)
    QApplication.sendEvent(panel, drop)
    assert names(panel) == ["2.png", "0.png", "1.png"]


def test_the_thumbnail_is_a_picture_of_the_bill(qtbot: QtBot, panel: DocumentsPanel, photo: Path) -> None:
    tile = pin(qtbot, panel, [photo])[0]
    qtbot.waitUntil(lambda: tile.thumbnail.has_picture)
    shown = tile.thumbnail.grab().toImage().pixelColor(50, 40)
    assert shown.name() == "#aabbcc"


def test_the_thumbnail_of_a_long_bill_shows_its_head_sharply(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    tile = pin(qtbot, panel, [bills.till_roll_pdf(tmp_path / "roll.pdf")])[0]

    def darkest() -> int:
        shown = tile.thumbnail.grab().toImage()
        return min(shown.pixelColor(x, y).lightness() for x in range(4, 90) for y in range(4, 80))

    qtbot.waitUntil(lambda: tile.thumbnail.has_picture and darkest() < 120)


def test_a_photo_that_is_cut_off_is_shown_with_a_sentence(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    tile = pin(qtbot, panel, [bills.cut_off_jpeg(tmp_path / "photo.jpg")])[0]
    qtbot.waitUntil(lambda: panel.note.text() != "")
    assert panel.note.text().startswith("“photo.jpg”: ")
    assert tile.thumbnail.has_picture
    assert tile.toolTip() == tile.accessibleDescription() == panel.note.text()


def test_a_page_that_is_too_wide_is_attached_with_a_note(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    pin(qtbot, panel, [bills.endless_page_pdf(tmp_path / "plan.pdf")])
    qtbot.waitUntil(
        lambda: panel.note.text() == "“plan.pdf” is too large to show here. It is attached as it is."
    )


def test_a_bill_that_is_too_costly_is_tried_again_only_when_asked(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path, fake: FakeServices
) -> None:
    sentence = "“loop.pdf” cannot be shown here. It is attached as it is."
    tile = pin(qtbot, panel, [bills.self_drawing_pdf(tmp_path / "loop.pdf")])[0]
    qtbot.waitUntil(lambda: panel.note.text() == sentence)
    assert fake.previews.pid is None, "the worker was ended"
    again = panel.note.findChild(QPushButton)
    assert again is not None
    assert again.text() == "Try again"
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    assert (panel.note.text(), tile.note) == ("", "")
    qtbot.waitUntil(lambda: panel.note.text() == sentence)


def test_the_note_of_a_removed_bill_goes_with_it(qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path) -> None:
    tiles = pin(qtbot, panel, [*photos(tmp_path, 1), bills.endless_page_pdf(tmp_path / "plan.pdf")])
    qtbot.waitUntil(lambda: panel.note.text() != "")
    qtbot.mouseClick(tiles[1].remove_button, Qt.MouseButton.LeftButton)
    assert panel.note.text() == ""


def test_bills_in_view_get_their_pictures_before_the_others(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    panel.resize(260, 420)
    order: list[str] = []
    tiles = pin(qtbot, panel, photos(tmp_path, 12))
    hidden = [tile.file_name for tile in tiles if tile.visibleRegion().isEmpty()]
    assert 0 < len(hidden) < 12
    qtbot.waitUntil(lambda: note_order(tiles, order) == 12)
    assert set(order[:1]).isdisjoint(hidden)


def note_order(tiles: list[DocumentTile], order: list[str]) -> int:
    """Append the names of the tiles that have got a picture, and return how many have one."""
    order += [tile.file_name for tile in tiles if tile.thumbnail.has_picture and tile.file_name not in order]
    return len(order)


def test_each_kind_of_invalid_file_has_its_own_error(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    large = tmp_path / "binder.pdf"
    large.write_bytes(b"%PDF-1.7\n" + bytes(26 * 1024 * 1024))
    text = tmp_path / "notes.pdf"
    text.write_text("Dear Asha")
    folder = tmp_path / "bills of May"
    folder.mkdir()
    pin(qtbot, panel, [large, text, folder])
    assert panel.empty
    assert sorted(panel.refusal.text().splitlines()) == [
        "“bills of May” is a folder. Please choose the files in it.",
        "“binder.pdf” is larger than 25 MB.",
        "“notes.pdf” is not a photo, a scan or a PDF file.",
    ]


def test_a_damaged_pdf_is_attached_with_a_note(qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path) -> None:
    path = tmp_path / "half.pdf"
    path.write_bytes(b"%PDF-1.7\nand then nothing")
    pin(qtbot, panel, [path])
    qtbot.waitUntil(lambda: panel.note.text() != "")
    assert names(panel) == ["half.pdf"]
    assert panel.note.text() == "“half.pdf” seems to be damaged. It is attached as it is."
    panel.tiles()[0].removed.emit(panel.tiles()[0].key)
    assert panel.note.text() == ""


def test_the_passwords_of_pdfs_are_asked_for_one_after_the_other(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    for name, password in (("a.pdf", "one"), ("b.pdf", "two")):
        with pikepdf.Pdf.new() as document:
            document.add_blank_page(page_size=(100 + len(name), 100))
            document.docinfo["/Title"] = name
            document.save(tmp_path / name, encryption=pikepdf.Encryption(owner=password, user=password))
    tiles = {tile.file_name: tile for tile in pin(qtbot, panel, [tmp_path / "a.pdf", tmp_path / "b.pdf"])}
    prompt = panel.prompt
    qtbot.waitUntil(lambda: prompt.isVisible() and all(tile.note for tile in tiles.values()))
    for shown in (1, 2):
        name = prompt.sentence.text().split("”")[0].removeprefix("“")
        assert prompt.sentence.text() == f"“{name}” has a password. It is attached as it is."
        for _ in range(2):
            qtbot.keyClicks(prompt.field, "wrong")
            qtbot.keyClick(prompt.field, Qt.Key.Key_Return)
            assert prompt.field.text() == ""
            qtbot.waitUntil(lambda: prompt.field.property("invalid") == "true")
            assert prompt.sentence.text() == f"“{name}” has another password. Try again."
        qtbot.keyClicks(prompt.field, {"a.pdf": "one", "b.pdf": "two"}[name])
        assert prompt.field.property("invalid") == ""
        qtbot.mouseClick(prompt.show_button, Qt.MouseButton.LeftButton)
        qtbot.waitUntil(partial(getattr, tiles[name].thumbnail, "has_picture"))
        assert tiles[name].note == ""
        assert sum(bool(tile.note) for tile in tiles.values()) == 2 - shown
    assert not prompt.isVisible()
    assert panel.note.text() == ""


def test_a_second_password_may_be_given_while_the_first_is_tried(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    with pikepdf.Pdf.new() as document:
        document.add_blank_page(page_size=(100, 100))
        document.save(tmp_path / "a.pdf", encryption=pikepdf.Encryption(owner="one", user="one"))
    (tile,) = pin(qtbot, panel, [tmp_path / "a.pdf"])
    qtbot.waitUntil(panel.prompt.isVisible)
    for password in ("wrong", "one"):
        qtbot.keyClicks(panel.prompt.field, password)
        qtbot.keyClick(panel.prompt.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: tile.thumbnail.has_picture)
    assert not panel.prompt.isVisible()


def test_the_question_for_a_password_goes_with_its_bill(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path
) -> None:
    locked(tmp_path / "a.pdf")
    (tile,) = pin(qtbot, panel, [tmp_path / "a.pdf"])
    qtbot.waitUntil(panel.prompt.isVisible)
    qtbot.mouseClick(tile.remove_button, Qt.MouseButton.LeftButton)
    assert not panel.prompt.isVisible()
    assert panel.note.text() == ""


def test_an_empty_panel_names_the_keys(panel: DocumentsPanel, qtbot: QtBot, photo: Path) -> None:
    words = [each for each in panel.drop_area.findChildren(QLabel) if each.isVisible()]
    assert all(any(key in each.text() for each in words) for key in ("Drop", "Ctrl+V", "Ctrl+O"))
    pin(qtbot, panel, [photo])
    assert [each.text() for each in words if each.isVisible() and each.text()] == ["Drop photos or PDFs here"]


def test_the_thumbnail_of_a_turned_bill_is_turned(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path, fake: FakeServices
) -> None:
    picture = Image.new("RGB", (100, 100), "blue")
    picture.paste((255, 0, 0), (0, 0, 50, 100))
    picture.save(tmp_path / "bill.png")
    kept = fake.documents.attach_file(tmp_path / "bill.png")
    fake.documents.turn(kept, 1)
    panel.add_kept([kept])
    (tile,) = panel.tiles()
    qtbot.waitUntil(lambda: tile.thumbnail.has_picture)
    shown = tile.thumbnail.grab().toImage()
    assert [shown.pixelColor(49, y).name() for y in (20, 75)] == ["#ff0000", "#0000ff"]


def test_a_huge_picture_is_attached_completely_but_not_shown(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path, fake: FakeServices
) -> None:
    path = blank_png(tmp_path / "site plan.png", 20_000, 10_000)
    pin(qtbot, panel, [path])
    qtbot.waitUntil(lambda: "too large to show" in panel.note.text())
    assert fake.documents.fetch(panel.attachments()[0]).read_bytes() == path.read_bytes()


def test_stored_bills_are_shown_as_tiles(
    qtbot: QtBot, panel: DocumentsPanel, photo: Path, tasks: Tasks, fake: FakeServices
) -> None:
    kept = fake.documents.attach_file(photo)
    panel.add_kept([kept])
    assert panel.attachments() == (kept,)
    assert not panel.attaching
    qtbot.waitUntil(lambda: not tasks.busy)
