"""The first screen."""

from PySide6.QtWidgets import QLabel

from app.ui.opening import OpeningWindow


def test_painted_is_emitted_once(qtbot) -> None:
    window = OpeningWindow()
    qtbot.addWidget(window)
    told: list[bool] = []
    window.painted.connect(lambda: told.append(True))
    with qtbot.waitSignal(window.painted):
        window.show()
    window.repaint()
    assert told == [True]


def test_the_window_shows_why_the_book_cannot_be_opened(qtbot) -> None:
    window = OpeningWindow()
    qtbot.addWidget(window)
    window.show_error("The disk is full.")
    assert "The disk is full." in [label.text() for label in window.findChildren(QLabel)]
