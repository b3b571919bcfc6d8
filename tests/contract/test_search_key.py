"""The search key: which texts are one. tests/server/db compares it with PostgreSQL's."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract import search_key as module
from server.contract.search_key import search_key, search_words

ALL = [chr(code) for code in range(0x110000)]


@pytest.mark.parametrize(
    "texts",
    [
        ("café", "Café", "CAFÉ", "cafe\u0301", "cafe"),
        ("क़लम", "\u0958लम", "क\u093cलम"),
        ("１２３", "१२३", "١٢٣", "123", "𝟏𝟐𝟑"),
        ("Straße", "STRASSE", "STRAẞE"),
        ("ΟΔΟΣ", "οδος", "οδοσ"),
        ("Ёлка", "елка", "ЕЛКА"),
        ("ﬁle", "file", "ＦＩＬＥ"),
        ("Tea\u200b", "\u200eTea\u200f", "\ufeffTea", "te\u00ada"),
        ("क्\u200dष", "क्\u200cष", "क्ष"),
        ("paper  pens", " paper\u00a0pens ", "paper\r\npens", "paper\u2028\tpens"),
        ("❤\ufe0f", "❤"),
        ("한글", "\u1112\u1161\u11ab\u1100\u1173\u11af"),
        ("", " ", "\u200b", "\u3164", "\n"),
    ],
)
def test_texts_that_read_the_same_have_one_key(texts: tuple[str, ...]) -> None:
    assert {search_key(text) for text in texts} == {search_key(texts[-1])}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("कि", "की"),
        ("कम", "काम"),
        ("कल", "क़ल"),
        ("मद", "मंद"),
        ("か", "が"),
        ("كتب", "كُتب"),
        ("Tea", "Te a"),
    ],
)
def test_signs_that_carry_meaning_stay(one: str, other: str) -> None:
    assert search_key(one) != search_key(other)


@pytest.mark.slow
def test_a_key_is_its_own_key() -> None:
    assert [char for char in ALL if search_key(search_key(char)) != search_key(char)] == []


@pytest.mark.slow
def test_case_makes_no_difference() -> None:
    # Without a dot, i is a letter of its own. The iota below a Greek letter is a mark and is dropped, but its
    # upper case is a letter.
    differ = {char for char in ALL if len({search_key(c) for c in (char, char.upper(), char.casefold())}) > 1}
    assert {char for char in differ if "\u0345" not in unicodedata.normalize("NFKD", char)} == {"ı"}


def test_every_decimal_digit_is_an_ascii_digit() -> None:
    digits = [char for char in ALL if unicodedata.category(char) == "Nd"]
    assert [search_key(char) for char in digits] == [str(unicodedata.decimal(char)) for char in digits]


def test_nothing_that_is_dropped_is_white_space_or_a_letter_of_a_script() -> None:
    dropped = [chr(code) for first, last in module.DROPPED for code in range(first, last + 1)]
    assert [char for char in dropped if char.isspace()] == []
    fillers = {"\u115f", "\u1160", "\u3164", "\uffa0"}  # letters of Hangul that nobody sees
    assert {char for char in dropped if char.isalnum()} == fillers


@given(st.text(), st.text())
def test_a_key_is_stable_in_any_text(one: str, other: str) -> None:
    assert search_key(search_key(one)) == search_key(one)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        assert search_key(unicodedata.normalize(form, one)) == search_key(one)  # type: ignore[arg-type]
    words, parts = search_words(f"{one}\n{other}"), {*search_words(one), *search_words(other)}
    assert set(words) == {part for part in parts if not any(part in more and part != more for more in parts)}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ()),
        ("  paper   PENS ", ("paper", "pens")),
        ("₹1,25,000.50", ("125000.50",)),
        ("₹१,२५०", ("1250",)),
        ("1,250 paper", ("1250", "paper")),
        ("a,b", ("a,b",)),
        ("किराया मई", ("किराया", "मई")),
        ("₹", ("₹",)),
        ("50%", ("50%",)),
        ("Paper\r\npens\u2029ink", ("paper", "pens", "ink")),
        ("\u200b", ()),
        ("paper Paper PAPER", ("paper",)),
        ("pap paper newspaper pen", ("newspaper", "pen")),
        ("125 1,250 125", ("1250",)),
        ("\ufdfa" * 100, ("الله", "عليه", "وسلمصلى")),
    ],
)
def test_a_search_is_split_into_words(text: str, words: tuple[str, ...]) -> None:
    assert search_words(text) == words
