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
    made = SuggestField("description_field")
    qtbot.addWidget(made)
    made.show()
    made.activateWindow()
    made.setFocus()
    qtbot.waitUntil(made.hasFocus)
    return made


def test_typing_requests_completions_once_after_a_pause(qtbot: QtBot, field: SuggestField) -> None:
    asked: list[str] = []
    field.asked.connect(asked.append)
    qtbot.keyClicks(field, "tax")
    assert asked == []
    qtbot.waitUntil(lambda: asked == ["tax"])


def test_an_answer_for_an_earlier_text_is_dropped(field: SuggestField) -> None:
    field.setText("taxi")
    field.offer("tax", [TAXI])
    assert field.offered() == []


def test_no_completions_are_shown_without_the_focus(qtbot: QtBot, field: SuggestField) -> None:
    other = QWidget()
    qtbot.addWidget(other)
    field.clearFocus()
    field.setText("tax")
    field.offer("tax", [TAXI])
    assert field.offered() == []


def test_picking_a_completion_fills_the_field_and_emits_the_suggestion(
    qtbot: QtBot, field: SuggestField
) -> None:
    field.setText("tax")
    field.offer("tax", [TAXI, Suggestion("Taxes", 1)])
    assert field.offered() == ["Taxi to client site", "Taxes"]
    index: QModelIndex = field.completer().completionModel().index(0, 0)
    with qtbot.waitSignal(field.chosen) as told:
        field.completer().activated[QModelIndex].emit(index)
    assert told.args == [TAXI]
    assert field.text() == "Taxi to client site"


def test_down_requests_completions_even_for_an_empty_text(qtbot: QtBot, field: SuggestField) -> None:
    with qtbot.waitSignal(field.asked) as told:
        qtbot.keyClick(field, Qt.Key.Key_Down)
    assert told.args == [""]


def test_completions_that_no_longer_match_disappear_while_typing(qtbot: QtBot, field: SuggestField) -> None:
    field.setText("tax")
    field.offer("tax", [TAXI, Suggestion("Taxes", 1)])
    field.insert("i")
    field.textEdited.emit(field.text())
    assert field.offered() == ["Taxi to client site"]
