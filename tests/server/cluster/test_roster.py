"""The operator's changes to a roster, each the next version or a sentence."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from server.cluster import roster as rosters
from server.cluster.roster import RosterError
from server.contract import signing
from server.contract.cluster import KEY_LEAD_SECONDS, PublicKey, Roster
from tests.support.rosters import public_key

NOW = 1_800_000_000
DAY = 86_400
CLUSTER_KEY = bytes(range(32))


def a_key() -> str:
    return public_key(Ed25519PrivateKey.generate()).key


KEYS = [a_key() for _ in range(6)]


@pytest.fixture
def roster() -> Roster:
    made = rosters.make(CLUSTER_KEY, "https://bahi.example.org", 365, NOW)
    made = rosters.add_region(made, "ap-south-1", "M", NOW)
    made = rosters.add_server(made, "in-mum-1", "ap-south-1", "https://mum-1.example.org", KEYS[0], NOW)
    return rosters.add_discovery(made, "disc-1", "https://disc-1.example.org", KEYS[1], NOW)


def test_a_new_roster_is_empty_and_of_version_one() -> None:
    made = rosters.make(CLUSTER_KEY, "https://bahi.example.org", 30, NOW)
    assert (made.version, made.issued_at, made.expires_at) == (1, NOW, NOW + 30 * DAY)
    assert signing.decode_key(made.cluster_key) == CLUSTER_KEY
    assert (made.regions, made.servers, made.discovery) == ([], [], [])


def test_every_change_is_the_next_version(roster: Roster) -> None:
    later = NOW + 60
    changes = [
        rosters.add_region(roster, "ap-southeast-1", "S", later),
        rosters.add_server(roster, "in-mum-2", "ap-south-1", "https://mum-2.example.org", KEYS[2], later),
        rosters.add_discovery(roster, "disc-2", "https://disc-2.example.org", KEYS[2], later),
        rosters.remove(roster, "in-mum-1", later),
        rosters.rotate(roster, "in-mum-1", KEYS[2], later),
        rosters.renew(roster, 10, later),
    ]
    assert {(each.version, each.issued_at) for each in changes} == {(roster.version + 1, later)}
    assert all(each.expires_at == roster.expires_at for each in changes[:-1])
    assert changes[-1].expires_at == later + 10 * DAY


def test_an_added_server_is_found_and_a_removed_one_is_not(roster: Roster) -> None:
    server = roster.server("in-mum-1")
    assert server is not None
    assert (server.region, server.url, server.keys) == (
        "ap-south-1",
        "https://mum-1.example.org",
        [PublicKey(KEYS[0])],
    )
    assert rosters.remove(roster, "in-mum-1", NOW).servers == []
    assert rosters.remove(roster, "disc-1", NOW).discovery == []
    assert rosters.remove(roster, "disc-1", NOW).servers == roster.servers


# --- what cannot be -----------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["0", "", "m", "MM", "I", "L", "O", "U", "é", " "])
def test_a_letter_that_is_invalid_in_codes_is_refused(roster: Roster, letter: str) -> None:
    with pytest.raises(RosterError):
        rosters.add_region(roster, "eu-west-1", letter, NOW)


def test_an_existing_region_or_letter_is_refused(roster: Roster) -> None:
    with pytest.raises(RosterError, match="a region ap-south-1 already"):
        rosters.add_region(roster, "ap-south-1", "X", NOW)
    with pytest.raises(RosterError, match="ap-south-1 has the letter M"):
        rosters.add_region(roster, "eu-west-1", "M", NOW)


@pytest.mark.parametrize("name", ["", "In-mum", "in mum", "-in", "a/b", "ä", "x" * 64, "a\n", "../x"])
def test_a_name_that_is_invalid_in_a_url_is_refused(roster: Roster, name: str) -> None:
    with pytest.raises(RosterError, match="a-z, 0-9 and -"):
        rosters.add_server(roster, name, "ap-south-1", "https://x.example.org", KEYS[2], NOW)
    with pytest.raises(RosterError, match="a-z, 0-9 and -"):
        rosters.add_region(roster, name, "X", NOW)


@pytest.mark.parametrize(
    "url",
    [
        "http://mum.example.org",
        "https://mum.example.org/",
        "https://mum.example.org/path",
        "https://user@mum.example.org",
        "ftp://mum.example.org",
        "mum.example.org",
        "https://mum.example.org?x",
        "",
    ],
)
def test_an_address_that_is_not_allowed_is_refused(roster: Roster, url: str) -> None:
    with pytest.raises(RosterError, match="not a valid address"):
        rosters.add_server(roster, "in-mum-2", "ap-south-1", url, KEYS[2], NOW)
    with pytest.raises(RosterError, match="not a valid address"):
        rosters.add_discovery(roster, "disc-2", url, KEYS[2], NOW)
    with pytest.raises(RosterError, match="not a valid address"):
        rosters.make(CLUSTER_KEY, url, 365, NOW)


@pytest.mark.parametrize("id_", ["in-mum-1", "disc-1"])
def test_an_id_is_unique_in_the_roster(roster: Roster, id_: str) -> None:
    with pytest.raises(RosterError, match=f"a server {id_} already"):
        rosters.add_server(roster, id_, "ap-south-1", "https://x.example.org", KEYS[2], NOW)
    with pytest.raises(RosterError, match=f"a server {id_} already"):
        rosters.add_discovery(roster, id_, "https://x.example.org", KEYS[2], NOW)


@pytest.mark.parametrize(("url", "owner"), [("mum-1", "in-mum-1"), ("disc-1", "disc-1")])
def test_an_address_is_unique(roster: Roster, url: str, owner: str) -> None:
    with pytest.raises(RosterError, match=f"{owner} has the address"):
        rosters.add_server(roster, "x", "ap-south-1", f"https://{url}.example.org", KEYS[2], NOW)


def test_a_key_is_unique_and_never_the_cluster_key(roster: Roster) -> None:
    rotated = rosters.rotate(roster, "in-mum-1", KEYS[2], NOW)
    for key in KEYS[:3]:
        with pytest.raises(RosterError, match="That is a key of"):
            rosters.add_server(rotated, "x", "ap-south-1", "https://x.example.org", key, NOW)
        with pytest.raises(RosterError, match="That is a key of"):
            rosters.rotate(rotated, "disc-1", key, NOW, lost=True)
    with pytest.raises(RosterError, match="the cluster key"):
        rosters.rotate(roster, "disc-1", signing.encode_key(CLUSTER_KEY), NOW)


@pytest.mark.parametrize("key", ["", "x", KEYS[2] + "=", KEYS[2][:-1], "a" * 44, "é" * 43], ids=range(6))
def test_an_invalid_key_is_refused(roster: Roster, key: str) -> None:
    with pytest.raises(RosterError, match="bahi-server key"):
        rosters.add_server(roster, "x", "ap-south-1", "https://x.example.org", key, NOW)


def test_a_server_of_an_unknown_region_is_refused(roster: Roster) -> None:
    with pytest.raises(RosterError, match="no region eu-west-1"):
        rosters.add_server(roster, "x", "eu-west-1", "https://x.example.org", KEYS[2], NOW)


@pytest.mark.parametrize("id_", ["in-mum-9", "", "ap-south-1"])
def test_an_unknown_server_cannot_be_removed_or_get_a_key(roster: Roster, id_: str) -> None:
    with pytest.raises(RosterError, match="no server"):
        rosters.remove(roster, id_, NOW)
    with pytest.raises(RosterError, match="no server"):
        rosters.rotate(roster, id_, KEYS[2], NOW)


@pytest.mark.parametrize("days", [0, -1, 3_651])
def test_the_lifetime_has_limits(roster: Roster, days: int) -> None:
    with pytest.raises(RosterError, match="for 1 to 3650 days"):
        rosters.renew(roster, days, NOW)
    with pytest.raises(RosterError, match="for 1 to 3650 days"):
        rosters.make(CLUSTER_KEY, "https://bahi.example.org", days, NOW)


# --- keys that change ---------------------------------------------------------------------------------


@pytest.mark.parametrize("id_", ["in-mum-1", "disc-1"])
def test_a_new_key_is_published_a_day_before_use_and_the_old_one_outlives_its_tokens(
    roster: Roster, id_: str
) -> None:
    rotated = rosters.rotate(roster, id_, KEYS[2], NOW)
    keys = next(each.keys for each in [*rotated.servers, *rotated.discovery] if each.id == id_)
    use_from = NOW + 24 * 3_600
    assert keys[0].until == use_from + 30 * DAY + DAY
    assert keys[1] == PublicKey(KEYS[2], use_from)


def test_a_lost_key_is_no_longer_trusted(roster: Roster) -> None:
    twice = rosters.rotate(
        rosters.rotate(roster, "in-mum-1", KEYS[2], NOW), "in-mum-1", KEYS[3], NOW, lost=True
    )
    server = twice.server("in-mum-1")
    assert server is not None
    assert server.keys == [PublicKey(KEYS[3], NOW)]


def test_a_pending_key_is_not_replaced(roster: Roster) -> None:
    rotated = rosters.rotate(roster, "in-mum-1", KEYS[2], NOW)
    with pytest.raises(RosterError, match="already has a next key"):
        rosters.rotate(rotated, "in-mum-1", KEYS[3], NOW + KEY_LEAD_SECONDS - 1)
    assert rosters.rotate(rotated, "in-mum-1", KEYS[3], NOW + KEY_LEAD_SECONDS)


@given(st.lists(st.integers(KEY_LEAD_SECONDS, 60 * DAY), min_size=1, max_size=4))
def test_one_key_signs_at_any_time_and_each_is_trusted_as_long_as_its_tokens(
    gaps: list[int],
) -> None:
    now, first = NOW, NOW
    made = rosters.make(CLUSTER_KEY, "https://bahi.example.org", 365, NOW)
    made = rosters.add_discovery(made, "disc-1", "https://disc-1.example.org", KEYS[0], NOW)
    signs_until = {}
    for key, gap in zip(KEYS[1:], gaps, strict=False):
        now += gap
        signing_now = max(
            (each for each in made.discovery[0].keys if each.use_from <= now), key=lambda k: k.use_from
        )
        signs_until[signing_now.key] = now + KEY_LEAD_SECONDS
        made = rosters.rotate(made, "disc-1", key, now)
        for each in made.discovery[0].keys:
            if each.key in signs_until:
                assert each.until >= signs_until[each.key] + 30 * DAY
        assert sum(not each.until for each in made.discovery[0].keys) == 1
        assert all(not each.until or each.until > now for each in made.discovery[0].keys)
    assert made.version == 2 + len(gaps)
    assert first < now
