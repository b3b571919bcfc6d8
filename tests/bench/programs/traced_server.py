"""`bahi-server …`, which notes for every request which functions of ours it ran.

Run it as `python -m tests.bench.programs.traced_server …`. At its end it writes them to the file that
`TRACE_CALLS_TO` names.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final

from tests.bench.call_trace import CallTrace, request_of

VARIABLE: Final = "TRACE_CALLS_TO"


def main() -> int:
    """Run the server to its end."""
    trace = CallTrace(request_of=request_of)
    trace.install()
    trace.record()
    from server.__main__ import main as run  # traced, too

    try:
        return run()
    finally:
        _write(trace, Path(os.environ[VARIABLE]))


def _write(trace: CallTrace, file: Path) -> None:
    told = [(each.label, each.began, sorted(each.functions)) for each in list(trace.activations)]
    file.write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
