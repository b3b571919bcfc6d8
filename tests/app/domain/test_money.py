"""Amounts as people type them, and as India writes them."""

import re
from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import format_amount, group_digits, parse_amount, plain_amount
from app.errors import InputError

AMOUNTS = st.decimals(Decimal("0.01"), Decimal("9999999999999999.99"), places=2)


def refusal(text: str) -> str:
    with pytest.raises(InputError) as caught:
        parse_amount(text)
    assert caught.value.fields == {"amount": caught.value.message}
    return caught.value.message


def parsed(text: str) -> Decimal | InputError:
    try:
        return parse_amount(text)
    except InputError as error:
        return error


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1,234.50", "1234.50"),
        ("1234.5", "1234.50"),
        ("₹1,23,456", "123456.00"),
        ("₹ 1,23,456.7", "123456.70"),
        ("Rs 500", "500.00"),
        ("Rs.500", "500.00"),
        ("rs. 500.25", "500.25"),
        ("INR 500", "500.00"),
        ("500 ₹", "500.00"),
        ("500/-", "500.00"),
        ("  1 234.50 ", "1234.50"),
        ("1\u00a023\u202f456", "123456.00"),
        ("1,234,567", "1234567.00"),
        ("12,34,567.00", "1234567.00"),
        ("१,२३४.५०", "1234.50"),
        ("₹૫૦૦", "500.00"),
        ("\u200e1,234.50\u200b", "1234.50"),
        ("\u2067₹\u20601,23\u00ad,456\u2069\ufeff", "123456.00"),
        ("١٬٢٣٤٫٥٠", "1234.50"),
        ("１，２３４．５０", "1234.50"),
        ("1\u2009234\u2009567.5", "1234567.50"),
        (".5", "0.50"),
        ("12.", "12.00"),
        ("+12", "12.00"),
        ("0012", "12.00"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_amounts_are_parsed_as_people_type_them(text: str, amount: str) -> None:
    assert str(parse_amount(text)) == amount


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("12,34", "12.34 or 1,234"),
        ("1,5", "1.5 or 15"),
        ("1,234,50", "1,234.50 or 1,23,450"),
        ("1,23,45", "12,345"),
        ("12,34.50", "1,234.50"),
        ("500,", "500"),
        ("1,,234", "1,234"),
        ("1.234,50", "1,234.50"),
        ("12.345", "12.34 or 12,345"),
    ],
)
def test_a_misplaced_separator_is_refused_with_a_proposal(text: str, meant: str) -> None:
    assert refusal(text).endswith(f"Did you mean {meant}?")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Please type an amount"),
        ("  ₹ ", "Please type an amount"),
        (".", "no digit"),
        ("0", "above zero"),
        ("0.00", "above zero"),
        ("-500", "choose Debit"),
        ("₹ −500", "choose Debit"),
        ("(500)", "choose Debit"),
        ("1.2.3", "more than one dot"),
        ("1.2345", "at most two decimals"),
        ("1e3", "exponent"),
        ("1.5E+3", "exponent"),
        ("5 lakh", "“l” cannot be part"),
        ("1²", "“²” cannot be part"),
        ("1\ue000", "U+E000 cannot be part"),
        ("1\u0301", "“◌\u0301” cannot be part"),
        ("\u200e\u200b", "Please type an amount"),
        ("－500", "choose Debit"),
        ("NaN", "“N” cannot be part"),
        ("$5", "book is in rupees"),
        ("12345678901234567", "16 digits"),
        ("1" * 5000, "too long"),
    ],
)
def test_each_other_mistake_has_its_own_error(text: str, words: str) -> None:
    assert words in refusal(text)


@given(AMOUNTS, st.booleans())
def test_a_formatted_amount_is_parsed_to_the_same_amount(amount: Decimal, symbol: bool) -> None:
    assert parse_amount(format_amount(amount, symbol=symbol)) == amount


@given(AMOUNTS)
def test_western_grouping_is_accepted(amount: Decimal) -> None:
    assert parse_amount(f"{amount:,.2f}") == amount


@given(st.text(max_size=90) | st.text("0123456789.,-₹ e", max_size=25))
def test_any_text_gives_an_amount_with_two_decimals_or_an_error(text: str) -> None:
    amount = parsed(text)
    if isinstance(amount, InputError):
        assert amount.fields == {"amount": amount.message}
    else:
        assert 0 < amount <= Decimal("9999999999999999.99")
        assert amount.as_tuple().exponent == -2


@given(st.text("0123456789,. ", max_size=20))
def test_every_proposal_of_an_error_is_a_valid_amount(text: str) -> None:
    meant = re.findall(r"Did you mean (.+)\?", str(parsed(text)))
    suggestions = meant[0].split(" or ") if meant else []
    assert all(parse_amount(s) for s in suggestions if set(s) - set("0.,"))


@given(st.integers(0, 10**30))
def test_grouping_is_three_digits_and_then_pairs(number: int) -> None:
    grouped = group_digits(str(number))
    assert grouped.replace(",", "") == str(number)
    assert re.fullmatch(r"\d{1,3}|\d{1,2}(,\d{2})*,\d{3}", grouped)


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234567", "₹12,34,567.00"),
        ("100", "₹100.00"),
        ("99999.5", "₹99,999.50"),
        ("-1234.5", "−₹1,234.50"),
        ("0", "₹0.00"),
        ("-0", "₹0.00"),
        ("-0.001", "₹0.00"),
        ("1234567890123456789012345678901.25", "₹12,34,56,78,90,12,34,56,78,90,12,34,56,78,901.25"),
    ],
)
def test_amounts_are_formatted_with_indian_grouping(amount: str, text: str) -> None:
    assert format_amount(Decimal(amount)) == text


def test_an_amount_can_be_formatted_without_the_symbol() -> None:
    assert format_amount(Decimal("-1234.5"), symbol=False) == "−1,234.50"


def test_formatting_does_not_depend_on_the_decimal_context() -> None:
    with localcontext() as context:
        context.prec = 3
        assert format_amount(Decimal("-1234567.89")) == "−₹12,34,567.89"
        assert parse_amount("12,34,567.89") == Decimal("1234567.89")
        assert plain_amount(Decimal("1234567.89")) == "1234567.89"


@pytest.mark.parametrize("amount", ["NaN", "Infinity", "-Infinity"])
def test_infinity_and_nan_are_not_formatted(amount: str) -> None:
    with pytest.raises(ValueError, match="not an amount"):
        format_amount(Decimal(amount))
    with pytest.raises(ValueError, match="not an amount"):
        plain_amount(Decimal(amount))


@given(AMOUNTS)
def test_the_plain_form_has_two_decimals_and_is_exact(amount: Decimal) -> None:
    assert re.fullmatch(r"\d+\.\d\d", plain_amount(amount))
    assert Decimal(plain_amount(amount)) == amount


def test_the_plain_form_refuses_a_third_decimal() -> None:
    with pytest.raises(ValueError, match="two places"):
        plain_amount(Decimal("1.005"))
