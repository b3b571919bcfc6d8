"""Regions for the tests of the mesh: databases of one PostgreSQL, one test after the other."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from server.replication.regions import Region
from tests.support.mesh import SETTINGS
from tests.support.postgres import Cluster, rows, running_cluster
from tests.support.waiting import wait_until

Regions = Callable[..., list[Region]]
_ROOM: Final = {
    "max_replication_slots": "80",
    "max_active_replication_origins": "80",
    "max_wal_senders": "80",
    "max_logical_replication_workers": "40",
    "max_worker_processes": "60",
    "log_statement": "ddl",
    "log_min_error_statement": "error",
    "log_min_messages": "info",
}


@pytest.fixture(scope="session")
def logical(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A PostgreSQL that decodes; it logs more than ours does, so that a secret would show."""
    settings = {**SETTINGS, **_ROOM}
    del settings["max_slot_wal_keep_size"]  # what the command line says, a test could not change
    with running_cluster(tmp_path_factory.mktemp("logical"), **settings) as running:
        yield running


@pytest.fixture
def regions(logical: Cluster) -> Iterator[Regions]:
    """Make regions by code, with an empty database each: `regions("a-1", "b-1")`."""
    made: dict[str, str] = {}

    def make(*codes: str) -> list[Region]:
        for code in codes:
            made[code] = f"test_{uuid4().hex[:12]}"
            logical._run("create database {} template {} strategy file_copy", made[code], "bahi")
        return [Region(code, logical.embedded.url(made[code])) for code in codes]

    yield make
    for name in made.values():
        _unsubscribe(logical.embedded.url(name))
    for name in made.values():
        _drop_slots(logical.embedded.url(name))
        logical._run("drop database {} with (force)", name)
    for (role,) in rows(logical.embedded.url("postgres"), _PEERS):  # roles belong to all databases
        logical._run("drop role {}", role)


_PEERS: Final = "select rolname from pg_roles where starts_with(rolname, 'bahi_') and rolname like '%_to_%'"


def _unsubscribe(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "select subname from pg_subscription s join pg_database d on d.oid = s.subdbid"
            " where d.datname = current_database()"
        ).fetchall()
        for (name,) in found:
            for statement in ("alter {} disable", "alter {} set (slot_name = none)", "drop {}"):
                text = statement.replace("{}", "subscription {}")
                connection.execute(sql.SQL(text).format(sql.Identifier(name)))


def _drop_slots(url: str) -> None:
    slots = "from pg_replication_slots where database = current_database()"

    def are_free() -> bool:
        rows(url, f"select pg_terminate_backend(active_pid) {slots} and active")
        return not rows(url, f"select 1 {slots} and active")

    wait_until(are_free)
    rows(url, f"select pg_drop_replication_slot(slot_name) {slots} and not active")


@pytest.fixture
def postgres_log(logical: Cluster) -> Path:
    """Everything that PostgreSQL logged."""
    return logical.embedded.data / "postgres.log"
