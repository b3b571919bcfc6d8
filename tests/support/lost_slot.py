"""Makes PostgreSQL invalidate a replication slot, by writing more WAL than it keeps for the slot."""

import time
from typing import Final, LiteralString

from tests.support.postgres import rows
from tests.support.waiting import wait_until

_KEPT_MB: Final = 64
_SEGMENT: Final = 16 * 1024 * 1024


def lose_slot(url: str, slot: str, kept: str, seconds: float) -> None:
    """Let the database write more than it may keep for `slot`, which nobody reads; but never so much at once
    that it would keep too little for the slot `kept`. Its setting must not stand on the command line."""
    rows(url, f"alter system set max_slot_wal_keep_size = '{_KEPT_MB}MB'")
    rows(url, "select pg_reload_conf()")
    try:
        deadline = time.monotonic() + seconds
        while _state(url, slot)[0] != "lost":
            assert time.monotonic() < deadline, "the slot is not lost"
            wait_until(lambda: _state(url, kept)[1] < _SEGMENT, seconds, 0.05)
            rows(url, "select pg_logical_emit_message(false, 'x', 'x'), pg_switch_wal()")
            rows(url, "checkpoint")
    finally:
        rows(url, "alter system reset max_slot_wal_keep_size")
        rows(url, "select pg_reload_conf()")


def _state(url: str, slot: str) -> tuple[str, int]:
    """Return how the slot is and how many bytes it is behind."""
    ((status, behind),) = rows(url, _SLOT, slot)
    return status, int(behind)


_SLOT: Final[LiteralString] = """
select wal_status, coalesce(pg_current_wal_lsn() - confirmed_flush_lsn, 0)
from pg_catalog.pg_replication_slots where slot_name = %s"""
