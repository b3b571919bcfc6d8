"""Dates: parse what people type, format a date, and list the usual periods."""

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from app.domain.digits import typed_number
from app.errors import InputError
from server.contract.limits import EARLIEST_YEAR, MAX_DAYS_AHEAD

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_LONG_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_LONG_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
# People enter what has happened, so a date without a year is rarely far in the future.
_YEARLESS_DAYS_AHEAD: Final = 31
_WORDS: Final = {"today": 0, "yesterday": -1, "tomorrow": 1}
_SPAN = re.compile(r"([-+])\s*(\d{1,6})")
_YEAR_FIRST = re.compile(r"(?P<year>\d{4})[-/. ](?P<month>\d{1,2})[-/. ](?P<day>\d{1,2})")
# A point may stand after each number, as in German.
_NUMBERS = re.compile(
    r"(?P<day>\d{1,2})(?:\. ?|[-/ ])(?P<month>\d{1,2})(?:(?:\. ?|[-/ ])(?P<year>\d{4}|\d{2}))?\.?"
)
_DAY_NAME = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[-/., ]*(?P<name>[a-z]{3,9})\.?(?:[-/, ]*(?P<year>\d{4}|\d{2}))?"
)
_NAME_DAY = re.compile(
    r"(?P<name>[a-z]{3,9})\.?[-/ ]*(?P<day>\d{1,2})(?:st|nd|rd|th)?(?:[-/, ]+(?P<year>\d{4}|\d{2}))?"
)
_LONGEST_TEXT: Final = 60
_HINT: Final = "Please type it as 22/11/2026, 22 Nov or yesterday."


@dataclass(frozen=True, slots=True)
class Preset:
    """A named period. Both dates are inclusive; None means that the period is open on that side."""

    name: str
    first: date | None
    last: date | None


def parse_date(text: str, today: date) -> date:
    """Return the date that a person typed, with the day before the month.

    Without a year, the date is in this year, or in last year if it would otherwise be more than 31 days
    ahead. Raises InputError with `fields["date"]` if the text is not a date or is out of range.
    """
    # The limit bounds the work for a text pasted by mistake.
    typed = " ".join(typed_number(text[: _LONGEST_TEXT + 1]).lower().split())
    if not typed:
        raise _refusal("Please type a date.")
    if len(text) > _LONGEST_TEXT:
        raise _refusal(f"That is too long for a date. {_HINT}")
    return _within_limits(_relative(typed, today) or _absolute(typed, today), today)


def date_limits(today: date) -> tuple[date, date]:
    """Return the first and the last date that an entry may have."""
    return date(EARLIEST_YEAR, 1, 1), _days_later(today, MAX_DAYS_AHEAD)


def order_error(first: date | None, last: date | None) -> str:
    """Return the sentence about a period that ends before it begins, otherwise ""."""
    return "From is later than To." if first and last and first > last else ""


def format_date(value: date) -> str:
    """Return `22 Nov 2026`."""
    return f"{value.day} {MONTHS[value.month - 1]} {value.year}"


def format_long_date(value: date) -> str:
    """Return `22 November 2026`."""
    return f"{value.day} {_LONG_MONTHS[value.month - 1]} {value.year}"


def weekday_name(value: date) -> str:
    """Return `Sunday`, in the language of the other texts, not in that of the system."""
    return _LONG_DAYS[value.weekday()]


def presets(today: date) -> list[Preset]:
    """Return the periods that the listing offers. A financial year runs from April to March, as in India."""
    month = today.replace(day=1)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    year = date(today.year if today.month >= 4 else today.year - 1, 4, 1)
    return [
        _period("This month", month, 1),
        _period("Last month", _months_later(month, -1), 1),
        _period("This quarter", quarter, 3),
        _period("This financial year", year, 12),
        _period("Last financial year", _months_later(year, -12), 12),
        Preset("All dates", None, None),
    ]


def _period(name: str, first: date, months: int) -> Preset:
    return Preset(name, first, _months_later(first, months) - timedelta(days=1))


def _months_later(first: date, months: int) -> date:
    years, month = divmod(first.month - 1 + months, 12)
    return date(first.year + years, month + 1, 1)


def _relative(typed: str, today: date) -> date | None:
    if typed in _WORDS:
        return _days_later(today, _WORDS[typed])
    span = _SPAN.fullmatch(typed)
    if span:
        return _days_later(today, int(span[2]) * (1 if span[1] == "+" else -1))
    days = [n for n, name in enumerate(_LONG_DAYS) if len(typed) >= 3 and name.lower().startswith(typed)]
    return _days_later(today, -((today.weekday() - days[0]) % 7)) if days else None


def _days_later(today: date, days: int) -> date:
    try:
        return today + timedelta(days=days)
    except OverflowError:  # `_within_limits` then reports that the date is too early or too late
        return date.max if days > 0 else date.min


def _absolute(typed: str, today: date) -> date:
    match = _YEAR_FIRST.fullmatch(typed) or _NUMBERS.fullmatch(typed)
    if match:
        _check_not_swapped(match)
        return _dated(match["year"], int(match["month"]), int(match["day"]), today)
    match = _DAY_NAME.fullmatch(typed) or _NAME_DAY.fullmatch(typed)
    if match:
        return _dated(match["year"], _month_named(match["name"]), int(match["day"]), today)
    if re.fullmatch(r"\d{1,2}", typed):
        raise _refusal(_day_alone(int(typed), today))
    if re.fullmatch(r"[a-z]{3,9}[-/ ]\d{4}", typed):
        raise _refusal("Please type the day too, such as 22 Nov 2026.")
    raise _refusal(f"That is not a date. {_HINT}")


def _day_alone(day: int, today: date) -> str:
    """Return the sentence about a day without a month."""
    if day == 0:
        return "The day must be at least 1."
    if day > 31:
        return f"There is no day {day} in {_LONG_MONTHS[today.month - 1]}. {_HINT}"
    has_day = day <= monthrange(today.year, today.month)[1]
    month = today.month if has_day else today.month - 1  # a short month follows a long one; January is long
    return f"Please type the month too, such as {day} {MONTHS[month - 1]}."


def _check_not_swapped(match: re.Match[str]) -> None:
    """Offer the right order if somebody typed the month before the day, as in the USA."""
    day, month = int(match["day"]), int(match["month"])
    if match.re is _NUMBERS and 1 <= day <= 12 < month <= 31:
        raise _refusal(
            f"There is no month {month}: the day comes before the month. Did you mean {month}/{day}?"
        )


def _month_named(name: str) -> int:
    name = "sep" if name == "sept" else name  # the only common abbreviation with four letters
    for number, month in enumerate(_LONG_MONTHS, start=1):
        if month.lower().startswith(name):
            return number
    raise _refusal(f"“{name}” is not a month. {_HINT}")


def _dated(year: str | None, month: int, day: int, today: date) -> date:
    if month > 12:
        raise _refusal(f"There is no month {month}.")
    if month == 0 or day == 0:
        raise _refusal("The day and the month must be at least 1.")
    if day > monthrange(2024, month)[1]:  # 2024 is a leap year: no year has more days in this month
        raise _refusal(f"{_LONG_MONTHS[month - 1]} does not have a day {day}.")
    return _in_recent_year(month, day, today) if year is None else _in_year(year, month, day, today)


def _in_year(year: str, month: int, day: int, today: date) -> date:
    number = int(year) if len(year) == 4 else _full_year(int(year), today)
    if number < EARLIEST_YEAR:
        raise _refusal(f"The date is before {EARLIEST_YEAR}.")
    if day > monthrange(number, month)[1]:
        raise _refusal(f"{_LONG_MONTHS[month - 1]} {number} does not have a day {day}.")
    return date(number, month, day)


def _full_year(two_digits: int, today: date) -> int:
    """Return the latest year that ends in these digits and is still allowed."""
    latest = _days_later(today, MAX_DAYS_AHEAD).year
    return latest - (latest - two_digits) % 100


def _in_recent_year(month: int, day: int, today: date) -> date:
    latest = _days_later(today, _YEARLESS_DAYS_AHEAD)
    for year in (today.year, today.year - 1):
        if day <= monthrange(year, month)[1] and date(year, month, day) <= latest:
            return date(year, month, day)
    raise _refusal(f"Please type the year too: {day} {MONTHS[month - 1]} exists only in leap years.")


def _within_limits(value: date, today: date) -> date:
    if value.year < EARLIEST_YEAR:
        raise _refusal(f"The date is before {EARLIEST_YEAR}.")
    if (value - today).days > MAX_DAYS_AHEAD:
        raise _refusal(f"{format_date(value)} is more than a year ahead.")
    return value


def _refusal(sentence: str) -> InputError:
    return InputError(sentence, fields={"date": sentence})
