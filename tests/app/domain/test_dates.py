"""Dates as people type them, and the periods on offer."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.dates import format_date, format_long_date, parse_date, presets, weekday_name
from app.errors import InputError
from server.contract.limits import MAX_DAYS_AHEAD

SUNDAY = date(2026, 11, 22)
TODAYS = st.dates(date(1990, 1, 1), date(2200, 12, 31))


def refusal(text: str, today: date = SUNDAY) -> str:
    with pytest.raises(InputError) as caught:
        parse_date(text, today)
    assert caught.value.fields == {"date": caught.value.message}
    return caught.value.message


def parsed(text: str, today: date) -> date | InputError:
    try:
        return parse_date(text, today)
    except InputError as error:
        return error


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        ("2026/1/2", date(2026, 1, 2)),
        ("22/11/2026", date(2026, 11, 22)),
        ("22-11-26", date(2026, 11, 22)),
        ("22.11.2026", date(2026, 11, 22)),
        ("22 11 2026", date(2026, 11, 22)),
        ("1-1-99", date(1999, 1, 1)),
        ("1-1-27", date(2027, 1, 1)),
        ("5/4", date(2026, 4, 5)),
        ("5.4.", date(2026, 4, 5)),
        ("5. 4.", date(2026, 4, 5)),
        ("24.12.", date(2025, 12, 24)),
        ("5. 4. 2025", date(2025, 4, 5)),
        ("5.4.25", date(2025, 4, 5)),
        ("23/12", date(2026, 12, 23)),
        ("24/12", date(2025, 12, 24)),
        ("22 Nov", date(2026, 11, 22)),
        ("22nov", date(2026, 11, 22)),
        ("22-Nov-2026", date(2026, 11, 22)),
        ("22nd November, 2026", date(2026, 11, 22)),
        ("nov 22", date(2026, 11, 22)),
        ("Nov 22, 2025", date(2025, 11, 22)),
        ("5 sept", date(2026, 9, 5)),
        ("  TODAY ", date(2026, 11, 22)),
        ("yesterday", date(2026, 11, 21)),
        ("tomorrow", date(2026, 11, 23)),
        ("sunday", date(2026, 11, 22)),
        ("Mon", date(2026, 11, 16)),
        ("thurs", date(2026, 11, 19)),
        ("-3", date(2026, 11, 19)),
        ("−3", date(2026, 11, 19)),
        ("+1", date(2026, 11, 23)),
        ("२२/११/२०२६", date(2026, 11, 22)),
        ("\u200e22/11/2026\u200f", date(2026, 11, 22)),
        ("22\u200b Nov\u00a02026\u2060", date(2026, 11, 22)),
        ("٢٢/١١/٢٠٢٦", date(2026, 11, 22)),
        ("２２．１１．２０２６", date(2026, 11, 22)),
        ("22\u201111\u20112026", date(2026, 11, 22)),
        ("29/2/2024", date(2024, 2, 29)),
        ("1/1/1900", date(1900, 1, 1)),
    ],
)
def test_dates_are_parsed_as_people_type_them(text: str, value: date) -> None:
    assert parse_date(text, SUNDAY) == value


def test_a_leap_day_without_a_year_is_in_this_year_or_the_last() -> None:
    assert parse_date("29/2", date(2025, 1, 5)) == date(2024, 2, 29)
    assert "Please type the year too" in refusal("29/2")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Please type a date"),
        ("\u200e\u00a0", "Please type a date"),
        ("foo", "That is not a date"),
        ("1/2/3/4", "That is not a date"),
        ("1/2/202", "That is not a date"),
        ("22", "Please type the month too, such as 22 Nov."),
        ("07", "Please type the month too, such as 7 Nov."),
        ("31", "Please type the month too, such as 31 Oct."),
        ("60", "There is no day 60 in November. Please type it as 22/11/2026"),
        ("0", "The day must be at least 1"),
        ("nov 2026", "type the day too"),
        ("22 foo", "“foo” is not a month"),
        ("11/22/2026", "Did you mean 22/11?"),
        ("2026-13-01", "There is no month 13."),
        ("99/99", "There is no month 99."),
        ("31/4", "April does not have a day 31"),
        ("29/2/2025", "February 2025 does not have a day 29"),
        ("0/5", "must be at least 1"),
        ("5/0", "must be at least 1"),
        ("31/12/1899", "before 1900"),
        ("1/1/0000", "before 1900"),
        ("-999999", "before 1900"),
        ("24/11/2027", "24 Nov 2027 is more than a year ahead"),
        ("+999999", "more than a year ahead"),
        ("9999-12-31", "more than a year ahead"),
    ],
)
def test_each_mistake_has_its_own_error(text: str, words: str) -> None:
    assert words in refusal(text)


@given(TODAYS, st.integers(1, 31))
def test_the_example_after_a_bare_day_is_a_date(today: date, day: int) -> None:
    example = refusal(str(day), today).removeprefix("Please type the month too, such as ").rstrip(".")
    assert parse_date(f"{example} {today.year}", today).day == day


def test_names_of_days_and_months_are_those_of_the_texts() -> None:
    assert [weekday_name(SUNDAY + timedelta(days=n)) for n in (0, 1)] == ["Sunday", "Monday"]
    assert format_long_date(SUNDAY) == "22 November 2026"


@given(st.dates(date(1900, 1, 1), date(2200, 12, 31)), TODAYS)
def test_a_formatted_date_is_parsed_to_the_same_date(value: date, today: date) -> None:
    forms = [format_date(value), value.isoformat(), f"{value.day}/{value.month}/{value.year}"]
    for text in forms:
        if value > today + timedelta(days=MAX_DAYS_AHEAD):
            assert "ahead" in refusal(text, today)
        else:
            assert parse_date(text, today) == value


@given(TODAYS, st.integers(1, 12), st.integers(1, 28))
def test_a_date_without_a_year_is_at_most_a_month_ahead(today: date, month: int, day: int) -> None:
    value = parse_date(f"{day}/{month}", today)
    assert value.year in {today.year, today.year - 1}
    assert value <= today + timedelta(days=31)


@given(TODAYS, st.integers(0, 99))
def test_a_two_digit_year_is_the_latest_allowed_one(today: date, year: int) -> None:
    value = parsed(f"1/1/{year:02d}", today)
    if isinstance(value, InputError):
        assert "before 1900" in value.message
    else:
        assert value.year % 100 == year
        assert value <= today + timedelta(days=MAX_DAYS_AHEAD)
        assert value.year + 100 >= today.year


@given(
    TODAYS, st.sampled_from(["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"])
)
def test_a_weekday_is_the_most_recent_one_including_today(today: date, name: str) -> None:
    value = parse_date(name, today)
    assert value.strftime("%A").lower() == name
    assert 0 <= (today - value).days <= 6
    assert parse_date(name[:3], today) == value


@given(st.text(max_size=70) | st.text("0123456789/-. nov", max_size=12), st.dates())
def test_any_text_gives_a_date_within_the_limits_or_an_error(text: str, today: date) -> None:
    value = parsed(text, today)
    if isinstance(value, InputError):
        assert value.fields == {"date": value.message}
    else:
        assert value.year >= 1900
        assert (value - today).days <= MAX_DAYS_AHEAD


def test_the_periods_of_a_day_in_february() -> None:
    periods = {p.name: (p.first, p.last) for p in presets(date(2028, 2, 29))}
    assert periods == {
        "This month": (date(2028, 2, 1), date(2028, 2, 29)),
        "Last month": (date(2028, 1, 1), date(2028, 1, 31)),
        "This quarter": (date(2028, 1, 1), date(2028, 3, 31)),
        "This financial year": (date(2027, 4, 1), date(2028, 3, 31)),
        "Last financial year": (date(2026, 4, 1), date(2027, 3, 31)),
        "All dates": (None, None),
    }


@given(TODAYS)
def test_periods_include_today_and_have_no_gaps(today: date) -> None:
    periods = {p.name: p for p in presets(today)}
    for name in ("This month", "This quarter", "This financial year"):
        first, last = periods[name].first, periods[name].last
        assert first is not None
        assert last is not None
        assert first <= today <= last
    for this, before in (("This month", "Last month"), ("This financial year", "Last financial year")):
        first, last = periods[this].first, periods[before].last
        assert first is not None
        assert last == first - timedelta(days=1)
