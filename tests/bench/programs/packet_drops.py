"""The campaign of dropped packets. Must be started in a network namespace
(`tests.support.netns.own_network`).

argv: folder, rounds, seed, the file that the result goes to.
"""

import sys
from pathlib import Path

from tests.bench.failover import as_json, run_campaign
from tests.support.netns import Network


def main() -> None:
    """Run it."""
    folder, rounds, seed, told = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4])
    result = run_campaign(folder, "drop", rounds, seed, Network())
    told.write_text(as_json(result), encoding="utf-8")


if __name__ == "__main__":
    main()
