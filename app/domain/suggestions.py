"""Completions of a category or a description, from entries that this computer knows."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from operator import attrgetter

from app.domain.entry import ListedEntry, Suggestion
from server.contract.search_key import search_key, search_words

__all__ = ["categories_of", "descriptions_of", "search_key", "search_words"]


def categories_of(entries: Iterable[ListedEntry], typed: str, limit: int) -> list[Suggestion]:
    """Return up to `limit` categories that begin with `typed` by their search key, the most used first.

    Categories with one key are one, in the most used spelling. `entries` are given newest first; of
    spellings and categories that are used equally often, the newer comes first.
    """
    return [replace(made, category="", direction=None) for made in _ranked(entries, _category, typed, limit)]


def descriptions_of(entries: Iterable[ListedEntry], typed: str, limit: int) -> list[Suggestion]:
    """Return up to `limit` descriptions as `categories_of` does, with the last category and direction."""
    return _ranked(entries, _description, typed, limit)


_category: Callable[[ListedEntry], str] = attrgetter("category")
_description: Callable[[ListedEntry], str] = attrgetter("description")


def _ranked(
    entries: Iterable[ListedEntry], text_of: Callable[[ListedEntry], str], typed: str, limit: int
) -> list[Suggestion]:
    start = search_key(typed)
    newest: dict[str, ListedEntry] = {}
    spellings: dict[str, Counter[str]] = {}
    for entry in entries:
        key = search_key(text_of(entry))
        if key and key.startswith(start) and not entry.voided:
            newest.setdefault(key, entry)
            spellings.setdefault(key, Counter())[text_of(entry)] += 1
    # Both sorts are stable, and counters and dictionaries are in the order of their first entry.
    keys = sorted(spellings, key=lambda key: -spellings[key].total())
    return [
        Suggestion(
            spellings[key].most_common(1)[0][0],
            spellings[key].total(),
            newest[key].category,
            newest[key].direction,
        )
        for key in keys[:limit]
    ]
