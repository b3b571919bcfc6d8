"""Making regions equal again: rows that only some of them have are given to the others.

What is merged from the journal, and is not what the journal says, is merged again.

Rows are written with an origin, so that no subscription sends them on: every region gets what it lacks here.
Where an administrator may not set one they are sent on once, and skipped by whoever has them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from server.replication import names
from server.replication.names import Table
from server.replication.node import SQL, Node, RegionError, told
from server.replication.verify import Difference, RowPlace, parts_of

_BATCH: Final = 1_000
_TRIES: Final = 5
_PLACES: Final = 1_000


def exchange(
    nodes: Sequence[Node], differences: Sequence[Difference], into: Sequence[Node], say: Callable[[str], None]
) -> int:
    """Give the regions `into` the rows that they lack and another of `nodes` has; return how many were added.

    May be cut short at any moment and run again: a row that is there is left alone. Raises RegionError.
    """
    by_code = {node.code: node for node in nodes}
    added = 0
    for target in into:
        wanted: dict[tuple[str, str], list[RowPlace]] = defaultdict(list)
        for difference in differences:
            for source in difference.sources.get(target.code, ()):
                wanted[source, difference.place.table].append(difference.place)
        carried = {table.name: table for table in names.REPLICATED}
        with _as_origin(target, say) if wanted else _nothing():
            for (source, name), places in wanted.items():
                if name not in carried:  # what is merged follows from the journal
                    continue
                number = _fetch(by_code[source], target, carried[name], places)
                say(f"{source} → {target.code}: {number} rows of {name} that were missing")
                added += number
        _merge_again(target, differences)
    return added


def _merge_again(target: Node, differences: Sequence[Difference]) -> None:
    """Let the journal say anew what stands in the merged tables, where these differ."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for difference in differences:
        if difference.place.table in names.KIND_OF:
            by_table[difference.place.table].append(difference.place.text)
    for name, places in by_table.items():
        kind = names.KIND_OF[name]
        parts = {**parts_of(names.merged(name, ())), "merge": sql.Identifier("public", f"bahi_merge_{kind}")}
        for start in range(0, len(places), _PLACES):
            values = {"kind": kind, "places": places[start : start + _PLACES]}
            target.rows("merge_again", values, **parts)


def _fetch(source: Node, target: Node, table: Table, places: Sequence[RowPlace]) -> int:
    columns = [name for (name,) in target.rows("columns", {"table": table.name})]
    added = 0
    for start in range(0, len(places), _PLACES):
        target.run(_FORGET)
        target.run(_ARRIVED, table=sql.Identifier("public", table.name))
        _copy(source, target, table, columns, places[start : start + _PLACES])
        if table.name == "journal":
            target.rows("want_documents")
        added += _take(target, table, columns)
    target.run(_FORGET)
    return added


def _copy(
    source: Node, target: Node, table: Table, columns: Sequence[str], places: Sequence[RowPlace]
) -> None:
    wanted = sql.Literal([place.text for place in places])
    ours = sql.SQL(", ").join(sql.Identifier("t", name) for name in columns)
    theirs = sql.SQL(", ").join(map(sql.Identifier, columns))
    send = sql.SQL(SQL["send"]).format(**{**parts_of(table), "places": wanted, "columns": ours})
    receive = sql.SQL(SQL["receive"]).format(columns=theirs)
    with (
        told(source.region),
        source.connection.cursor().copy(send) as out,
        told(target.region),
        target.connection.cursor().copy(receive) as into,
    ):
        for block in out:
            into.write(block)


def _take(target: Node, table: Table, columns: Sequence[str]) -> int:
    """Add what arrived, a batch in each transaction, so that nobody waits long for a record."""
    parts = {
        "table": sql.Identifier("public", table.name),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }
    statement = sql.SQL(SQL["take"]).format(**parts)
    added = 0
    for after in range(0, target.value("arrived"), _BATCH):
        added += _take_batch(target, statement, after)
    return added


def _take_batch(target: Node, statement: sql.Composed, after: int) -> int:
    with told(target.region):
        for attempt in range(_TRIES):
            try:
                found = target.connection.execute(
                    statement, {"after": after, "upto": after + _BATCH}
                ).fetchone()
                return int(found[0]) if found else 0
            except psycopg.errors.DeadlockDetected:  # somebody wrote the same records in another order
                if attempt == _TRIES - 1:
                    raise
    raise AssertionError("unreachable")


@contextmanager
def _as_origin(target: Node, say: Callable[[str], None]) -> Iterator[None]:
    values = {"origin": names.REPAIR}
    try:
        if not target.rows("origin", values):
            target.rows("make_origin", values)
        target.rows("write_as_origin", values)
    except RegionError as error:
        say(f"{target.code}: what is added is sent on once, and skipped there ({error})")
        yield
        return
    try:
        yield
    finally:
        target.rows("write_as_oneself")


@contextmanager
def _nothing() -> Iterator[None]:
    yield


_FORGET: Final[LiteralString] = "drop table if exists pg_temp.bahi_arrived"
_ARRIVED: Final[LiteralString] = (
    "create temporary table bahi_arrived (like {table}, arrival bigint generated always as identity)"
)
