"""The table of `bahi-server status`."""

from pathlib import Path

import pytest

from server.cli.status import ClusterView, describe
from server.contract.cluster import Directory, DirectoryServer, Roster
from tests.support.discovery import LOAD, beater, discovery_process
from tests.support.rosters import new_cluster
from tests.support.servers import command

NOW = 1_800_000_000.0
MS = 1_000


def _roster(expires_in: int = 300 * 86_400) -> Roster:
    made = new_cluster(("ap-south-1", "M"), ("ap-southeast-1", "S"))
    made.add_server("sg-sin-1", "ap-southeast-1", "https://sin-1.example.org")
    made.add_server("in-mum-2", "ap-south-1", "https://mum-2.example.org")
    made.add_server("in-mum-1", "ap-south-1", "https://mum-1.example.org")
    made.signed(expires_at=int(NOW) + expires_in)
    return made.roster


def _seen(roster: Roster, doubting: bool = False, age: float = 1.0) -> ClusterView:
    issued = int((NOW - age) * MS)
    lines = [
        DirectoryServer("in-mum-1", "up", int((NOW - 42) * MS), LOAD, "0.1.0"),
        DirectoryServer("sg-sin-1", "down", int((NOW - 7_300) * MS)),
    ]
    return ClusterView(
        roster, Directory("disc-1", 1, issued, issued + 120 * MS, roster.version, doubting, lines)
    )


def test_each_server_has_a_line_by_region_and_id() -> None:
    lines = [line.split() for line in describe(_seen(_roster()), NOW).splitlines()[-3:]]
    assert lines[0] == ["ap-south-1", "in-mum-1", "UP", "42", "s", "25%", "3/64", "12", "2", "1", "0.1.0"]
    assert lines[1] == ["ap-south-1", "in-mum-2", "UNKNOWN", "-", "-", "-", "-", "-", "-", "-"]
    assert lines[2] == ["ap-southeast-1", "sg-sin-1", "DOWN", "2", "h", "-", "-", "-", "-", "-", "-"]


def test_columns_stand_under_one_another() -> None:
    text = describe(_seen(_roster()), NOW)
    head = next(line for line in text.splitlines() if line.startswith("REGION"))
    rows = text.splitlines()[-3:]
    assert {row[head.index("STATE")] for row in rows} == {"U", "D"}
    assert all(row[head.index("STATE") - 1] == " " for row in rows)


def test_it_says_who_answered_of_which_roster_and_warns_of_nothing() -> None:
    text = describe(_seen(_roster()), NOW)
    assert "disc-1, 1 s ago" in text
    assert "version 4, valid until" in text
    assert "WARNING" not in text


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (_seen(_roster(), doubting=True), "discovery suspects its own network"),
        (_seen(_roster(), age=121), "EXPIRED"),
        (_seen(_roster(86_400)), "WARNING: valid only until"),
        (_seen(_roster(-1)), "WARNING: expired on"),
    ],
)
def test_it_warns_an_operator(seen: ClusterView, words: str) -> None:
    assert words in describe(seen, NOW)


def test_the_command_prints_what_it_verified_and_believes_no_other_cluster(tmp_path: Path) -> None:
    made = new_cluster(("ap-south-1", "M"))
    made.add_discovery("disc-1", "https://disc-1.example.org")
    made.add_server("in-mum-1", "ap-south-1", "http://127.0.0.1:1")
    with discovery_process(tmp_path, made) as (_, api):
        assert api.send(beater(made, "in-mum-1").signed()).ok
        good = command("status", "--discovery", api.url, "--cluster-key", made.fingerprint.upper())
        bad = command("status", "--discovery", api.url, "--cluster-key", "0" * 64)
    gone = command("status", "--discovery", api.url, "--cluster-key", made.fingerprint)
    assert good.status == 0, good.errors
    assert good.out.splitlines()[-1].split()[:3] == ["ap-south-1", "in-mum-1", "UP"]
    assert (bad.status, bad.out) == (1, "")
    assert "cannot be trusted: another cluster's key" in bad.errors
    assert gone.status == 1
    assert "does not answer" in gone.errors
