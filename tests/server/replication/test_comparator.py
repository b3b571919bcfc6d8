"""What an operator who watches is shown: what each region holds and lacks, and whether they are equal."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import psycopg
import pytest

from server.__main__ import main
from server.cli.replication_report import show_compared, show_status, status_json
from server.replication import comparator, inventory, node
from server.replication.comparator import Comparator, Comparison
from server.replication.inventory import RegionInventory
from server.replication.mesh import Mesh
from server.replication.regions import Region
from tests.server.replication.conftest import Regions
from tests.server.replication.test_repair import operator_file, write_unsent
from tests.support.journal import document_row, entry_row, write_journal
from tests.support.postgres import rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK, writers

_NOWHERE: Final = "postgresql://bahi:hidden-word@127.0.0.1:1/bahi"
_OLDER: Final = "update public.document_wanted set since = now() - interval '605 s'"


@pytest.fixture
def two(regions: Regions) -> list[Region]:
    """Two that are joined; the first took an entry with a bill, whose bytes the second wants."""
    joined = regions("a-1", "b-1")
    Mesh(joined).join("a-1")
    entry = entry_row()
    write_journal(joined[0].url, BOOK, [entry, document_row(entry.id)])
    wait_until(lambda: rows(joined[1].url, "select 1 from public.document_wanted"))
    return joined


def test_each_region_tells_its_journal_and_the_bills_that_it_is_to_copy(two: list[Region]) -> None:
    status = Mesh(two).status()
    a, b = status.inventories
    assert a == RegionInventory("a-1", 2, bills_to_copy=0, bytes_to_copy=0)
    assert (b.code, b.journal, b.bills_to_copy, b.bytes_to_copy) == ("b-1", 2, 1, 10)
    assert b.oldest_seconds is not None
    assert "to copy" not in status.verdict
    shown = show_status(status).splitlines()
    assert "REGION  JOURNAL  BILLS TO COPY  OLDEST" in shown
    assert "a-1     2        0              -" in shown
    assert any(line.startswith("b-1     2        1 (10 B)       ") for line in shown)


def test_bills_that_are_wanted_for_long_are_named_and_the_links_are_well(
    two: list[Region], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows(two[1].url, _OLDER)
    file = operator_file(tmp_path, *two)
    assert main(["replication", "status", "--file", file]) == 0
    told = capsys.readouterr().out
    assert "All 2 subscriptions work" in told
    assert re.search(
        r"b-1 still has to copy 1 bill \(10 B\), the oldest for 10 min \d+ s: if that does not shrink", told
    )
    assert main(["replication", "status", "--file", file, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["well"]
    assert "b-1 still has to copy 1 bill" in found["verdict"]
    assert [each["bills_to_copy"] for each in found["held"]] == [0, 1]
    assert found["held"][1]["oldest_seconds"] > 600
    assert found["compared"] is None


def test_of_an_older_schema_and_of_a_region_that_is_away_nothing_is_said(two: list[Region]) -> None:
    b = two[1]
    rows(b.url, "drop trigger journal_want_document on public.journal")
    rows(b.url, "drop table public.document_wanted")
    status = Mesh([*two, Region("c-1", _NOWHERE)]).status()
    assert status.inventories[1:] == (RegionInventory("b-1", 2), RegionInventory("c-1"))
    assert "b-1     2        -              -" in show_status(status).splitlines()
    assert "c-1     -        -              -" in show_status(status).splitlines()
    rows(b.url, "drop table public.journal cascade")
    assert Mesh(two).status().inventories[1] == RegionInventory("b-1")


def test_a_journal_that_is_dear_to_count_is_told_about(
    two: list[Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Who wrote them counts them as it ends, a moment after we have left it: then added to what analyze found.
    counted = "select pg_stat_get_live_tuples('public.journal'::regclass)"
    wait_until(lambda: rows(two[0].url, counted) == [(2,)])
    rows(two[0].url, "analyze public.journal")
    monkeypatch.setattr(inventory, "_COUNT_LIMIT", 1)
    status = Mesh(two).status()
    assert (status.inventories[0].journal, status.inventories[0].is_estimate) == (2, True)
    assert any(line.startswith("a-1     about 2  ") for line in show_status(status).splitlines())


def test_regions_are_compared_while_they_are_written_to(two: list[Region]) -> None:
    assert show_compared(None) == "Comparing the regions for the first time.\n"
    with writers([region.url for region in two]) as written, closing(Comparator(Mesh(two))) as comparing:
        wait_until(lambda: len(written.rows[two[0].url]) > 50)  # each counts what stands in it at its look
        comparing.start()
        wait_until(lambda: comparing.last())
        compared = comparing.last()
        so_far = written.count
        wait_until(lambda: written.count > so_far)
    assert compared is not None
    assert compared.found is not None
    assert compared.found.are_equal
    count = max(compared.found.rows["journal"].values())
    assert count > 50
    shown = show_compared(Comparison(12.4, compared.found))
    assert shown == f"Compared 12 s ago: a-1, b-1 are equal ({count} rows of the journal).\n"


def test_where_they_differ_is_told(two: list[Region]) -> None:
    write_unsent(two[0], entry_row(ver=1_777_700_000_000_000))
    compared = _compared_once(two)
    shown = show_compared(compared)
    assert "the regions differ; run `bahi-server replication repair`." in shown
    assert f"journal, book {BOOK}, 2026-05: b-1 lacks 1" in shown
    told = json.loads(status_json(Mesh(two).status(), compared))["compared"]
    assert told["found"]["equal"] is False
    assert told["found"]["differences"][0]["missing"] == {"b-1": 1}


def test_what_cannot_be_compared_is_told_and_tried_again(
    regions: Regions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparator, "_MIN_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(comparator, "_PAUSE_FACTOR", 0)  # however long one takes here
    apart = regions("a-1", "b-1")
    with closing(Comparator(Mesh(apart))) as comparing:
        comparing.start()
        wait_until(lambda: comparing.last())
        shown = show_compared(comparing.last())
        assert shown.startswith("Comparison failed ")
        assert "s ago: Fewer than two regions can be compared. No regions are joined" in shown
        Mesh(apart).join("a-1")
        wait_until(lambda: "a-1, b-1 are equal (0 rows" in show_compared(comparing.last()))


def test_comparing_takes_a_twentieth_of_the_time_and_comes_each_half_minute_at_most() -> None:
    assert comparator.pause(0.2) == 30
    assert comparator.pause(14) == 280


def test_a_comparison_is_cut_short_by_whoever_looks_no_more(
    two: list[Region], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert node._LOCK_SECONDS > 20  # else the lock alone would end it
    monkeypatch.setattr(comparator, "_END_SECONDS", 20.0)
    with psycopg.connect(two[1].url) as holding:
        holding.execute("lock table public.accounting_entry in access exclusive mode")
        comparing = Comparator(Mesh(two))
        comparing.start()
        wait_until(lambda: rows(two[1].url, _WAITS))
        comparing.close()
        assert not rows(two[1].url, _WAITS)
        assert not comparing._thread.is_alive()


_WAITS: Final = """
select 1 from pg_stat_activity
where application_name = 'bahi-replication' and wait_event_type = 'Lock' and datname = current_database()
"""


def test_the_screen_says_that_they_are_equal_and_control_c_ends_it(two: list[Region], tmp_path: Path) -> None:
    with psycopg.connect(two[1].url) as holding, _watching(operator_file(tmp_path, *two)) as process:
        holding.execute("lock table public.accounting_entry in access exclusive mode")
        shown = _read_until(process, "Comparing the regions for the first time.")
        assert "All 2 subscriptions work" in shown
        holding.commit()  # only now can a comparison come to its end
        _read_until(process, "a-1, b-1 are equal (2 rows of the journal).")
        process.send_signal(signal.SIGINT)
        assert process.wait() == 0


@contextmanager
def _watching(file: str) -> "Iterator[subprocess.Popen[str]]":
    command = [sys.executable, "-m", "server", "replication", "status", "--watch", "--file", file]
    with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8") as process:
        try:
            yield process
        finally:
            process.kill()


def _read_until(process: "subprocess.Popen[str]", text: str) -> str:
    """Return the lines up to the one that has `text`."""
    assert process.stdout is not None
    lines: list[str] = []
    while not lines or text not in lines[-1]:
        lines.append(process.stdout.readline())
        assert lines[-1], "it ended by itself"
    return "".join(lines)


def _compared_once(regions: list[Region]) -> Comparison:
    with closing(Comparator(Mesh(regions))) as comparing:
        comparing.start()
        wait_until(lambda: comparing.last())
        found = comparing.last()
    assert found is not None
    return found
