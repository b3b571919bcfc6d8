"""Bills that are pasted: from any field, by keys and by the menu; text stays text."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, Qt
from PySide6.QtGui import QAction, QColor, QContextMenuEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QMenu, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from tests.app.ui.conftest import make_photo
from tests.support.drags import copy_data, data_of, files_data, urls_data
from tests.support.fake_services import FakeServices

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
FIELDS = ("date_field", "amount_field", "category_field", "description_field")


def field(book: MainWindow, name: str) -> QLineEdit:
    found = book.findChild(QLineEdit, name)
    assert isinstance(found, QLineEdit)
    return found


def paste(qtbot: QtBot, target: QWidget) -> None:
    target.setFocus()
    qtbot.keyClick(target, Qt.Key.Key_V, CTRL)


def pinned(qtbot: QtBot, book: MainWindow, count: int = 1) -> list[str]:
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == count)
    return [bill.file_name for bill in book.entry.documents.attachments()]


def picture(edge: int = 40) -> QImage:
    image = QImage(edge, edge, QImage.Format.Format_RGB32)
    image.fill(QColor("#336699"))
    return image


def from_word(text: str = "Tea 12.50") -> QMimeData:
    data = QMimeData()
    data.setText(text)
    data.setHtml(f"<b>{text}</b>")
    data.setImageData(picture())
    return data


def copied_files(photo: Path, how: str) -> QMimeData:
    lines = f"{how}\nfile://{photo}".encode()
    return {
        "uris": lambda: files_data(photo),
        "copy": lambda: data_of({"x-special/gnome-copied-files": lines}),
        "cut": lambda: data_of({"x-special/gnome-copied-files": lines}),
        "text": lambda: data_of({"text/plain": b"x-special/nautilus-clipboard\ncopy\n" + lines[5:] + b"\n"}),
        "both": lambda: data_of(
            {
                "text/uri-list": f"file://{photo}\r\n".encode(),
                "text/plain": str(photo).encode(),
                "x-special/gnome-copied-files": lines,
            }
        ),
    }[how]()


@pytest.mark.parametrize("how", ["uris", "copy", "cut", "text", "both"])
def test_a_copied_file_is_attached_from_any_field_and_the_field_is_untouched(
    qtbot: QtBot, book: MainWindow, tmp_path: Path, how: str, fake: FakeServices
) -> None:
    for count, name in enumerate(FIELDS, 1):
        photo = make_photo(tmp_path / f"{name}.png", f"#aabbc{count}")
        editor = field(book, name)
        before = editor.text()
        copy_data(copied_files(photo, how))
        paste(qtbot, editor)
        assert pinned(qtbot, book, count)[-1] == photo.name
        assert editor.text() == before
        assert photo.exists()
        kept = book.entry.documents.attachments()[-1]
        assert fake.files.path(kept.sha256).read_bytes() == photo.read_bytes()


def by_shift_insert(qtbot: QtBot, book: MainWindow) -> None:
    qtbot.keyClick(field(book, "amount_field"), Qt.Key.Key_Insert, SHIFT)


def by_menu(qtbot: QtBot, book: MainWindow) -> None:
    editor = field(book, "amount_field")
    QApplication.sendEvent(
        editor, QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(5, 5), QPoint(50, 50))
    )
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    action = menu.findChild(QAction, "paste_action")
    assert isinstance(action, QAction)
    menu.setActiveAction(action)
    qtbot.keyClick(menu, Qt.Key.Key_Return)


def without_focus(qtbot: QtBot, book: MainWindow) -> None:
    focus = QApplication.focusWidget()
    if focus is not None:
        focus.clearFocus()
    qtbot.keyClick(book, Qt.Key.Key_V, CTRL)


def on_a_button(qtbot: QtBot, book: MainWindow) -> None:
    paste(qtbot, book.sidebar.add_button)


WAYS = [by_shift_insert, by_menu, without_focus, on_a_button]


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_paste_attaches_files_and_pictures(
    qtbot: QtBot, book: MainWindow, photo: Path, way: Callable[[QtBot, MainWindow], None]
) -> None:
    copy_data(files_data(photo))
    way(qtbot, book)
    assert pinned(qtbot, book) == ["bill.png"]
    QGuiApplication.clipboard().setImage(picture())
    way(qtbot, book)
    assert pinned(qtbot, book, 2) == ["bill.png", "Pasted picture.png"]
    assert field(book, "amount_field").text() == ""


@pytest.mark.parametrize("way", [by_shift_insert, by_menu])
def test_plain_text_is_pasted_as_text(
    qtbot: QtBot, book: MainWindow, way: Callable[[QtBot, MainWindow], None]
) -> None:
    QGuiApplication.clipboard().setText("85.50")
    way(qtbot, book)
    assert field(book, "amount_field").text() == "85.50"
    assert book.entry.documents.empty


def test_the_address_of_a_web_page_is_text_in_a_field_and_told_elsewhere(
    qtbot: QtBot, book: MainWindow
) -> None:
    link = b"https://example.com/bill/7"
    copy_data(data_of({"text/uri-list": link, "text/plain": link}))
    paste(qtbot, field(book, "description_field"))
    assert field(book, "description_field").text() == link.decode()
    without_focus(qtbot, book)
    assert field(book, "description_field").text() == link.decode()
    assert book.entry.documents.empty


def test_a_file_on_a_phone_is_told_and_nothing_is_typed(qtbot: QtBot, book: MainWindow) -> None:
    copy_data(urls_data("mtp://Nokia/DCIM/IMG_1.jpg"))
    paste(qtbot, field(book, "amount_field"))
    assert "is on a phone or camera" in book.entry.documents.refusal.text()
    assert field(book, "amount_field").text() == ""


@pytest.mark.parametrize("formats", [{"image/png": b"no picture"}, {"image/png": b""}, {"image/jpeg": b"x"}])
def test_a_broken_picture_is_told_and_nothing_is_typed(
    qtbot: QtBot, book: MainWindow, formats: dict[str, bytes]
) -> None:
    copy_data(data_of(formats))
    paste(qtbot, field(book, "amount_field"))
    qtbot.waitUntil(lambda: book.entry.documents.refusal.text() != "")
    assert book.entry.documents.empty
    assert field(book, "amount_field").text() == ""


def test_an_empty_clipboard_is_told(qtbot: QtBot, book: MainWindow) -> None:
    QGuiApplication.clipboard().clear()
    without_focus(qtbot, book)
    assert "no picture or file in the clipboard" in book.entry.documents.refusal.text()


def choice(book: MainWindow) -> QWidget:
    found = book.findChild(QWidget, "paste_choice")
    assert isinstance(found, QWidget)
    return found


def answer(book: MainWindow, name: str) -> QPushButton:
    found = choice(book).findChild(QPushButton, f"paste_choice_{name}")
    assert isinstance(found, QPushButton)
    return found


def test_a_text_with_a_picture_is_asked_about_in_a_field(qtbot: QtBot, book: MainWindow) -> None:
    editor = field(book, "description_field")
    copy_data(from_word())
    paste(qtbot, editor)
    assert choice(book).isVisible()
    assert editor.text() == ""
    assert book.entry.documents.empty
    QGuiApplication.clipboard().setText("something else")  # what was asked about is what counts
    qtbot.mouseClick(answer(book, "text"), Qt.MouseButton.LeftButton)
    assert editor.text() == "Tea 12.50"
    assert not choice(book).isVisible()
    assert book.entry.documents.empty


def test_the_question_is_answered_by_keys_and_the_focus_comes_back(qtbot: QtBot, book: MainWindow) -> None:
    editor = field(book, "amount_field")
    copy_data(from_word("12.50"))
    paste(qtbot, editor)
    qtbot.keyClick(answer(book, "text"), Qt.Key.Key_Right)
    assert answer(book, "picture").hasFocus()
    qtbot.keyClick(answer(book, "picture"), Qt.Key.Key_Return)
    assert pinned(qtbot, book) == ["Pasted picture.png"]
    assert editor.text() == ""
    assert editor.hasFocus()


def test_escape_closes_the_question_and_only_the_question(qtbot: QtBot, book: MainWindow) -> None:
    editor = field(book, "amount_field")
    qtbot.keyClicks(editor, "85")
    copy_data(from_word())
    paste(qtbot, editor)
    qtbot.keyClick(answer(book, "text"), Qt.Key.Key_Escape)
    assert not choice(book).isVisible()
    assert editor.text() == "85"
    assert editor.hasFocus()
    assert book.entry.documents.empty


def test_the_question_ends_when_the_entry_is_saved(qtbot: QtBot, book: MainWindow) -> None:
    for name, text in (("amount_field", "85"), ("category_field", "Tea"), ("description_field", "Tea")):
        qtbot.keyClicks(field(book, name), text)
    copy_data(from_word())
    paste(qtbot, field(book, "description_field"))
    assert choice(book).isVisible()
    with qtbot.waitSignal(book.entry.saved) as saved:
        qtbot.keyClick(answer(book, "text"), Qt.Key.Key_Return, CTRL)
    assert not choice(book).isVisible()
    assert saved.args[0].description == "Tea"
    assert saved.args[0].document_count == 0


def test_a_text_with_a_picture_is_a_picture_outside_of_fields(qtbot: QtBot, book: MainWindow) -> None:
    copy_data(from_word())
    without_focus(qtbot, book)
    assert pinned(qtbot, book) == ["Pasted picture.png"]
    assert not choice(book).isVisible()


def test_a_picture_with_an_empty_text_is_a_picture(qtbot: QtBot, book: MainWindow) -> None:
    copy_data(from_word(" \n"))
    paste(qtbot, field(book, "description_field"))
    assert pinned(qtbot, book) == ["Pasted picture.png"]
    assert field(book, "description_field").text() == ""


# in the listing


def in_listing(qtbot: QtBot, book: MainWindow, tasks: Tasks, row: int = 3) -> str:
    book.show_listing()
    book.listing.table.selectRow(row)
    qtbot.waitUntil(lambda: not tasks.busy)
    entry = book.listing.model.entry_at(row)
    assert entry is not None
    return entry.id


@pytest.mark.parametrize("where", ["entry_table", "search_field", "from_field"])
def test_a_file_pasted_in_the_listing_goes_to_the_selected_entry(
    qtbot: QtBot, book: MainWindow, fake: FakeServices, photo: Path, tasks: Tasks, where: str
) -> None:
    entry_id = in_listing(qtbot, book, tasks)
    target = book.findChild(QWidget, where)
    assert isinstance(target, QWidget)
    copy_data(files_data(photo))
    paste(qtbot, target)
    qtbot.waitUntil(lambda: "Attached “bill.png”" in book.book.toast.text() and not tasks.busy)
    added = sha256(photo.read_bytes()).hexdigest()
    assert added in {document.sha256 for document in fake.entries.detail(entry_id).documents}
    assert not isinstance(target, QLineEdit) or target.text() == ""


def test_text_is_text_in_the_search_field_also_next_to_a_picture(
    qtbot: QtBot, book: MainWindow, tasks: Tasks
) -> None:
    in_listing(qtbot, book, tasks)
    copy_data(from_word("taxi"))
    paste(qtbot, field(book, "search_field"))
    assert field(book, "search_field").text() == "taxi"
    qtbot.waitUntil(lambda: not tasks.busy)
    assert book.book.toast.text() == ""


def test_text_pasted_on_the_table_is_told(qtbot: QtBot, book: MainWindow, tasks: Tasks) -> None:
    in_listing(qtbot, book, tasks)
    QGuiApplication.clipboard().setText("taxi")
    paste(qtbot, book.listing.table)
    told = book.findChild(QLabel, "window_banner_text")
    assert isinstance(told, QLabel)
    assert "no picture or file" in told.text()
