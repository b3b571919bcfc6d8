"""Servers of several regions, each with a database, and a copy of rows between them as by an apply worker."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import psycopg
from psycopg import sql

from server.cluster import peer_http
from server.contract import cluster_calls, paths, shapes
from server.peers import client
from tests.support.api import BookApi
from tests.support.mesh import REPLICATED
from tests.support.postgres import Cluster
from tests.support.regional import Regional
from tests.support.servers import MovingClock, RunningServer, running_server

MUMBAI_1: Final = "in-1"
SINGAPORE_1: Final = "sg-1"
_PATIENCE_SECONDS: Final = 30.0


def carry(source: str, target: str, tables: tuple[str, ...] = REPLICATED) -> None:
    """Insert at `target` every row of `source`, in one transaction for each table, as replication would."""
    with psycopg.connect(source) as reading, psycopg.connect(target, autocommit=True) as writing:
        writing.execute("set session_replication_role = replica")
        writing.execute("set search_path = ''")
        for table in tables:
            name = sql.Identifier("public", table)
            out, into = sql.SQL("copy {} to stdout"), sql.SQL("copy {} from stdin")
            with (
                reading.cursor().copy(out.format(name)) as rows,
                writing.cursor().copy(into.format(name)) as copy,
            ):
                for row in rows:
                    copy.write(row)


@dataclass(slots=True)
class TwoRegions:
    """`urls` are the databases by region's first two letters; every server has a store of its own."""

    regional: Regional
    urls: dict[str, str]
    clock: MovingClock
    servers: dict[str, RunningServer] = field(default_factory=dict)
    _running: ExitStack = field(default_factory=ExitStack)

    def start(self, id_: str, **settings: Any) -> RunningServer:
        """Start a server of the roster."""
        config = self.regional.config(id_, self.urls[id_[:2]], **settings)
        self.servers[id_] = self._running.enter_context(running_server(config, self.clock))
        return self.servers[id_]

    def carry(self, source: str, target: str, *tables: str) -> None:
        """Let rows of a region (`in`, `sg`) arrive in another."""
        carry(self.urls[source], self.urls[target], tables or REPLICATED)

    def close(self) -> None:
        """End the servers."""
        self._running.close()


@contextmanager
def patience() -> Iterator[None]:
    """Let servers give nobody up who is only slow: on a busy machine two seconds are soon over."""
    with (
        patch.object(peer_http, "SECONDS", _PATIENCE_SECONDS),
        patch.object(client, "SECONDS", _PATIENCE_SECONDS),
        patch.object(client, "_FETCH_SECONDS", (_PATIENCE_SECONDS, _PATIENCE_SECONDS)),
    ):
        yield


@contextmanager
def two_regions(cluster: Cluster, folder: Path, *ids: str) -> Iterator[TwoRegions]:
    """Yield a cluster of which nobody runs yet."""
    regional = Regional(folder, ids or (MUMBAI_1, SINGAPORE_1))
    with patience(), ExitStack() as databases:
        urls = {
            code: databases.enter_context(cluster.database()) for code in {id_[:2] for id_ in regional.ids}
        }
        regions = TwoRegions(regional, urls, MovingClock())
        try:
            yield regions
        finally:
            regions.close()


def status(book: BookApi, *saved: shapes.EntrySaved | str) -> cluster_calls.SyncStatus:
    """Ask where operations are."""
    op_ids = [each if isinstance(each, str) else each.op_id for each in saved]
    body = cluster_calls.SyncStatusRequest(op_ids)
    return book.send("POST", paths.SYNC_STATUS, cluster_calls.SyncStatus, body)


Start = Callable[..., RunningServer]
