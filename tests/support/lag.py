"""Measures the replication lag: from the confirmation of an entry until it can be read in another region."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from typing import Any, Final, LiteralString

import psycopg
import requests

from tests.support.api import BookApi, RefusedError, an_entry

_MOST_SECONDS: Final = 10.0
_PAUSE: Final = 0.1
_LOOK_PAUSE: Final = 0.0005


class LagProbe:
    """Saves in `book` while `goes_on`, and looks into the databases `others`. `saved` are the operations,
    `lags` are in seconds, one for each of them and each of the others."""

    def __init__(self, book: BookApi, others: Sequence[str], goes_on: Callable[[], bool]) -> None:
        self.lags: list[float] = []
        self.saved: list[str] = []
        self._book = book
        self._others = others
        self._goes_on = goes_on

    def run(self) -> None:
        """Return when it does not go on, or where somebody was killed meanwhile."""
        try:
            with ExitStack() as opened:
                connections = [
                    opened.enter_context(closing(psycopg.connect(url, autocommit=True)))
                    for url in self._others
                ]
                while self._goes_on():
                    self._measure(connections)
                    time.sleep(_PAUSE)
        except (psycopg.Error, requests.RequestException, RefusedError):
            if self._goes_on():
                raise

    def _measure(self, connections: Sequence[psycopg.Connection[tuple[Any, ...]]]) -> None:
        saved = self._book.create(an_entry())
        began, waiting = time.monotonic(), list(connections)
        self.saved.append(saved.op_id)
        while waiting and time.monotonic() < began + _MOST_SECONDS:
            for connection in list(waiting):
                if connection.execute(_THERE, (self._book.book_id, saved.op_id)).fetchone():
                    waiting.remove(connection)
                    self.lags.append(time.monotonic() - began)
            time.sleep(_LOOK_PAUSE)
        if self._goes_on():
            self.lags += [_MOST_SECONDS] * len(waiting)


_THERE: Final[LiteralString] = "select 1 from public.journal where book_id = %s and op_id = %s"
