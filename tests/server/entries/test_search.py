"""Filters, cursors and the months of a range: pure."""

import contextlib
from datetime import date, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.entries import search
from server.entries.search import Filter, Months, parse_filter, parse_limit, split_months
from server.errors import ApiError, InvalidFieldsError

DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
NEAR = st.dates(date(2024, 1, 1), date(2027, 12, 31))


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)] if first <= last else []


def _month_last(month: date) -> date:
    after = date(month.year + 1, 1, 1) if month.month == 12 else date(month.year, month.month + 1, 1)
    return after - timedelta(days=1)


def _of_months(months: Months) -> list[date]:
    if months.first_month > months.last_month:
        return []
    assert months.first_month.day == months.last_month.day == 1
    return _days(months.first_month, _month_last(months.last_month))


@given(NEAR, NEAR)
def test_months_and_edges_hold_each_day_of_a_range_once(first: date, last: date) -> None:
    months = split_months(first, last)
    assert sorted([*_days(*months.head), *_of_months(months), *_days(*months.tail)]) == _days(first, last)


@given(NEAR, NEAR)
def test_edges_are_never_a_whole_month(first: date, last: date) -> None:
    months = split_months(first, last)
    for edge_first, edge_last in (months.head, months.tail):
        if edge_first <= edge_last:
            assert not (edge_first.day == 1 and edge_last == _month_last(edge_first))
            assert (edge_first.year, edge_first.month) == (edge_last.year, edge_last.month)


@given(DAYS, DAYS)
def test_any_range_can_be_split(first: date, last: date) -> None:
    split_months(first, last)


def test_the_whole_of_time_is_whole_months() -> None:
    months = split_months(search.FIRST_DAY, search.LAST_DAY)
    assert (months.first_month, months.last_month) == (date(1, 1, 1), date(9999, 12, 1))
    assert months.head[0] > months.head[1]
    assert months.tail[0] > months.tail[1]


@given(DAYS, st.uuids())
def test_a_cursor_reads_as_it_was_made(day: date, id_: UUID) -> None:
    assert search.decode_cursor(search.encode_cursor(day, id_)) == (day, id_)


@given(st.text(min_size=1, max_size=80))
def test_any_other_text_is_a_cursor_or_a_refusal(text: str) -> None:
    with contextlib.suppress(ApiError):
        day, id_ = search.decode_cursor(text)
        assert isinstance(day, date)
        assert isinstance(id_, UUID)


@given(st.text(alphabet="ab%_\\", max_size=10))
def test_an_escaped_text_has_no_wildcards(text: str) -> None:
    escaped = search.escape_like(text)
    plain = escaped.replace("\\\\", "").replace("\\%", "").replace("\\_", "")
    assert not set(plain) & set("%_\\")


def test_an_empty_query_asks_for_everything_that_is_not_voided() -> None:
    assert parse_filter({}) == Filter()
    assert parse_filter({"q": "", "from": "", "crDr": "", "status": ""}) == Filter()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("from", "2026-02-30"),
        ("from", "yesterday"),
        ("to", "2026-1-1"),
        ("crDr", "XX"),
        ("crDr", "cr"),
        ("hasDocument", "1"),
        ("status", "deleted"),
        ("q", "x" * 101),
        ("q", "a\x00b"),
        ("q", " ".join(f"{letter}{letter}" for letter in "abcdefghijklm")),
        ("category", "x" * 101),
    ],
)
def test_a_parameter_that_cannot_be_is_named(name: str, text: str) -> None:
    with pytest.raises(InvalidFieldsError) as caught:
        parse_filter({name: text})
    (field,) = caught.value.detail["fields"]  # type: ignore[attr-defined]
    assert field["field"] == name
    assert field["message"].endswith(".")


def test_only_words_that_differ_count_as_words_of_a_search() -> None:
    words = tuple(f"{letter}{letter}" for letter in "abcdefghijkl")
    assert parse_filter({"q": " ".join([*words, *words, "a", "b"])}).words == words


@pytest.mark.parametrize("words", [("1", "a"), ("aa", "bb", "cc", "dd"), tuple("abcdefghijkl")])
def test_the_keys_of_a_row_that_a_search_makes_do_not_grow_with_its_words(words: tuple[str, ...]) -> None:
    filter_ = Filter(words=words)
    assert search.words_match_in_walk(filter_).count("public.bahi_") == 1
    assert search.words_match(filter_).count("public.bahi_") <= 4


@pytest.mark.parametrize(("text", "limit"), [("", 50), ("1", 1), ("200", 200), ("007", 7)])
def test_a_page_size_is_read(text: str, limit: int) -> None:
    assert parse_limit(text) == limit


@pytest.mark.parametrize("text", ["0", "201", "-1", "1.5", "x", "५", "²", "000001999999", "9" * 5_000, "1 "])
def test_a_page_size_out_of_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidFieldsError):
        parse_limit(text)
