"""The viewer of bills in the window, as a person uses it: what is shown, turned, zoomed and scrolled."""

import gc
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageChops
from PySide6.QtCore import QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QImage, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QPushButton, QToolButton
from pytestqt.qtbot import QtBot

from app.domain.entry import DocumentInfo
from app.domain.preview import PreviewRequest, Urgency
from app.ui.main_window import MainWindow
from app.ui.page_zoom import Fit
from app.ui.previews import PagePicture
from app.ui.views.document_viewer import DocumentViewer
from tests.support import bills
from tests.support.fake_services import FakeServices
from tests.support.previewing import Asked

ROW = 3
NO_BILL = 5
_FRAME = 3  # px of the focus frame and its neighbour


class Reader:
    """A person in front of the listing, who selects entries and reads their bills."""

    def __init__(self, qtbot: QtBot, window: MainWindow, fake: FakeServices) -> None:
        self.qtbot, self.window, self.fake = qtbot, window, fake
        self.viewer: DocumentViewer = window.listing.details.viewer
        self.canvas = self.viewer.canvas

    def give(self, row: int, *paths: Path) -> None:
        """Let the entry in `row` have these bills."""
        made = [self.fake.documents.attach_file(path) for path in paths]
        self.fake.book.bills[self.fake.book.entries[row].id] = tuple(
            DocumentInfo(each.id, f"K7-{n}", each.file_name, each.media_type, each.byte_size, each.sha256)
            for n, each in enumerate(made)
        )

    def select(self, row: int) -> None:
        """Click a row of the table."""
        table = self.window.listing.table
        place = table.visualRect(table.model().index(row, 1)).center()
        self.qtbot.mouseClick(table.viewport(), Qt.MouseButton.LeftButton, pos=place)

    def look_at(self, *paths: Path) -> None:
        """Select an entry with these bills, and wait until its first page is shown."""
        self.give(ROW, *paths)
        self.select(ROW)
        self.wait_for_page()

    def wait_for_page(self) -> None:
        """Wait until a page is shown and nothing sharper is to come."""
        self.qtbot.waitUntil(lambda: self.canvas.has_image() and self.canvas.sharp)

    def wait_for_sentence(self, words: str) -> None:
        """Wait until a sentence with these words is shown instead of a page."""
        self.qtbot.waitUntil(lambda: words in self.canvas.message())

    def press(self, key: Qt.Key) -> None:
        """Press a key in the page."""
        self.qtbot.keyClick(self.canvas, key)

    def click(self, button: QToolButton | QPushButton) -> None:
        """Click a button."""
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def wheel(self, at: QPoint, notches: int, keys: Qt.KeyboardModifier) -> None:
        """Turn the wheel over a point of the page's frame."""
        viewport = self.canvas.viewport()
        turned, none = QPoint(0, 120 * notches), Qt.MouseButton.NoButton
        place, screen = QPointF(at), QPointF(viewport.mapToGlobal(at))
        event = QWheelEvent(place, screen, QPoint(), turned, none, keys, Qt.ScrollPhase.NoScrollPhase, False)
        QApplication.sendEvent(viewport, event)

    def drag(self, start: QPoint, end: QPoint) -> None:
        """Drag the page with the mouse."""
        viewport = self.canvas.viewport()
        self.qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
        QTest.mouseMove(viewport, end)
        self.qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=end)

    def seen(self) -> QImage:
        """Return the pixels of the page's frame."""
        return self.canvas.viewport().grab().toImage()

    def colour(self, across: float, down: float) -> QColor:
        """Return the colour at a point of the frame, in shares of its width and height."""
        image = self.seen()
        return image.pixelColor(int(image.width() * across), int(image.height() * down))

    def again(self) -> QPushButton:
        """Return the button “Try again”."""
        found: QPushButton = self.canvas.findChild(QPushButton, "page_again")
        return found

    def scrolled(self) -> QPoint:
        """Return how far the page is scrolled, in pixels."""
        return QPoint(self.canvas.horizontalScrollBar().value(), self.canvas.verticalScrollBar().value())


@pytest.fixture
def reader(qtbot: QtBot, book: MainWindow, fake: FakeServices) -> Reader:
    book.resize(1280, 860)
    book.show_listing()
    made = Reader(qtbot, book, fake)
    made.select(NO_BILL)
    return made


def is_like(found: QColor, wanted: str) -> bool:
    """Return whether a colour is this one, but for what JPEG changes."""
    other = QColor(wanted)
    pairs = ((found.red(), other.red()), (found.green(), other.green()), (found.blue(), other.blue()))
    return all(abs(a - b) <= 12 for a, b in pairs)


# --- what is shown --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("write", "colour"), [(bills.filled_form_pdf, "blue"), (bills.stamped_pdf, "red")], ids=["form", "stamp"]
)
def test_what_was_added_to_a_pdf_is_visible(
    reader: Reader, tmp_path: Path, write: Callable[[Path], Path], colour: str
) -> None:
    reader.look_at(write(tmp_path / "bill.pdf"))
    assert is_like(reader.colour(0.3, 0.5), colour)
    assert is_like(reader.colour(0.7, 0.55), "white")


def test_all_pages_of_a_scan_can_be_turned(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"))
    assert reader.viewer.tools.position.text() == "Page 1 of 2"
    assert is_like(reader.colour(0.5, 0.5), "red")
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "blue"))
    assert reader.viewer.tools.position.text() == "Page 2 of 2"
    reader.click(reader.viewer.tools.previous)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "red"))


def test_the_pages_of_several_bills_follow_each_other(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"), bills.stamped_pdf(tmp_path / "bill.pdf"))
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "blue"))
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.3, 0.5), "red"))
    assert reader.viewer.tools.position.text() == "Bill 2 of 2"
    assert reader.viewer.tools.name.text().startswith("bill.pdf")
    reader.click(reader.viewer.tools.previous)
    reader.qtbot.waitUntil(lambda: reader.viewer.tools.position.text() == "Bill 1 of 2 · page 2 of 2")


def test_the_next_page_is_rendered_in_advance(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"))
    kept = reader.fake.files.path(reader.fake.book.bills[reader.fake.book.entries[ROW].id][0].sha256)
    behind_it = PreviewRequest(bills.stamped_pdf(tmp_path / "other.pdf"), "application/pdf")
    reader.qtbot.waitUntil(Asked.of(reader.fake.previews, behind_it, Urgency.IN_BACKGROUND).answered.is_set)
    QApplication.processEvents()  # what was answered before it is delivered
    kept.write_bytes(b"no longer a scan")
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(lambda: is_like(reader.colour(0.5, 0.5), "blue"))


def next_pages_in_memory() -> int:
    gc.collect()
    pictures = [each for each in gc.get_objects() if isinstance(each, PagePicture)]
    return sum(each.page == 1 and each.pages == 2 for each in pictures)


@pytest.mark.slow
def test_the_next_page_is_kept_only_while_the_viewer_is_shown(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"))
    reader.qtbot.waitUntil(lambda: next_pages_in_memory() == 1)
    reader.window.show_outbox()
    reader.qtbot.waitUntil(lambda: next_pages_in_memory() == 0)
    reader.window.show_listing()
    reader.qtbot.waitUntil(lambda: next_pages_in_memory() == 1)
    reader.select(NO_BILL)
    reader.qtbot.waitUntil(lambda: next_pages_in_memory() == 0)


def test_a_photo_taken_sideways_is_upright(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.sideways_webp(tmp_path / "photo.webp"))
    assert is_like(reader.colour(0.5, 0.2), "red")
    assert is_like(reader.colour(0.5, 0.6), "white")


def test_a_photo_of_108_megapixels_is_shown(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.photo_of_108_megapixels(tmp_path / "phone.jpg"))
    assert is_like(reader.colour(0.5, 0.5), "#78a0c8")


def test_a_photo_that_is_cut_off_is_shown_with_a_note(reader: Reader, tmp_path: Path) -> None:
    whole = bills.noisy_photo(tmp_path / "whole.jpg", 300, 400)
    reader.look_at(bills.cut_off_jpeg(tmp_path / "photo.jpg"), whole)
    assert "end" in reader.viewer.note.text()
    assert reader.viewer.note.isVisible()
    reader.click(reader.viewer.tools.next)
    reader.qtbot.waitUntil(
        lambda: reader.viewer.tools.position.text() == "Bill 2 of 2" and not reader.viewer.note.isVisible()
    )


def test_another_entry_takes_the_page_of_the_last_one_away_at_once(reader: Reader, tmp_path: Path) -> None:
    reader.give(ROW + 1, bills.photo_of_108_megapixels(tmp_path / "phone.jpg"))
    reader.look_at(bills.stamped_pdf(tmp_path / "bill.pdf"))
    reader.select(ROW + 1)
    assert not reader.canvas.has_image()
    assert reader.canvas.message() == "", "a sentence would flicker"
    reader.select(ROW)
    reader.wait_for_page()
    assert is_like(reader.colour(0.3, 0.5), "red"), "the page of the entry that is selected last"


# --- zooming and scrolling ------------------------------------------------------------------------


def test_a_long_screenshot_is_readable_and_has_its_own_pixels_at_100_percent(
    reader: Reader, tmp_path: Path
) -> None:
    path = bills.tall_screenshot(tmp_path / "chat.png")
    reader.look_at(path)
    assert reader.canvas.fit_mode is Fit.ACROSS
    assert reader.canvas.verticalScrollBar().maximum() > 1000
    reader.press(Qt.Key.Key_1)
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_End):
        reader.press(key)
        reader.wait_for_page()
        assert same_pixels(reader, path), key


def same_pixels(reader: Reader, path: Path) -> bool:
    """Return whether the frame shows the pixels of the picture that belong there."""
    image = reader.seen().convertToFormat(QImage.Format.Format_RGB888)
    inner = image.copy(QRect(QPoint(), image.size()).adjusted(_FRAME, _FRAME, -_FRAME, -_FRAME))
    shown = Image.frombytes(
        "RGB", (inner.width(), inner.height()), bytes(inner.constBits()), "raw", "RGB", inner.bytesPerLine()
    )
    left, top = reader.scrolled().x() + _FRAME, reader.scrolled().y() + _FRAME
    with Image.open(path) as whole:
        wanted = whole.convert("RGB").crop((left, top, left + shown.width, top + shown.height))
    return ImageChops.difference(shown, wanted).getbbox() is None


@pytest.mark.parametrize(("size", "down"), [((700, 9000), True), ((9000, 700), False)])
def test_a_long_page_begins_with_its_shorter_side_and_scrolls_along_the_other(
    reader: Reader, tmp_path: Path, size: tuple[int, int], down: bool
) -> None:
    path = tmp_path / "long.png"
    Image.linear_gradient("L").resize(size).convert("RGB").save(path)
    reader.look_at(path)
    moves = [
        bar.maximum() > 0 for bar in (reader.canvas.verticalScrollBar(), reader.canvas.horizontalScrollBar())
    ]
    assert moves == [down, not down]
    reader.click(reader.viewer.tools.fit)
    assert reader.canvas.verticalScrollBar().maximum() == reader.canvas.horizontalScrollBar().maximum() == 0
    reader.wait_for_page()


def test_a_page_that_is_opened_in_a_low_window_is_whole_in_a_higher_one(
    reader: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "narrow.png"
    Image.linear_gradient("L").resize((600, 1500)).convert("RGB").save(path)
    reader.window.resize(1280, 560)
    reader.look_at(path)
    reader.window.resize(1280, 1100)
    reader.wait_for_page()
    assert reader.canvas.fit_mode is Fit.WHOLE
    reader.press(Qt.Key.Key_1)
    reader.window.resize(1280, 700)
    reader.wait_for_page()
    assert reader.canvas.fit_mode is Fit.FREE, "what the user chose stays"


def test_a_till_roll_of_two_metres_is_readable(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.till_roll_pdf(tmp_path / "roll.pdf"))
    assert reader.canvas.fit_mode is Fit.ACROSS
    reader.press(Qt.Key.Key_1)
    reader.press(Qt.Key.Key_End)
    reader.wait_for_page()
    image = reader.seen()
    dark = sum(image.pixelColor(x, y).lightness() < 90 for x in range(image.width()) for y in range(60, 200))
    assert dark > 200, "letters, not a grey shade"


def test_keys_and_buttons_zoom_and_the_zoom_is_shown(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.noisy_photo(tmp_path / "photo.jpg", 2000, 2600))
    viewer, fitted = reader.viewer, reader.canvas.zoom
    assert viewer.tools.real.text() == f"{fitted * 100:.0f}\u00a0%"
    reader.press(Qt.Key.Key_Plus)
    assert reader.canvas.zoom > fitted
    reader.press(Qt.Key.Key_Minus)
    reader.press(Qt.Key.Key_Minus)
    assert reader.canvas.zoom < fitted
    reader.press(Qt.Key.Key_1)
    assert (reader.canvas.zoom, viewer.tools.real.text()) == (1.0, "100\u00a0%")
    reader.click(viewer.tools.zoom_in)
    assert (reader.canvas.zoom, viewer.tools.real.text()) == (1.25, "125\u00a0%")
    reader.click(viewer.tools.zoom_out)
    reader.click(viewer.tools.zoom_out)
    assert reader.canvas.zoom == 0.75
    reader.click(viewer.tools.real)
    assert reader.canvas.zoom == 1.0
    reader.click(viewer.tools.fit)
    assert (reader.canvas.zoom, reader.canvas.fit_mode) == (fitted, Fit.WHOLE)
    reader.press(Qt.Key.Key_1)
    reader.press(Qt.Key.Key_0)
    assert reader.canvas.zoom == fitted
    for _ in range(20):
        reader.click(viewer.tools.zoom_in)
    assert viewer.tools.real.text() == "800\u00a0%"
    assert "800\u00a0%" in viewer.tools.real.accessibleName()
    reader.wait_for_page()


def test_the_wheel_with_ctrl_zooms_at_the_pointer_and_without_scrolls(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.tall_screenshot(tmp_path / "chat.png"))
    reader.press(Qt.Key.Key_1)
    at = QPoint(120, 90)
    point = (QPointF(at) + QPointF(reader.scrolled())) / reader.canvas.zoom
    reader.wheel(at, 3, Qt.KeyboardModifier.ControlModifier)
    assert reader.canvas.zoom == pytest.approx(1.25**3)
    after = (QPointF(at) + QPointF(reader.scrolled())) / reader.canvas.zoom
    assert (after - point).manhattanLength() < 2
    before = reader.scrolled().y()
    reader.wheel(at, -2, Qt.KeyboardModifier.NoModifier)
    assert reader.scrolled().y() > before
    reader.wait_for_page()


def test_a_zoomed_page_is_dragged_with_the_mouse(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.tall_screenshot(tmp_path / "chat.png"))
    reader.press(Qt.Key.Key_1)
    before = reader.scrolled()
    reader.drag(QPoint(150, 200), QPoint(110, 80))
    assert reader.scrolled() - before == QPoint(40, 120)
    assert reader.canvas.viewport().cursor().shape() is Qt.CursorShape.OpenHandCursor
    reader.wait_for_page()


def test_a_page_stays_fitted_when_the_window_grows(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.stamped_pdf(tmp_path / "bill.pdf"))
    before = reader.canvas.zoom
    reader.window.resize(1700, 1000)
    reader.qtbot.waitUntil(lambda: reader.canvas.zoom > before)
    assert reader.canvas.fit_mode is Fit.WHOLE
    reader.wait_for_page()


def test_every_control_has_a_name_for_screen_readers(reader: Reader, tmp_path: Path) -> None:
    reader.look_at(bills.two_page_tiff(tmp_path / "scan.tif"))
    assert all(each.accessibleName() for each in reader.viewer.findChildren(QToolButton))
    assert reader.canvas.accessibleName() == "Page 1 of 2 of scan.tif"
    assert reader.canvas.focusPolicy() & Qt.FocusPolicy.TabFocus


# --- bills that cannot be shown -------------------------------------------------------------------


@pytest.mark.parametrize("name", ["draws-itself.pdf", pytest.param("dense.pdf", marks=pytest.mark.slow)])
def test_a_bill_that_is_too_costly_says_so_and_is_tried_again_only_when_asked(
    reader: Reader, tmp_path: Path, name: str
) -> None:
    reader.give(ROW, bills.HOSTILE[name](tmp_path / name))
    reader.give(ROW + 1, bills.stamped_pdf(tmp_path / "bill.pdf"))
    reader.select(ROW)
    reader.wait_for_sentence("Opening…")
    reader.wait_for_sentence("cannot be shown here")
    assert reader.again().isVisible()
    reader.select(ROW + 1)
    reader.wait_for_page()
    shown_by = reader.fake.previews.pid
    reader.select(ROW)
    reader.wait_for_sentence("cannot be shown here")
    assert reader.fake.previews.pid == shown_by, "it was not rendered again, or the worker had ended"
    reader.click(reader.again())
    assert reader.canvas.message() == ""
    reader.wait_for_sentence("cannot be shown here")
    assert reader.fake.previews.pid != shown_by


def test_a_page_that_is_too_wide_says_so(reader: Reader, tmp_path: Path) -> None:
    reader.give(ROW, bills.endless_page_pdf(tmp_path / "wide.pdf"))
    reader.select(ROW)
    reader.qtbot.waitUntil(lambda: reader.canvas.message() not in {"", "Opening…"})
    assert reader.canvas.message().endswith("The original is kept as it is.")
    assert reader.canvas.accessibleDescription() == reader.canvas.message()
    assert not reader.viewer.tools.zoom_in.isEnabled()
    assert reader.viewer.tools.save.isEnabled()


def test_a_bill_that_cannot_be_fetched_is_shown_when_the_server_is_back(
    reader: Reader, tmp_path: Path
) -> None:
    reader.give(ROW, bills.stamped_pdf(tmp_path / "bill.pdf"))
    kept = reader.fake.files.path(reader.fake.book.bills[reader.fake.book.entries[ROW].id][0].sha256)
    reader.fake.book.files[kept.name] = kept.read_bytes()
    kept.unlink()
    reader.fake.book.offline = True
    reader.select(ROW)
    reader.wait_for_sentence("try again in a moment")
    reader.fake.book.offline = False
    reader.click(reader.again())
    reader.wait_for_page()


@pytest.mark.parametrize("name", ["zoom_in", "zoom_fit", "zoom_real", "document_save"])
def test_the_keys_zoom_wherever_the_focus_is_in_the_viewer(reader: Reader, tmp_path: Path, name: str) -> None:
    reader.look_at(bills.tall_screenshot(tmp_path / "shot.png", 3000))
    button = reader.viewer.findChild(QToolButton, name)
    assert isinstance(button, QToolButton)
    button.setFocus()
    for key, expected in ((Qt.Key.Key_1, 1.0), (Qt.Key.Key_0, None)):
        reader.qtbot.keyClick(button, key)
        assert expected is None or reader.canvas.zoom == expected
    assert reader.canvas.fit_mode is Fit.WHOLE
    whole = reader.canvas.zoom
    reader.qtbot.keyClick(button, Qt.Key.Key_Plus)
    assert reader.canvas.zoom > whole
    reader.qtbot.keyClick(button, Qt.Key.Key_Minus)
    reader.qtbot.keyClick(button, Qt.Key.Key_Minus)
    assert reader.canvas.zoom <= whole
    reader.wait_for_page()
