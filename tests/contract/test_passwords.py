"""The form of a password that is hashed: OpaqueString of RFC 8265, as its examples have it."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.passwords import check_typed_password, password_forms, prepare_password

DECOMPOSED, COMPOSED = "Cafe\u0301 au lait", "Café au lait"


@pytest.mark.parametrize(
    ("typed", "prepared"),
    [
        ("correct horse battery staple", "correct horse battery staple"),
        ("Correct Horse Battery Staple", "Correct Horse Battery Staple"),
        ("πßå", "πßå"),
        ("Jack of ♦s", "Jack of ♦s"),
        ("foo\u1680bar", "foo bar"),
        ("\u00a0 edges stay\u3000", "  edges stay "),
        (DECOMPOSED, COMPOSED),
        ("ＡＢＣ", "ＡＢＣ"),  # width is kept
        ("\u200bhidden\u200d", "\u200bhidden\u200d"),
        ("half \ud83d", "half "),
        ("", ""),
    ],
)
def test_only_spaces_and_the_normal_form_are_changed(typed: str, prepared: str) -> None:
    assert prepare_password(typed) == prepared


@given(st.text(max_size=40))
def test_preparing_twice_changes_nothing_more(typed: str) -> None:
    prepared = prepare_password(typed)
    assert prepare_password(prepared) == prepared
    assert unicodedata.is_normalized("NFC", prepared)
    assert bool(prepared) == bool(typed)


def test_a_password_is_tried_as_typed_only_if_that_differs() -> None:
    assert password_forms("plain words") == ("plain words",)
    assert password_forms(DECOMPOSED) == (COMPOSED, DECOMPOSED)


@pytest.mark.parametrize("typed", ["two\nlines", "a\ttab", "nul\x00", "del\x7f", "\u2028"])
def test_a_new_password_has_no_control_characters(typed: str) -> None:
    assert [error.field for error in check_typed_password(typed, "newPassword")] == ["newPassword"]
    assert check_typed_password("spaces   and ☕ are fine") == []


@pytest.mark.parametrize("char", "\u200b\u200f\u00ad\u2060\u3164\ufe0f\ufeff\u200d\U000e0041")
def test_a_new_password_has_no_characters_that_nobody_sees(char: str) -> None:
    (error,) = check_typed_password(f"pass{char}words", "newPassword")
    assert error.field == "newPassword"
    assert f"(U+{ord(char):04X})" in error.message
    assert password_forms(f"pass{char}words") == (f"pass{char}words",)  # an old one goes on working


@pytest.mark.parametrize("word", ["क्\u200dष पासवर्ड", "می\u200cخواهم باشد"])
def test_a_new_password_may_have_joiners_that_change_a_letter(word: str) -> None:
    assert check_typed_password(word) == []
