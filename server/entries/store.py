"""Entries in PostgreSQL: reading. Writing is appending to the journal."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, LiteralString
from uuid import UUID

from server.contract.shapes import CategorySuggestion, DescriptionSuggestion, Document, Entry
from server.db.pool import Connection
from server.db.queries import load
from server.entries import search
from server.entries.search import Filter

SQL: Final = load("server.entries")
Key = tuple[date, UUID]


@dataclass(frozen=True, slots=True)
class Walked:
    """What a walk over the next rows found: `last` is where to go on, None at the end of the book."""

    entries: list[Entry]
    last: Key | None


@dataclass(frozen=True, slots=True)
class Group:
    """One row of a summary's grouping sets: a direction's total, of a category, of a month, or of all."""

    month: date | None
    category: str | None
    cr_dr: str
    amount: Decimal
    count: int


def _fill(name: str, filter_: Filter, match: LiteralString) -> LiteralString:
    text = SQL[name].replace("{voided}", search.voided(filter_)).replace("{match}", match)
    return text.replace("{words}", search.words_match(filter_))


async def _rows(
    connection: Connection, sql: LiteralString, values: dict[str, object]
) -> list[tuple[Any, ...]]:
    return await (await connection.execute(sql, values)).fetchall()


async def page(connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int) -> list[Entry]:
    """Return up to `limit` entries after the key, newest first; the filter has no words."""
    values = _values(book_id, filter_, after, limit)
    rows = await _rows(connection, _fill("page", filter_, search.rest_match(filter_)), values)
    return [_entry(row) for row in rows]


async def walk(connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int) -> Walked:
    """Search the next `search.WALK` rows of the listing."""
    values = {**_values(book_id, filter_, after, limit), "walk": search.WALK}
    match = f"{search.words_match(filter_)} {search.rest_match(filter_)}"
    rows = await _rows(connection, _fill("walk", filter_, match), values)
    walked, last_date, last_id = rows[0][:3]
    entries = [_entry(row[3:]) for row in rows if row[3] is not None]
    return Walked(entries, None if walked < search.WALK else (last_date, last_id))


async def find(connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int) -> list[Entry]:
    """Search the whole book through the trigram index."""
    values = _values(book_id, filter_, after, limit)
    rows = await _rows(connection, _fill("find", filter_, search.rest_match(filter_)), values)
    return [_entry(row) for row in rows]


async def entry(connection: Connection, book_id: UUID, id_: UUID) -> Entry | None:
    """Return one entry, voided or not."""
    rows = await _rows(connection, SQL["entry"], {"book_id": book_id, "id": id_})
    return _entry(rows[0]) if rows else None


async def documents(connection: Connection, book_id: UUID, id_: UUID) -> list[Document]:
    """Return the bills of an entry, in their order."""
    rows = await _rows(connection, SQL["documents"], {"book_id": book_id, "id": id_})
    return [Document(*row) for row in rows]


async def standing_version(connection: Connection, book_id: UUID, id_: UUID) -> tuple[int, UUID] | None:
    """Return (ver, op_id) of the version that stands."""
    rows = await _rows(connection, SQL["standing_version"], {"book_id": book_id, "id": id_})
    return (rows[0][0], rows[0][1]) if rows else None


async def summary(connection: Connection, book_id: UUID, filter_: Filter) -> list[Group]:
    """Return the totals of a filter, by direction, by category and by month."""
    values = search.parameters(book_id, filter_)
    if filter_.by_months:
        sql, values = SQL["summary_of_months"], {**values, **_month_values(filter_)}
    else:
        match = f"{search.words_match(filter_)} {search.rest_match(filter_)}"
        sql = _fill("summary_of_matches", filter_, match)
    return [Group(*row) for row in await _rows(connection, sql, values)]


async def suggest_categories(
    connection: Connection, book_id: UUID, prefix: str, limit: int
) -> list[CategorySuggestion]:
    """Return categories that begin with `prefix`, best first."""
    values: dict[str, object] = {"book_id": book_id, "pattern": _prefix_pattern(prefix), "limit": limit}
    return [CategorySuggestion(*row) for row in await _rows(connection, SQL["suggest_categories"], values)]


async def suggest_descriptions(
    connection: Connection, book_id: UUID, prefix: str, limit: int
) -> list[DescriptionSuggestion]:
    """Return descriptions that begin with `prefix`, best first, with what each last went with."""
    values: dict[str, object] = {"book_id": book_id, "pattern": _prefix_pattern(prefix), "limit": limit}
    return [
        DescriptionSuggestion(*row) for row in await _rows(connection, SQL["suggest_descriptions"], values)
    ]


def export_statement(filter_: Filter) -> LiteralString:
    """Return the COPY of a filter; its values are those of `search.parameters`."""
    match = f"{search.words_match(filter_)} {search.rest_match(filter_)}"
    return _fill("export_csv", filter_, match)


def _values(book_id: UUID, filter_: Filter, after: Key, limit: int) -> dict[str, object]:
    return {
        **search.parameters(book_id, filter_),
        "cursor_date": after[0],
        "cursor_id": after[1],
        "limit": limit,
    }


def _month_values(filter_: Filter) -> dict[str, object]:
    months = search.split_months(filter_.first, filter_.last)
    return {
        "first_month": months.first_month,
        "last_month": months.last_month,
        "head_first": months.head[0],
        "head_last": months.head[1],
        "tail_first": months.tail[0],
        "tail_last": months.tail[1],
    }


def _prefix_pattern(prefix: str) -> str:
    return search.escape_like(prefix.lower()) + "%"


def _entry(row: Sequence[Any]) -> Entry:
    """Build an entry from the columns that the statements share."""
    *same, created, updated, ver, voided = row
    values = (*same, instant(created), instant(updated), ver, instant(voided) if voided else None)
    return Entry(*values)


def instant(value: datetime) -> str:
    """Return RFC 3339 UTC with microseconds."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
