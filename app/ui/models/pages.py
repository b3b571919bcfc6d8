"""The pages of a listing: key ranges of the server's rows, merged with unconfirmed entries. Free of Qt.

A page covers the keys (date, id) from its `start` (exclusive) down to its `end` (inclusive; None means to
the last row). The range stays the same when a page is read again, so rows that were added or removed in
between do not shift the other pages.
"""

import bisect
from collections import OrderedDict
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from app.domain.entry import ListedEntry, ListedPage

Key = tuple[date, str]
KEPT_PAGES: Final = 40


@dataclass(slots=True)
class Page:
    """A range of rows. After an eviction, `rows` is None and `count` is the number that it had."""

    cursor: str | None
    start: Key | None
    end: Key | None = None
    served: tuple[ListedEntry, ...] = ()
    rows: list[ListedEntry] | None = None
    count: int = 0
    stale: bool = False


@dataclass(frozen=True, slots=True)
class Chunk:
    """What was read for one page: the server's rows, and the cursor after them (None means the end)."""

    rows: tuple[ListedEntry, ...]
    cursor: str | None
    from_cache: bool = False


def read_range(fetch: Callable[[str | None], ListedPage], cursor: str | None, end: Key | None) -> Chunk:
    """Read one page from `cursor`; or, with an `end`, all rows down to that key. Blocks."""
    page = fetch(cursor)
    rows = list(page.entries)
    while end is not None and page.cursor is not None and rows and rows[-1].sort_key > end:
        page = fetch(page.cursor)
        rows += page.entries
    if end is not None:
        rows = [row for row in rows if row.sort_key >= end]
    return Chunk(tuple(rows), page.cursor, page.from_cache)


def merged_rows(
    page: Page, pending: Iterable[ListedEntry], overridden: Container[str] = ()
) -> list[ListedEntry]:
    """Return the server's rows of `page` and the pending entries in its range, newest first, each id once.

    The server's rows of `overridden` ids are left out, because this computer has newer versions of them.
    Those are in `pending`, if the filter includes them.
    """
    served = [row for row in page.served if row.id not in overridden]
    known = {row.id for row in served}
    waiting = [row for row in pending if row.id not in known and _within(page, row.sort_key)]
    if not waiting:
        return served
    return sorted([*served, *waiting], key=lambda row: row.sort_key, reverse=True)


def _within(page: Page, key: Key) -> bool:
    below_start = page.start is None or key < page.start
    return below_start and (page.end is None or key >= page.end)


@dataclass(slots=True)
class Pages:
    """All pages of one filter, in order. `more` is the cursor after the last one; None means the end."""

    pages: list[Page] = field(default_factory=list)
    more: str | None = None
    _starts: list[int] = field(default_factory=list)
    _recent: OrderedDict[int, None] = field(default_factory=OrderedDict)

    @property
    def count(self) -> int:
        """Return the number of rows."""
        return self._starts[-1] + self.pages[-1].count if self.pages else 0

    def first_row(self, index: int) -> int:
        """Return the first row of page `index`."""
        return self._starts[index]

    def locate(self, row: int) -> tuple[int, int]:
        """Return the index of the page that has `row`, and the row's position in it."""
        index = bisect.bisect_right(self._starts, row) - 1
        while self.pages[index].count == 0:  # an empty page has the same first row as the next one
            index -= 1
        return index, row - self._starts[index]

    def touch(self, index: int) -> None:
        """Mark page `index` as just used."""
        self._recent[index] = None
        self._recent.move_to_end(index)

    def evict(self) -> None:
        """Drop the rows of the least recently used pages beyond `KEPT_PAGES`."""
        while len(self._recent) > KEPT_PAGES:
            index, _ = self._recent.popitem(last=False)
            self.pages[index].rows = None
            self.pages[index].served = ()

    def next_page(self) -> Page:
        """Return a new empty page after the last row. It is not appended yet."""
        return Page(self.more, self.pages[-1].end if self.pages else None)

    def append(self, page: Page) -> None:
        """Append `page`."""
        self.pages.append(page)
        self.recount()
        self.touch(len(self.pages) - 1)

    def recount(self) -> None:
        """Compute the first row of each page again."""
        total, self._starts = 0, []
        for page in self.pages:
            self._starts.append(total)
            total += page.count

    def mark_stale(self) -> None:
        """Mark all pages to be read again when they are used."""
        for page in self.pages:
            page.stale = True


def fill(page: Page, chunk: Chunk, *, last: bool) -> None:
    """Set the server's rows of `page`. The `last` page ends at its last row if more rows follow."""
    page.served = chunk.rows
    if last:
        page.end = chunk.rows[-1].sort_key if chunk.cursor is not None and chunk.rows else None
    page.stale = False


def removals(old: Sequence[Key], new: Sequence[Key]) -> list[tuple[int, int]]:
    """Return the inclusive ranges of positions in `old` whose keys are not in `new`, last one first."""
    kept = set(new)
    return list(reversed(_ranges([at for at, key in enumerate(old) if key not in kept])))


def insertions(old: Sequence[Key], new: Sequence[Key]) -> list[tuple[int, int]]:
    """Return the inclusive ranges of positions in `new` whose keys are not in `old`, in order."""
    known = set(old)
    return _ranges([at for at, key in enumerate(new) if key not in known])


def _ranges(positions: Sequence[int]) -> list[tuple[int, int]]:
    ranges: list[tuple[int, int]] = []
    for position in positions:
        if ranges and ranges[-1][1] == position - 1:
            ranges[-1] = (ranges[-1][0], position)
        else:
            ranges.append((position, position))
    return ranges
