"""The upgrade campaign: three regions get a new column, one server after the other, under load.

Run only by name.

BAHI_UPGRADE_CLIENTS (default 6 real programs), BAHI_UPGRADE_PEOPLE (3 with raw calls) and BAHI_UPGRADE_EACH
(300 operations of theirs in each stage) are its parameters.
"""

import os
from typing import Final

from tests.bench import report
from tests.bench.groups import Group
from tests.bench.rows import Row
from tests.bench.stage import Stage
from tests.support.kill_verdict import Verdict
from tests.support.upgrade import UpgradeCampaign, Upgraded

_UNKNOWN: Final = 100
_CHANGES: Final = 2_000


def upgrade(stage: Stage) -> list[Row]:
    """Calls of programs that failed while nothing was killed, changes that are lost or stand otherwise than
    they must in some region, and the longest time (s) in which a program saved nothing."""
    clients, people = _number("BAHI_UPGRADE_CLIENTS", 6), _number("BAHI_UPGRADE_PEOPLE", 3)
    folder = stage.folder / "upgrade"
    folder.mkdir()
    each = _number("BAHI_UPGRADE_EACH", 300)
    with UpgradeCampaign(folder, clients, people, each=each, say=report.say) as campaign:
        found = campaign.upgrade()
        verdict = campaign.result.verdict
        assert verdict is not None
        _say(found, verdict)
        return _rows(found, verdict)


def _rows(found: Upgraded, verdict: Verdict) -> list[Row]:
    failed = found.failed.total() + found.noted.unexpected.total()
    lost = found.missing + found.lost_notes + verdict.lost + verdict.stuck
    differ = found.diverged + found.wrong_notes + verdict.doubled + verdict.changed + verdict.half
    differ += verdict.bills_differ + verdict.totals_differ
    changes = len(found.noted.acknowledged) + verdict.shown
    unknown = sum(found.unknown.values())
    came = f"{unknown} rows came before their column did, {found.with_note} entries have a note"
    return [
        Row("upgrade_failed_calls", "calls", failed, "<= 0", changes, _CHANGES),
        Row("upgrade_lost", "changes", lost, "<= 0", changes, _CHANGES, note=f"{verdict.shown} of programs"),
        Row("upgrade_differ", "rows", differ, "<= 0", unknown, _UNKNOWN, note=came),
        Row(
            "upgrade_longest_pause",
            "s",
            max(found.pauses),
            "<= 12",
            len(found.pauses),
            6,
            note="an old server was killed and came back at the new database",
        ),
    ]


def _say(found: Upgraded, verdict: Verdict) -> None:
    noted = found.noted
    report.say(f"  {len(noted.acknowledged)} changes by raw calls: {dict(noted.kinds)}")
    report.say(f"  passing: {dict(noted.passing)}; unexpected: {dict(noted.unexpected)}")
    report.say(f"  the longest of them took {noted.longest:.1f} s; unknown on arrival: {found.unknown}")
    report.say(f"  pauses of programs: {[round(pause, 1) for pause in found.pauses]} s; {verdict}")


def _number(variable: str, default: int) -> int:
    return int(os.environ.get(variable, str(default)))


_NAMES: Final = ("upgrade_failed_calls", "upgrade_lost", "upgrade_differ", "upgrade_longest_pause")
GROUPS: Final = (Group("upgrade", _NAMES, upgrade, campaign=True),)
