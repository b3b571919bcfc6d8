"""What a page says in the place of its picture."""

from PySide6.QtCore import QPoint
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.ui.theme import Theme
from app.ui.widgets.canvas_message import CanvasMessage


def test_the_question_for_a_password_is_in_the_middle_of_a_wide_page(qtbot: QtBot, theme: Theme) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(1000, 600)
    message = CanvasMessage(page)
    message.resize(page.size())
    page.show()
    message.ask_password("This PDF has a password.", wrong=False)
    prompt = message.prompt
    qtbot.waitUntil(lambda: prompt.width() > 100)
    left = prompt.mapTo(page, QPoint()).x()
    assert left > 200
    assert abs(left - (page.width() - left - prompt.width())) <= 1
