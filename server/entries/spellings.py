"""The spellings of a book's categories: those with one search key are one category."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, TypeVar, TypeVarTuple

from server.contract.search_key import search_key

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")
# The keys of so many spellings may take longer than the event loop can be held up.
_MANY: Final = 200


@lru_cache(maxsize=4_096)
def category_key(text: str) -> str:
    """Return the search key of a category. The same few are asked for again and again."""
    return search_key(text)


async def apart_if_many(count: int, work: Callable[[*_Ts], _T], *values: *_Ts) -> _T:
    """Return `work(*values)`. If it makes the keys of many spellings, it runs in a thread."""
    return await asyncio.to_thread(work, *values) if count > _MANY else work(*values)


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
        return cls({category_key(each.text): each.text for each in ranked})

    def shown(self, typed: str) -> str:
        """Return the spelling to show for `typed`."""
        return self.by_key.get(category_key(typed), typed)
