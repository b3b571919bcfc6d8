"""The amount: grouped when the focus leaves, explained when it cannot be read."""

from decimal import Decimal

import pytest
from pytestqt.qtbot import QtBot

from app.errors import InputError
from app.ui.widgets.amount_field import AmountField


@pytest.fixture
def field(qtbot: QtBot) -> AmountField:
    made = AmountField("amount_field")
    qtbot.addWidget(made)
    return made


@pytest.mark.parametrize(
    ("typed", "shown"),
    [("1234567", "12,34,567.00"), ("₹1,23,456", "1,23,456.00"), ("1234.5", "1,234.50"), ("  ", "")],
)
def test_the_amount_is_formatted_when_the_focus_leaves(field: AmountField, typed: str, shown: str) -> None:
    field.setText(typed)
    field.tidy()
    assert field.text() == shown


def test_invalid_input_shows_an_error_and_is_not_changed(qtbot: QtBot, field: AmountField) -> None:
    field.setText("12,34")
    with qtbot.waitSignal(field.error_changed) as told:
        field.tidy()
    assert "12.34" in told.args[0]
    assert field.text() == "12,34"
    with pytest.raises(InputError):
        field.amount()


def test_the_amount_is_a_decimal(field: AmountField) -> None:
    field.setText("0.10")
    assert field.amount() == Decimal("0.10")
