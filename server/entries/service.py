"""Reads the entries of one book: listing, search, totals and suggestions."""

from collections import Counter
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final
from uuid import UUID

from server.contract import limits
from server.contract.shapes import (
    BookDigest,
    CategorySuggestions,
    CategoryTotal,
    DescriptionSuggestions,
    Entry,
    EntryPage,
    EntryWithDocuments,
    MonthTotal,
    Summary,
)
from server.db.pool import Connection, Pool
from server.entries import search, store
from server.entries.long_reads import LongReads
from server.entries.search import Filter
from server.entries.spellings import Spelling, Spellings, apart_if_many
from server.entries.store import Group, Key, SummaryRows
from server.errors import not_found
from server.tokens.tokens import Identity

_CENTS: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class EntryService:
    """Reads entries. `EntryChanges` writes them."""

    pool: Pool
    long_reads: LongReads

    async def get(self, identity: Identity, id_: UUID) -> EntryWithDocuments:
        """Return one entry and its bills. Raises ApiError (not_found)."""
        async with self.pool.connection() as connection:
            entry = await store.entry(connection, identity.book_id, id_)
            if entry is None:
                raise not_found("entry")
            documents = await store.documents(connection, identity.book_id, id_)
        return EntryWithDocuments(entry, documents)

    async def page(self, identity: Identity, filter_: Filter, cursor: str, limit: int) -> EntryPage:
        """Return a page, newest first.

        A search for a rare word may return a short page with a cursor; continue from there.
        """
        after = search.decode_cursor(cursor)
        filter_ = await self._spelled(identity, filter_)
        if filter_.words:
            async with self.long_reads.connection() as connection:
                return await _search(connection, identity.book_id, filter_, after, limit)
        async with self.pool.connection() as connection:
            # One entry more than the page shows whether there is another page.
            found = await store.page(connection, identity.book_id, filter_, after, limit + 1)
        return _cut(found, limit)

    async def summary(self, identity: Identity, filter_: Filter) -> Summary:
        """Return the count and totals of a filter, by category and by month.

        Categories with one search key are one. Of their spellings, the most used in the book is shown, then
        the newest.
        """
        filter_ = await self._spelled(identity, filter_)
        lend = self.pool.connection if filter_.by_months else self.long_reads.connection
        async with lend() as connection:
            totals = await store.summary(connection, identity.book_id, filter_)
        return await apart_if_many(len(totals.groups) + len(totals.spellings), _summary, totals)

    async def _spelled(self, identity: Identity, filter_: Filter) -> Filter:
        """Return the filter with all spellings of its category in the book."""
        if not filter_.category:
            return filter_
        async with self.pool.connection() as connection:
            spellings = await store.spellings(connection, identity.book_id, filter_)
        return await apart_if_many(len(spellings), filter_.spelled, spellings)

    async def digest(self, identity: Identity) -> BookDigest:
        """Return a digest of all versions of the book, by which two books can be compared."""
        async with self.pool.connection() as connection:
            return await store.digest(connection, identity.book_id)

    async def suggest_categories(self, identity: Identity, prefix: str) -> CategorySuggestions:
        """Return categories that begin with `prefix`."""
        async with self.pool.connection() as connection:
            found = await store.suggest_categories(
                connection, identity.book_id, prefix[: limits.MAX_CATEGORY], limits.MAX_SUGGESTIONS
            )
        return CategorySuggestions(found)

    async def suggest_descriptions(self, identity: Identity, prefix: str) -> DescriptionSuggestions:
        """Return descriptions that begin with `prefix`."""
        async with self.pool.connection() as connection:
            found = await store.suggest_descriptions(
                connection, identity.book_id, prefix[: limits.MAX_DESCRIPTION], limits.MAX_SUGGESTIONS
            )
        return DescriptionSuggestions(found)


def _cut(found: list[Entry], limit: int) -> EntryPage:
    if len(found) <= limit:
        return EntryPage(found)
    last = found[limit - 1]
    return EntryPage(found[:limit], search.encode_cursor(date.fromisoformat(last.entry_date), UUID(last.id)))


async def _search(
    connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int
) -> EntryPage:
    """Search for words, as described in `server.entries.search`."""
    found: list[Entry] = []
    walked = 0
    while True:
        step = await store.walk(connection, book_id, filter_, after, limit + 1 - len(found))
        found += step.entries
        if len(found) > limit or step.last is None:
            return _cut(found, limit)
        after, walked = step.last, walked + search.WALK
        if filter_.has_long_word:
            found += await store.find(connection, book_id, filter_, after, limit + 1 - len(found))
            return _cut(found, limit)
        # Short words cannot use the trigram index. Rather than read the whole book in one call, return what
        # was found so far; the client continues with the cursor.
        if walked >= search.MAX_WALKED:
            return EntryPage(found, search.encode_cursor(*after))


def _summary(totals: SummaryRows) -> Summary:
    shown = _spellings(totals)
    count, sums = 0, {"CR": Decimal(0), "DR": Decimal(0)}
    categories: dict[str, list[Group]] = {}
    months: dict[str, list[Group]] = {}
    for group in totals.groups:
        if group.category is not None:
            categories.setdefault(shown.shown(group.category), []).append(group)
        elif group.month is not None:
            months.setdefault(f"{group.month:%Y-%m}", []).append(group)
        else:
            count += group.count
            sums[group.cr_dr] += group.amount
    return Summary(
        count=count,
        money_out=_text(sums["DR"]),
        money_in=_text(sums["CR"]),
        net=_text(sums["CR"] - sums["DR"]),
        by_category=[CategoryTotal(name, *_totals(parts)) for name, parts in sorted(categories.items())],
        by_month=[MonthTotal(name, *_totals(parts)) for name, parts in sorted(months.items())],
    )


def _spellings(totals: SummaryRows) -> Spellings:
    """Return the spellings to show. If the book's suggestions lack one, the totals themselves decide."""
    counts: Counter[str] = Counter()
    for group in totals.groups:
        if group.category is not None:
            counts[group.category] += group.count
    here = Spellings.of(Spelling(text, count, 0) for text, count in counts.items())
    return Spellings({**here.by_key, **Spellings.of(totals.spellings).by_key})


def _totals(parts: list[Group]) -> tuple[int, str, str]:
    out = sum((p.amount for p in parts if p.cr_dr == "DR"), Decimal(0))
    into = sum((p.amount for p in parts if p.cr_dr == "CR"), Decimal(0))
    return sum(p.count for p in parts), _text(out), _text(into)


def _text(amount: Decimal) -> str:
    return str(amount.quantize(_CENTS))
