"""The spellings of a book's categories: those with one search key are one category. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from server.contract.search_key import search_key


@dataclass(frozen=True, slots=True)
class Spelling:
    """A category as it was typed, how many entries have it, and the highest version of one."""

    text: str
    uses: int
    last_ver: int


@dataclass(frozen=True, slots=True)
class Spellings:
    """Which spelling stands for each category. `by_key` holds it by search key."""

    by_key: Mapping[str, str]

    @classmethod
    def of(cls, spellings: Iterable[Spelling]) -> "Spellings":
        """Choose the most used spelling of each key, then the newest."""
        ranked = sorted(spellings, key=lambda each: (each.uses, each.last_ver, each.text))
        return cls({search_key(each.text): each.text for each in ranked})

    def shown(self, typed: str) -> str:
        """Return the spelling to show for `typed`."""
        return self.by_key.get(search_key(typed), typed)
