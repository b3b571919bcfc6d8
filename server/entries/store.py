"""Reads entries from PostgreSQL. They are written by appending to the journal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from server.contract.search_key import search_key
from server.contract.shapes import BookDigest, CategorySuggestion, DescriptionSuggestion, Document, Entry
from server.db.pool import Connection
from server.db.queries import load
from server.entries import search
from server.entries.search import Filter
from server.entries.spellings import Spelling, Spellings, apart_if_many

_SQL: Final = load("server.entries")
SQL: Final = {name: text.replace("{uses}", _SQL["uses"]) for name, text in _SQL.items()}
_SPELLED: Final = """
    left join unnest(%(typed)s::text[], %(shown)s::text[]) as s (typed, shown) on s.typed = e.category"""
# The length to which `suggestion.text_key` is cut.
_MAX_TEXT_KEY: Final = 300
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_HALF: Final = 2**64
# Date and id of an entry: the order of the listing.
Key = tuple[date, UUID]


@dataclass(frozen=True, slots=True)
class Walked:
    """The result of searching the next rows. `last` is the key to continue from; None if the book ends."""

    entries: list[Entry]
    last: Key | None


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One version of a record in the journal."""

    op_id: str
    id: str
    ver: int
    doc: dict[str, Any]
    author: str = ""
    device: str = ""
    region: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """The total of one direction: of a month, of a category, or of all entries (then both are None).

    A category is a spelling of it, as it was typed.
    """

    month: date | None
    category: str | None
    cr_dr: str
    amount: Decimal
    count: int


@dataclass(frozen=True, slots=True)
class SummaryRows:
    """The totals of a filter, and the spellings of the categories of the book."""

    groups: list[Group]
    spellings: list[Spelling]


def _fill(name: str, filter_: Filter, match: LiteralString) -> LiteralString:
    text = _each(SQL[name], search.voided_each(filter_)).replace("{voided}", search.voided(filter_))
    text = text.replace("{match}", match).replace("{entries}", search.entries(filter_))
    return text.replace("{words}", search.words_match(filter_))


def _each(text: LiteralString, kinds: Sequence[LiteralString]) -> LiteralString:
    """Repeat the query between {each} and {/each} for each condition in `kinds`, joined by `union all`."""
    before, found, rest = text.partition("{each}")
    each, _, after = rest.partition("{/each}")
    parts: list[LiteralString] = [each.replace("{voided}", kind) for kind in kinds]
    if not found or len(parts) == 1:
        return before + parts[0] + after
    return f"{before}({') union all ('.join(parts)}){after}"


async def _rows(
    connection: Connection, sql: LiteralString, values: dict[str, object], *, planned_once: bool = True
) -> list[tuple[Any, ...]]:
    """Run a statement. If `planned_once` is False, PostgreSQL plans it anew for these values."""
    # psycopg prepares a repeated statement, and PostgreSQL may then use one plan for all values. For some
    # statements the right plan depends on the values.
    return await (await connection.execute(sql, values, prepare=None if planned_once else False)).fetchall()


async def page(connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int) -> list[Entry]:
    """Return up to `limit` entries after the key, newest first, for a filter without words."""
    values = _values(book_id, filter_, after, limit)
    match = search.rest_match(filter_)
    name = "page_of_keys" if match else "page"
    rows = await _rows(connection, _fill(name, filter_, match), values, planned_once=not match)
    return [_entry(row) for row in rows]


async def walk(connection: Connection, book_id: UUID, filter_: Filter, after: Key, limit: int) -> Walked:
    """Search the next `search.WALK` rows of the listing."""
    values = {**_values(book_id, filter_, after, limit), "walk": search.WALK}
    match = f"{search.words_match_in_walk(filter_)} {search.rest_match(filter_)}"
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
    """Return one entry, which may be voided, or None."""
    rows = await _rows(connection, SQL["entry"], {"book_id": book_id, "id": id_})
    return _entry(rows[0]) if rows else None


async def documents(connection: Connection, book_id: UUID, id_: UUID) -> list[Document]:
    """Return the bills of an entry, in order."""
    rows = await _rows(connection, SQL["documents"], {"book_id": book_id, "id": id_})
    return [Document(*row) for row in rows]


async def current_version(connection: Connection, book_id: UUID, id_: UUID) -> tuple[int, UUID] | None:
    """Return (ver, op_id) of the current version of an entry, or None if there is no such entry."""
    rows = await _rows(connection, SQL["current_version"], {"book_id": book_id, "id": id_})
    return (rows[0][0], rows[0][1]) if rows else None


async def version_doc(connection: Connection, book_id: UUID, id_: UUID, ver: int) -> dict[str, Any] | None:
    """Return the document of one version of an entry, or None if the journal does not have it."""
    rows = await _rows(connection, SQL["version_doc"], {"book_id": book_id, "id": id_, "ver": ver})
    return msgspec.json.decode(rows[0][0], type=dict[str, Any]) if rows else None


async def versions(connection: Connection, book_id: UUID, id_: UUID) -> list[VersionRow]:
    """Return all versions of an entry, newest first."""
    rows = await _rows(connection, SQL["versions"], {"book_id": book_id, "id": id_})
    return [VersionRow(op, str(id_), ver, msgspec.json.decode(doc), *who) for op, ver, doc, *who in rows]


async def document_versions(connection: Connection, book_id: UUID, id_: UUID) -> list[VersionRow]:
    """Return all versions of the bills of an entry, oldest first."""
    rows = await _rows(connection, SQL["document_versions"], {"book_id": book_id, "id": id_})
    return [VersionRow(op, bill, ver, msgspec.json.decode(doc)) for op, ver, bill, doc in rows]


async def document_docs(connection: Connection, book_id: UUID, id_: UUID) -> dict[str, dict[str, Any]]:
    """Return the document of the current version of each bill of an entry, by id."""
    return {row.id: row.doc for row in await document_versions(connection, book_id, id_)}


async def digest(connection: Connection, book_id: UUID) -> BookDigest:
    """Return the counts of a book, and a digest of all versions in it."""
    ((entries, documents, versions, high, low),) = await _rows(
        connection, SQL["digest"], {"book_id": book_id}
    )
    text = f"{int(high) % _HALF:016x}{int(low) % _HALF:016x}"
    return BookDigest(entries, documents, versions, text)


async def spellings(connection: Connection, book_id: UUID, filter_: Filter) -> list[Spelling]:
    """Return all spellings of categories in the book."""
    rows = await _rows(connection, SQL["spellings"], spelling_values(book_id, filter_))
    return [Spelling(*row) for row in rows]


def spelling_values(book_id: UUID, filter_: Filter) -> dict[str, object]:
    """Return the values of the statement `spellings`."""
    return {"book_id": book_id, "with_voided": filter_.status != "active"}


async def summary(connection: Connection, book_id: UUID, filter_: Filter) -> SummaryRows:
    """Return the totals of a filter, by direction, by category and by month."""
    values = search.parameters(book_id, filter_)
    if filter_.by_months:
        sql, values = SQL["summary_of_months"], {**values, **_month_values(filter_)}
    else:
        words = search.words_match if filter_.has_long_word else search.words_match_in_walk
        sql = _fill("summary_of_matches", filter_, f"{words(filter_)} {search.rest_match(filter_)}")
    rows = await _rows(connection, sql, values, planned_once=filter_.by_months)
    groups = [Group(*row[:5]) for row in rows if row[2] is not None]
    return SummaryRows(groups, [Spelling(row[1], *row[4:]) for row in rows if row[2] is None])


async def suggest_categories(
    connection: Connection, book_id: UUID, prefix: str, limit: int
) -> list[CategorySuggestion]:
    """Return categories that begin with `prefix`, the most used first."""
    values: dict[str, object] = {"book_id": book_id, "pattern": _prefix_pattern(prefix), "limit": limit}
    return [CategorySuggestion(*row) for row in await _rows(connection, SQL["suggest_categories"], values)]


async def suggest_descriptions(
    connection: Connection, book_id: UUID, prefix: str, limit: int
) -> list[DescriptionSuggestion]:
    """Return descriptions that begin with `prefix`, the most used first, with last category and direction."""
    values: dict[str, object] = {"book_id": book_id, "pattern": _prefix_pattern(prefix), "limit": limit}
    rows = await _rows(connection, SQL["suggest_descriptions"], values)
    typed = [Spelling(text, uses, ver) for text, uses, category, _, ver in rows if category is None]
    chosen = await apart_if_many(len(typed), Spellings.of, typed)
    return [
        DescriptionSuggestion(text, uses, chosen.shown(category), cr_dr)
        for text, uses, category, cr_dr, _ in rows
        if category is not None
    ]


def export_statement(filter_: Filter, others: Mapping[str, str]) -> LiteralString:
    """Return the COPY statement of an export; `export_values` gives its values.

    `others` are the spellings of categories for which another one is shown, and that one.
    """
    match = f"{search.words_match(filter_)} {search.rest_match(filter_)}"
    text = _fill("export_csv", filter_, match)
    category: LiteralString = "coalesce(s.shown, e.category)" if others else "e.category"
    return text.replace("{category}", category).replace("{spelled}", _SPELLED if others else "")


def export_values(book_id: UUID, filter_: Filter, others: Mapping[str, str]) -> dict[str, object]:
    """Return the values of `export_statement`."""
    return {**search.parameters(book_id, filter_), "typed": list(others), "shown": list(others.values())}


def _values(book_id: UUID, filter_: Filter, after: Key, limit: int) -> dict[str, object]:
    # Begin to read the index at the last day of the filter. Otherwise a page of an old month would first read
    # all newer entries.
    day, id_ = min(after, (filter_.last, search.NO_CURSOR[1]))
    return {
        **search.parameters(book_id, filter_),
        "cursor_date": day,
        "cursor_id": id_,
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
    # A space at the end is a part of the prefix; a key has none there.
    key = search_key(f"{prefix}.")[:-1]
    return search.escape_like(key.lstrip()[:_MAX_TEXT_KEY]) + "%"


def _entry(row: Sequence[Any]) -> Entry:
    # All statements return the fields of Entry in this order, already formatted as text.
    return Entry(*row)


def instant(value: datetime) -> str:
    """Return a timestamp as RFC 3339 in UTC, with microseconds."""
    return value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def instant_of(ver: int) -> str:
    """Return the timestamp of a version (µs since 1970)."""
    return instant(_EPOCH + timedelta(microseconds=ver))


def entry_of(id_: str, ver: int, doc: dict[str, Any], document_count: int) -> Entry:
    """Return the entry in the journal document of one version."""
    return Entry(
        id=id_,
        entry_date=doc["entryDate"],
        amount=doc["amount"],
        cr_dr=doc["crDr"],
        currency=doc["currency"],
        category=doc["category"],
        description=doc["description"],
        human_code=doc["humanCode"],
        document_count=document_count,
        created_at=instant_of(doc["createdVer"]),
        updated_at=instant_of(ver),
        ver=ver,
        voided_at=instant_of(doc["voidedVer"]) if "voidedVer" in doc else None,
    )
