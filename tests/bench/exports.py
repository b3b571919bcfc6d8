"""Exports: the CSV of a whole book to the client's file, compared with the time of PostgreSQL alone."""

import json
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Final, LiteralString
from uuid import UUID

import psycopg

from server.entries import search, store
from server.entries.search import Filter
from tests.bench.groups import Group
from tests.bench.rows import Row, in_turns
from tests.bench.stage import SECRET, SIZE, Stage

_ROOT: Final = Path(__file__).parents[2]
_ROUNDS: Final = 7
_BARE: Final[LiteralString] = """copy (
    select e.human_code, e.entry_date, e.amount, e.cr_dr, e.currency, e.category, e.description, e.voided_at,
        e.author, e.created_at, e.updated_at
    from public.accounting_entry e
    where e.book_id = %(book_id)s and e.voided_at is null and e.entry_date between %(first)s and %(last)s
    order by e.entry_date, e.id
) to '/dev/null' (format csv, header true)"""


def export_csv(stage: Stage) -> list[Row]:
    """`export_csv@100k` in rows/s: the client's stream, in a process of its own, into its file and synced.

    Limit: COPY of the same guarded SELECT to /dev/null by PostgreSQL. `export_csv_guarded@100k`: the same
    file beside the COPY of the entry's bare columns: what the guard, the headings, the joins, the counts and
    the wire cost together. performance.md says 1M; these rows say @100k. The note has the whole export as
    the dialog runs it, with its recount of the file and its check against the server's totals.
    """
    book = stage.full_book()
    folder = stage.folder / "export"
    folder.mkdir()
    with book.database() as url, book.server(url) as (process, api):
        identity = UUID(api.book_id)
        with psycopg.connect(url) as connection, _Client(process.api().url, folder) as client:
            guarded = store.export_statement(Filter(), {}).replace("to stdout", "to '/dev/null'")
            ours = partial(client.rate, "stream")
            first = in_turns(ours, partial(_copy, connection, guarded, identity), _ROUNDS)
            second = in_turns(ours, partial(_copy, connection, _BARE, identity), _ROUNDS)
            whole = statistics.median(client.rate("export") for _ in range(3))
            note = f"whole export {whole:,.0f} rows/s, client {client.mib:.0f} MiB at most"
    return [
        first.row("export_csv@100k", "rows/s", ">= 0.9", _ROUNDS, note),
        second.row("export_csv_guarded@100k", "rows/s", ">= 0.7", _ROUNDS),
    ]


def _copy(
    connection: psycopg.Connection[tuple[object, ...]], statement: LiteralString, book_id: UUID
) -> float:
    cursor = psycopg.ClientCursor(connection)
    values = search.parameters(book_id, Filter())
    began = time.perf_counter()
    cursor.execute(statement, values)
    connection.rollback()
    return SIZE / (time.perf_counter() - began)


class _Client:
    """The client's process."""

    def __init__(self, url: str, folder: Path) -> None:
        command = [sys.executable, "-m", "tests.bench.programs.csv_client", url, SECRET, str(folder)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, text=True
        )
        self.mib = 0.0

    def __enter__(self) -> "_Client":
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()

    def rate(self, what: str) -> float:
        """Let it export once; return rows/s."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(what + "\n")
        self._process.stdin.flush()
        told = json.loads(self._process.stdout.readline())
        if told["rows"] != SIZE:
            raise RuntimeError(f"{told['rows']} rows were written, not {SIZE}")
        self.mib = told["mib"]
        return float(told["rows"] / told["seconds"])


GROUPS: Final = (Group("export_csv", ("export_csv@100k", "export_csv_guarded@100k"), export_csv),)
