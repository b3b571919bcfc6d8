"""What `make cluster` shows: who is alive, how the regions' links are, and what is still to be carried."""

import contextlib
import time
from typing import Final, LiteralString

import psycopg

from server.cluster.asking import Asker
from server.cluster.table import columns
from server.discovery.status import describe, look
from server.errors import StartError
from server.replication.console import show_status
from server.replication.status import MeshStatus
from tests.support.cluster import Cluster
from tests.support.postgres import rows
from tests.support.regions_verdict import standing

_DIGITS: Final = 8


class Watch:
    """Of one cluster; usable by one thread."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._asker = Asker(next(iter(cluster.discovery.values())).url)
        self._before: MeshStatus | None = None

    def text(self) -> str:
        """Return how it is now."""
        return "\n".join([self._servers(), self._links(), self._held()])

    def close(self) -> None:
        """Ask no more."""
        self._asker.close()

    def _servers(self) -> str:
        try:
            return describe(look(self._asker, self._cluster.fingerprint), time.time())
        except StartError as error:  # one that is away comes back
            return f"{error}\n"

    def _links(self) -> str:
        found = self._cluster.mesh.status()
        text = show_status(found, self._before)
        self._before = found
        return text

    def _held(self) -> str:
        """Rows of the journal and their digest, and bills whose bytes are still to be copied, by region."""
        lines: list[tuple[str, ...]] = [("REGION", "JOURNAL", "DIGEST", "BILLS TO COPY", "BYTES")]
        for region in self._cluster.layout.regions:
            with contextlib.suppress(psycopg.Error):  # it is away: the links say so
                lines.append((region.code, *self._held_by(self._cluster.database_url(region.code))))
        return columns(lines)

    def _held_by(self, url: str) -> tuple[str, ...]:
        count, digest = standing(url).digests["journal"]
        wanted, size = rows(url, _WANTED)[0]
        return str(count), digest[-_DIGITS:], str(wanted), str(size)


_WANTED: Final[LiteralString] = "select count(*), coalesce(sum(byte_size), 0) from public.document_wanted"
