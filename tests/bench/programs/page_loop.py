"""The reference for `list_50`: one psycopg connection that reads the same pages with the same SQL in a loop.

Reads {"url", "seconds", "keys": [[date, id], …], "book_id"} on standard input, prints {"per_second"}.
"""

import json
import sys
import time
from datetime import date
from itertools import cycle
from uuid import UUID

import psycopg

from server.entries import search, store
from server.entries.search import Filter


def main() -> None:
    """Ask until the seconds are over."""
    order = json.load(sys.stdin)
    filter_ = Filter()
    sql = store._fill("page", filter_, search.rest_match(filter_))
    keys = [(date.fromisoformat(day), UUID(id_)) for day, id_ in order["keys"]]
    book = UUID(order["book_id"])
    values = [store._values(book, filter_, key, 51) for key in keys]
    count = 0
    with psycopg.connect(order["url"], autocommit=True) as connection:
        began = time.perf_counter()
        deadline = began + order["seconds"]
        for value in cycle(values):
            connection.execute(sql, value).fetchall()
            count += 1
            now = time.perf_counter()
            if now >= deadline:
                break
    json.dump({"per_second": count / (now - began)}, sys.stdout)


if __name__ == "__main__":
    main()
