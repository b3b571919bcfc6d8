"""What `join` says while what was there before comes over a link."""

import threading
from typing import Any, Final

import psycopg
import pytest

from server.replication import first_copy
from server.replication.first_copy import Progress
from server.replication.mesh import Mesh
from tests.server.replication.conftest import Regions
from tests.support.journal import entry_row, write_journal
from tests.support.postgres import rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK


def _table(rows_: int = 0, bytes_: int = 0, **more: bool) -> dict[str, Any]:
    seen = {"name": "journal", "rows": rows_, "bytes": bytes_, "waits_for_data": False, "is_merged": False}
    return seen | more


def _said(progress: Progress, table: dict[str, Any], now: float, about: int = 1_000) -> str:
    progress.note([table], now)
    return progress.sentence([table], {"journal": about}, now)


def test_what_is_read_is_told_of_about_how_much() -> None:
    progress = Progress(100.0)
    assert (
        _said(progress, _table(), 100)
        == "copying journal (0 B read, 0 of about 1,000 rows are new); 0 s so far"
    )
    assert _said(progress, _table(400, 4_000), 165) == (
        "copying journal (3.9 kB read, 400 of about 1,000 rows are new); 1 min 5 s so far"
    )
    assert (
        _said(progress, _table(1_001, 9_000), 166)
        == "copying journal (8.8 kB read, 1,001 rows are new); 1 min 6 s so far"
    )


def test_where_no_more_is_read_it_is_merged() -> None:
    progress = Progress(0.0)
    _said(progress, _table(1_000, 9_000), 10)
    assert "copying journal" in _said(progress, _table(1_000, 9_000), 10.5)
    assert (
        _said(progress, _table(1_000, 9_000), 73)
        == "merging journal (1,000 new rows) for 1 min 3 s; 1 min 13 s so far"
    )
    assert _said(progress, _table(is_merged=True), 80) == "catching up with journal; 1 min 20 s so far"


def test_a_publisher_that_sends_nothing_is_not_merging_nor_is_a_table_whose_turn_is_to_come() -> None:
    progress = Progress(0.0)
    for now in (1.0, 50.0):
        assert "copying journal (70 B read, 7 of" in _said(progress, _table(7, 70, waits_for_data=True), now)
    assert "copying journal (0 B read, 0 of" in _said(Progress(0.0), _table(), 50.0)


_BUSY: Final = "select 1 from pg_stat_progress_copy where relid = 'public.journal'::regclass"


def test_a_copy_whose_rows_have_come_is_said_to_be_merging_until_the_triggers_are_through(
    regions: Regions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(first_copy, "_REPORT_SECONDS", 0.05)
    monkeypatch.setattr(first_copy, "_STALLED_SECONDS", 0.3)
    a, b = two = regions("a-1", "b-1")
    write_journal(a.url, BOOK, [entry_row() for _ in range(1_300)])
    said: list[str] = []
    joining = threading.Thread(target=Mesh(two, said.append).join, args=("b-1",))
    with psycopg.connect(b.url) as holding:
        holding.execute("lock table public.accounting_entry in share mode")  # the triggers wait for it
        joining.start()
        wait_until(lambda: any("merging journal (1,300 new rows) for" in each for each in said))
        assert rows(b.url, _BUSY)
    joining.join()
    assert rows(b.url, "select count(*) from public.accounting_entry") == [(1_300,)]
    assert Mesh(two).verify().are_equal
