"""Bills by camera: the real window, keys and clicks, and frames fed to the real capture session."""

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QAction, QImage, QPainter
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot
from shiboken6 import isValid

from app.domain.bounds import MAX_DOCUMENTS
from app.ui.camera.camera_dialog import CameraDialog
from app.ui.camera.camera_line import CAMERA_KEY
from app.ui.camera.source import CameraSource
from app.ui.main_window import MainWindow
from app.ui.tasks import Tasks
from app.ui.theme import Theme
from tests.app.ui.conftest import Person, make_photo
from tests.support.fake_services import FakeServices
from tests.support.fed_cameras import DESK, LID, FedCameras, plain
from tests.support.heartbeat import WindowHeartbeat

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
SPACE, ENTER, ESC = Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Escape
LEFT = Qt.MouseButton.LeftButton
_MOST_WORK = 0.1
"""CPU seconds of the GUI thread at a stretch. How long it waits for a busy machine is not the window's doing;
that it need not wait for the thread that makes the picture, `test_photo` shows."""


def press_in(qtbot: QtBot, book: MainWindow, key: Qt.Key, keys: Qt.KeyboardModifier) -> None:
    """Press a key in the window. Without a screen, it is not in front by itself after a dialog."""
    book.activateWindow()
    qtbot.waitUntil(book.isActiveWindow)
    qtbot.keyClick(book, key, keys)


class Hand:
    """The hand at the dialog, which it opens."""

    def __init__(self, qtbot: QtBot, book: MainWindow, cameras: FedCameras) -> None:
        self.qtbot, self.book, self.cameras = qtbot, book, cameras
        press_in(qtbot, book, Qt.Key.Key_C, CTRL | SHIFT)
        found = book.findChild(CameraDialog, "camera_dialog")
        assert found is not None
        self.dialog = found

    def button(self, name: str) -> QPushButton:
        found = self.dialog.findChild(QPushButton, name)
        assert isinstance(found, QPushButton)
        return found

    def text(self, name: str) -> str:
        found = self.dialog.findChild(QLabel, name)
        assert isinstance(found, QLabel)
        return found.text() if found.isVisible() else ""

    def click(self, button: QWidget) -> None:
        assert button.isVisible()
        assert button.isEnabled()
        self.qtbot.mouseClick(button, LEFT)

    def press(self, key: Qt.Key, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:
        """Press a key, where the focus is."""
        self.qtbot.keyClick(self.dialog.focusWidget() or self.dialog, key, keys)

    def shows(self, colour: str) -> None:
        """Wait until the live picture has this colour and can be taken."""

        def is_shown() -> bool:
            picture = self.dialog.live.picture
            ready = self.button("camera_capture").isEnabled()
            return ready and not picture.isNull() and close_to(picture, colour)

        self.qtbot.waitUntil(is_shown)

    def take(self, colour: str) -> None:
        """Let the camera see a colour, and take the picture with Space."""
        self.cameras.picture = plain(colour)
        self.shows(colour)
        self.press(SPACE)
        assert not self.dialog.crop.shot.isNull()

    def take_and_use(self, *colours: str) -> None:
        for colour in colours:
            self.take(colour)
            self.press(ENTER)

    def drag(self, start: QPointF, by: QPointF) -> None:
        crop = self.dialog.crop
        QTest.mousePress(crop, LEFT, pos=start.toPoint())
        QTest.mouseMove(crop, (start + by / 2).toPoint())
        QTest.mouseMove(crop, (start + by).toPoint())
        QTest.mouseRelease(crop, LEFT, pos=(start + by).toPoint())

    def is_open(self) -> bool:
        return isValid(self.dialog) and self.dialog.isVisible()

    def tiles(self) -> list[QWidget]:
        return [each for each in self.dialog.findChildren(QWidget, "camera_shot") if each.isVisible()]

    def waits_for_trouble(self, heading: str) -> None:
        self.qtbot.waitUntil(lambda: self.text("camera_trouble_heading") == heading)


def close_to(picture: QImage, colour: str) -> bool:
    found, wanted = picture.pixelColor(picture.rect().center()), plain(colour).pixelColor(0, 0)
    pairs = zip(found.toTuple()[:3], wanted.toTuple()[:3], strict=True)
    return all(abs(one - other) <= 4 for one, other in pairs)


@pytest.fixture
def hand(qtbot: QtBot, book: MainWindow, cameras: FedCameras) -> Hand:
    """The dialog, open for the new entry."""
    return Hand(qtbot, book, cameras)


def attached(qtbot: QtBot, book: MainWindow, fake: FakeServices, count: int) -> list[QImage]:
    """Wait for `count` bills of the new entry; check the hashes of what is stored; return the pictures."""
    documents = book.entry.documents
    qtbot.waitUntil(lambda: len(documents.attachments()) == count and not documents.attaching)
    pictures = []
    for bill in documents.attachments():
        data = fake.files.path(bill.sha256).read_bytes()
        assert sha256(data).hexdigest() == bill.sha256
        assert bill.media_type == "image/jpeg"
        pictures.append(QImage.fromData(data))
    return pictures


def test_one_bill_takes_three_keys(qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices) -> None:
    hand.take("#336699")
    hand.press(SPACE)
    hand.press(ENTER, CTRL)
    pictures = attached(qtbot, book, fake, 1)
    assert pictures[0].size() == hand.cameras.picture.size()
    assert close_to(pictures[0], "#336699")
    assert not hand.cameras.attached


def test_three_shots_become_three_bills_of_one_entry_in_their_order(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices, tasks: Tasks
) -> None:
    colours = ["#aa3322", "#22aa33", "#3322aa"]
    hand.take_and_use(*colours)
    qtbot.waitUntil(lambda: not tasks.busy)
    made = [shot.photo.data for shot in hand.dialog._shots.all() if shot.photo is not None]
    assert hand.button("camera_add").text() == "Add 3 bills"
    hand.click(hand.button("camera_add"))
    pictures = attached(qtbot, book, fake, 3)
    assert [close_to(one, colour) for one, colour in zip(pictures, colours, strict=True)] == [True] * 3
    bills = book.entry.documents.attachments()
    assert [bill.sha256 for bill in bills] == [sha256(data).hexdigest() for data in made]
    assert len({bill.file_name for bill in bills}) == 3
    assert all(bill.file_name.startswith("Photo 20") for bill in bills)
    # They are saved as bills of one entry.
    form = book.entry.form
    for field, text in ((form.amount, "12"), (form.category, "Travel"), (form.description, "Taxi")):
        qtbot.keyClicks(field, text)
    with qtbot.waitSignal(book.entry.saved) as saved:
        press_in(qtbot, book, Qt.Key.Key_S, CTRL)
    [entry] = saved.args or []
    assert entry.document_count == 3


def test_add_waits_for_pictures_that_are_still_made(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    hand.take("#336699")
    hand.press(ENTER)
    hand.press(ENTER, CTRL)  # at once
    attached(qtbot, book, fake, 1)


def test_ctrl_enter_uses_the_picture_that_is_looked_at_and_adds_nothing_without_one(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    hand.shows("#336699")
    hand.press(ENTER, CTRL)
    assert hand.is_open()
    hand.take("#22aa33")
    hand.press(ENTER, CTRL)
    assert close_to(attached(qtbot, book, fake, 1)[0], "#22aa33")


def test_bills_of_a_saved_entry_are_photographed_too(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras, tasks: Tasks
) -> None:
    book.show_listing()
    book.listing.table.selectRow(0)
    qtbot.keyClick(book.listing.table, ENTER)
    qtbot.waitUntil(lambda: book.edit.isVisible() and not tasks.busy)
    before = len(book.edit.documents.attachments())
    hand = Hand(qtbot, book, cameras)
    hand.take_and_use("#336699")
    hand.press(ENTER, CTRL)
    qtbot.waitUntil(lambda: len(book.edit.documents.attachments()) == before + 1)
    assert book.edit.dirty
    assert book.entry.documents.empty


def test_discarded_pictures_are_not_attached_although_they_were_being_added(
    qtbot: QtBot, hand: Hand, book: MainWindow, tasks: Tasks
) -> None:
    hand.take("#336699")
    hand.press(ENTER)
    hand.press(ENTER, CTRL)  # waits until the picture is made
    hand.press(ESC)
    qtbot.waitUntil(lambda: not tasks.busy)
    assert book.entry.documents.empty


def test_a_picture_that_is_retaken_is_not_attached(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    hand.take("#aa3322")
    hand.click(hand.button("camera_retake"))
    assert hand.tiles() == []
    hand.take_and_use("#22aa33")
    hand.press(ENTER, CTRL)
    assert close_to(attached(qtbot, book, fake, 1)[0], "#22aa33")


def test_a_removed_picture_is_not_attached(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    hand.take_and_use("#aa3322", "#22aa33")
    remove = hand.tiles()[0].findChild(QToolButton, "shot_remove")
    assert isinstance(remove, QToolButton)
    hand.click(remove)
    assert hand.button("camera_add").text() == "Add 1 bill"
    assert hand.button("camera_capture").hasFocus()
    hand.press(ENTER, CTRL)
    assert close_to(attached(qtbot, book, fake, 1)[0], "#22aa33")


def test_a_picture_is_turned_and_cut_before_it_is_used(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    halves = plain("#ffffff")
    for x in range(160):
        for y in range(240):
            halves.setPixelColor(x, y, plain("#aa3322").pixelColor(0, 0))
    hand.cameras.picture = halves
    hand.shows("#aa3322")
    hand.press(SPACE)
    crop = hand.dialog.crop
    to_the_middle = crop.edge_position(0) - crop.edge_position(1)
    hand.drag(crop.edge_position(1), to_the_middle)
    assert crop.shape.sides() == (160, 240)
    right = hand.dialog.findChild(QToolButton, "camera_right")
    assert isinstance(right, QToolButton)
    hand.click(right)
    hand.click(hand.button("camera_use"))
    hand.press(ENTER, CTRL)
    [picture] = attached(qtbot, book, fake, 1)
    assert (picture.width(), picture.height()) == (240, 160)
    assert close_to(picture, "#aa3322")


def test_corners_are_dragged_and_moved_by_keys_as_they_stand_on_the_screen(hand: Hand) -> None:
    hand.take("#336699")
    crop = hand.dialog.crop
    left = hand.dialog.findChild(QToolButton, "camera_left")
    assert isinstance(left, QToolButton)
    hand.click(left)
    before = crop.corner_position(0)
    hand.drag(before, QPointF(40, 20))
    moved = crop.corner_position(0) - before
    assert abs(moved.x() - 40) <= 1
    assert abs(moved.y() - 20) <= 1
    before = crop.corner_position(2)
    crop.setFocus()
    hand.press(Qt.Key.Key_3)
    for _ in range(5):
        hand.press(Qt.Key.Key_Up)
    moved = crop.corner_position(2) - before
    assert abs(moved.x()) <= 0.01
    assert moved.y() < -5
    hand.click(hand.button("camera_whole"))
    assert crop.shape.sides() == (240, 320)  # the camera's 320 × 240, turned


def test_a_bill_that_was_found_is_cut_out_by_one_click(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    desk = plain("#402010", 400, 300)
    painter = QPainter(desk)
    painter.fillRect(100, 60, 160, 200, plain("#f0f0f0").pixelColor(0, 0))
    painter.end()
    hand.cameras.picture = desk
    hand.shows("#f0f0f0")
    hand.press(SPACE)
    hand.click(hand.button("camera_find"))
    hand.press(ENTER)  # uses it
    hand.press(ENTER, CTRL)
    [picture] = attached(qtbot, book, fake, 1)
    assert abs(picture.width() - 160) <= 6
    assert abs(picture.height() - 200) <= 6
    edge = QImage(picture).copy(8, 8, 4, picture.height() - 16)
    assert close_to(edge, "#f0f0f0")


def test_no_cut_is_offered_where_no_bill_was_found(hand: Hand) -> None:
    hand.take("#336699")
    assert not hand.button("camera_find").isVisible()


def test_the_dialog_keeps_its_width_from_picture_to_picture(qtbot: QtBot, hand: Hand) -> None:
    """The buttons of two steps were shown at once for a moment, and the dialog was wider than the screen."""
    narrow = 700
    hand.dialog.resize(narrow, hand.dialog.height())
    hand.take_and_use("#884422", "#228844", "#442288")
    hand.take("#888822")
    assert hand.dialog.width() == narrow


def test_escape_asks_only_if_pictures_would_be_lost(qtbot: QtBot, hand: Hand, person: Person) -> None:
    person.agrees = False
    hand.take("#336699")
    hand.press(ESC)
    assert person.questions == ["Discard 1 picture?"]
    assert hand.is_open()
    hand.press(SPACE)
    hand.take("#22aa33")
    hand.press(ESC)
    assert person.questions[1:] == ["Discard 2 pictures?"]
    person.agrees = True
    hand.press(ESC)
    assert not hand.is_open()
    assert not hand.cameras.attached
    assert hand.book.entry.documents.empty


def test_escape_without_a_picture_closes_at_once(hand: Hand, person: Person) -> None:
    hand.shows("#336699")
    hand.press(ESC)
    assert person.questions == []
    assert not hand.is_open()


def test_without_a_camera_files_can_be_chosen_and_stay_as_they_are(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras, person: Person, fake: FakeServices, tmp_path: Path
) -> None:
    photo = tmp_path / "with location.jpg"
    location = b"\xff\xe1\x00\x10Exif\x00\x00GPS 18N"
    jpeg = make_photo(tmp_path / "plain.jpg").read_bytes()
    photo.write_bytes(jpeg[:2] + location + jpeg[2:])
    person.files = [photo]
    cameras.plugged = []
    hand = Hand(qtbot, book, cameras)
    hand.waits_for_trouble("No camera was found")
    hand.click(hand.button("camera_files"))
    qtbot.waitUntil(lambda: len(book.entry.documents.attachments()) == 1)
    kept = fake.files.path(book.entry.documents.attachments()[0].sha256)
    assert kept.read_bytes() == photo.read_bytes()
    assert not hand.is_open()


def test_a_camera_that_is_plugged_in_later_starts_by_itself(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras
) -> None:
    cameras.plugged = []
    hand = Hand(qtbot, book, cameras)
    hand.waits_for_trouble("No camera was found")
    cameras.plug(LID)
    hand.shows("#336699")
    assert cameras.used == [LID]


def test_the_chosen_camera_is_used_again(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras, fake: FakeServices
) -> None:
    cameras.plugged = [DESK, LID]
    hand = Hand(qtbot, book, cameras)
    hand.shows("#336699")
    choice = hand.button("camera_choice")
    assert choice.isVisible()
    assert choice.text() == DESK.name
    actions: list[QAction] = choice.menu().actions()
    assert [(each.text(), each.isChecked()) for each in actions] == [(DESK.name, True), (LID.name, False)]
    actions[1].trigger()
    hand.shows("#336699")
    assert choice.text() == LID.name
    assert fake.settings.get(CAMERA_KEY) == LID.key
    hand.press(ESC)
    again = Hand(qtbot, book, cameras)
    again.shows("#336699")
    assert cameras.used == [DESK, LID, LID]


def test_with_one_camera_there_is_nothing_to_choose(hand: Hand) -> None:
    hand.shows("#336699")
    assert not hand.button("camera_choice").isVisible()


def test_unplugged_in_the_middle_keeps_the_shots_and_goes_on(
    qtbot: QtBot, hand: Hand, book: MainWindow, fake: FakeServices
) -> None:
    hand.take_and_use("#aa3322")
    hand.take("#22aa33")
    hand.cameras.plug()
    assert hand.button("camera_use").isVisible()  # the picture that is looked at can still be used
    hand.press(SPACE)
    hand.waits_for_trouble("The camera “Desk camera” was unplugged")
    qtbot.waitUntil(lambda: len(hand.tiles()) == 2)
    assert hand.button("camera_add").text() == "Add 2 bills"
    hand.cameras.plug(DESK)
    hand.take_and_use("#3322aa")
    hand.cameras.plug()
    hand.click(hand.button("camera_add"))
    attached(qtbot, book, fake, 3)


def test_files_chosen_after_a_trouble_join_the_shots(
    qtbot: QtBot, hand: Hand, book: MainWindow, person: Person, photo: Path
) -> None:
    person.files = [photo]
    hand.take_and_use("#aa3322")
    hand.cameras.plug()
    hand.waits_for_trouble("The camera “Desk camera” was unplugged")
    hand.click(hand.button("camera_files"))  # perhaps while the picture is still made
    documents = book.entry.documents
    qtbot.waitUntil(lambda: len(documents.attachments()) == 2)
    assert documents.attachments()[1].file_name == photo.name


def test_permission_that_is_refused_is_told_and_can_be_given(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras
) -> None:
    cameras.allowed = False
    hand = Hand(qtbot, book, cameras)
    hand.waits_for_trouble("Bahi is not allowed to use the camera")
    assert cameras.used == []
    cameras.allowed = True
    hand.click(hand.button("camera_again"))
    hand.shows("#336699")


def test_a_camera_that_is_in_use_elsewhere_is_told(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras
) -> None:
    cameras.refuses = "Device or resource busy"
    hand = Hand(qtbot, book, cameras)
    hand.waits_for_trouble("The camera “Desk camera” does not start")
    assert hand.dialog.trouble.toolTip() == "Device or resource busy"
    cameras.refuses = ""
    hand.click(hand.button("camera_again"))
    hand.shows("#336699")
    cameras.failed.emit("lost")
    hand.waits_for_trouble("The camera “Desk camera” has stopped")


def test_a_camera_that_falls_silent_is_told_until_it_speaks_again(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras
) -> None:
    cameras.silence_ms = 100
    cameras.silent = True
    hand = Hand(qtbot, book, cameras)
    hand.waits_for_trouble("The camera “Desk camera” sends no picture")
    cameras.silent = False
    hand.shows("#336699")


def test_a_missing_library_is_told(
    qtbot: QtBot, fake: FakeServices, tasks: Tasks, theme: Theme, person: Person, owner: None
) -> None:
    def none() -> CameraSource:
        raise ImportError("libpulse.so.0: cannot open shared object file")

    window = MainWindow(fake.services(), tasks, theme, replace(person.desktop(), cameras=none))
    qtbot.addWidget(window)
    window.show()
    window.start()
    qtbot.waitUntil(lambda: window.signed_in and window.listing.model.rowCount() > 0 and not tasks.busy)
    press_in(qtbot, window, Qt.Key.Key_C, CTRL | SHIFT)
    dialog = window.findChild(CameraDialog, "camera_dialog")
    assert dialog is not None
    heading = dialog.trouble.heading
    qtbot.waitUntil(lambda: heading.text() == "Bahi cannot use cameras on this computer")
    assert "libpulse" in dialog.trouble.toolTip()
    qtbot.mouseClick(dialog.trouble.again_button, LEFT)  # it may have been installed meanwhile
    assert heading.isVisible()
    qtbot.waitUntil(lambda: not tasks.busy)
    window.dialogs.close_all()
    window.sync.stop()


def test_an_entry_with_all_its_bills_takes_no_more_pictures(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras, fake: FakeServices, tmp_path: Path
) -> None:
    files = [make_photo(tmp_path / f"{n}.png", f"#{n:02x}{n:02x}00") for n in range(MAX_DOCUMENTS - 1)]
    documents = book.entry.documents
    documents.add_files(files)
    qtbot.waitUntil(lambda: len(documents.attachments()) == MAX_DOCUMENTS - 1)
    hand = Hand(qtbot, book, cameras)
    hand.take_and_use("#aa3322")
    assert "at most 20 bills" in hand.text("camera_hint")
    assert not hand.button("camera_capture").isEnabled()
    assert hand.button("camera_add").hasFocus()
    hand.press(ENTER)
    qtbot.waitUntil(lambda: len(documents.attachments()) == MAX_DOCUMENTS)
    press_in(qtbot, book, Qt.Key.Key_C, CTRL | SHIFT)
    assert documents.refusal.text() == "An entry can have at most 20 bills. Please remove one first."
    assert not any(each.isVisible() for each in book.findChildren(CameraDialog, "camera_dialog"))


def test_a_large_frame_does_not_hold_the_window(
    qtbot: QtBot, book: MainWindow, cameras: FedCameras, fake: FakeServices
) -> None:
    cameras.picture, cameras.pause_ms = plain("#336699", 4000, 3000), 400  # to make one takes a moment too
    hand = Hand(qtbot, book, cameras)
    hand.shows("#336699")
    crop = hand.dialog.crop
    with WindowHeartbeat() as heartbeat:
        hand.press(SPACE)
        qtbot.wait(1)
        hand.drag(crop.corner_position(0), QPointF(30, 25))
        qtbot.wait(1)
        hand.press(ENTER)
        qtbot.wait(1)
        hand.press(ENTER, CTRL)
        qtbot.waitUntil(lambda: bool(book.entry.documents.attachments()))
    [picture] = attached(qtbot, book, fake, 1)
    assert picture.width() > 3500
    assert heartbeat.most_work < _MOST_WORK
