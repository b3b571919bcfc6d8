"""The limits that the screens repeat are those of the wire."""

import pytest

from app.ui import bounds
from server.contract import limits, media


def test_the_limits_are_those_of_the_contract() -> None:
    assert bounds.MAX_DOCUMENTS == limits.MAX_DOCUMENTS_PER_ENTRY
    assert bounds.MAX_CATEGORY == limits.MAX_CATEGORY
    assert bounds.MAX_DESCRIPTION == limits.MAX_DESCRIPTION
    assert bounds.MAX_SEARCH == limits.MAX_SEARCH
    assert bounds.MAX_USER_NAME == limits.MAX_USER_NAME
    assert bounds.MAX_PASSWORD == limits.MAX_PASSWORD


def test_every_kind_of_bill_can_be_opened_outside() -> None:
    assert bounds.EXTENSIONS == media.EXTENSIONS


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (185_000, "181 KB"), (2_500_000, "2.4 MB")],
)
def test_sizes_are_told_as_a_person_says_them(size: int, text: str) -> None:
    assert bounds.size_text(size) == text


def test_counts_have_lakh_grouping_and_their_noun() -> None:
    assert bounds.count_text(1, "entry", "entries") == "1 entry"
    assert bounds.count_text(1_00_000, "entry", "entries") == "1,00,000 entries"
