"""What keeps regions from being joined is told beforehand, each with its fix."""

from dataclasses import replace
from typing import Any, Final

import pytest

from server.errors import StartError
from server.replication import names, preflight
from server.replication.mesh import Mesh
from server.replication.names import Table
from server.replication.node import connect
from server.replication.preflight import Facts
from server.replication.regions import Region
from tests.server.replication.conftest import Regions
from tests.support.postgres import Cluster, rows

GOOD: Final = Facts(
    code="a-1",
    version=180_006,
    settings={
        "wal_level": "logical",
        "max_replication_slots": "10",
        "max_wal_senders": "10",
        "max_active_replication_origins": "10",
        "max_logical_replication_workers": "4",
        "max_worker_processes": "8",
        "max_sync_workers_per_subscription": "2",
        "server_encoding": "UTF8",
        "log_statement": "none",
        "log_min_duration_statement": "-1",
    },
    clock=0.0,
    clock_error=0.1,
    foreign_slots=0,
    keyed=frozenset(table.name for table in names.REPLICATED),
    sleeping=(),
    schema=((1, "journal", "x"),),
    rights=dict.fromkeys((*preflight._RIGHTS, "may_quieten"), True) | {"is_superuser": False},
)


def _with(setting: str, value: str) -> dict[str, Any]:
    return {"settings": {**GOOD.settings, setting: value}}


def _without(right: str) -> dict[str, Any]:
    return {"rights": {**GOOD.rights, right: False}}


def test_postgresqls_own_settings_are_enough_for_three_regions() -> None:
    assert preflight.problems([GOOD, replace(GOOD, code="b-1")], 3) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"version": 160_004}, "older than version 17: upgrade"),
        ({"schema": ()}, "bahi-server migrate"),
        (_with("wal_level", "replica"), "set wal_level = logical"),
        (
            _with("max_replication_slots", "5"),
            "max_replication_slots is 5, but 3 regions need 6: set it to 12",
        ),
        (_with("max_wal_senders", "5"), "max_wal_senders is 5"),
        (_with("max_logical_replication_workers", "3"), "max_logical_replication_workers is 3"),
        (_with("max_worker_processes", "4"), "max_worker_processes is 4"),
        (
            _with("max_active_replication_origins", "6"),
            "max_active_replication_origins is 6, but 3 regions need 7",
        ),
        ({"version": 170_001, **_with("max_replication_slots", "6")}, "max_replication_slots is 6"),
        (
            {"foreign_slots": 5, **_with("max_wal_senders", "20")},
            "max_replication_slots is 10, but 3 regions need 11",
        ),
        (_with("idle_replication_slot_timeout", "60"), "set it to 0"),
        (_with("server_encoding", "LATIN1"), "UTF8"),
        ({"keyed": frozenset({"journal"})}, "no primary key on invite_use, refresh_use, revocation"),
        ({"sleeping": ("journal_merge",)}, "journal_merge would not run"),
        (_without("may_create_roles"), "CREATEROLE"),
        (_without("may_replicate"), "REPLICATION"),
        (_without("may_subscribe"), "pg_create_subscription"),
        (_without("may_publish"), "GRANT CREATE ON DATABASE"),
        (_without("owns_tables"), "own the tables"),
        ({**_without("may_quieten"), **_with("log_statement", "all")}, "log_statement = ddl"),
        ({**_without("may_quieten"), **_with("log_min_duration_statement", "0")}, "log_statement = ddl"),
    ],
)
def test_each_thing_that_is_wrong_is_one_sentence_with_its_fix(changes: dict[str, Any], said: str) -> None:
    found = preflight.problems([replace(GOOD, **changes)], 3)
    assert len(found) == 1, found
    assert found[0].startswith("a-1: ")
    assert said in found[0]


def test_regions_of_two_versions_are_not_joined() -> None:
    newer = replace(GOOD, code="b-1", schema=(*GOOD.schema, (2, "more", "y")))
    (found,) = preflight.problems([newer, GOOD], 2)
    assert found.startswith("a-1 has another schema than b-1")


def test_clocks_that_are_a_minute_apart_in_truth_are_told() -> None:
    ahead = replace(GOOD, code="b-1", clock=61.0)
    (found,) = preflight.problems([GOOD, ahead], 2)
    assert found == "The clock of b-1 is 61 s ahead of a-1's: synchronise both by NTP."
    assert preflight.problems([GOOD, replace(ahead, clock_error=2.0)], 2) == []


def test_a_real_database_that_cannot_decode_is_left_as_it_is(cluster: Cluster, database_url: str) -> None:
    with cluster.database() as other_url:
        mesh = Mesh([Region("a-1", database_url), Region("b-1", other_url)])
        with pytest.raises(StartError, match="a-1: wal_level is not logical") as caught:
            mesh.join("a-1")
    assert "Nothing was changed" in str(caught.value)
    assert rows(database_url, "select 1 from pg_publication") == []


def test_a_real_database_that_is_ready_has_no_problem(regions: Regions) -> None:
    (a,) = regions("a-1")
    with connect(a) as node:
        facts = preflight.read_facts(node)
        merged = [name for (name,) in node.rows("merged_tables")]
    assert preflight.problems([facts], 3) == []
    assert abs(facts.clock) < 5
    assert {"accounting_entry", "accounting_document", "app_user", "credential", "device"} <= set(merged)


def test_repair_does_by_itself_what_the_only_trigger_for_arriving_rows_does(regions: Regions) -> None:
    (a,) = regions("a-1")
    found = rows(
        a.url,
        "select tgname from pg_trigger where not tgisinternal"
        " and (tgenabled = 'R' or pg_get_triggerdef(oid) like '%session_replication_role%')",
    )
    assert found == [("journal_want_document",)]  # another one needs a statement in `repair` as well


def test_names_fit_into_63_bytes_and_stay_apart() -> None:
    long = ["a" * 62 + letter for letter in "bc"]
    pairs = {names.pair(one, other) for one in long for other in ("x", *long)}
    assert len(pairs) == 6
    assert max(map(len, pairs)) <= 63
    assert names.pair("ap-south-1", "ap-southeast-1") == "bahi_ap_south_1_to_ap_southeast_1"
    assert names.merged("device", ["id", "ver", "book_id"]) == Table("device", ("id",), ("ver",))
