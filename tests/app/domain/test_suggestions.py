"""Completions from the entries of this computer: one for each search key, in its most used spelling."""

from dataclasses import replace

from app.domain.entry import Direction, ListedEntry, Suggestion
from app.domain.suggestions import beginning_with, categories_of, descriptions_of
from tests.support.fakes.shop import shop_entries


def test_categories_with_one_key_are_one_in_the_most_used_spelling() -> None:
    used = [("cafe", 1), ("Café", 2), ("Travel", 3), ("CAFE\u0301", 1), ("Rent", 1)]
    assert categories_of(used) == [Suggestion("Café", 4), Suggestion("Travel", 3), Suggestion("Rent", 1)]


def test_of_spellings_and_categories_used_equally_often_the_newer_comes_first() -> None:
    assert categories_of([("tea", 1), ("Tea", 1), ("Rent", 2)]) == [
        Suggestion("tea", 2),
        Suggestion("Rent", 2),
    ]


def test_hindi_categories_in_both_normal_forms_are_one() -> None:
    assert categories_of([("\u0958\u0932\u092e", 1), ("\u0915\u093c\u0932\u092e", 2)]) == [
        Suggestion("\u0915\u093c\u0932\u092e", 3)
    ]


def test_a_description_comes_with_its_last_category_and_direction() -> None:
    def entry(text: str, category: str, **more: object) -> ListedEntry:
        return replace(shop_entries(1)[0], description=text, category=category, **more)  # type: ignore[arg-type]

    rows = [
        entry("tea", "Meals", direction=Direction.CREDIT),
        entry("Tea", "Stock"),
        entry("Tea", "Stock"),
        entry("Rent", "Rent", voided=True),
        entry("", "Meals"),
    ]
    assert descriptions_of(rows) == [Suggestion("Tea", 3, "Meals", Direction.CREDIT)]


def test_what_begins_so_is_found_by_its_key() -> None:
    known = [Suggestion("Café", 2), Suggestion("Cafeteria", 1), Suggestion("Tea", 1)]
    assert beginning_with("CAFÉ", known) == known[:2]
    assert beginning_with("", known) == known
    assert beginning_with("fe", known) == []
