"""How sizes and counts are told."""

import pytest

from app.ui import bounds


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1 KB"), (185_000, "181 KB"), (2_500_000, "2.4 MB")],
)
def test_sizes_are_formatted_for_people(size: int, text: str) -> None:
    assert bounds.size_text(size) == text


def test_counts_have_indian_grouping_and_a_noun() -> None:
    assert bounds.count_text(1, "entry", "entries") == "1 entry"
    assert bounds.count_text(1_00_000, "entry", "entries") == "1,00,000 entries"
