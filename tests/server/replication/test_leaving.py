"""A region that leaves has given everything; what would lose something, or mend nothing, is refused."""

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import psycopg
import pytest

from server.__main__ import main
from server.cli.replication_report import show_verification
from server.errors import StartError
from server.replication import node as node_module
from server.replication.mesh import Mesh
from server.replication.regions import Region
from tests.server.replication.conftest import Regions
from tests.server.replication.test_repair import operator_file
from tests.support.journal import document_row, entry_row, write_journal
from tests.support.postgres import Cluster, rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK

_NOWHERE: Final = "postgresql://bahi:hidden-word@127.0.0.1:1/bahi"
_PARTS: Final = """
select (select count(*) from pg_replication_slots where database = current_database()),
    (select count(*) from pg_subscription s join pg_database d on d.oid = s.subdbid
        where d.datname = current_database())
"""
_COUNT: Final = "select count(*) from public.journal"


@pytest.fixture
def joined(regions: Regions) -> list[Region]:
    """Two regions that are joined."""
    two = regions("a-1", "b-1")
    Mesh(two).join("a-1")
    return two


# --- leaving ------------------------------------------------------------------------------------------


def test_one_whose_link_carries_nothing_gives_all_that_it_has(joined: list[Region]) -> None:
    a, b = joined
    rows(b.url, "alter subscription bahi_from_a_1 disable")
    write_journal(a.url, BOOK, [entry_row() for _ in range(30)])
    assert Mesh(joined).leave("a-1").is_well
    assert rows(b.url, _COUNT) == [(30,)]
    assert rows(a.url, _PARTS) == rows(b.url, _PARTS) == [(0, 0)]


def test_one_that_answers_is_not_dead(joined: list[Region]) -> None:
    with pytest.raises(StartError, match="a-1 answers, and may have rows that no other region has"):
        Mesh(joined).leave("a-1", dead=True)
    assert rows(joined[0].url, _PARTS) == [(1, 1)]


def test_one_that_does_not_answer_is_told_how_it_leaves(joined: list[Region]) -> None:
    with pytest.raises(StartError, match=r"a-1 cannot be reached: .* will not come back, add --dead"):
        Mesh([Region("a-1", _NOWHERE), joined[1]]).leave("a-1")


def test_one_that_is_not_joined_does_not_leave_and_nothing_is_copied(regions: Regions) -> None:
    a, b = two = regions("a-1", "b-1")
    write_journal(a.url, BOOK, [entry_row()])
    with pytest.raises(StartError, match="a-1 is not a member"):
        Mesh(two).leave("a-1")
    assert rows(b.url, _COUNT) == [(0,)]


def test_a_region_of_the_file_that_is_still_to_join_is_left_alone(
    joined: list[Region], regions: Regions, logical: Cluster
) -> None:
    write_journal(joined[0].url, BOOK, [entry_row()])
    empty = Region("e-1", logical.embedded.url("postgres"))
    (other,) = regions("o-1")
    found = Mesh([*joined, empty, other]).leave("a-1")
    assert found.regions == ("b-1",)
    assert rows(other.url, _COUNT) == [(0,)]
    assert "b-1 is the only member left and has all rows." in show_verification(found)


def test_bills_that_are_still_to_be_copied_are_told(joined: list[Region]) -> None:
    a, b = joined
    entry = entry_row()
    write_journal(a.url, BOOK, [entry, document_row(entry.id)])
    wait_until(lambda: rows(b.url, "select 1 from public.document_wanted"))
    said: list[str] = []
    Mesh(joined, said.append).leave("a-1")
    assert any(
        line.startswith("b-1 still has to copy 1 bill (10 B). Keep the servers that have") for line in said
    )


# --- who cannot be asked ------------------------------------------------------------------------------


def test_a_member_that_is_away_keeps_the_verdict_from_being_good(
    regions: Regions, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a, b, c = three = regions("a-1", "b-1", "c-1")
    Mesh(three).join("a-1", ["b-1"])
    Mesh(three).join("c-1")
    file = operator_file(tmp_path, a, b, Region("c-1", _NOWHERE))
    for command in (["verify"], ["verify", "--json"], ["repair"]):
        with pytest.raises(SystemExit) as ended:
            main(["replication", *command, "--file", file])
        assert ended.value.code == 1
        told = capsys.readouterr()
        assert "c-1 is left out" in told.err
        assert ('"left_out": [\n    "c-1"' if "--json" in command else "Not reached: c-1.") in told.out
    with pytest.raises(SystemExit) as ended:  # and so b-1 has not left everybody
        main(["replication", "leave", "b-1", "--file", file])
    assert ended.value.code == 1
    assert "has left" not in capsys.readouterr().out
    with pytest.raises(StartError, match="No other member"):  # until c-1 is asked too
        Mesh([Region("a-1", _NOWHERE), b, Region("c-1", _NOWHERE)]).leave("b-1")
    assert main(["replication", "leave", "b-1", "--file", operator_file(tmp_path, a, b, c)]) == 0
    assert rows(b.url, _PARTS) == [(0, 0)]


# --- addresses ----------------------------------------------------------------------------------------


def test_one_database_for_two_regions_is_refused(joined: list[Region]) -> None:
    twice = Mesh([joined[0], Region("b-1", joined[0].url)])
    for command in (twice.verify, twice.repair, lambda: twice.join("b-1"), lambda: twice.leave("b-1")):
        with pytest.raises(StartError, match=r"a-1 and b-1 have the same database|is another region's"):
            command()


def test_addresses_that_were_mixed_up_are_refused_and_nothing_is_changed(joined: list[Region]) -> None:
    a, b = joined
    mixed = Mesh([Region("a-1", b.url), Region("b-1", a.url)])
    with pytest.raises(StartError, match="The database of a-1 is another region's"):
        mixed.join("a-1")
    assert rows(a.url, _PARTS) == rows(b.url, _PARTS) == [(1, 1)]


# --- waiting ------------------------------------------------------------------------------------------


def test_a_transaction_that_is_left_open_is_told_of_and_nothing_is_left_behind(
    regions: Regions, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _b = two = regions("a-1", "b-1")
    with psycopg.connect(a.url) as open_one, monkeypatch.context() as hurried:
        hurried.setattr(node_module, "_LOCK_SECONDS", 1)  # not for the join that is to succeed
        open_one.execute("select pg_current_xact_id()")
        with pytest.raises(
            StartError, match="a-1 did not grant a lock within 1 s: a transaction is open there"
        ):
            Mesh(two).join("a-1")
        peers = "select 1 from pg_roles where rolname = 'bahi_a_1_to_b_1'"
        assert rows(a.url, peers) == []
    Mesh(two).join("a-1")
    wait_until(lambda: Mesh(two).status().is_well)


def test_a_disabled_link_is_enabled_by_a_repair(joined: list[Region]) -> None:
    rows(joined[1].url, "alter subscription bahi_from_a_1 disable")
    assert Mesh(joined).repair().is_well
    wait_until(lambda: Mesh(joined).status().is_well)


def test_control_c_is_no_good_end_of_a_comparison(joined: list[Region], tmp_path: Path) -> None:
    command = [sys.executable, "-m", "server", "replication", "verify"]
    with psycopg.connect(joined[1].url) as holding:
        holding.execute("lock table public.journal in access exclusive mode")
        with subprocess.Popen(
            [*command, "--file", operator_file(tmp_path, *joined)], stderr=subprocess.PIPE, encoding="utf-8"
        ) as process:
            wait_until(lambda: rows(joined[0].url, _WAITS))
            process.send_signal(signal.SIGINT)
            _out, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told == "bahi-server: interrupted; run the same command again to complete it\n"


_WAITS: Final = """
select 1 from pg_stat_activity where application_name = 'bahi-replication' and wait_event_type = 'Lock'
"""
