"""Makes regions equal again: copies rows that only some of them have to the others.

Rows of tables that are merged from the journal are not copied. If they differ, they are merged again.

Copied rows are written with a replication origin, so that subscriptions do not send them on: this command
gives every region what it lacks. If the administrator may not set an origin, the rows are sent on once, and
regions that have them already skip them.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, LiteralString

import psycopg
from psycopg import sql

from server.replication import names
from server.replication.names import Table
from server.replication.node import SQL, Node, RegionError, errors_as_sentences
from server.replication.verify import Difference, RowSlice, parts_of

_BATCH: Final = 1_000
_ATTEMPTS: Final = 5
_SLICES_AT_ONCE: Final = 1_000


def exchange(
    nodes: Sequence[Node], differences: Sequence[Difference], into: Sequence[Node], say: Callable[[str], None]
) -> int:
    """Copy to the regions `into` the rows that they lack and another of `nodes` has; return how many.

    It may be interrupted and run again, because existing rows are left alone. Raises RegionError.
    """
    by_code = {node.code: node for node in nodes}
    added = 0
    for target in into:
        missing: dict[tuple[str, str], list[RowSlice]] = defaultdict(list)
        for difference in differences:
            for source in difference.sources.get(target.code, ()):
                missing[source, difference.row_slice.table].append(difference.row_slice)
        replicated = {table.name: table for table in names.REPLICATED}
        with _as_origin(target, say) if missing else _no_origin():
            for (source, name), slices in missing.items():
                if name not in replicated:  # a merged table follows from the journal
                    continue
                number = _fetch(by_code[source], target, replicated[name], slices)
                say(f"{source} → {target.code}: copied {number} missing rows of {name}")
                added += number
        _merge_again(target, differences)
    return added


def _merge_again(target: Node, differences: Sequence[Difference]) -> None:
    """Merge the journal again into the merged tables, for the rows that differ."""
    by_table: dict[str, list[str]] = defaultdict(list)
    for difference in differences:
        if difference.row_slice.table in names.KIND_OF:
            by_table[difference.row_slice.table].append(difference.row_slice.text)
    for name, slices in by_table.items():
        kind = names.KIND_OF[name]
        parts = {**parts_of(names.merged(name, ())), "merge": sql.Identifier("public", f"bahi_merge_{kind}")}
        for start in range(0, len(slices), _SLICES_AT_ONCE):
            values = {"kind": kind, "slices": slices[start : start + _SLICES_AT_ONCE]}
            target.rows("merge_again", values, **parts)


def _fetch(source: Node, target: Node, table: Table, slices: Sequence[RowSlice]) -> int:
    columns = [name for (name,) in target.rows("columns", {"table": table.name})]
    added = 0
    for start in range(0, len(slices), _SLICES_AT_ONCE):
        target.run(_FORGET)
        target.run(_ARRIVED, table=sql.Identifier("public", table.name))
        _copy(source, target, table, columns, slices[start : start + _SLICES_AT_ONCE])
        # Before the rows are inserted: the statement looks for those that are new.
        if table.name == "journal":
            target.rows("enqueue_documents")
        added += _insert(target, table, columns)
    target.run(_FORGET)
    return added


def _copy(
    source: Node, target: Node, table: Table, columns: Sequence[str], slices: Sequence[RowSlice]
) -> None:
    # COPY accepts no parameters, so the slices are quoted into the statement.
    quoted = sql.Literal([row_slice.text for row_slice in slices])
    selected = sql.SQL(", ").join(sql.Identifier("t", name) for name in columns)
    received = sql.SQL(", ").join(map(sql.Identifier, columns))
    send = sql.SQL(SQL["send"]).format(**{**parts_of(table), "slices": quoted, "columns": selected})
    receive = sql.SQL(SQL["receive"]).format(columns=received)
    with (
        errors_as_sentences(source.region),
        source.connection.cursor().copy(send) as out,
        errors_as_sentences(target.region),
        target.connection.cursor().copy(receive) as into,
    ):
        for block in out:
            into.write(block)


def _insert(target: Node, table: Table, columns: Sequence[str]) -> int:
    """Insert the received rows in batches; return how many were new."""
    # Each batch is a transaction, so that no client waits long for a record that it locks.
    parts = {
        "table": sql.Identifier("public", table.name),
        "columns": sql.SQL(", ").join(map(sql.Identifier, columns)),
    }
    statement = sql.SQL(SQL["insert"]).format(**parts)
    added = 0
    for after in range(0, target.value("arrived"), _BATCH):
        added += _insert_batch(target, statement, after)
    return added


def _insert_batch(target: Node, statement: sql.Composed, after: int) -> int:
    with errors_as_sentences(target.region):
        for attempt in range(_ATTEMPTS):
            try:
                found = target.connection.execute(
                    statement, {"after": after, "upto": after + _BATCH}
                ).fetchone()
                return int(found[0]) if found else 0
            except psycopg.errors.DeadlockDetected:  # a client wrote the same records in another order
                if attempt == _ATTEMPTS - 1:
                    raise
    raise AssertionError("unreachable")


@contextmanager
def _as_origin(target: Node, say: Callable[[str], None]) -> Iterator[None]:
    """Write with the replication origin `names.REPAIR` in the block, if that is allowed."""
    values = {"origin": names.REPAIR}
    try:
        if not target.rows("origin", values):
            target.rows("make_origin", values)
        target.rows("write_as_origin", values)
    except RegionError as error:
        say(f"{target.code}: cannot set an origin, so added rows are sent on once and skipped ({error})")
        yield
        return
    try:
        yield
    finally:
        target.rows("reset_origin")


@contextmanager
def _no_origin() -> Iterator[None]:
    yield


_FORGET: Final[LiteralString] = "drop table if exists pg_temp.bahi_arrived"
_ARRIVED: Final[LiteralString] = (
    "create temporary table bahi_arrived (like {table}, arrival bigint generated always as identity)"
)
