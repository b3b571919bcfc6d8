"""Waits for the first copy of a new subscription, and reports its progress.

The first copy transfers the rows that existed before the subscription was created.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from server.errors import StartError
from server.replication import units
from server.replication.names import subscription
from server.replication.node import Node

_PAUSE_SECONDS: Final = 0.1
_REPORT_SECONDS: Final = 5.0
_STALLED_SECONDS: Final = 1.0
_MAX_COPY_ERRORS: Final = 20
# PostgreSQL restarts a worker that failed after wal_retrieve_retry_interval (5 s). If none runs for longer
# than this, none will.
_IDLE_SECONDS: Final = 30.0


def wait_until_copied(publisher: Node, subscriber: Node, say: Callable[[str], None]) -> None:
    """Return when every table has been copied; `say` gets progress messages. Raises StartError."""
    name, reported = f"{publisher.code} → {subscriber.code}", time.monotonic()
    worked, progress, errors_before = reported, Progress(reported), None
    while tables := subscriber.named("copying", {"subscription": subscription(publisher.code)}):
        now = time.monotonic()
        progress.note(tables, now)
        # PostgreSQL counts errors since its statistics were reset, not since this copy began.
        errors = max(table["errors"] for table in tables)
        errors_before = errors if errors_before is None else errors_before
        worked = now if any(table["at_work"] for table in tables) else worked
        if now > reported + _REPORT_SECONDS:
            reported = now
            totals = {table["name"]: publisher.value("about", {"table": table["name"]}) for table in tables}
            failed = f"; {errors - errors_before} failed attempts" if errors > errors_before else ""
            say(f"{name}: {progress.sentence(tables, totals, now)}{failed}")
        if now > worked + _IDLE_SECONDS or errors > errors_before + _MAX_COPY_ERRORS:
            raise StartError(f"{name}: the first copy failed; see the PostgreSQL log of {subscriber.code}.")
        time.sleep(_PAUSE_SECONDS)


@dataclass(slots=True)
class Progress:
    """Describes the progress of the first copy of several tables, which began at `began` (seconds)."""

    # PostgreSQL counts the bytes that a copy has read, and the rows that it inserts. The triggers that merge
    # the journal run at the end of the whole statement and have no progress of their own. So if no more is
    # read although the copy does not wait for data, the triggers are running.

    began: float
    _stalled: dict[str, tuple[int, float]] = field(default_factory=dict)

    def note(self, tables: Sequence[Mapping[str, Any]], now: float) -> None:
        """Note since when each table has read no more. `now` is in seconds, on the clock of `began`."""
        for table in tables:
            read, _since = self._stalled.get(table["name"], (0, now))
            if table["bytes"] != read or table["waits_for_data"] or not read:
                self._stalled[table["name"]] = table["bytes"], now

    def sentence(
        self, tables: Sequence[Mapping[str, Any]], totals: Mapping[str, int | None], now: float
    ) -> str:
        """Return a sentence on the progress; `totals` is about how many rows each table has."""
        each = ", ".join(self._of(table, totals.get(table["name"]) or 0, now) for table in tables)
        return f"{each}; {units.span(now - self.began)} so far"

    def _of(self, table: Mapping[str, Any], total: int, now: float) -> str:
        name, rows = table["name"], table["rows"]
        if table["is_merged"]:
            return f"catching up with {name}"
        read, since = self._stalled.get(name, (0, now))
        if now - since >= _STALLED_SECONDS:
            return f"merging {name} ({rows:,} new rows) for {units.span(now - since)}"
        of = f" of about {total:,}" if total > rows else ""
        return f"copying {name} ({units.size(read)} read, {rows:,}{of} rows are new)"
