"""`kill -9` of the program, its server and PostgreSQL while entries with bills are saved and sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.kills import Campaign
from tests.support.postgres import remove_cluster


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    """A program of this test's own."""
    yield Campaign(tmp_path)
    remove_cluster(tmp_path / "home" / "server")


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_what_was_shown_as_saved_outlives_ten_kills_once_and_whole(campaign: Campaign) -> None:
    result = campaign.run(10)
    assert result.verdict is not None
    assert result.verdict.shown > 0
    assert result.verdict.clean, result.text()


@pytest.mark.campaign
@pytest.mark.timeout(1200)
def test_what_was_shown_as_saved_outlives_a_hundred_kills_once_and_whole(campaign: Campaign) -> None:
    result = campaign.run(100)
    assert result.verdict is not None
    assert result.verdict.clean, result.text()
