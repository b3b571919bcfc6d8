"""Runs the program's export in its own process: logs in, then writes the CSV for each line that it reads.

argv: the server's URL, its secret, the folder. A line `stream` writes the client's stream into a file,
`export` runs the whole export with its recount. Prints {"seconds", "rows", "mib"} for each.
"""

import json
import os
import resource
import sys
import time
from pathlib import Path

from app.bootstrap import make_desk
from app.domain.entry import EntryFilter
from app.local_server import LocalServer
from app.paths import Paths
from app.remote.endpoint import Endpoint
from app.remote.translate import query_of
from app.services import Services


class _Running(LocalServer):
    """A server that somebody else has started."""

    def __init__(self, folder: Path, endpoint: Endpoint) -> None:
        super().__init__(folder)
        self._there = endpoint

    def endpoint(self) -> Endpoint:
        """Return it."""
        return self._there


def main() -> None:
    """Export as often as asked."""
    url, secret, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    desk = make_desk(Paths(folder), _Running(folder, Endpoint(url, secret)))
    desk.services.accounts.sign_in_local("Asha", "")
    target = folder / "Transactions.csv"
    for line in sys.stdin:
        began = time.perf_counter()
        rows = {"stream": _stream, "export": _export}[line.strip()](desk.services, target)
        seconds = time.perf_counter() - began
        mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        sys.stdout.write(json.dumps({"seconds": seconds, "rows": rows, "mib": mib}) + "\n")
        sys.stdout.flush()
    desk.close()


def _stream(services: Services, target: Path) -> int:
    rows = -1
    with services.accounts.remote.api.csv(query_of(EntryFilter())) as pieces, target.open("wb") as out:
        for piece in pieces:
            out.write(piece)
            rows += piece.count(b"\n")
        out.flush()
        os.fsync(out.fileno())
    return rows


def _export(services: Services, target: Path) -> int:
    return services.exports.write_csv(EntryFilter(), target, lambda _rows: None, lambda: False).rows


if __name__ == "__main__":
    main()
