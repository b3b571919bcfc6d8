"""Amounts in rupees: parse what people type, and format with Indian grouping. Decimal, never float."""

import re
from decimal import Decimal
from typing import Final

from app.domain.digits import typed_number
from app.domain.text import named
from app.errors import InputError

MAX_WHOLE_DIGITS: Final = 16
"""The database's numeric(18,2) has this many digits before the dot."""
_LONGEST_TEXT: Final = 80
_RUPEES = r"(?:₹|rupees|rs\.?|inr|re\.?|रुपये|रु\.?|रू\.?)"
_TYPED = re.compile(
    rf"(?P<sign>[-+]?)\s*(?:{_RUPEES})?\s*(?P<inner>[-+]?)\s*(?P<number>.*?)\s*(?:{_RUPEES})?\s*(?:/[-=])?",
    re.IGNORECASE,
)
# Found only to give these mistakes a sentence of their own.
_EXPONENT = re.compile(r"[\d.,]+\s*e\s*[-+]?\d+", re.IGNORECASE)
_OTHER_CURRENCY = re.compile(r"[$€£¥]|\b(?:usd|eur|gbp|aed|jpy)\b", re.IGNORECASE)
_WELL_GROUPED = re.compile(r"\d*|\d{1,3}(?:,\d{3})+|\d{1,2}(?:,\d{2})*,\d{3}")  # bare, western, Indian


def parse_amount(text: str) -> Decimal:
    """Return the amount that a person typed: rupees with two decimals, above zero.

    Accepts Indian and western grouping, `₹`/`Rs`/`INR`, a trailing `/-`, spaces, and digits of any script.
    Characters that are drawn as nothing do not count.
    Raises InputError with `fields["amount"]` if the text is not such an amount.
    """
    number, negative = _take_apart(text)
    _check_characters(number)
    whole, _, paise = (part.strip() for part in number.partition("."))
    whole = re.sub(r"\s*,\s*|\s+", ",", whole)  # spaces may group digits as well as commas
    _check_decimals(whole, paise)
    _check_size(whole)
    _check_grouping(whole, paise)
    amount = Decimal(f"{_bare(whole)}.{paise:0<2}")
    if negative:
        raise _refusal("The amount must be above zero: choose Debit for money out, not a minus sign.")
    if not amount:
        raise _refusal("The amount must be above zero.")
    return amount


def format_amount(amount: Decimal, symbol: bool = True) -> str:
    """Return `₹12,34,567.00`, or `12,34,567.00` without `symbol`. A negative amount begins with `−`.

    More than two decimals are rounded half to even. Raises ValueError if `amount` is infinite or NaN.
    """
    if not amount.is_finite():
        raise ValueError(f"not an amount: {amount}")
    digits = f"{amount.copy_abs():.2f}"
    whole, _, paise = digits.partition(".")
    minus = "−" if amount.is_signed() and digits.strip("0.") else ""
    return f"{minus}{'₹' if symbol else ''}{group_digits(whole)}.{paise}"


def plain_amount(amount: Decimal) -> str:
    """Return `1234567.00`, as in the protocol. Raises ValueError if it has more than two decimals."""
    text = f"{amount:.2f}"
    if not amount.is_finite() or Decimal(text) != amount:
        raise ValueError(f"not an amount with two places: {amount}")
    return text


def group_digits(whole: str) -> str:
    """Group digits as in India: `1234567` becomes `12,34,567`."""
    head, tail = whole[:-3], whole[-3:]
    pairs = [head[max(end - 2, 0) : end] for end in range(len(head), 0, -2)]
    return ",".join([*reversed(pairs), tail])


def _take_apart(text: str) -> tuple[str, bool]:
    # The limit bounds the work for a text pasted by mistake.
    typed = re.sub(r"\s+", " ", typed_number(text[: _LONGEST_TEXT + 1])).strip()
    if len(text) > _LONGEST_TEXT:
        raise _refusal("That is too long for an amount.")
    match = _TYPED.fullmatch(typed)
    if match is None or not match["number"]:
        raise _refusal("Please type an amount, such as 1,234.50.")
    number = match["number"]
    if re.fullmatch(r"\([^()]*\)", number):  # accountants write negative amounts in parentheses
        return number[1:-1].strip(), True
    return number, "-" in (match["sign"], match["inner"])


def _check_characters(number: str) -> None:
    if _EXPONENT.fullmatch(number):
        raise _refusal("Please type the amount in full, without an exponent such as 1e3.")
    if _OTHER_CURRENCY.search(number):
        raise _refusal("This book is in rupees: please type the amount in rupees.")
    strange = next((c for c in number if c not in "0123456789., "), None)
    if strange is not None:
        raise _refusal(f"An amount can have only digits: {named(strange)} cannot be part of it.")
    if number.count(".") > 1:
        raise _refusal("The amount has more than one dot: only the paise come after a dot.")
    if not any(c.isdigit() for c in number):
        raise _refusal("The amount has no digits.")


def _check_decimals(whole: str, paise: str) -> None:
    if "," in paise or " " in paise:
        raise _refusal(_swapped_separators(whole, paise))
    if len(paise) == 3 and re.fullmatch(r"[1-9]\d{0,2}", whole):  # 1.234 is more than a thousand in Germany
        raise _refusal(
            f"An amount has at most two decimals. Did you mean {whole}.{paise[:2]} or {whole},{paise}?"
        )
    if len(paise) > 2:
        raise _refusal("An amount has at most two decimals: rupees and paise.")


def _swapped_separators(whole: str, paise: str) -> str:
    sentence = "The dot comes before the comma: only the paise come after a dot."
    if re.fullmatch(r"\d+", whole) and re.fullmatch(r"\d{3},\d{1,2}", paise):  # 1.234,50 as in Germany
        return f"{sentence} Did you mean {group_digits(_bare(whole + paise[:3]))}.{paise[4:]}?"
    return sentence


def _check_size(whole: str) -> None:
    if len(_bare(whole)) > MAX_WHOLE_DIGITS:
        raise _refusal(f"The amount is too large: at most {MAX_WHOLE_DIGITS} digits before the dot.")


def _check_grouping(whole: str, paise: str) -> None:
    if _WELL_GROUPED.fullmatch(whole):
        return
    regrouped = group_digits(_bare(whole)) + (f".{paise}" if paise else "")
    proposals = [regrouped]
    rupees, _, tail = whole.rpartition(",")
    # One or two digits after the last comma may be paise: `1,234,5` could mean 1,234.5.
    if rupees and not paise and 1 <= len(tail) <= 2 and _WELL_GROUPED.fullmatch(rupees):
        proposals.insert(0, f"{rupees}.{tail}")
    raise _refusal(f"A comma is in the wrong place. Did you mean {' or '.join(proposals)}?")


def _bare(whole: str) -> str:
    return whole.replace(",", "").lstrip("0") or "0"


def _refusal(sentence: str) -> InputError:
    return InputError(sentence, fields={"amount": sentence})
