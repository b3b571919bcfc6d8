"""Comparing regions, while they write: digests of parts of books, then of slices of these, then rows.

What differs at two looks, and was the same at both, though everything written before the first had come over
every link meanwhile, differs in truth; the rest was only under way.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import permutations
from typing import Any, Final, NamedTuple

from psycopg import sql

from server.errors import StartError
from server.replication import names
from server.replication.catch_up import CATCH_UP_SECONDS, wait_until_caught_up
from server.replication.names import Table
from server.replication.node import Node


class RowPlace(NamedTuple):
    """A slice of a part of a book: what is compared, and exchanged, at once."""

    table: str
    book_id: str
    bucket: str
    slice: int

    @property
    def text(self) -> str:
        """As the statements find it."""
        return f"{self.book_id}/{self.bucket}/{self.slice}"


@dataclass(frozen=True, slots=True)
class Difference:
    """`missing` says how many rows each region lacks, `sources` from which regions it gets them, `unlike` how
    many rows are there with different contents."""

    place: RowPlace
    missing: Mapping[str, int]
    sources: Mapping[str, tuple[str, ...]]
    unlike: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """`rows` counts those of each table at each region; `late` are links that did not carry all in time, so
    that what differs may only be under way; `left_out` are members that could not be asked."""

    regions: tuple[str, ...]
    rows: Mapping[str, Mapping[str, int]]
    differences: tuple[Difference, ...]
    late: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def are_equal(self) -> bool:
        """Whether nothing differs, of those that were asked."""
        return not self.differences

    @property
    def is_well(self) -> bool:
        """Whether all were asked, and nothing differs."""
        return self.are_equal and not self.left_out


_Row = tuple[RowPlace, str]
_Seen = Mapping[_Row, tuple[int | None, ...]]
"""The hash of each suspected row at each region, None where it is not there."""
_MOST_BOOKS: Final = 2_000  # parts of books asked for at once
_MOST_ROWS: Final = 500_000


def verify(nodes: Sequence[Node], seconds: float = CATCH_UP_SECONDS) -> Verification:
    """Compare all tables at `nodes`, waiting at most `seconds` for what is under way. Raises StartError."""
    tables = tables_of(nodes)
    rows: dict[str, Mapping[str, int]] = {}
    suspected: dict[_Row, tuple[int | None, ...]] = {}
    for table in tables:
        counts, places = _suspects(nodes, table)
        rows[table.name] = counts
        suspected |= _look(nodes, table, places)
    late: list[tuple[Node, Node]] = []
    if suspected:
        late = wait_until_caught_up(list(permutations(nodes, 2)), seconds)
        suspected = _confirmed(nodes, tables, suspected)
    codes = tuple(node.code for node in nodes)
    differences = tuple(_differences(codes, suspected))
    return Verification(codes, rows, differences, tuple(f"{a.code} → {b.code}" for a, b in late))


def tables_of(nodes: Sequence[Node]) -> list[Table]:
    """Return the tables that all of them have: those that are carried, then those merged from them."""
    found = [{name for (name,) in node.rows("merged_tables")} for node in nodes]
    common = sorted(set.intersection(*found))
    return [*names.REPLICATED, *(names.merged(name, _columns_of(nodes, name)) for name in common)]


def _columns_of(nodes: Sequence[Node], name: str) -> set[str]:
    """Return the columns that a table has at all of them: in an upgrade some have one more."""
    return set.intersection(*({c for (c,) in node.rows("columns", {"table": name})} for node in nodes))


def parts_of(table: Table) -> dict[str, sql.Composable]:
    """Return what stands in the braces of the statements that compare or send a table."""

    def columns(of: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier("t", c) for c in of)

    return {
        "table": sql.Identifier("public", table.name),
        "bucket": sql.SQL(table.bucket),
        "key": columns(table.key),
        "whole": columns(("book_id", *table.key, *table.value)),
    }


def _suspects(nodes: Sequence[Node], table: Table) -> tuple[dict[str, int], list[RowPlace]]:
    """Return how many rows a table has at each region, and the slices whose digests differ."""
    parts = parts_of(table)
    whole = _each(nodes, lambda node: {row[:2]: row[2:] for row in node.rows("digest", None, **parts)})
    counts = {node.code: sum(n for n, _ in each.values()) for node, each in zip(nodes, whole, strict=True)}
    places: list[RowPlace] = []
    rows = 0
    for some in _chunks(_unlike(whole)):
        values = {"parts": [f"{book}/{bucket}" for book, bucket in some]}
        slices = _each(nodes, lambda node: _slices(node, table, values))  # noqa: B023 - used up at once
        unlike = _unlike(slices)
        rows += sum(max(each.get(key, (0,))[0] for each in slices) for key in unlike)
        if rows > _MOST_ROWS:
            raise StartError(
                f"More of {table.name} differs than can be compared row by row: "
                "run `replication join … --anew` for the region that was away."
            )
        places += [RowPlace(table.name, *key) for key in unlike]
    return counts, places


def _slices(node: Node, table: Table, values: Mapping[str, object]) -> dict[Any, Any]:
    return {row[:3]: row[3:] for row in node.rows("digest_slices", values, **parts_of(table))}


def _look(
    nodes: Sequence[Node], table: Table, places: Sequence[RowPlace]
) -> dict[_Row, tuple[int | None, ...]]:
    """Return the rows of `places` that are not the same everywhere."""
    found: dict[_Row, tuple[int | None, ...]] = {}
    for some in _chunks(places):
        values = {"places": [place.text for place in some]}
        seen = _each(nodes, lambda node: _rows(node, table, values))  # noqa: B023 - used up at once
        found |= {row: tuple(each.get(row) for each in seen) for row in _unlike(seen)}
    return found


def _rows(node: Node, table: Table, values: Mapping[str, object]) -> dict[_Row, int]:
    return {
        (RowPlace(table.name, *row[:3]), row[3]): row[4]
        for row in node.rows("slice_rows", values, **parts_of(table))
    }


def _confirmed(
    nodes: Sequence[Node], tables: Sequence[Table], suspected: _Seen
) -> dict[_Row, tuple[int | None, ...]]:
    again: dict[_Row, tuple[int | None, ...]] = {}
    for table in tables:
        places = sorted({place for place, _ in suspected if place.table == table.name})
        again |= _look(nodes, table, places)
    return {row: seen for row, seen in suspected.items() if again.get(row) == seen}


def _differences(codes: Sequence[str], suspected: _Seen) -> list[Difference]:
    by_place: dict[RowPlace, list[tuple[int | None, ...]]] = defaultdict(list)
    for (place, _key), seen in sorted(suspected.items()):
        by_place[place].append(seen)
    return [_difference(codes, place, rows) for place, rows in by_place.items()]


def _difference(codes: Sequence[str], place: RowPlace, rows: Sequence[tuple[int | None, ...]]) -> Difference:
    missing = {code: sum(row[n] is None for row in rows) for n, code in enumerate(codes)}
    lacking = {code: number for code, number in missing.items() if number}
    sources = {code: _sources(codes, codes.index(code), rows) for code in lacking}
    unlike = sum(len({each for each in row if each is not None}) > 1 for row in rows)
    return Difference(place, lacking, sources, unlike)


def _sources(codes: Sequence[str], target: int, rows: Sequence[tuple[int | None, ...]]) -> tuple[str, ...]:
    """Return few regions that together hold all that one lacks: each time the one with most of the rest."""
    left = [row for row in rows if row[target] is None]
    chosen: list[int] = []
    while left:
        best = max(range(len(codes)), key=lambda n: sum(row[n] is not None for row in left))
        chosen.append(best)
        left = [row for row in left if row[best] is None]
    return tuple(codes[n] for n in chosen)


def _each(nodes: Sequence[Node], ask: Callable[[Node], dict[Any, Any]]) -> list[dict[Any, Any]]:
    """Ask all regions at once: each by its own connection."""
    with ThreadPoolExecutor(len(nodes)) as pool:
        return list(pool.map(ask, nodes))


def _unlike(found: Sequence[Mapping[Any, Any]]) -> list[Any]:
    keys = set().union(*found)
    return sorted(key for key in keys if len({each.get(key) for each in found}) > 1)


def _chunks(of: Sequence[Any]) -> list[Sequence[Any]]:
    return [of[at : at + _MOST_BOOKS] for at in range(0, len(of), _MOST_BOOKS)]
