"""How many keys an entry costs, counted in the real window."""

import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.bench.groups import Group
from tests.bench.rows import Row, spread_of
from tests.bench.stage import Stage

_ROOT: Final = Path(__file__).parents[2]
_GOALS: Final = {"repeated": "<= 12", "new": "<= 6"}
_NOTES: Final = {
    "repeated": "beside the amount: from its last digit until the next one can be typed",
    "new": "beside the characters of amount, category and description",
}


def keys_per_entry(_stage: Stage) -> list[Row]:
    """`keys_per_entry@repeated` and `@new` in keys: what a purchase with a known description, chosen from the
    list, and a wholly new one cost. Every Tab, arrow and Enter counts, and each letter of the known one."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.programs.entry_keys"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=dict(os.environ),
        cwd=_ROOT,
        text=True,
        check=True,
    )
    told: dict[str, list[int]] = json.loads(done.stdout)
    return [_row(kind, counts) for kind, counts in told.items()]


def _row(kind: str, counts: list[int]) -> Row:
    return Row(
        name=f"keys_per_entry@{kind}",
        unit="keys",
        ours=statistics.median(counts),
        goal=_GOALS[kind],
        samples=len(counts),
        needed=4,
        spread=spread_of(counts),
        note=_NOTES[kind],
    )


GROUPS: Final = (Group("keys_per_entry", ("keys_per_entry@repeated", "keys_per_entry@new"), keys_per_entry),)
