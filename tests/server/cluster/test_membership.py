"""What a server believes of its cluster, and what it refuses."""

import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.cluster.membership import Membership, OfferRefusedError
from server.contract import cluster, signing
from tests.support.regional import DISCOVERY, Regional
from tests.support.rosters import kid_of, new_cluster, public_key

YEAR = 365 * 86_400


@dataclass(slots=True)
class Believer:
    """A membership, the cluster that it is of, and what it wrote down."""

    regional: Regional
    membership: Membership
    kept: list[str]
    now: float


@pytest.fixture
def believer(tmp_path: Path) -> Believer:
    regional, kept = Regional(tmp_path, ("in-1", "in-2")), []
    text = regional.publish()
    found = Believer(regional, None, kept, time.time())  # type: ignore[arg-type]
    found.membership = Membership(
        regional.cluster.fingerprint, regional.cluster.roster, lambda: text, lambda: found.now, kept.append
    )
    return found


def refusal(offer: object, text: str) -> str:
    with pytest.raises(OfferRefusedError) as caught:
        offer(text)  # type: ignore[operator]
    return str(caught.value)


# --- rosters ------------------------------------------------------------------------------------------


def test_a_newer_roster_is_believed_written_down_and_told(believer: Believer) -> None:
    told: list[int] = []
    membership = believer.membership
    membership.changed.append(lambda: told.append(membership.roster.version))
    believer.regional.cluster.add_server("in-3", "ap-south-1", "http://127.0.0.1:3")
    text = believer.regional.publish()
    assert membership.offer_roster(text)
    assert membership.roster.server("in-3") is not None
    assert (membership.roster_text, believer.kept) == (text, [text])
    assert told == [membership.roster.version]
    assert not membership.offer_roster(text)  # known by now


def test_a_roster_that_was_rolled_back_is_refused(believer: Believer) -> None:
    older = believer.regional.cluster.signed(version=believer.membership.roster.version - 1)
    assert "rolled back" in refusal(believer.membership.offer_roster, older)
    assert believer.kept == []


def test_another_roster_of_the_same_version_is_refused(believer: Believer) -> None:
    other = believer.regional.cluster.signed(central_url="http://127.0.0.1:2")
    assert "a different roster" in refusal(believer.membership.offer_roster, other)


def test_a_roster_signed_by_another_cluster_key_is_refused(believer: Believer) -> None:
    stranger = new_cluster(("ap-south-1", "M"))
    assert "another cluster" in refusal(believer.membership.offer_roster, stranger.signed(version=99))
    honest = believer.regional.cluster
    honest.key = stranger.key  # names the right key, and is signed by the wrong one
    refusal(believer.membership.offer_roster, honest.signed(version=99))


@pytest.mark.parametrize("text", ["", "roster", "a.b.c"])
def test_what_is_no_roster_is_refused(believer: Believer, text: str) -> None:
    refusal(believer.membership.offer_roster, text)


def test_an_expired_roster_adds_nobody_but_may_remove(believer: Believer) -> None:
    regional = believer.regional
    believer.now += 2 * YEAR
    first, second = regional.cluster.roster.servers
    regional.cluster.add_server("in-3", "ap-south-1", "http://127.0.0.1:3")
    assert "expired" in refusal(believer.membership.offer_roster, regional.publish())
    version = regional.cluster.roster.version + 1
    moved = cluster.RosterServer("in-2", "ap-south-1", "http://127.0.0.1:4", second.keys)
    text = regional.publish(servers=[first, moved], version=version)
    assert "expired" in refusal(believer.membership.offer_roster, text)
    assert believer.membership.offer_roster(regional.publish(servers=[first], version=version + 1))


# --- directories --------------------------------------------------------------------------------------


def test_what_discovery_says_is_believed_until_it_expires(believer: Believer) -> None:
    membership = believer.membership
    text = believer.regional.directory({"in-2": "down"}, now=believer.now)
    assert membership.directory is None
    assert membership.offer_directory(text)
    assert not membership.offer_directory(text)
    assert membership.directory is not None
    assert membership.directory.state_of("in-2") == "down"
    assert membership.directory_text == text
    believer.now += 121
    assert membership.directory is None
    assert membership.directory_text == ""


def test_a_directory_that_was_rolled_back_is_refused(believer: Believer) -> None:
    older, newer = believer.regional.directory({"in-2": "down"}), believer.regional.directory()
    believer.membership.offer_directory(newer)
    assert "rolled back" in refusal(believer.membership.offer_directory, older)


def test_a_directory_is_rolled_back_even_where_the_newer_one_has_expired(believer: Believer) -> None:
    older = believer.regional.directory(now=believer.now + 60)
    believer.membership.offer_directory(believer.regional.directory(now=believer.now))
    believer.now += 125
    assert "rolled back" in refusal(believer.membership.offer_directory, older)


def test_an_expired_directory_is_refused(believer: Believer) -> None:
    text = believer.regional.directory(now=believer.now - 121)
    assert "expired" in refusal(believer.membership.offer_directory, text)


def test_a_directory_that_would_last_too_long_is_refused(believer: Believer) -> None:
    text = believer.regional.directory(expires_at_ms=int(believer.now * 1_000) + 10**9)
    assert "too long" in refusal(believer.membership.offer_directory, text)


def test_an_unsigned_or_foreign_directory_is_refused(believer: Believer) -> None:
    offer, regional = believer.membership.offer_directory, believer.regional
    text = regional.directory()
    head, body, _ = text.split(".")
    refusal(offer, f"{head}.{body}.")
    refusal(offer, "")
    refusal(offer, regional.publish())  # well signed, but a roster
    regional.cluster.keys[DISCOVERY] = Ed25519PrivateKey.generate()
    assert "unknown key" in refusal(offer, regional.directory())


def test_a_regional_server_cannot_speak_for_discovery(believer: Believer) -> None:
    regional = believer.regional
    regional.cluster.keys[DISCOVERY] = regional.cluster.keys["in-2"]
    assert "unknown key" in refusal(believer.membership.offer_directory, regional.directory())


def test_of_two_discovery_servers_the_one_that_knows_more_is_asked(believer: Believer) -> None:
    regional, membership = believer.regional, believer.membership
    key = Ed25519PrivateKey.generate()
    other = cluster.RosterDiscovery("disc-2", "http://127.0.0.1:8", [public_key(key)])
    roster = regional.cluster.roster
    membership.offer_roster(
        regional.publish(discovery=[*roster.discovery, other], version=roster.version + 1)
    )
    knows = regional.directory({"in-2": "suspect"})
    membership.offer_directory(knows)
    just_started = signing.peek(
        regional.directory({"in-1": "unknown", "in-2": "unknown"}, discovery_id="disc-2"),
        cluster.DIRECTORY,
        cluster.Directory,
    )
    membership.offer_directory(signing.sign(key, kid_of(key), cluster.DIRECTORY, just_started))
    assert membership.directory_text == knows
    membership.offer_roster(regional.publish(discovery=[other], version=roster.version + 2))
    assert membership.directory is not None
    assert membership.directory.discovery_id == "disc-2"  # the other is not of the cluster any more
