"""The first screen."""

from PySide6.QtWidgets import QLabel

from app.ui.opening import OpeningWindow


def test_it_says_once_that_it_is_painted(qtbot) -> None:
    window = OpeningWindow()
    qtbot.addWidget(window)
    told: list[bool] = []
    window.painted.connect(lambda: told.append(True))
    with qtbot.waitSignal(window.painted):
        window.show()
    window.repaint()
    assert told == [True]


def test_it_says_why_the_book_does_not_open(qtbot) -> None:
    window = OpeningWindow()
    qtbot.addWidget(window)
    window.show_error("The disk is full.")
    assert "The disk is full." in [label.text() for label in window.findChildren(QLabel)]
