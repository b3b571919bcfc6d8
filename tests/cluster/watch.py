"""The display of `make cluster`: the servers' states, the replication links, and the replication lag."""

import contextlib
import time
from typing import Final

import psycopg

from server.cli.replication_report import show_status
from server.cli.roster_table import columns
from server.cli.status import describe, read_cluster
from server.errors import StartError
from server.replication.status import MeshStatus
from tests.support.cluster import Cluster
from tests.support.regions_verdict import standing

_DIGITS: Final = 8


class Watch:
    """Of one cluster; usable by one thread."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._before: MeshStatus | None = None

    def text(self) -> str:
        """Return how it is now."""
        return "\n".join([self._servers(), self._links(), self._digests()])

    def _servers(self) -> str:
        try:
            url = next(iter(self._cluster.discovery.values())).url
            return describe(read_cluster(url, self._cluster.fingerprint), time.time())
        except StartError as error:  # one that is away comes back
            return f"{error}\n"

    def _links(self) -> str:
        found = self._cluster.mesh.status()
        text = show_status(found, self._before)
        self._before = found
        return text

    def _digests(self) -> str:
        """The digest of the journal at each look, by region: it differs while something is under way."""
        lines = [("REGION", "DIGEST")]
        for region in self._cluster.layout.regions:
            with contextlib.suppress(psycopg.Error):  # it is away: the links say so
                _count, digest = standing(self._cluster.database_url(region.code)).digests["journal"]
                lines.append((region.code, digest[-_DIGITS:]))
        return columns(lines)
