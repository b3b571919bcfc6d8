"""The kill campaign. Run only by name."""

import os
from typing import Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row
from tests.bench.stage import Stage
from tests.support.kills import Campaign
from tests.support.postgres import remove_cluster

NEEDED: Final = 100


def kills(stage: Stage) -> list[Row]:
    """`kill_lost`, `kill_doubled` in entries: those shown as saved that are not there, or more than once.

    After `kill -9` of the program, its server or PostgreSQL at BAHI_KILLS (default 120) random moments. An
    entry that is there but changed, half, or with other bytes in a bill counts as lost.
    """
    folder = stage.folder / "kills"
    folder.mkdir()
    seed = int(os.environ.get("BAHI_KILLS_SEED", "1"))
    campaign = Campaign(folder, seed)
    try:
        result = campaign.run(int(os.environ.get("BAHI_KILLS", "120")))
    finally:
        remove_cluster(folder / "home" / "server")
    report.say(result.text())
    verdict = result.verdict
    assert verdict is not None
    wrong = verdict.changed + verdict.half + verdict.bills_differ + verdict.stuck + verdict.totals_differ
    note = f"{verdict.shown} shown as saved, {verdict.bills} bills, seed {seed}"
    return [
        Row("kill_lost", "entries", verdict.lost + wrong, "<= 0", result.kills, NEEDED, note=note),
        Row("kill_doubled", "entries", verdict.doubled, "<= 0", result.kills, NEEDED),
    ]


GROUPS: Final = (Group("kills", ("kill_lost", "kill_doubled"), kills, campaign=True),)
