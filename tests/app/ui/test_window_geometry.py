"""The window fits its screen, is where it was, and never where nobody sees it."""

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QMainWindow

from app.ui.window_geometry import (
    LEAST_SIZE,
    WindowGeometry,
    copy_geometry,
    first_area,
    fitted,
    read_geometry,
    read_width,
    restore_geometry,
)

SCREENS = [(800, 560), (911, 512), (1024, 768), (1366, 768), (1920, 1080), (2560, 1440), (3840, 2160)]


@pytest.mark.parametrize("size", SCREENS)
def test_a_first_window_lies_on_its_screen_with_its_frame(size: tuple[int, int]) -> None:
    free = QRect(0, 28, size[0], size[1] - 28)  # a panel is above
    area = first_area(free)
    assert free.contains(area.adjusted(-1, -34, 1, 1))
    assert area.width() <= 1440
    assert area.height() <= 940
    assert area.width() >= min(1180, size[0] - 8)


@pytest.mark.parametrize(
    ("stored", "screens", "expected"),
    [
        (QRect(100, 100, 1180, 760), [QRect(0, 0, 1920, 1080)], QRect(100, 100, 1180, 760)),
        (QRect(2500, 100, 1180, 760), [QRect(0, 0, 1920, 1080)], QRect(736, 100, 1180, 760)),  # it has gone
        (QRect(-4000, -900, 800, 600), [QRect(0, 0, 1920, 1080)], QRect(4, 36, 800, 600)),
        (QRect(10, 40, 2500, 1380), [QRect(0, 0, 1366, 768)], QRect(4, 36, 1358, 728)),  # a smaller screen
        (QRect(2000, 50, 900, 600), [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 800)], None),
        (
            QRect(1700, 50, 900, 600),
            [QRect(0, 0, 1920, 1080), QRect(1920, 0, 1280, 800)],
            QRect(1924, 50, 900, 600),
        ),
    ],
)
def test_a_stored_window_is_moved_to_where_it_is_seen(
    stored: QRect, screens: list[QRect], expected: QRect | None
) -> None:
    assert fitted(stored, screens) == (expected or stored)


@pytest.mark.parametrize(
    "geometry", [WindowGeometry(QRect(-5, 7, 900, 600)), WindowGeometry(QRect(1, 2, 3, 4), True)]
)
def test_a_geometry_is_read_as_it_was_stored(geometry: WindowGeometry) -> None:
    assert read_geometry(geometry.text()) == geometry


@pytest.mark.parametrize(
    "text", ["", "1 2 3", "a b c d", "1 2 0 4", "1 2 -3 4", "0 0 99999999 1", "1.5 2 3 4"]
)
def test_what_is_no_geometry_is_ignored(text: str) -> None:
    assert read_geometry(text) is None


def test_what_is_no_width_is_ignored() -> None:
    assert [read_width(text) for text in ("", "x", "-4", "1234567", "٣", "320")] == [0, 0, 0, 0, 0, 320]


def test_a_maximized_window_is_maximized_again_and_knows_its_size(qtbot) -> None:
    first, second, third = QMainWindow(), QMainWindow(), QMainWindow()
    for window in (first, second, third):
        qtbot.addWidget(window)
    restore_geometry(first, "20 60 700 480 maximized")
    first.show()
    assert first.isMaximized()
    copy_geometry(second, first)
    second.show()
    assert second.isMaximized()
    stored = WindowGeometry.of(second)
    assert stored == WindowGeometry(QRect(20, 60, 700, 480), True)
    restore_geometry(third, stored.text().removesuffix(" maximized"))
    third.show()
    assert third.size() == QSize(700, 480)


def test_the_least_size_is_that_of_the_screen_if_the_screen_is_smaller(qtbot) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    restore_geometry(window, "")
    assert window.minimumSize() == LEAST_SIZE.boundedTo(window.size())
