"""Normal forms of long texts: those of `unicodedata`, in time."""

import time
import unicodedata
from collections.abc import Callable
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.bounds import length_error
from app.domain.file_names import clean_name
from app.domain.text import clean_text
from server.contract.normal_form import normalized
from server.contract.passwords import password_forms, prepare_password
from server.contract.search_key import search_key, search_words

MARKS = "\u0301\u0323\u05b0\u05c2\u0f73\u0344\u09be\u3099"
HARD = (
    pytest.param("\u05d0" + "\u05c2" * 9_999 + "\u05b0" * 9_999, id="in the wrong order"),
    pytest.param("a" + "\u0301\u0323" * 10_000, id="in turn"),
    pytest.param("\u0f40" + "\u0f73" * 10_000, id="letters that are two marks"),
    pytest.param("\u0344\u0323" * 10_000, id="marks that are two marks"),
)


LETTERS = st.one_of(st.characters(codec="utf-8"), st.sampled_from(MARKS), st.sampled_from("e\uac00\u0915"))


@given(
    st.text(LETTERS, max_size=60),
    st.sampled_from(["NFC", "NFKC", "NFKD"]),
)
def test_a_long_text_has_the_normal_form_of_unicode(part: str, form: Literal["NFC", "NFKC", "NFKD"]) -> None:
    text = part * (1_001 // max(len(part), 1) + 1)
    assert normalized(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("text", HARD)
@pytest.mark.parametrize(
    "work", [clean_text, prepare_password, password_forms, search_key, search_words, clean_name]
)
def test_no_text_that_can_be_typed_takes_long(work: Callable[[str], object], text: str) -> None:
    began = time.process_time()
    work(text)
    assert time.process_time() - began < 0.4


def test_a_file_name_without_end_is_cleaned_in_time() -> None:
    began = time.process_time()
    name = clean_name("a" + "\u0301\u0323" * 200_000 + ".jpeg", "image/jpeg")
    assert time.process_time() - began < 1
    assert name.endswith(".jpeg")


def test_the_length_of_a_long_text_is_that_of_its_stored_form() -> None:
    assert length_error("e\u0301" * 1_500, 100) == "At most 100 characters: this is 1,500. Please shorten it."
    assert length_error("e\u0301" * 1_500, 1_500) == ""
