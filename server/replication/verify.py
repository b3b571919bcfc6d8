"""Compares the rows of regions while they accept writes.

First digests of parts of books are compared, then digests of slices of the parts that differ, then rows of
the slices that differ. A row that differs may only be in transit. So everything that was written before the
first comparison is given time to arrive, and the differing slices are compared again. Only a row that has
the same difference in both comparisons counts.
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


class RowSlice(NamedTuple):
    """One slice of a part (`bucket`) of a book in one table: the unit that is compared and exchanged."""

    table: str
    book_id: str
    bucket: str
    slice: int

    @property
    def text(self) -> str:
        """The slice as text, in the form that the statements compare."""
        return f"{self.book_id}/{self.bucket}/{self.slice}"


@dataclass(frozen=True, slots=True)
class Difference:
    """The differences in one slice.

    `missing` is how many rows each region lacks, and `sources` from which regions it can get them. `unlike`
    is the number of rows that have different contents.
    """

    row_slice: RowSlice
    missing: Mapping[str, int]
    sources: Mapping[str, tuple[str, ...]]
    unlike: int = 0


@dataclass(frozen=True, slots=True)
class Verification:
    """The result of a comparison.

    `rows` is the number of rows by table and region. `late` are the pairs that did not catch up in time, so
    that differences may only be rows in transit. `left_out` are the members that could not be reached.
    """

    regions: tuple[str, ...]
    rows: Mapping[str, Mapping[str, int]]
    differences: tuple[Difference, ...]
    late: tuple[str, ...]
    left_out: tuple[str, ...] = ()

    @property
    def are_equal(self) -> bool:
        """Whether the compared regions have no differences."""
        return not self.differences

    @property
    def is_well(self) -> bool:
        """Whether all members were compared and have no differences."""
        return self.are_equal and not self.left_out


_Row = tuple[RowSlice, str]
# The hash of each differing row in each region, or None if the region does not have the row.
_Seen = Mapping[_Row, tuple[int | None, ...]]
# How many parts of books, or slices, one statement reads.
_CHUNK: Final = 2_000
# More differing rows are not compared one by one: that would fill the memory.
_MAX_ROWS: Final = 500_000


def verify(nodes: Sequence[Node], seconds: float = CATCH_UP_SECONDS) -> Verification:
    """Compare all tables of `nodes`; wait at most `seconds` for rows in transit. Raises StartError."""
    tables = tables_of(nodes)
    rows: dict[str, Mapping[str, int]] = {}
    suspected: dict[_Row, tuple[int | None, ...]] = {}
    for table in tables:
        counts, slices = _differing_slices(nodes, table)
        rows[table.name] = counts
        suspected |= _differing_rows(nodes, table, slices)
    late: list[tuple[Node, Node]] = []
    if suspected:
        late = wait_until_caught_up(list(permutations(nodes, 2)), seconds)
        suspected = _confirmed(nodes, tables, suspected)
    codes = tuple(node.code for node in nodes)
    differences = tuple(_differences(codes, suspected))
    return Verification(codes, rows, differences, tuple(f"{a.code} → {b.code}" for a, b in late))


def tables_of(nodes: Sequence[Node]) -> list[Table]:
    """Return the tables to compare: those that are replicated, then the merged ones that all regions have."""
    found = [{name for (name,) in node.rows("merged_tables")} for node in nodes]
    common = sorted(set.intersection(*found))
    return [*names.REPLICATED, *(names.merged(name, _columns_of(nodes, name)) for name in common)]


def _columns_of(nodes: Sequence[Node], name: str) -> set[str]:
    """Return the columns that a table has in all regions: during an upgrade, some regions have more."""
    return set.intersection(*({c for (c,) in node.rows("columns", {"table": name})} for node in nodes))


def parts_of(table: Table) -> dict[str, sql.Composable]:
    """Return the parts to fill into the statements that compare or send a table."""

    def columns(chosen: Sequence[str]) -> sql.Composed:
        return sql.SQL(", ").join(sql.Identifier("t", c) for c in chosen)

    return {
        "table": sql.Identifier("public", table.name),
        "bucket": sql.SQL(table.bucket),
        "key": columns(table.key),
        "whole": columns(("book_id", *table.key, *table.value)),
    }


def _differing_slices(nodes: Sequence[Node], table: Table) -> tuple[dict[str, int], list[RowSlice]]:
    """Return the number of rows of a table in each region, and the slices whose digests differ."""
    parts = parts_of(table)
    whole = _ask_all(nodes, lambda node: {row[:2]: row[2:] for row in node.rows("digest", None, **parts)})
    counts = {node.code: sum(n for n, _ in each.values()) for node, each in zip(nodes, whole, strict=True)}
    found: list[RowSlice] = []
    rows = 0
    for some in _chunks(_differing_keys(whole)):
        values = {"parts": [f"{book}/{bucket}" for book, bucket in some]}
        slices = _ask_all(nodes, lambda node: _slices(node, table, values))  # noqa: B023 - called before the next round
        unlike = _differing_keys(slices)
        rows += sum(max(each.get(key, (0,))[0] for each in slices) for key in unlike)
        if rows > _MAX_ROWS:
            raise StartError(
                f"More of {table.name} differs than can be compared row by row: "
                "run `replication join … --anew` for the region that was away."
            )
        found += [RowSlice(table.name, *key) for key in unlike]
    return counts, found


def _slices(node: Node, table: Table, values: Mapping[str, object]) -> dict[Any, Any]:
    return {row[:3]: row[3:] for row in node.rows("digest_slices", values, **parts_of(table))}


def _differing_rows(
    nodes: Sequence[Node], table: Table, slices: Sequence[RowSlice]
) -> dict[_Row, tuple[int | None, ...]]:
    """Return the rows in `slices` that are not the same in all regions."""
    found: dict[_Row, tuple[int | None, ...]] = {}
    for some in _chunks(slices):
        values = {"slices": [row_slice.text for row_slice in some]}
        seen = _ask_all(nodes, lambda node: _rows(node, table, values))  # noqa: B023 - called before the next round
        found |= {row: tuple(each.get(row) for each in seen) for row in _differing_keys(seen)}
    return found


def _rows(node: Node, table: Table, values: Mapping[str, object]) -> dict[_Row, int]:
    return {
        (RowSlice(table.name, *row[:3]), row[3]): row[4]
        for row in node.rows("slice_rows", values, **parts_of(table))
    }


def _confirmed(
    nodes: Sequence[Node], tables: Sequence[Table], suspected: _Seen
) -> dict[_Row, tuple[int | None, ...]]:
    """Return the suspected rows that differ in the same way once more."""
    again: dict[_Row, tuple[int | None, ...]] = {}
    for table in tables:
        slices = sorted({row_slice for row_slice, _ in suspected if row_slice.table == table.name})
        again |= _differing_rows(nodes, table, slices)
    return {row: seen for row, seen in suspected.items() if again.get(row) == seen}


def _differences(codes: Sequence[str], suspected: _Seen) -> list[Difference]:
    by_slice: dict[RowSlice, list[tuple[int | None, ...]]] = defaultdict(list)
    for (row_slice, _key), seen in sorted(suspected.items()):
        by_slice[row_slice].append(seen)
    return [_difference(codes, row_slice, rows) for row_slice, rows in by_slice.items()]


def _difference(
    codes: Sequence[str], row_slice: RowSlice, rows: Sequence[tuple[int | None, ...]]
) -> Difference:
    missing = {code: sum(row[n] is None for row in rows) for n, code in enumerate(codes)}
    lacking = {code: number for code, number in missing.items() if number}
    sources = {code: _sources(codes, codes.index(code), rows) for code in lacking}
    unlike = sum(len({each for each in row if each is not None}) > 1 for row in rows)
    return Difference(row_slice, lacking, sources, unlike)


def _sources(codes: Sequence[str], target: int, rows: Sequence[tuple[int | None, ...]]) -> tuple[str, ...]:
    """Return regions that together have all rows that the region `target` lacks, as few as possible."""
    # Greedy set cover: repeatedly choose the region with most of the remaining rows.
    remaining = [row for row in rows if row[target] is None]
    chosen: list[int] = []
    while remaining:
        best = max(range(len(codes)), key=lambda n: sum(row[n] is not None for row in remaining))
        chosen.append(best)
        remaining = [row for row in remaining if row[best] is None]
    return tuple(codes[n] for n in chosen)


def _ask_all(nodes: Sequence[Node], ask: Callable[[Node], dict[Any, Any]]) -> list[dict[Any, Any]]:
    """Call `ask` for all regions in parallel; each has its own connection."""
    # In parallel for the time it takes, and so that the regions are read at nearly the same moment.
    with ThreadPoolExecutor(len(nodes)) as pool:
        return list(pool.map(ask, nodes))


def _differing_keys(found: Sequence[Mapping[Any, Any]]) -> list[Any]:
    keys = set().union(*found)
    return sorted(key for key in keys if len({each.get(key) for each in found}) > 1)


def _chunks(items: Sequence[Any]) -> list[Sequence[Any]]:
    return [items[at : at + _CHUNK] for at in range(0, len(items), _CHUNK)]
