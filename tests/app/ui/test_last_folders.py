"""A dialog for files begins where the user was last: to attach bills, and to save files."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QStandardPaths, Qt, QTimer
from PySide6.QtWidgets import QApplication, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from app.ui import desktop
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import Person, make_photo
from tests.support.drags import Drag, copy_data, files_data
from tests.support.fake_services import FakeServices

CTRL = Qt.KeyboardModifier.ControlModifier


def photo_in(folder: Path, colour: str) -> Path:
    folder.mkdir()
    return make_photo(folder / "bill.png", colour)


def browse(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    qtbot.keyClick(book.entry.documents.browse_button, Qt.Key.Key_O, CTRL)
    qtbot.waitUntil(lambda: not tasks.busy)


def test_browse_begins_where_bills_were_last_taken_from(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, person: Person, tmp_path: Path
) -> None:
    places = [tmp_path / name for name in ("scans", "dropped", "pasted")]
    chosen, dropped, pasted = (photo_in(each, f"#{at}23456") for at, each in enumerate(places))
    person.files = [chosen]
    browse(qtbot, book, tasks)
    person.files = []
    browse(qtbot, book, tasks)
    assert person.starts == [None, places[0]]
    Drag(book, files_data(dropped)).whole()
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 2 and not tasks.busy)
    browse(qtbot, book, tasks)
    copy_data(files_data(pasted))
    qtbot.keyClick(book.entry.documents.browse_button, Qt.Key.Key_V, CTRL)
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 3 and not tasks.busy)
    browse(qtbot, book, tasks)
    assert person.starts[2:] == places[1:]


def test_browse_begins_elsewhere_when_that_folder_has_gone(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, person: Person, tmp_path: Path
) -> None:
    photo = photo_in(tmp_path / "stick", "#123456")
    person.files = [photo]
    browse(qtbot, book, tasks)
    photo.unlink()
    photo.parent.rmdir()
    person.files = []
    browse(qtbot, book, tasks)
    assert person.starts == [None, None]


def test_what_was_not_attached_is_no_place_to_begin(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, person: Person, tmp_path: Path
) -> None:
    (tmp_path / "notes.txt").write_text("Dear Asha")
    person.files = [tmp_path / "notes.txt"]
    browse(qtbot, book, tasks)
    browse(qtbot, book, tasks)
    assert person.starts == [None, None]


def test_save_as_begins_where_a_file_was_last_saved(
    qtbot: QtBot, book: MainWindow, tasks: Tasks, person: Person, fake: FakeServices, tmp_path: Path
) -> None:
    folder = tmp_path / "copies"
    bill = fake.documents.attach_file(photo_in(tmp_path / "scans", "#123456"))
    folder.mkdir()
    person.save_path = folder / "another name.png"
    for _ in range(2):
        book.opener.save_as(bill)
        qtbot.waitUntil(lambda: not tasks.busy)
    assert person.starts == ["bill.png", str(folder / "bill.png")]
    assert (folder / "another name.png").is_file()


@pytest.mark.parametrize("known", [True, False])
def test_the_dialogs_of_the_desktop_begin_there(qtbot: QtBot, tmp_path: Path, known: bool) -> None:
    parent = QWidget()
    qtbot.addWidget(parent)
    begun: list[Path] = []

    def look() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, QFileDialog)
        begun.append(Path(dialog.directory().absolutePath()))
        dialog.reject()

    folder = tmp_path if known else None
    dialogs: list[Callable[[], object]] = [
        lambda: desktop.choose_files(parent, folder),
        lambda: desktop.choose_folder(parent, folder),
        lambda: desktop.choose_save_path(parent, str(tmp_path / "a.csv") if known else "a.csv"),
    ]
    for show in dialogs:
        QTimer.singleShot(0, parent, look)
        assert not show()
    place = QStandardPaths.StandardLocation
    usual = [place.PicturesLocation, place.DocumentsLocation, place.HomeLocation]
    users = [Path(name) for each in usual for name in QStandardPaths.standardLocations(each)]
    assert begun == [tmp_path] * 3 if known else all(each in users for each in begun)
