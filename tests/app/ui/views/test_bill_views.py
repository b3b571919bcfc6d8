"""How the bills of an entry are chosen, turned and unlocked in the window, by keys and clicks."""

import logging
from collections.abc import Callable
from pathlib import Path

import pikepdf
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.ui.main_window import MainWindow
from app.ui.page_zoom import Fit
from app.ui.tasks import Tasks
from app.ui.widgets.bill_strip import BillStrip
from app.ui.widgets.password_prompt import PasswordPrompt
from tests.app.ui.views.test_document_viewer import NO_BILL, ROW, Reader, is_like
from tests.support import bills
from tests.support.fake_services import FakeServices

PASSWORD = "Reis & Öl 42"


@pytest.fixture
def reader(qtbot: QtBot, book: MainWindow, fake: FakeServices) -> Reader:
    book.resize(1280, 860)
    book.show_listing()
    made = Reader(qtbot, book, fake)
    made.select(NO_BILL)
    return made


def two_colours(path: Path) -> Path:
    """Write a picture of 300 by 200 pixels: its left half is red, its right half is blue."""
    made = Image.new("RGB", (300, 200), "blue")
    made.paste((255, 0, 0), (0, 0, 150, 200))
    made.save(path)
    return path


def plain(path: Path, colour: str) -> Path:
    """Write a picture in one colour."""
    Image.new("RGB", (120, 160), colour).save(path)
    return path


def locked_pdf(path: Path, pages: int = 2) -> Path:
    """Write a PDF of red pages with a password."""
    with pikepdf.Pdf.new() as document:
        for _ in range(pages):
            page = document.add_blank_page(page_size=(150, 150))
            page.Contents = document.make_stream(b"1 0 0 rg 0 0 150 150 re f")
        document.save(path, encryption=pikepdf.Encryption(owner=PASSWORD, user=PASSWORD))
    return path


def strip_colour(strip: BillStrip, at: int) -> QColor:
    """Return the colour in the middle of a bill's small picture."""
    place = strip.visualRect(strip.model().index(at, 0)).center()
    image = strip.viewport().grab().toImage()
    return image.pixelColor(place * image.devicePixelRatio())


# --- the strip of bills ---------------------------------------------------------------------------


def test_each_bill_has_a_small_picture_and_is_chosen_by_click_or_arrow_key(
    reader: Reader, tmp_path: Path
) -> None:
    colours = ["red", "green", "blue"]
    reader.look_at(*(plain(tmp_path / f"{colour}.png", colour) for colour in colours))
    strip, viewer = reader.viewer.strip, reader.viewer
    assert strip.isVisible()
    reader.qtbot.waitUntil(lambda: all(strip.has_picture(at) for at in range(3)))
    for at, colour in enumerate(colours):
        assert is_like(strip_colour(strip, at), QColor(colour).name())
    place = strip.visualRect(strip.model().index(2, 0)).center()
    reader.qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=place)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "blue"))
    assert viewer.tools.position.text() == "Bill 3 of 3"
    reader.qtbot.keyClick(strip, Qt.Key.Key_Left)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), QColor("green").name()))
    assert viewer.tools.name.text().startswith("green.png")
    reader.qtbot.keyClick(strip, Qt.Key.Key_Home)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "red"))
    reader.click(viewer.tools.next)
    assert strip.currentRow() == 1, "the strip follows the page buttons"


def test_the_strip_is_reached_with_tab_and_says_what_it_shows(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(plain(tmp_path / "a.png", "red"), plain(tmp_path / "b.png", "blue"))
    strip = reader.viewer.strip
    reader.canvas.setFocus()
    reader.qtbot.keyClick(reader.canvas, Qt.Key.Key_Tab)
    assert reader.window.focusWidget() is strip
    assert strip.model().index(1, 0).data(Qt.ItemDataRole.AccessibleTextRole) == "Bill 2 of 2: b.png"
    reader.qtbot.keyClick(strip, Qt.Key.Key_1)
    assert reader.canvas.zoom == 1.0, "the keys of the viewer work there too"


def test_bills_and_pages_are_counted_apart(reader: Reader, tmp_path: Path) -> None:
    scan, photo = bills.two_page_tiff(tmp_path / "scan.tif"), plain(tmp_path / "photo.png", "green")
    reader.look_at(photo, scan)
    position = reader.viewer.tools.position
    assert position.text() == "Bill 1 of 2"
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: position.text() == "Bill 2 of 2 · page 1 of 2")
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: position.text() == "Bill 2 of 2 · page 2 of 2")
    reader.select(NO_BILL)
    reader.look_at(scan)
    assert position.text() == "Page 1 of 2"
    assert not reader.viewer.strip.isVisible()


def test_a_strip_that_leaves_asks_for_nothing_more_and_keeps_no_pictures(
    reader: Reader, tmp_path: Path, tasks: Tasks
) -> None:
    reader.look_at(*(bills.noisy_photo(tmp_path / f"{at}.jpg", 300 + at, 400) for at in range(20)))
    strip = reader.viewer.strip
    reader.qtbot.waitUntil(lambda: strip.has_picture(1))
    reader.window.show_add()
    reader.qtbot.waitUntil(
        lambda: "last_made" in reader.fake.book.calls
    )  # the list of the page that is shown
    reader.qtbot.waitUntil(lambda: not tasks.busy)
    made, calls = len(strip.pictures), len(reader.fake.book.calls)
    reader.qtbot.wait(200)
    assert (len(strip.pictures), len(reader.fake.book.calls)) == (made, calls)
    reader.window.show_listing()
    reader.qtbot.waitUntil(lambda: len(strip.pictures) == 20)
    assert sum(each.byte_size for each in strip.pictures.values()) < 20 * 128 * 128 * 4
    reader.select(NO_BILL)
    reader.qtbot.waitUntil(lambda: not strip.pictures)


# --- turning --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_keys", [True, False])
def test_a_turned_bill_stays_turned_and_its_bytes_are_the_same(
    reader: Reader, tmp_path: Path, by_keys: bool
) -> None:
    path, tools = two_colours(tmp_path / "photo.png"), reader.viewer.tools
    reader.look_at(path)

    def turn(key: Qt.Key, button: QWidget) -> None:
        if by_keys:
            reader.press(key)
        else:
            reader.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    assert is_like(reader.colour(0.3, 0.5), "red")
    turn(Qt.Key.Key_R, tools.right)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.3), "red"))
    assert is_like(reader.colour(0.5, 0.7), "blue")
    reader.select(NO_BILL)
    reader.select(ROW)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.3), "red"))
    for _ in range(3):
        turn(Qt.Key.Key_L, tools.left)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.7, 0.5), "red"))
    kept = reader.fake.book.bills[reader.fake.book.entries[ROW].id][0]
    assert reader.fake.files.path(kept.sha256).read_bytes() == path.read_bytes()


def test_pages_of_a_pdf_are_turned_and_sharp_at_every_zoom(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.stamped_pdf(tmp_path / "bill.pdf"))
    assert is_like(reader.colour(0.3, 0.5), "red")
    reader.press(Qt.Key.Key_L)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.7), "red"))
    for _ in range(6):
        reader.press(Qt.Key.Key_Plus)
    reader.press(Qt.Key.Key_End)
    reader.wait_for_page()
    assert is_like(reader.colour(0.5, 0.9), "red")
    assert reader.canvas.verticalScrollBar().maximum() > reader.canvas.horizontalScrollBar().maximum()


def test_the_small_picture_turns_with_the_bill(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(two_colours(tmp_path / "photo.png"), plain(tmp_path / "b.png", "green"))
    strip = reader.viewer.strip
    reader.qtbot.waitUntil(lambda: strip.has_picture(0) and strip.has_picture(1))
    reader.press(Qt.Key.Key_R)
    top = strip.visualRect(strip.model().index(0, 0)).center()
    top.setY(top.y() - 15)

    def above() -> QColor:
        image = strip.viewport().grab().toImage()
        return image.pixelColor(top * image.devicePixelRatio())

    reader.qtbot.waitUntil(lambda: is_like(above(), "red"))
    assert is_like(strip_colour(strip, 1), QColor("green").name())


def test_the_width_of_a_page_is_fitted_by_button_and_key_and_kept_for_its_other_pages(
    reader: Reader, tmp_path: Path
) -> None:
    reader.window.resize(1280, 700)  # in a higher window, the whole page is as wide as the frame
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"), plain(tmp_path / "photo.png", "green"))
    canvas, tools = reader.canvas, reader.viewer.tools
    whole = canvas.zoom
    reader.click(tools.width_fit)
    assert canvas.fit_mode is Fit.WIDTH
    assert canvas.zoom > whole
    assert canvas.horizontalScrollBar().maximum() == 0
    assert canvas.verticalScrollBar().maximum() > 0
    reader.click(tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "blue"))
    assert canvas.fit_mode is Fit.WIDTH
    reader.click(tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), QColor("green").name()))
    assert canvas.fit_mode is Fit.WHOLE, "another bill is shown whole at first"
    reader.press(Qt.Key.Key_W)
    assert canvas.fit_mode is Fit.WIDTH
    reader.press(Qt.Key.Key_0)
    assert canvas.fit_mode is Fit.WHOLE
    reader.wait_for_page()


# --- a password -----------------------------------------------------------------------------------


def prompt_of(reader: Reader) -> PasswordPrompt:
    """Return the field for a password in the place of the page, when it is shown."""
    found = reader.canvas.findChild(PasswordPrompt, "page_password")
    assert isinstance(found, PasswordPrompt)
    reader.qtbot.waitUntil(found.isVisible)
    return found


def test_a_password_is_asked_for_in_place_and_opens_all_pages(
    reader: Reader, tmp_path: Path, theme: object
) -> None:
    reader.give(ROW, locked_pdf(tmp_path / "bill.pdf"), plain(tmp_path / "b.png", "green"))
    reader.select(ROW)
    prompt = prompt_of(reader)
    assert prompt.sentence.text() == "This PDF has a password."
    assert reader.window.focusWidget() is not prompt.field, "walking through the table goes on"
    reader.qtbot.keyClicks(prompt.field, "wrong")
    reader.qtbot.keyClick(prompt.field, Qt.Key.Key_Return)
    reader.qtbot.waitUntil(lambda: "Wrong password" in prompt.sentence.text() and prompt.isVisible())
    assert prompt.field.text() == ""
    assert reader.window.focusWidget() is prompt.field
    reader.qtbot.keyClicks(prompt.field, PASSWORD)
    show = prompt.findChild(QPushButton, "page_password_show")
    assert isinstance(show, QPushButton)
    reader.click(show)
    reader.wait_for_page()
    assert is_like(reader.colour(0.5, 0.5), "red")
    assert reader.window.focusWidget() is reader.canvas
    reader.qtbot.waitUntil(lambda: reader.viewer.strip.has_picture(0))
    assert is_like(strip_colour(reader.viewer.strip, 0), "red")
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: "page 2 of 2" in reader.viewer.tools.position.text())
    reader.wait_for_page()
    reader.select(NO_BILL)
    reader.select(ROW)
    reader.wait_for_page()


@pytest.mark.parametrize("give_it", [True, False])
def test_a_password_is_nowhere_but_in_memory_and_forgotten_at_the_end(
    reader: Reader, tmp_path: Path, tasks: Tasks, give_it: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    reader.give(ROW, locked_pdf(tmp_path / "bill.pdf"))
    reader.select(ROW)
    prompt = prompt_of(reader)
    reader.qtbot.keyClicks(prompt.field, PASSWORD)
    if give_it:
        reader.qtbot.keyClick(prompt.field, Qt.Key.Key_Return)
        reader.wait_for_page()
        assert_nowhere(reader, tmp_path)
    reader.qtbot.waitUntil(lambda: not tasks.busy)
    reader.window.sign_out()
    reader.qtbot.waitUntil(lambda: not reader.window.signed_in)
    assert prompt.field.text() == ""
    if give_it:
        reader.qtbot.waitUntil(lambda: not reader.fake.previews.pid)
    assert_nowhere(reader, tmp_path)
    assert PASSWORD not in caplog.text


def assert_nowhere(reader: Reader, folder: Path) -> None:
    """Fail if the password stands in a file, or in what others see of the worker."""
    places: list[Callable[[], bytes]] = [path.read_bytes for path in folder.rglob("*") if path.is_file()]
    pid = reader.fake.previews.pid
    if pid is not None and Path("/proc").exists():
        places += [Path(f"/proc/{pid}/{name}").read_bytes for name in ("cmdline", "environ")]
    assert len(places) >= 3
    assert [place for place in places if PASSWORD.encode() in place()] == []
