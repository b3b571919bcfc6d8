"""How a recovery code is written and read."""

import random
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.contract.recovery_codes import CODE_BITS, code_hash, code_mistake, make_code, read_code

CODE = make_code(random.Random(7).getrandbits(CODE_BITS))
BARE = CODE.replace("-", "")


@given(st.integers(min_value=0, max_value=2**CODE_BITS - 1))
def test_every_code_is_five_groups_and_is_read_as_written(number: int) -> None:
    code = make_code(number)
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{5}-){4}[0-9A-HJKMNP-TV-Z]{5}", code)
    assert read_code(code) == code.replace("-", "")
    assert code_mistake(code) == ""


def test_different_numbers_give_different_codes() -> None:
    codes = {make_code(1 << bit) for bit in range(CODE_BITS)}
    assert len(codes) == CODE_BITS
    assert CODE_BITS >= 100


@pytest.mark.parametrize(
    "typed",
    [
        CODE.lower(),
        BARE,
        CODE.replace("-", " "),
        CODE.replace("-", "\u2013"),
        f"  \u2066{CODE}\u2069\n",
        " ".join(BARE),
        f"\u200e{CODE}\ufeff",
        CODE.translate(
            str.maketrans("0123456789", "\u0966\u0967\u0968\u0969\u096a\u096b\u096c\u096d\u096e\u096f")
        ),
        "".join(chr(ord(char) + 0xFEE0) for char in BARE),
    ],
    ids=["small", "bare", "spaces", "dashes", "isolated", "apart", "marks", "digits", "wide"],
)
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert read_code(typed) == BARE


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    code = make_code(0x01_00_01)
    assert read_code(code.replace("0", "O").replace("1", "I")) == code.replace("-", "")
    assert read_code(code.replace("0", "o").replace("1", "l")) == code.replace("-", "")


def test_a_mistake_is_told_before_anybody_is_asked() -> None:
    at = next(i for i, char in enumerate(BARE) if char not in "0Z")
    other = "3" if BARE[at] != "3" else "4"
    assert "typing mistake" in code_mistake(BARE[:at] + other + BARE[at + 1 :])
    swapped = next(i for i in range(23) if {BARE[i], BARE[i + 1]} - {"0", "Z"} and BARE[i] != BARE[i + 1])
    assert "typing mistake" in code_mistake(
        BARE[:swapped] + BARE[swapped + 1] + BARE[swapped] + BARE[swapped + 2 :]
    )
    assert "here are 24" in code_mistake(BARE[:-1])
    assert "type your recovery code" in code_mistake(" - ")
    assert "too long" in code_mistake("x" * 100_000)


@given(st.text(max_size=500))
def test_any_text_is_read_without_an_error(typed: str) -> None:
    assert bool(read_code(typed)) != bool(code_mistake(typed))


def test_the_hash_does_not_contain_the_code() -> None:
    assert len(code_hash(BARE)) == 64
    assert BARE.lower() not in code_hash(BARE)
