"""Starting as a member of a cluster: what the roster must say, and which roster is believed."""

import logging
import time
from pathlib import Path
from typing import Any

import pytest

from server.cluster.startup import ROSTER_FILE, ClusterMember, start_member
from server.contract import cluster
from server.contract.signing import fingerprint
from server.errors import StartError
from tests.support.regional import MUMBAI, Regional
from tests.support.rosters import new_cluster
from tests.support.servers import region_config


@pytest.fixture
def regional(tmp_path: Path) -> Regional:
    return Regional(tmp_path, ("in-1", "in-2"))


def joined(regional: Regional, **settings: Any) -> ClusterMember:
    return start_member(regional.config("in-1", "", **settings), time.time)


def refusal(regional: Regional, **settings: Any) -> str:
    with pytest.raises(StartError) as caught:
        joined(regional, **settings)
    assert str(caught.value).endswith(".")
    return str(caught.value)


def test_the_roster_says_which_region_letter_and_address_a_server_has(regional: Regional) -> None:
    config = joined(regional).config
    assert (config.region, config.region_letter) == (MUMBAI, "M")
    assert config.public_url == regional.url("in-1")


@pytest.mark.parametrize(
    ("name", "value"),
    [("region", "eu-north-1"), ("region_letter", "Z"), ("public_url", "http://127.0.0.1:4711")],
)
def test_a_configuration_that_contradicts_the_roster_is_refused(
    regional: Regional, name: str, value: str
) -> None:
    said = refusal(regional, **{name: value})
    assert name in said
    assert value in said
    assert "roster" in said


def test_a_configuration_that_agrees_with_the_roster_is_accepted(regional: Regional) -> None:
    joined(regional, region=MUMBAI, region_letter="M", public_url=regional.url("in-1"))


def test_the_error_for_a_server_outside_the_roster_names_what_to_add(regional: Regional) -> None:
    said = refusal(regional, server_id="in-9", public_url="https://nine.example")
    assert "in-9" in said
    assert "https://nine.example" in said
    assert regional.cluster.roster.servers[0].keys[0].key in said  # the key that this folder has


def test_the_error_for_a_different_key_names_the_servers_own_key(regional: Regional) -> None:
    (regional.data("in-1") / "server-key.pem").unlink()
    said = refusal(regional)
    assert "no key of this server" in said


def test_roster_and_cluster_key_go_together_with_a_server_id(regional: Regional) -> None:
    assert "both" in refusal(regional, cluster_key="")
    assert "both" in refusal(regional, roster="")
    assert "server_id" in refusal(regional, server_id="")


def test_a_missing_roster_or_one_of_another_cluster_is_refused(regional: Regional, tmp_path: Path) -> None:
    assert "nowhere.jws" in refusal(regional, roster=str(tmp_path / "nowhere.jws"))
    stranger = tmp_path / "stranger.jws"
    stranger.write_text(new_cluster((MUMBAI, "M")).signed())
    assert "another cluster" in refusal(regional, roster=str(stranger))


def test_the_newest_roster_is_kept_and_found_again(regional: Regional) -> None:
    older = regional.roster_file.read_text()
    membership = joined(regional).membership
    newer = regional.publish(version=regional.cluster.roster.version + 1)
    membership.offer_roster(newer)
    assert (regional.data("in-1") / ROSTER_FILE).read_text() == newer
    regional.roster_file.write_text(older)  # the operator's file was put back
    assert joined(regional).membership.roster_text == newer


def test_a_damaged_roster_file_does_not_stop_a_server_that_has_one(
    regional: Regional, caplog: pytest.LogCaptureFixture
) -> None:
    text = joined(regional).membership.roster_text
    regional.roster_file.write_text("half of a ros")
    with caplog.at_level(logging.WARNING):
        assert joined(regional).membership.roster_text == text
    (problem,) = [vars(r)["error"] for r in caplog.records if r.message == "roster file not usable"]
    assert "roster.jws cannot be used" in problem


def test_an_expired_roster_causes_a_warning_only(
    regional: Regional, caplog: pytest.LogCaptureFixture
) -> None:
    regional.publish(expires_at=int(time.time()) - 1)
    with caplog.at_level(logging.WARNING):
        joined(regional)
    assert "expired" in caplog.text


def test_a_server_without_a_roster_is_a_cluster_of_its_own(tmp_path: Path) -> None:
    config = region_config("", tmp_path, public_url="https://one.example")
    texts = {start_member(config, time.time).membership.roster_text for _ in range(2)}
    (text,) = texts  # the same after each start: whoever pinned it goes on believing it
    key = start_member(config, time.time).trusted_keys.signer.raw_public
    roster = cluster.read_roster(text, fingerprint(key))
    assert [(each.id, each.region, each.url) for each in roster.servers] == [
        ("test-1", "test", "https://one.example")
    ]
    assert roster.regions == [cluster.RosterRegion("test", "T")]
    assert (roster.version, roster.discovery) == (1, [])
