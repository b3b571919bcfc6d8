"""How long a bill holds the window: the longest gap in its heartbeat."""

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

from tests.bench.groups import Group
from tests.bench.rows import Row, rounded, spread_of
from tests.bench.stage import Stage
from tests.support import bills

_ROOT: Final = Path(__file__).parents[2]
_ROUNDS: Final = 3
_PICTURES: Final = {
    "photo-25-mb.jpg": bills.photo_of_25_mb,
    "phone-108-mp.jpg": bills.photo_of_108_megapixels,
    "tall.png": bills.tall_screenshot,
    "till-roll.pdf": bills.till_roll_pdf,
}


def gui_block_max(stage: Stage) -> list[Row]:
    """`gui_block_max` in ms: the longest gap between two ticks of a 5 ms timer of the real window, offscreen,
    while each hostile file and each large picture is dropped, saved with an entry, shown and zoomed, copied,
    and the book exported. A new program each of the 3 rounds; the worst gap counts. The note has the worst of
    each file and where it was, and the most CPU time of the GUI thread in one gap: the rest of a gap is the
    machine's."""
    folder = stage.folder / "bills"
    folder.mkdir(exist_ok=True)
    written = [write(folder / name) for name, write in (bills.HOSTILE | _PICTURES).items()]
    worst: dict[str, list[tuple[float, str]]] = defaultdict(list)
    work = 0.0
    for _ in range(_ROUNDS):
        for told in _round(written):
            worst[told["bill"]].append(max((1000 * gap, step) for step, gap in told["gaps"].items()))
            work = max(work, 1000 * told["most_work"])
    each = [
        f"{name} {rounded(gap):g} ({step})" for name, (gap, step) in ((n, max(f)) for n, f in worst.items())
    ]
    gaps = [gap for found in worst.values() for gap, _ in found]
    row = Row(
        name="gui_block_max",
        unit="ms",
        ours=max(gaps),
        goal="<= 100",
        samples=min(len(found) for found in worst.values()),
        needed=_ROUNDS,
        spread=spread_of(gaps),
        note=", ".join([*each, f"CPU {rounded(work):g} at most"]),
    )
    return [row]


def _round(written: list[Path]) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.programs.window_blocks", *map(str, written)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
        cwd=_ROOT,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


GROUPS: Final = (Group("gui_block_max", ("gui_block_max",), gui_block_max),)
