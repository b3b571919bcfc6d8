"""The campaign in which a mesh changes while it is written to. Run only by name.

BAHI_MESH_CHANGES_ENTRIES (default 20,000: what the pair holds at first, and how much is written while the
third region is down), BAHI_MESH_CHANGES_PACE (150: operations per second in each region of the pair) and
BAHI_MESH_CHANGES_SEED are its parameters.
"""

import os
from typing import Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row
from tests.bench.stage import Stage
from tests.support.mesh_changes import ChangesCampaign, Phase

ENTRIES: Final = 20_000
_NEEDED: Final = 1_000
_MS: Final = 1_000
# By phase: its row, the most seconds, the least operations.
_ROWS: Final = {
    "joined": ("mesh_changes_joined_s", 60, _NEEDED),
    "left": ("mesh_changes_left_s", 60, _NEEDED),
    "joined again": ("mesh_changes_joined_again_s", 60, _NEEDED),
    "back": ("mesh_changes_back_s", 60, ENTRIES),
    "restored": ("mesh_changes_restored_s", 60, _NEEDED),
    "repaired": ("mesh_changes_repaired_s", 60, _NEEDED),
}


def mesh_changes(stage: Stage) -> list[Row]:
    """Seconds from the operator's command, or from the start of the PostgreSQL that was down, until the third
    region holds all that the pair had by then, while the pair goes on being written to; and over all changes
    of the mesh, once all is quiet: acknowledged operations that a region lacks or that were refused, entries
    whose bills some region lacks, rows that differ or do not follow from the journal."""
    folder = stage.folder / "mesh_changes"
    folder.mkdir()
    entries, pace = _number("BAHI_MESH_CHANGES_ENTRIES", ENTRIES), _number("BAHI_MESH_CHANGES_PACE", 150)
    seed = _number("BAHI_MESH_CHANGES_SEED", 1)
    with ChangesCampaign(folder, entries=entries, pace=pace, seed=seed, say=report.say) as campaign:
        campaign.run()
    phases = campaign.phases
    acknowledged = sum(phase.acknowledged for phase in phases)
    lost = sum(phase.lost + phase.refused for phase in phases) + campaign.bills_missing
    diverged = sum(phase.diverged for phase in phases)
    note = f"{len(phases)} changes, {campaign.bills} bills, seed {seed}"
    return [
        *map(_row, phases),
        Row("mesh_changes_lost", "operations", lost, "<= 0", acknowledged, ENTRIES, note=note),
        Row("mesh_changes_diverged", "rows", diverged, "<= 0", acknowledged, ENTRIES),
    ]


def _row(phase: Phase) -> Row:
    name, most, needed = _ROWS[phase.name]
    came = f"{phase.rows} rows came, {phase.rows / phase.seconds:.0f}/s; " if phase.rows else ""
    came += f"its server took an entry {phase.served:.1f} s later; " if phase.served else ""
    note = (
        f"{came}the command took {phase.command:.1f} s; equal {phase.settled:.1f} s after the writers ended; "
        f"pair at {phase.per_second:.0f}/s, longest operation {phase.longest * _MS:.0f} ms, "
        f"longest without one {phase.gap * _MS:.0f} ms; "
        f"lost {phase.lost}, refused {phase.refused}, differing {phase.diverged}"
    )
    return Row(name, "s", phase.seconds, f"<= {most}", phase.acknowledged, needed, note=note)


def _number(variable: str, default: int) -> int:
    return int(os.environ.get(variable, str(default)))


_NAMES: Final = (*(name for name, *_ in _ROWS.values()), "mesh_changes_lost", "mesh_changes_diverged")
GROUPS: Final = (Group("mesh_changes", _NAMES, mesh_changes, campaign=True),)
