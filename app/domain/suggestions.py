"""Completions of a category or a description, from the entries that this computer knows."""

from collections.abc import Iterable

from app.domain.entry import ListedEntry, Suggestion
from server.contract.search_key import search_key, search_words

__all__ = ["beginning_with", "categories_of", "descriptions_of", "search_key", "search_words"]


def categories_of(used: Iterable[tuple[str, int]]) -> list[Suggestion]:
    """Return the categories, the most used first. `used` has each spelling with its uses, newest first.

    Categories with one search key are one, in the most used spelling. Of spellings and categories that are
    used equally often, the newer comes first.
    """
    spellings: dict[str, dict[str, int]] = {}
    for text, uses in used:
        counts = spellings.setdefault(search_key(text), {})
        counts[text] = counts.get(text, 0) + uses
    # Both `max` and `sorted` keep the order of what is equal.
    made = [Suggestion(_most_used(counts), sum(counts.values())) for counts in spellings.values()]
    return sorted(made, key=lambda suggestion: -suggestion.uses)


def descriptions_of(entries: Iterable[ListedEntry]) -> list[Suggestion]:
    """Return the descriptions as `categories_of` does, with the last category and direction of each.

    `entries` are given newest first.
    """
    entries = [entry for entry in entries if entry.description and not entry.voided]
    newest: dict[str, ListedEntry] = {}
    for entry in entries:
        newest.setdefault(search_key(entry.description), entry)
    return [
        Suggestion(each.text, each.uses, last.category, last.direction)
        for each in categories_of((entry.description, 1) for entry in entries)
        for last in [newest[search_key(each.text)]]
    ]


def beginning_with(typed: str, suggestions: Iterable[Suggestion]) -> list[Suggestion]:
    """Return the suggestions that begin with `typed`, by their search keys."""
    start = search_key(typed)
    return [each for each in suggestions if search_key(each.text).startswith(start)]


def _most_used(counts: dict[str, int]) -> str:
    return max(counts, key=lambda text: counts[text])
