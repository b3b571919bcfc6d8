"""Texts as stored and as shown: one form, no invisible ends, no direction that leaks."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.domain.text import clean_text, is_blank, isolated, named, visible, without_direction_controls
from server.contract.checks import check_text
from server.contract.search_key import search_key, search_words

# Characters that meet in real texts and confuse each other: marks, joiners, direction controls, blanks.
ODD = "aA1é\u0301\u0323क\u093c\u094dש\u0661 \t\n\u00a0\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff"
ODD += "\u2028\u202a\u202b\u202c\u202e\u2066\u2067\u2068\u2069\ufe0f\u3164\u034f\x00😀"
any_text = st.one_of(st.text(alphabet=ODD, max_size=30), st.text(st.characters(codec=None), max_size=30))


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Cafe\u0301", "Café"),
        ("\u0958\u0932\u092e", "\u0915\u093c\u0932\u092e"),
        ("\u0915\u093c\u0932\u092e", "\u0915\u093c\u0932\u092e"),
        ("\u200e\u00a0Taxi\u200b\ufeff \u2060\u00ad", "Taxi"),
        ("Taxi\r\nto the\u2028airport\tat night", "Taxi to the airport at night"),
        ("two   spaces\u3000and one", "two spaces and one"),
        ("a\x00b\x1bc", "abc"),
        ("half \ud83d of a pair", "half of a pair"),
    ],
)
def test_a_text_is_stored_in_one_form(typed: str, stored: str) -> None:
    assert clean_text(typed) == stored


@pytest.mark.parametrize(
    "typed", ["", " ", "\u200b", "\u200e\u202f", "\ufeff\u3164\u2800", "\u202e\u2069", "\ufe0f"]
)
def test_a_text_of_nothing_visible_is_empty(typed: str) -> None:
    assert clean_text(typed) == ""
    assert is_blank(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "\u0915\u094d\u200d\u0937",  # a Hindi half letter, shown by a joiner
        "\u0926\u0941\u0915\u093e\u0928\u200c\u0926\u093e\u0930",
        "\u0d05\u0d35\u0d28\u0d4d\u200d",  # a Malayalam word may end in a joiner
        "☕\ufe0f",
        "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
        "👩\u200d🚒",
        "pay \u2067\u05d0\u05d1\u2069",  # a closed isolate at the end
    ],
)
def test_invisible_characters_that_change_what_is_drawn_stay(typed: str) -> None:
    assert clean_text(typed) == typed


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("a\u202eb", "ab"),
        ("a\u2069b", "ab"),
        ("a\u2067b\u2069c\u2069d", "a\u2067b\u2069cd"),
        ("a\u2067b\u202ec\u2069d", "a\u2067bc\u2069d"),
        ("a\u202bb\u202cc\u202cd", "a\u202bb\u202ccd"),
        ("\u202ba b\u202c", "a b"),
    ],
)
def test_direction_controls_without_a_partner_are_left_out(typed: str, stored: str) -> None:
    assert clean_text(typed) == stored


@given(any_text)
@example("e\u202e\u0301")  # without the control in the middle, the two are one character
@example("\u2067 a\u2069 \u2069")
def test_cleaning_twice_changes_nothing_more(typed: str) -> None:
    once = clean_text(typed)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)


@given(st.text(alphabet=ODD, max_size=30))
def test_a_clean_text_is_found_by_what_finds_the_typed_one(typed: str) -> None:
    assert search_key(clean_text(typed)) == search_key(typed)
    assert search_words(clean_text(typed)) == search_words(typed)


@given(any_text)
def test_a_clean_text_is_one_that_every_server_takes(typed: str) -> None:
    assert check_text("category", clean_text(typed), 10_000, required=False) == []


def test_a_letter_of_each_direction_control_is_left_out_of_numbers() -> None:
    assert visible("\u200e\u200b1,\u00ad234.50\u2069") == "1,234.50"


@pytest.mark.parametrize(
    ("char", "readable"),
    [("x", "“x”"), ("\u200e", "U+200E"), ("\x07", "U+0007"), ("\u0301", "“◌\u0301”"), ("\ue000", "U+E000")],
)
def test_a_sentence_never_shows_empty_quotes(char: str, readable: str) -> None:
    assert named(char) == readable


@pytest.mark.parametrize("text", ["Taxi", "1,250.00", "चाय", "", "☕"])
def test_a_text_from_left_to_right_is_shown_as_it_is(text: str) -> None:
    assert isolated(text) == text


@pytest.mark.parametrize("text", ["\u05e9\u05dc\u05d5\u05dd", "Taxi \u0661\u0662", "a \u202eb"])
def test_a_text_from_right_to_left_does_not_reorder_its_neighbours(text: str) -> None:
    shown = isolated(text)
    assert shown[0] == "\u2068"
    assert shown[-1] == "\u2069"
    assert "\u202e" not in shown


def test_a_text_cannot_end_the_isolate_that_encloses_it() -> None:
    assert isolated("\u2069\u05d0\u2069\u202e") == "\u2068\u05d0\u2069"


def test_characters_that_reorder_others_are_left_out() -> None:
    assert without_direction_controls("bill\u202efdp.exe\u200f") == "billfdp.exe"
