"""Where a bill is in a picture: found if it is certain, and never guessed."""

import random
from collections.abc import Callable

import pytest

from app.domain.bill_corners import find_bill
from app.domain.quadrilateral import Point, Quadrilateral

WIDTH, HEIGHT = 160, 120
SHEET = Quadrilateral(((40.0, 20.0), (120.0, 30.0), (130.0, 105.0), (30.0, 95.0)))
Brightness = Callable[[float, float], int]


def inside(shape: Quadrilateral, x: float, y: float) -> bool:
    return all(
        (end[0] - start[0]) * (y - start[1]) >= (end[1] - start[1]) * (x - start[0])
        for start, end in (shape.edge(at) for at in range(4))
    )


def picture(*sheets: Quadrilateral, ground: int = 70, paper: int = 220, noise: int = 12) -> bytes:
    """Return sheets on a ground, with some noise."""
    chance = random.Random(7)
    made = bytearray()
    for y in range(HEIGHT):
        for x in range(WIDTH):
            on = any(inside(sheet, x + 0.5, y + 0.5) for sheet in sheets)
            made.append(min(max((paper if on else ground) + chance.randint(-noise, noise), 0), 255))
    return bytes(made)


def distance(first: Point, second: Point) -> float:
    return max(abs(first[0] - second[0]), abs(first[1] - second[1]))


def is_near(found: Quadrilateral | None, wanted: Quadrilateral) -> bool:
    pairs = zip(found.corners, wanted.corners, strict=True) if found is not None else ()
    return found is not None and all(distance(one, other) <= 2 for one, other in pairs)


def test_the_corners_of_a_slanted_sheet_are_found() -> None:
    assert is_near(find_bill(picture(SHEET), WIDTH, HEIGHT), SHEET)


def test_print_and_a_picture_on_the_sheet_do_not_hide_it() -> None:
    gray = bytearray(picture(SHEET))
    for y in range(30, 95, 6):
        gray[y * WIDTH + 55 : y * WIDTH + 110] = bytes([20]) * 55
    for y in range(40, 70):
        gray[y * WIDTH + 60 : y * WIDTH + 95] = bytes([30]) * 35
    assert is_near(find_bill(bytes(gray), WIDTH, HEIGHT), SHEET)


def test_of_two_sheets_the_larger_one_is_taken() -> None:
    small = Quadrilateral(((5.0, 5.0), (30.0, 5.0), (30.0, 18.0), (5.0, 18.0)))
    assert is_near(find_bill(picture(SHEET, small), WIDTH, HEIGHT), SHEET)


def moved(by: float) -> Quadrilateral:
    left, top = SHEET.corners[0]
    corners = [(x + by, y) for x, y in SHEET.corners]
    assert corners[0] == (left + by, top)
    return Quadrilateral((corners[0], corners[1], corners[2], corners[3]))


@pytest.mark.parametrize(
    "gray",
    [
        bytes([128]) * WIDTH * HEIGHT,
        picture(SHEET, ground=200, paper=220),
        picture(moved(-40)),
        picture(Quadrilateral(((70.0, 50.0), (90.0, 50.0), (90.0, 70.0), (70.0, 70.0)))),
        picture(SHEET, Quadrilateral(((110.0, 5.0), (150.0, 5.0), (150.0, 115.0), (110.0, 115.0)))),
        picture(ground=100, paper=100, noise=100),
        b"",
    ],
    ids=["plain", "bright ground", "cut off", "small", "two that touch", "noise", "empty"],
)
def test_what_is_not_certain_is_not_guessed(gray: bytes) -> None:
    size = (WIDTH, HEIGHT) if gray else (0, 0)
    assert find_bill(gray, *size) is None
