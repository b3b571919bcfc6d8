"""Calls of the server under load: pages of the listing, and durable creates."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final
from urllib.parse import urlencode, urlsplit

import msgspec

from server.contract import paths
from server.db.embedded import binaries
from server.entries.search import decode_cursor
from tests.bench.groups import Group
from tests.bench.rows import Row, in_turns
from tests.bench.stage import SIZE, Stage
from tests.support import load
from tests.support.api import BookApi, an_entry

_ROOT: Final = Path(__file__).parents[2]
_SECONDS: Final = 2.0
_ROUNDS: Final = 7
_PAGES: Final = 200
_CLIENTS: Final = 8


def list_50(stage: Stage) -> list[Row]:
    """`list_50@100k` in pages/s: pages of 50 at 200 places of the book, over 32 kept HTTP connections.

    Limit: the same pages by the same SQL through one psycopg connection in a loop. The load comes from a
    process of its own. performance.md does not say a size; this row says @100k.
    """
    book = stage.full_book()
    with book.database() as url, book.server(url) as (_, api):
        cursors = _cursors(api)
        keys = [(day.isoformat(), str(id_)) for day, id_ in map(decode_cursor, cursors)]
        order = {"url": url, "seconds": _SECONDS, "keys": keys, "book_id": api.book_id}
        requests = [load.request("GET", _page_path(cursor), api.headers) for cursor in cursors]
        ours = partial(_rate, load.Order(_port(api), requests, 32, _SECONDS))
        pair = in_turns(ours, partial(_page_loop, json.dumps(order)), _ROUNDS)
    return [pair.row("list_50@100k", "pages/s", ">= 0.55", needed=_ROUNDS)]


def create_entry(stage: Stage) -> list[Row]:
    """`create_entry` in entries/s: durable creates without bills over 8 kept HTTP connections.

    Limit: pgbench with 8 clients and prepared statements inserting the same journal rows, triggers and all,
    into the same database. It begins with 20,000 entries: in an empty one, statistics that autovacuum brings
    only after a minute would decide.
    """
    book = stage.growing_book()
    with book.database() as url, book.server(url) as (_, api):
        bodies = _creates(api)
        pair = in_turns(partial(_creates_rate, api, bodies), partial(_pgbench, url, api), _ROUNDS)
    return [pair.row("create_entry", "entries/s", ">= 0.3", needed=_ROUNDS)]


def _port(api: BookApi) -> int:
    port = urlsplit(api.url).port
    assert port is not None
    return port


def _rate(order: load.Order) -> float:
    outcome = load.drive(order)
    if outcome.refused:
        raise RuntimeError(f"{outcome.refused} calls were refused")
    return outcome.per_second


def _page_path(cursor: str) -> str:
    return f"{paths.ENTRIES}?{urlencode({'limit': '50', 'cursor': cursor})}"


def _cursors(api: BookApi) -> list[str]:
    """Return cursors all over the book, in a random order that is the same in every run."""
    found = [str(page.next_cursor) for page in islice(api.pages(limit=200), SIZE // 200 - 1)]
    chance = random.Random(1)
    return chance.sample(found, _PAGES)


def _page_loop(order: str) -> float:
    command = [sys.executable, "-m", "tests.bench.programs.page_loop"]
    done = subprocess.run(command, input=order.encode(), stdout=subprocess.PIPE, check=True, cwd=_ROOT)
    return float(json.loads(done.stdout)["per_second"])


def _creates(api: BookApi) -> Iterator[bytes]:
    while True:
        body = an_entry(description=f"Paper and pens {random.randrange(500)}")
        yield load.request("POST", paths.ENTRIES, api.headers, msgspec.json.encode(body))


def _creates_rate(api: BookApi, bodies: Iterator[bytes]) -> float:
    requests = list(islice(bodies, int(_SECONDS * 4_000)))
    return _rate(load.Order(_port(api), requests, _CLIENTS, _SECONDS, again=False))


_JOURNAL_INSERT: Final = """\\set n random(0, 499)
insert into public.journal (book_id, op_id, kind, id, ver, doc, author, device, region)
select '{book}', gen_random_uuid(), 'entry', uuidv7(), v.ver,
    '{{"amount":"1250.00","category":"Stationery","crDr":"DR","createdVer":' || v.ver
    || ',"currency":"INR","description":"Paper and pens ' || :n
    || '","entryDate":"' || current_date || '","humanCode":"T02-000001"}}',
    '{book}', '{book}', 'local'
from (select (extract(epoch from clock_timestamp()) * 1000000)::bigint as ver) v;
"""


def _pgbench(url: str, api: BookApi) -> float:
    script = _JOURNAL_INSERT.format(book=api.book_id)
    command = [
        *(
            str(binaries(None) / "pgbench"),
            "--no-vacuum",
            "--protocol=prepared",
            f"--client={_CLIENTS}",
            "--jobs=1",
        ),
        *(f"--time={_SECONDS:.0f}", "--file=/dev/stdin", url),
    ]
    done = subprocess.run(command, input=script.encode(), capture_output=True, check=True)
    found = re.search(rb"tps = ([0-9.]+)", done.stdout)
    assert found is not None
    return float(found[1])


GROUPS: Final = (
    Group("list_50", ("list_50@100k",), list_50),
    Group("create_entry", ("create_entry",), create_entry),
)
