"""`python -m tests.tour DIR`: run the tour without a display; leave its pictures and a CSV in DIR."""

import os
import sys
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from app.bootstrap import make_desk
from app.local_server import forget_server_data
from app.paths import Paths
from app.services import Services


def main(arguments: list[str]) -> int:
    """Run the tour in empty folders of its own; return the exit status."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.tour DIR\n")
        return 2
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from tests.tour.run import run_tour

    with tempfile.TemporaryDirectory(prefix="bahi-tour-") as home:
        paths = Paths(Path(home))
        try:
            return run_tour(Path(arguments[0]), lambda: _open_services(paths))
        finally:
            forget_server_data(paths.server)


@contextmanager
def _open_services(paths: Paths) -> Generator[Services, None, None]:
    desk = make_desk(paths)
    try:
        yield desk.services
    finally:
        desk.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
