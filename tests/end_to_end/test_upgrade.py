"""Two regions are brought to a version with a new column, one by one, while programs of both write."""

from pathlib import Path

import pytest

from tests.support import haproxy
from tests.support.cluster import Region
from tests.support.upgrade import UpgradeCampaign

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.skipif(haproxy.program() is None, reason="HAProxy is not installed"),
]
REGIONS = (Region("ap-south-1", "M", ("in-mum-1",)), Region("ap-southeast-1", "S", ("sg-sin-1",)))


def test_nothing_stops_and_nothing_is_lost_while_a_column_comes(tmp_path: Path) -> None:
    with UpgradeCampaign(
        tmp_path, clients=2, people=2, each=60, regions=REGIONS, quick=True, say=lambda _: None
    ) as campaign:
        found = campaign.upgrade()
        verdict = campaign.result.verdict
    assert found.unknown["ap-southeast-1"] > 0  # else nothing had to be merged again
    assert found.with_note > 0
    assert any(kind.endswith("old server: 400") for kind in found.noted.kinds)
    assert (found.failed.total(), found.noted.unexpected.total()) == (0, 0), (found.failed, found.noted)
    assert (found.missing, found.lost_notes, found.wrong_notes, found.diverged) == (0, 0, 0, 0)
    assert verdict is not None
    assert verdict.shown > 10
    assert verdict.clean, str(verdict)
