"""Waiting until what was there before a link has come over it, and saying meanwhile how far that is."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.errors import StartError
from server.replication import units
from server.replication.names import subscription
from server.replication.node import Node

_PAUSE_SECONDS: Final = 0.1
_TELL_SECONDS: Final = 5.0
_STILL_SECONDS: Final = 1.0
_MOST_COPY_ERRORS: Final = 20
_IDLE_SECONDS: Final = 30.0  # a worker that ends is started anew after wal_retrieve_retry_interval (5 s)


def wait_until_copied(publisher: Node, subscriber: Node, say: Callable[[str], None]) -> None:
    """Return once every table has been copied and merged. Raises StartError where that fails."""
    name, told = f"{publisher.code} → {subscriber.code}", time.monotonic()
    worked, progress, before = told, Progress(told), None
    while left := subscriber.named("copying", {"subscription": subscription(publisher.code)}):
        now = time.monotonic()
        progress.note(left, now)
        errors = max(table["errors"] for table in left)  # counted since PostgreSQL's statistics began
        before = errors if before is None else before
        worked = now if any(table["at_work"] for table in left) else worked
        if now > told + _TELL_SECONDS:
            told = now
            abouts = {table["name"]: publisher.value("about", {"table": table["name"]}) for table in left}
            failed = f"; it failed {errors - before} times" if errors > before else ""
            say(f"{name}: {progress.sentence(left, abouts, now)}{failed}")
        if now > worked + _IDLE_SECONDS or errors > before + _MOST_COPY_ERRORS:
            raise StartError(
                f"{name}: the first copy fails; the PostgreSQL log of {subscriber.code} has the reason."
            )
        time.sleep(_PAUSE_SECONDS)


@dataclass(slots=True)
class Progress:
    """PostgreSQL counts what a copy has read, and the rows that were not there. Its triggers run at the end
    of the whole statement, and of them nothing is counted: where no more is read, though nothing is waited
    for, they are at work."""

    began: float
    _still: dict[str, tuple[int, float]] = field(default_factory=dict)

    def note(self, tables: Sequence[Mapping[str, Any]], now: float) -> None:
        """Remember since when a table has read nothing more; `now` in s, on the clock of `began`."""
        for table in tables:
            read, _since = self._still.get(table["name"], (0, now))
            if table["bytes"] != read or table["waits_for_data"] or not read:
                self._still[table["name"]] = table["bytes"], now

    def sentence(
        self, tables: Sequence[Mapping[str, Any]], abouts: Mapping[str, int | None], now: float
    ) -> str:
        """Say how far the tables are; `abouts` says how many rows each has at the publisher, about."""
        each = ", ".join(self._of(table, abouts.get(table["name"]) or 0, now) for table in tables)
        return f"{each}; {units.span(now - self.began)} so far"

    def _of(self, table: Mapping[str, Any], about: int, now: float) -> str:
        name, rows = table["name"], table["rows"]
        if table["is_merged"]:
            return f"catching up with {name}"
        read, since = self._still.get(name, (0, now))
        if now - since >= _STILL_SECONDS:
            return f"merging {name} ({rows:,} new rows) for {units.span(now - since)}"
        of = f" of about {about:,}" if about > rows else ""
        return f"copying {name} ({units.size(read)} read, {rows:,}{of} rows are new)"
