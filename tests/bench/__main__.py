"""`python -m tests.bench [NAMES]`: measure, print a table, and write build/bench.json.

NAMES are rows, separated by commas or spaces; a name that ends in `_` is a prefix. Without names, everything
but the campaigns is measured. The exit status is 0 if the measurements ran; the table shows whether the goals
were met.
"""

import signal
import sys
import tempfile
from pathlib import Path
from typing import Final

from tests.bench import (
    bundles,
    calls,
    choices,
    exports,
    failover,
    heartbeats,
    keys,
    kills,
    loads,
    mesh_changes,
    mesh_rows,
    previews,
    regions,
    report,
    saves,
    soak,
    starts,
    upgrades,
    windows,
)
from tests.bench.rows import Row
from tests.bench.stage import Stage

GROUPS: Final = (
    *saves.GROUPS,
    *starts.GROUPS,
    *bundles.GROUPS,
    *previews.GROUPS,
    *calls.GROUPS,
    *exports.GROUPS,
    *keys.GROUPS,
    *loads.GROUPS,
    *kills.GROUPS,
    *heartbeats.GROUPS,
    *failover.GROUPS,
    *mesh_rows.GROUPS,
    *mesh_changes.GROUPS,
    *regions.GROUPS,
    *choices.GROUPS,
    *upgrades.GROUPS,
    *windows.GROUPS,
    *soak.GROUPS,
)
_TARGET: Final = Path(__file__).parents[2] / "build" / "bench.json"


def main(arguments: list[str]) -> int:
    """Measure what `arguments` name; return the exit status."""
    only = [name for argument in arguments for name in argument.replace(",", " ").split()]
    unknown = [name for name in only if not any(group.wanted([name]) for group in GROUPS)]
    if unknown:
        known = ", ".join(row for group in GROUPS for row in group.rows)
        sys.stderr.write(f"There is no row {', '.join(unknown)}. There are: {known}\n")
        return 2
    about = report.machine()
    report.say(report.heading(about))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="bahi-bench-") as folder, Stage(Path(folder)) as stage:
        for group in GROUPS:
            wanted = group.wanted(only)
            if wanted:
                found = [row for row in group.measure(stage) if row.name in wanted]
                rows += found
                report.say("\n".join(map(report.line, found)))
                report.write(_TARGET, about, rows)
    report.say(f"written to {_TARGET}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended, too
    sys.exit(main(sys.argv[1:]))
