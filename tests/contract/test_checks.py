"""What a message must satisfy: pure."""

from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract import checks, limits

TODAY = date(2026, 11, 23)


@given(st.decimals("0.01", limits.MAX_AMOUNT, places=2))
def test_every_amount_of_the_table_is_read(amount: Decimal) -> None:
    assert checks.parse_amount(f"{amount:.2f}") == amount


@given(st.text(max_size=25))
def test_any_text_is_an_amount_in_range_or_none(text: str) -> None:
    amount = checks.parse_amount(text)
    if amount is not None:
        assert text.isascii()
        assert 0 < amount <= limits.MAX_AMOUNT
        assert amount == amount.quantize(Decimal("0.01"))


@pytest.mark.parametrize(
    "text", ["0", "0.00", "-1", "+1", "1.", ".5", "1.234", "1,000", "1e2", "१", " 1", "1\n", ""]
)
def test_what_is_no_amount_is_none(text: str) -> None:
    assert checks.parse_amount(text) is None


@given(st.dates())
def test_every_date_is_read_in_its_one_form(day: date) -> None:
    assert checks.parse_date(day.isoformat()) == day


@pytest.mark.parametrize(
    "text", ["", "20261123", "2026-W48-1", "2026-11-3", "2026-11-23T00:00", "२०२६-११-२३"]
)
def test_another_form_of_a_date_is_none(text: str) -> None:
    assert checks.parse_date(text) is None


@pytest.mark.parametrize(("days", "fits"), [(0, True), (366, True), (367, True), (368, False)])
def test_a_date_may_lie_a_year_ahead_of_the_clients_day(days: int, fits: bool) -> None:
    text = (TODAY + timedelta(days=days)).isoformat()
    assert (checks.check_entry_date(text, TODAY) == []) is fits


@given(st.uuids())
def test_a_uuid_has_one_form(value: UUID) -> None:
    assert checks.is_uuid(str(value))
    for other in (value.hex, f"{{{value}}}", value.urn, f" {value}"):
        assert not checks.is_uuid(other)


@given(st.text(max_size=30))
def test_control_characters_are_found_wherever_they_stand(text: str) -> None:
    assert checks.has_control_characters(f"{text}\x00")
    assert checks.has_control_characters(f"\u2028{text}")


@pytest.mark.parametrize("text", ["किराया", "क\u200dष", "café", "🏪", "a b", ""])
def test_plain_text_has_none(text: str) -> None:
    assert not checks.has_control_characters(text)


@pytest.mark.parametrize("name", ["asha", "Asha Devi", "आशा", "a", "x" * 64, "o'neil@example.com"])
def test_a_name_may_be_of_any_script(name: str) -> None:
    assert checks.check_user_name(name) == []


@pytest.mark.parametrize("name", ["", " ", " asha", "asha ", "a  b", "a\tb", "a\nb", "x" * 65, "a\u2028b"])
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    (error,) = checks.check_user_name(name)
    assert error.field == "userName"


@pytest.mark.parametrize(("length", "fits"), [(0, False), (7, False), (8, True), (256, True), (257, False)])
def test_a_password_is_judged_by_its_length_only(length: int, fits: bool) -> None:
    assert (checks.check_new_password("p" * length) == []) is fits


@given(st.text(max_size=60), st.integers(1, 60), st.booleans())
def test_every_sentence_about_a_text_is_one(text: str, most: int, required: bool) -> None:
    for error in checks.check_text("category", text, most, required=required):
        assert error.field == "category"
        assert error.message[0].isupper()
        assert error.message.endswith(".")
