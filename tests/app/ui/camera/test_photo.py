"""What becomes of a shot: cut out, straightened, turned, and a JPEG with nothing in it but the picture."""

import time
from threading import Thread

import pytest
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColorSpace, QImage, QPainter, QPolygonF, QTransform

from app.domain.quadrilateral import Point, Quadrilateral, whole
from app.errors import InputError
from app.ui.camera.photo import THUMB, bill_in, developed, straightened
from tests.support.fed_cameras import plain

BILL = (240, 320)
MARKS = [(60.0, 40.0), (180.0, 40.0), (120.0, 160.0), (60.0, 280.0), (180.0, 280.0)]
"""The middles of black squares on the bill."""
HALF = 8
SLANTED = Quadrilateral(((130.0, 60.0), (390.0, 95.0), (430.0, 420.0), (90.0, 450.0)))


def bill_on_a_desk(shape: Quadrilateral) -> QImage:
    """Draw a white bill with black marks so that its corners are at `shape`, on a brown desk."""
    bill = plain("#ffffff", *BILL)
    painter = QPainter(bill)
    for x, y in MARKS:
        painter.fillRect(round(x) - HALF, round(y) - HALF, 2 * HALF, 2 * HALF, Qt.GlobalColor.black)
    painter.end()
    desk, transform = plain("#704020", 520, 480), QTransform()
    sides = QPolygonF([QPointF(*corner) for corner in whole(BILL).corners])
    assert QTransform.quadToQuad(sides, QPolygonF([QPointF(*corner) for corner in shape.corners]), transform)
    painter = QPainter(desk)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setTransform(transform)
    painter.drawImage(0, 0, bill)
    painter.end()
    return desk


def middle_of_mark(picture: QImage, near: Point) -> Point:
    """Return the middle of the black pixels around a place."""
    reach = 2 * HALF
    places = [
        (x, y)
        for x in range(round(near[0]) - reach, round(near[0]) + reach)
        for y in range(round(near[1]) - reach, round(near[1]) + reach)
        if picture.rect().contains(x, y) and picture.pixelColor(x, y).lightness() < 128
    ]
    assert places
    return sum(x for x, _y in places) / len(places), sum(y for _x, y in places) / len(places)


@pytest.mark.parametrize("quarters", range(4))
def test_a_slanted_bill_becomes_a_rectangle(quarters: int) -> None:
    shape = SLANTED.turned(quarters)
    made = straightened(bill_on_a_desk(SLANTED), shape)
    assert (made.width(), made.height()) == shape.sides()
    # The bill was turned with the shape, so its marks are found in the turned rectangle.
    ways = [
        lambda x, y: (x, y),
        lambda x, y: (1 - y, x),
        lambda x, y: (1 - x, 1 - y),
        lambda x, y: (y, 1 - x),
    ]
    for x, y in MARKS:
        across, down = ways[quarters](x / BILL[0], y / BILL[1])
        wanted = across * made.width(), down * made.height()
        found = middle_of_mark(made, wanted)
        assert abs(found[0] + 0.5 - wanted[0]) <= 2, (found, wanted)
        assert abs(found[1] + 0.5 - wanted[1]) <= 2, (found, wanted)


def test_a_bill_that_lies_wholly_in_the_shot_is_found() -> None:
    found = bill_in(bill_on_a_desk(SLANTED))
    assert found is not None
    for corner, wanted in zip(found.corners, SLANTED.corners, strict=True):
        assert max(abs(corner[0] - wanted[0]), abs(corner[1] - wanted[1])) <= 0.015 * 520
    assert bill_in(plain("#704020")) is None
    assert bill_in(QImage()) is None


def test_other_threads_go_on_while_a_large_shot_is_straightened() -> None:
    shot = plain("#336699", 4000, 3000)
    corners = ((300.0, 200.0), (3700.0, 100.0), (3900.0, 2900.0), (100.0, 2800.0))
    worker = Thread(target=straightened, args=(shot, Quadrilateral(corners)))
    rounds = 0
    worker.start()
    while worker.is_alive():
        time.sleep(0.001)  # lets go of the interpreter's lock, and waits for it
        rounds += 1
    assert rounds >= 40, rounds  # in one piece it is drawn while the lock is held: about 10 rounds


def test_no_desk_is_left_at_the_edges_of_a_straightened_bill() -> None:
    made = straightened(bill_on_a_desk(SLANTED), SLANTED)
    width, height = made.width(), made.height()
    inside = [(x, y) for x in (3, width - 4) for y in (3, height // 2, height - 4)]
    assert {made.pixelColor(x, y).name() for x, y in inside} == {"#ffffff"}


def test_a_cut_without_a_slant_keeps_each_pixel() -> None:
    shot = bill_on_a_desk(SLANTED)
    cut = Quadrilateral(((100.0, 70.0), (400.0, 70.0), (400.0, 400.0), (100.0, 400.0)))
    assert straightened(shot, cut) == shot.copy(100, 70, 300, 330).convertToFormat(QImage.Format.Format_RGB32)
    assert straightened(shot, whole((520, 480))) == shot


def segments(data: bytes) -> list[int]:
    """Return the markers of a JPEG file before its picture data."""
    found, at = [], 2
    assert data[:2] == b"\xff\xd8"
    while not found or found[-1] != 0xDA:
        assert data[at] == 0xFF
        found.append(data[at + 1])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return found


def test_a_photo_carries_no_metadata_at_all() -> None:
    shot = plain("#336699")
    shot.setText("GPS", "18.5204 N, 73.8567 E")
    shot.setText("Comment", "taken at home")
    shot.setColorSpace(QColorSpace(QColorSpace.NamedColorSpace.DisplayP3))
    shot.setDotsPerMeterX(1234)
    data = developed(shot, whole((320, 240))).data
    only_the_picture = {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDA}  # JFIF header, tables, frame, scan
    assert set(segments(data)) <= only_the_picture
    found = QImage.fromData(data).pixelColor(160, 120)
    assert max(abs(found.red() - 0x33), abs(found.green() - 0x66), abs(found.blue() - 0x99)) <= 2


def test_the_small_picture_has_the_shape_of_the_large_one() -> None:
    thumb = developed(plain("#336699", 800, 400), whole((800, 400))).thumb
    assert (thumb.width(), thumb.height()) == (THUMB, THUMB // 2)


def test_a_picture_that_would_be_too_large_for_a_bill_is_stored_more_coarsely() -> None:
    shot = bill_on_a_desk(SLANTED)
    fine = developed(shot, whole((520, 480))).data
    coarse = developed(shot, whole((520, 480)), most=len(fine) - 1).data
    assert len(coarse) < len(fine)
    assert QImage.fromData(coarse).size() == shot.size()


def test_a_shot_for_which_there_was_no_memory_is_told() -> None:
    with pytest.raises(InputError, match="not enough memory"):
        developed(QImage(), whole((10, 10)))
