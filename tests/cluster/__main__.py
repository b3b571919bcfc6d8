"""`python -m tests.cluster [demo]`: run a cluster on this computer, or take pictures of its failures."""

import sys
from pathlib import Path
from typing import Final

from tests.support import haproxy

BUILD: Final = Path(__file__).parents[2] / "build"


def main(arguments: list[str]) -> int:
    """Run what is asked for; return the exit status."""
    if arguments not in ([], ["demo"]):
        sys.stderr.write("usage: python -m tests.cluster [demo]\n")
        return 2
    if haproxy.program() is None:
        sys.stderr.write("HAProxy is needed, as the central URL: apt-get install haproxy, or its like.\n")
        return 1
    if arguments:
        from tests.cluster.demo import run_demo

        return run_demo(BUILD / "cluster-demo")
    from tests.cluster.live import run_live

    return run_live(BUILD / "cluster")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
