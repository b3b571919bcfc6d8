"""The documents panel: pinning, refusing, removing, moving, opening."""

from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.ui.tasks import Tasks
from app.ui.theme import Theme
from app.ui.widgets.document_tile import TILE_MIME, DocumentTile
from app.ui.widgets.documents_panel import DocumentsPanel
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import FakeServices
from tests.support.pictures import GREY, blank_png


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
    enter = QDragEnterEvent(target, Qt.DropAction.MoveAction, data, left, none)
    QApplication.sendEvent(panel, enter)
    assert enter.isAccepted()
    drop = QDropEvent(QPointF(target), Qt.DropAction.MoveAction, data, left, none)
    QApplication.sendEvent(panel, drop)
    assert names(panel) == ["2.png", "0.png", "1.png"]


def test_the_thumbnail_is_a_picture_of_the_bill(
    qtbot: QtBot, panel: DocumentsPanel, photo: Path, tasks: Tasks
) -> None:
    tile = pin(qtbot, panel, [photo])[0]
    qtbot.waitUntil(lambda: not tasks.busy)
    shown = tile.thumbnail.grab().toImage().pixelColor(50, 40)
    assert shown.name() == "#aabbcc"


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


def test_a_damaged_pdf_is_attached_with_a_note(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path, tasks: Tasks
) -> None:
    path = tmp_path / "half.pdf"
    path.write_bytes(b"%PDF-1.7\nand then nothing")
    pin(qtbot, panel, [path])
    qtbot.waitUntil(lambda: not tasks.busy)
    assert names(panel) == ["half.pdf"]
    assert panel.note.text() == "“half.pdf” seems to be damaged. It is attached as it is."
    panel.tiles()[0].removed.emit(panel.tiles()[0].key)
    assert panel.note.text() == ""


def test_a_huge_picture_is_attached_completely_but_not_shown(
    qtbot: QtBot, panel: DocumentsPanel, tmp_path: Path, tasks: Tasks, fake: FakeServices
) -> None:
    path = blank_png(tmp_path / "site plan.png", 20_000, 15_000, GREY)
    pin(qtbot, panel, [path])
    qtbot.waitUntil(lambda: not tasks.busy)
    assert "too large to show" in panel.note.text()
    assert fake.documents.fetch(panel.attachments()[0]).read_bytes() == path.read_bytes()


def test_stored_bills_are_shown_as_tiles(
    qtbot: QtBot, panel: DocumentsPanel, photo: Path, tasks: Tasks, fake: FakeServices
) -> None:
    kept = fake.documents.attach_file(photo)
    panel.add_kept([kept])
    assert panel.attachments() == (kept,)
    assert not panel.attaching
    qtbot.waitUntil(lambda: not tasks.busy)
