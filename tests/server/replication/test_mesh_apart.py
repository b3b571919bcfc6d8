"""Regions with a PostgreSQL each: one dies, one comes back from an old copy; administrators of few rights."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import psycopg
import pytest

from server.db.embedded import EmbeddedPostgres
from server.db.migrate import migrate
from server.replication.mesh import Mesh
from server.replication.regions import Region
from tests.server.replication.test_repair import write_unsent
from tests.support.journal import entry_row, write_journal
from tests.support.mesh import SETTINGS, Node, mesh, mesh_of, subscribe_all
from tests.support.postgres import QUICK, remove_cluster, rows
from tests.support.waiting import wait_until
from tests.support.writing import BOOK, writers

pytestmark = pytest.mark.timeout(300)


def _journal(node: Node) -> set[str]:
    return {str(op_id) for (op_id,) in node.rows("select op_id from public.journal")}


def _copy_of(node: Node, place: Path) -> Path:
    """Copy the data of a node that is down, with owners and modes."""
    subprocess.run(["cp", "-a", str(node.embedded.cluster), str(place)], check=True)
    return place


def _set_back(node: Node, copy: Path) -> None:
    subprocess.run(["rm", "-rf", str(node.embedded.cluster)], check=True)
    subprocess.run(["cp", "-a", str(copy), str(node.embedded.cluster)], check=True)


@pytest.mark.slow
def test_one_dies_and_leaves_and_another_comes_back_from_an_old_copy(tmp_path: Path) -> None:
    with mesh(tmp_path, "a", "b", "c") as nodes:
        a, b, c = nodes
        subscribe_all(nodes)
        with writers([c.url]) as last:
            wait_until(lambda: last.count > 30)
        assert mesh_of(nodes).verify().are_equal
        c.kill()
        with writers([a.url, b.url]) as written:
            found = mesh_of(nodes).leave("c", dead=True)
            wait_until(lambda: written.count > 50)
        assert found.are_equal, found.differences
        assert last.ids <= _journal(a) & _journal(b)
        two = mesh_of([a, b])
        assert two.verify().are_equal
        assert a.rows("select slot_name from pg_replication_slots") == [("bahi_a_to_b",)]

        b.embedded.stop()
        copy = _copy_of(b, tmp_path / "copy")
        b.restart()
        with writers([a.url, b.url]) as since:
            wait_until(lambda: since.count > 100)
        wait_until(lambda: two.status().is_well)
        assert two.verify().are_equal
        b.embedded.stop()  # with all its processes: what is set back is nobody's any more
        _set_back(b, copy)
        b.restart()
        wait_until(lambda: two.status().is_well)
        assert not two.verify().are_equal  # all looks well, and what it had is lost to it: so it joins anew
        with writers([a.url, b.url]) as again:
            two.join("b", anew=True)
            wait_until(lambda: again.count > 30)
        found = two.verify()
        assert found.are_equal, found.differences
        everything = last.ids | written.ids | since.ids | again.ids
        assert everything <= _journal(a) & _journal(b)


ADMIN: Final = "an_admin"


@pytest.fixture
def few_rights(tmp_path: Path) -> Iterator[tuple[Region, Region, Region]]:
    """Two databases whose administrator is no superuser, and has just what the preflight asks for; and the
    second as its superuser sees it."""
    embedded = EmbeddedPostgres(tmp_path, {**SETTINGS, **QUICK})
    try:
        embedded.start()
        with psycopg.connect(embedded.url("postgres"), autocommit=True) as connection:
            connection.execute(f"create role {ADMIN} login createrole replication password 'word'")
            connection.execute(f"grant pg_create_subscription to {ADMIN}")
            for code in ("a", "b"):
                connection.execute(f"create database {code} owner {ADMIN}")
        host = embedded.url("").rpartition("@")[2]
        found = [Region(f"{code}-1", f"postgresql://{ADMIN}:word@{host}{code}") for code in ("a", "b")]
        for region in found:
            migrate(region.url)
        yield found[0], found[1], Region("b-1", embedded.url("b"))
    finally:
        embedded.stop()
        remove_cluster(tmp_path)


def test_an_administrator_without_superuser_joins_repairs_and_leaves(
    few_rights: tuple[Region, Region, Region],
) -> None:
    a, b, as_superuser = few_rights
    said: list[str] = []
    two = Mesh([a, b], said.append)
    two.join("a-1")
    write_journal(a.url, BOOK, [entry_row(), entry_row()])
    assert two.verify().are_equal
    assert two.status().is_well
    write_unsent(as_superuser, entry_row())
    assert two.repair().are_equal
    assert any("sent on once and skipped" in sentence for sentence in said)
    assert rows(b.url, "select count(*) from public.journal") == [(3,)]
    assert two.verify().are_equal
    assert two.leave("b-1").are_equal
    assert two.status().members == ()
