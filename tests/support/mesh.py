"""Real PostgreSQL clusters that are joined to a mesh by the `bahi-server replication` commands."""

import contextlib
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, LiteralString

from server.db.embedded import LOGICAL, EmbeddedPostgres
from server.db.migrate import migrate
from server.errors import StartError
from server.replication import names
from server.replication.mesh import Mesh
from server.replication.regions import Region
from tests.support.ports import steady_port
from tests.support.postgres import remove_cluster, rows

REPLICATED: Final = tuple(table.name for table in names.REPLICATED)
SETTINGS: Final = {
    **LOGICAL,
    "max_sync_workers_per_subscription": "4",
    "wal_retrieve_retry_interval": "500ms",  # how soon a worker that met an error or a dead peer tries again
}
_SECONDS: Final = 60


@dataclass(slots=True)
class Node:
    """One region's database. Its port stays the same, so that its peers find it after a restart."""

    name: str
    embedded: EmbeddedPostgres
    url: str = ""

    def start(self) -> None:
        """Start and bring up to date."""
        self.url = self.embedded.start()
        migrate(self.url)

    @property
    def region(self) -> Region:
        """As the operator's file names it."""
        return Region(self.name, self.url)

    def rows(self, statement: LiteralString, *values: object) -> list[tuple[Any, ...]]:
        """Run one statement and return its rows."""
        return rows(self.url, statement, *values)

    def kill(self) -> None:
        """End the postmaster as a power cut would; what it had acknowledged is on the disk."""
        pid = self.embedded.pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: self.embedded.pid is None, "the postmaster has ended")

    def restart(self) -> None:
        """Start after `kill`; the dead postmaster's last processes are given time to go."""
        deadline = time.monotonic() + _SECONDS
        while True:
            try:
                self.start()
            except StartError:
                if time.monotonic() > deadline:
                    raise
            else:
                return


@contextlib.contextmanager
def mesh(folder: Path, *codes: str) -> Iterator[list[Node]]:
    """Yield started nodes that do not know each other yet; their data are removed at the end."""
    nodes = [Node(name, EmbeddedPostgres(folder / name, SETTINGS, steady_port())) for name in codes]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.embedded.stop()
            remove_cluster(node.embedded.data)
            shutil.rmtree(node.embedded.data, ignore_errors=True)


def mesh_of(nodes: Sequence[Node]) -> Mesh:
    """Return the mesh that the operator's commands work on; what they say is printed."""
    return Mesh([node.region for node in nodes], print)


def subscribe_all(nodes: Sequence[Node]) -> None:
    """Join all of them, one after the other; returns once each has copied what was there before."""
    for number, node in enumerate(nodes[1:], 1):
        mesh_of(nodes).join(node.name, [each.name for each in nodes[:number]])


# --- being equal ----------------------------------------------------------------------------------


def digest(node: Node) -> dict[str, tuple[int, str]]:
    """Return, for each table that must be the same everywhere, how many rows it has and a digest of them."""
    return {name: (count, text) for name, count, text in node.rows(_DIGEST)}


def wait_until_copied(nodes: Sequence[Node], seconds: float = _SECONDS) -> None:
    """Return once every subscription has taken over what was there before it."""
    for node in nodes:
        wait_until(lambda node=node: not node.rows(_NOT_READY), f"{node.name} has copied all", seconds)  # type: ignore[misc]


def wait_until_equal(nodes: Sequence[Node], seconds: float = _SECONDS) -> dict[str, tuple[int, str]]:
    """Return the digest once it is the same at every node. The journals are counted first: that is cheap."""

    def are_equal() -> bool:
        counts = {node.rows("select count(*) from public.journal")[0][0] for node in nodes}
        return len(counts) == 1 and len({str(sorted(digest(node).items())) for node in nodes}) == 1

    wait_until(are_equal, f"{[node.name for node in nodes]} are equal", seconds)
    return digest(nodes[0])


def apply_errors(node: Node) -> list[tuple[Any, ...]]:
    """Return (subscription, errors of apply, errors of the first copy, insert conflicts)."""
    return node.rows(
        # PostgreSQL 17 does not count conflicts.
        "select subname, apply_error_count, sync_error_count,"
        " coalesce((to_jsonb(s) ->> 'confl_insert_exists')::bigint, 0)"
        " from pg_stat_subscription_stats s order by 1"
    )


def wait_until(done: Callable[[], bool], what: str, seconds: float = _SECONDS) -> None:
    """Ask again until `done`; fails after `seconds`."""
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, f"not after {seconds} s: {what}"
        time.sleep(0.05)


_NOT_READY: Final[LiteralString] = "select 1 from pg_subscription_rel where srsubstate <> 'r'"

# Where and when a copy was accepted (region, at) is no part of what must be equal.
_DIGEST: Final[LiteralString] = """
select 'journal', count(*), coalesce(sum(hashtextextended(
    (j.book_id, j.op_id, j.kind, j.id, j.ver, j.doc, j.author, j.device)::text, 0)::numeric), 0)::text
from public.journal j
union all
select 'accounting_entry', count(*), coalesce(sum(hashtextextended(e::text, 0)::numeric), 0)::text
from public.accounting_entry e
union all
select 'accounting_document', count(*), coalesce(sum(hashtextextended(d::text, 0)::numeric), 0)::text
from public.accounting_document d
"""
