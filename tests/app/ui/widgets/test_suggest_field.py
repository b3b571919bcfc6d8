"""Completion: asked for after a pause, offered only while it still fits."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from app.domain.entry import Direction, Suggestion
from app.ui.widgets.suggest_field import SuggestField

TAXI = Suggestion("Taxi to client site", 3, "Travel", Direction.DEBIT)


@pytest.fixture
def field(qtbot: QtBot) -> SuggestField:
    made = SuggestField("description_field", 100)
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def test_typing_asks_once_after_a_pause(qtbot: QtBot, field: SuggestField) -> None:
    asked: list[str] = []
    field.asked.connect(asked.append)
    qtbot.keyClicks(field, "tax")
    assert asked == []
    qtbot.waitUntil(lambda: asked == ["tax"])


def test_an_answer_to_what_was_typed_before_is_not_offered(field: SuggestField) -> None:
    field.setText("taxi")
    field.offer("tax", [TAXI])
    assert field.offered() == []


def test_nothing_is_offered_once_the_focus_is_elsewhere(qtbot: QtBot, field: SuggestField) -> None:
    other = QWidget()
    qtbot.addWidget(other)
    field.clearFocus()
    field.setText("tax")
    field.offer("tax", [TAXI])
    assert field.offered() == []


def test_picking_fills_the_field_and_tells_the_whole_suggestion(qtbot: QtBot, field: SuggestField) -> None:
    field.setText("tax")
    field.offer("tax", [TAXI, Suggestion("Taxes", 1)])
    assert field.offered() == ["Taxi to client site", "Taxes"]
    index: QModelIndex = field.completer().completionModel().index(0, 0)
    with qtbot.waitSignal(field.chosen) as told:
        field.completer().activated[QModelIndex].emit(index)
    assert told.args == [TAXI]
    assert field.text() == "Taxi to client site"


def test_down_asks_even_for_nothing_typed(qtbot: QtBot, field: SuggestField) -> None:
    with qtbot.waitSignal(field.asked) as told:
        qtbot.keyClick(field, Qt.Key.Key_Down)
    assert told.args == [""]


def test_what_no_longer_fits_goes_while_typing_on(qtbot: QtBot, field: SuggestField) -> None:
    field.setText("tax")
    field.offer("tax", [TAXI, Suggestion("Taxes", 1)])
    field.insert("i")
    field.textEdited.emit(field.text())
    assert field.offered() == ["Taxi to client site"]
