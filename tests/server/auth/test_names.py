"""Endings of names that two regions gave away at once, and how such a name is looked up."""

from itertools import zip_longest
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.auth.names import (
    check_new_name,
    guess_key,
    name_key,
    sign_in_keys,
    split_suffix,
    suffixes,
    tidy_name,
)

A, B, C = (UUID(int=number) for number in (1, 2, 3))


def test_the_first_claim_has_no_suffix_and_each_other_one_its_own() -> None:
    claims = [uuid4() for _ in range(200)]
    given = suffixes(claims)
    assert given[0] == ""
    assert len(set(given)) == 200
    assert all(split_suffix(f"asha{suffix}") == ("asha", suffix) for suffix in given)
    assert min(map(len, given[1:])) == 5


def test_a_later_claim_does_not_change_earlier_names() -> None:
    claims = [uuid4() for _ in range(50)]
    assert suffixes(claims)[:20] == suffixes(claims[:20])


def test_of_two_claims_with_the_same_first_letters_the_later_has_a_longer_suffix() -> None:
    shift = 19**3
    given = suffixes([A, B, UUID(int=2 + shift), UUID(int=2 + 5 * shift)])
    assert given == ["", "-2dbb", "-2dbbc", "-2dbbh"]
    assert suffixes([A, B, B])[2] != suffixes([A, B, B])[1]


def test_no_claim_gives_no_suffix() -> None:
    assert suffixes([]) == []


@pytest.mark.parametrize("name", ["asha-2kdt", "ASHA-2KDT", "asha-2bcdfg", "-2x-2kdt"])
def test_a_name_with_such_a_suffix_cannot_be_chosen(name: str) -> None:
    (error,) = check_new_name(name)
    assert "cannot end like this" in error.message


@pytest.mark.parametrize("name", ["asha-2023", "asha-2", "asha-2ab", "asha-2kd", "asha-2kde", "-2kdt", "आशा"])
def test_other_names_can_be_chosen(name: str) -> None:
    assert check_new_name(name) == []


def test_a_name_is_looked_up_in_its_normalized_form() -> None:
    assert sign_in_keys("Asha-2KDT") == ("asha-2kdt",) == (name_key("asha-2kdt"),)
    long = "a" * 64
    assert sign_in_keys(long) == (long,)
    assert sign_in_keys(f"{long}-2kdt") == (f"{long}-2kdt",)
    for nobodys in ("a" * 65, "", "two\nlines", "a\x00", f"{'a' * 65}-2kdt", "x" * 1_000):
        assert sign_in_keys(nobodys) == ()


@pytest.mark.parametrize(
    "typed",
    ["ASHA", "\uff41sha", "as\u200bha", "\u2066asha\u2069", "a\u00adsha", "ASHA\ufeff", "\u200easha"],
)
def test_spellings_that_read_the_same_are_one_name(typed: str) -> None:
    assert name_key(typed) == "asha"
    assert "asha" in sign_in_keys(typed)


_HIDDEN = st.text("\u200b\u2060\u00ad\ufeff\u202e\U000e0041", max_size=130)


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=10), st.lists(_HIDDEN, max_size=11))
def test_every_spelling_that_is_looked_up_as_a_name_is_counted_as_that_name(
    name: str, hidden: list[str]
) -> None:
    spelling = "".join(f"{before}{char}" for before, char in zip_longest(hidden, name, fillvalue=""))
    for key in sign_in_keys(spelling):
        assert name_key(key) == guess_key(spelling) == guess_key(guess_key(spelling))


def test_joiners_that_change_letters_stay_in_a_name() -> None:
    assert name_key("\u0915\u094d\u200d\u0937") != name_key("\u0915\u094d\u0937")


def test_an_account_of_an_earlier_version_is_looked_up_by_the_key_that_it_has() -> None:
    assert sign_in_keys("As\u200bha")[0] == "as\u200bha"  # as earlier versions stored it


def test_a_typed_name_is_tidied() -> None:
    assert tidy_name("  Asha\u00a0 Rao\u200b ") == "Asha Rao"
    assert tidy_name("Rene\u0301") == "Ren\u00e9"
    assert check_new_name("\u200b")  # nothing is left of it
