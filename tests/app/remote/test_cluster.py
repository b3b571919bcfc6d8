"""The roster on the desk: whom it believes, what it keeps, and that nobody is sent out of it."""

import time
from collections.abc import Callable

import msgspec
import pytest

from app.errors import InputError, ServerError
from app.remote.cluster import Cluster
from server.contract import cluster as wire
from server.contract import signing
from server.contract.cluster import Directory, DirectoryServer
from tests.support.rosters import TestCluster, kid_of, new_cluster

ADDRESS = "https://books.example.com"


class Kept(dict[str, str]):
    """Settings in memory."""

    def get(self, key: str, default: str = "") -> str:  # type: ignore[override]
        return super().get(key, default)

    def set(self, key: str, value: str) -> None:
        self[key] = value


@pytest.fixture
def servers() -> TestCluster:
    made = new_cluster(("ap-south-1", "M"), ("eu-west-1", "E"), central_url=ADDRESS)
    made.add_server("in-mum-1", "ap-south-1", "https://mum-1.example.com")
    made.add_server("in-mum-2", "ap-south-1", "https://mum-2.example.com")
    made.add_server("ie-dub-1", "eu-west-1", "https://dub-1.example.com")
    made.add_discovery("disco-1", "https://disco-1.example.com")
    return made


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def known(servers: TestCluster, kept: Kept) -> Cluster:
    made = Cluster(kept)
    made.meet(ADDRESS, servers.signed(), servers.fingerprint)
    return made


def sentence(call: Callable[[], object]) -> str:
    with pytest.raises(InputError) as error:
        call()
    return error.value.fields["address"]


def test_addresses_come_only_from_the_roster(known: Cluster) -> None:
    assert known.endpoint("in-mum-2").url == "https://mum-2.example.com"
    assert known.endpoint("in-mum-2").server_id == "in-mum-2"
    with pytest.raises(ServerError, match="not in its list"):
        known.endpoint("in-mum-9")


def test_only_urls_of_servers_in_the_roster_are_called(known: Cluster) -> None:
    assert known.owner("https://mum-1.example.com/v1/blobs/x").server_id == "in-mum-1"
    for url in ("https://mum-1.example.com.evil.example/v1/blobs/x", "http://mum-1.example.com/v1/blobs/x"):
        with pytest.raises(ServerError):
            known.owner(url)


def test_a_server_without_https_is_not_called(servers: TestCluster, kept: Kept) -> None:
    servers.add_server("in-mum-3", "ap-south-1", "http://mum-3.example.com")
    made = Cluster(kept)
    made.meet(ADDRESS, servers.signed(), servers.fingerprint)
    with pytest.raises(ServerError):
        made.endpoint("in-mum-3")


def test_the_servers_of_the_same_region_come_first(known: Cluster) -> None:
    assert known.others("in-mum-1", ()) == ["in-mum-2", "ie-dub-1"]
    assert known.others("ie-dub-1", {"in-mum-1"}) == ["in-mum-2"]
    assert not known.is_alone("in-mum-1")


def test_an_invite_link_is_accepted_only_by_its_own_cluster(servers: TestCluster, kept: Kept) -> None:
    other = new_cluster(("ap-south-1", "M"))
    said = sentence(lambda: Cluster(kept).meet(ADDRESS, servers.signed(), other.fingerprint))
    assert "invite link" in said
    assert kept == {}


def test_the_first_log_in_at_an_address_fixes_its_cluster_key(servers: TestCluster, kept: Kept) -> None:
    Cluster(kept).meet(ADDRESS, servers.signed())
    other = new_cluster(("ap-south-1", "M"))
    said = sentence(lambda: Cluster(kept).meet(ADDRESS, other.signed()))
    assert "ask the person who runs them for an invite link" in said
    Cluster(kept).meet(ADDRESS, other.signed(), other.fingerprint)  # the invite link says that it may change


def test_a_roster_with_an_invalid_signature_is_refused(servers: TestCluster, kept: Kept) -> None:
    text = servers.signed()
    head, body, signature = text.split(".")
    for damaged in (f"{head}.{body}.{signature[:-4]}AAAA", "", "nonsense", f"{head}.{body}."):
        assert sentence(lambda t=damaged: Cluster(kept).meet(ADDRESS, t))  # type: ignore[misc]
    assert kept == {}


def test_an_older_roster_is_refused_and_the_newer_one_kept(
    servers: TestCluster, kept: Kept, known: Cluster
) -> None:
    old = servers.signed()
    new = servers.signed(version=servers.roster.version + 1, servers=servers.roster.servers[:2])
    assert known.learn(new)
    assert not known.learn(old)
    assert known.others("in-mum-1", ()) == ["in-mum-2"]
    known.meet(ADDRESS, old)
    assert known.others("in-mum-1", ()) == ["in-mum-2"]
    later = Cluster(kept)
    assert later.recall(ADDRESS)
    assert later.others("in-mum-1", ()) == ["in-mum-2"]


def test_a_roster_signed_with_another_key_is_not_accepted(known: Cluster, servers: TestCluster) -> None:
    thief = new_cluster(("ap-south-1", "M"))
    thief.roster = msgspec.structs.replace(servers.roster, cluster_key=thief.roster.cluster_key, version=99)
    assert not known.learn(thief.signed())
    forged = msgspec.structs.replace(servers.roster, version=99)
    text = signing.sign(thief.key, kid_of(servers.key), wire.ROSTER, forged)
    assert not known.learn(text)


def test_an_expired_roster_stays_in_use_but_adds_no_servers(
    servers: TestCluster, kept: Kept, known: Cluster
) -> None:
    now = time.time()
    known._clock = lambda: now + 400 * 86_400
    assert known.recall(ADDRESS)
    assert known.endpoint("in-mum-1")
    servers.add_server("in-mum-3", "ap-south-1", "https://mum-3.example.com")
    assert not known.learn(servers.signed())
    removed = servers.signed(version=servers.roster.version + 1, servers=servers.roster.servers[:1])
    assert known.learn(removed)
    assert sentence(lambda: Cluster(Kept(), known._clock).meet(ADDRESS, removed)).startswith("The list")


def test_an_unknown_cluster_cannot_be_recalled(kept: Kept) -> None:
    made = Cluster(kept)
    assert not made.recall(ADDRESS)
    assert made.roster is None
    with pytest.raises(ServerError):
        made.endpoint("in-mum-1")


def test_a_directory_is_accepted_if_it_is_fresh_and_signed_by_a_discovery_server(
    known: Cluster, servers: TestCluster
) -> None:
    now = time.time()
    ms = int(now * 1_000)
    said = Directory("disco-1", 1, ms, ms + 120_000, 1, False, [DirectoryServer("in-mum-1", "down", ms)])

    def signed(by: str, directory: Directory = said) -> str:
        key = servers.keys[by]
        return signing.sign(key, kid_of(key), wire.DIRECTORY, directory)

    found = known.directory(signed("disco-1"), now)
    assert found is not None
    assert found.state_of("in-mum-1") == "down"
    assert known.directory(signed("in-mum-1"), now) is None  # a regional server's key
    assert known.directory(signed("disco-1"), now + 121) is None
    renamed = msgspec.structs.replace(said, discovery_id="disco-2")
    assert known.directory(signed("disco-1", renamed), now) is None
    assert known.directory("", now) is None


def test_a_self_signed_server_may_move_to_another_address(kept: Kept) -> None:
    alone = new_cluster(("local", "L"), central_url="https://old.example.com")
    alone.add_server("shop-1", "local", "https://old.example.com", alone.key)
    made = Cluster(kept)
    made.meet("https://old.example.com", alone.signed(version=1))
    servers = [msgspec.structs.replace(alone.roster.servers[0], url="https://new.example.com")]
    made.meet("https://new.example.com", alone.signed(servers=servers))
    assert made.endpoint("shop-1").url == "https://new.example.com"


def test_the_central_address_is_the_typed_one_unless_it_is_a_servers_address(
    servers: TestCluster, kept: Kept
) -> None:
    made = Cluster(kept)
    for typed, central in (
        ("https://near-me.example.com", "https://near-me.example.com"),
        ("https://mum-1.example.com", ADDRESS),
    ):
        made.meet(typed, servers.signed())
        found = made.central()
        assert found is not None
        assert found.url == central
    assert [at.url for at in made.login_endpoints("in-mum-2")][:2] == [ADDRESS, "https://mum-2.example.com"]


def test_an_address_is_known_if_it_is_the_same_or_in_the_roster_and_has_the_known_key(
    known: Cluster, servers: TestCluster
) -> None:
    key = servers.fingerprint
    assert known.is_known(ADDRESS, ADDRESS, key)
    assert known.is_known(ADDRESS, f"{ADDRESS}:443", key)
    assert known.is_known(ADDRESS, "https://mum-2.example.com", key)
    assert not known.is_known(ADDRESS, "https://evil.example", key)
    assert not known.is_known(ADDRESS, ADDRESS, "cd" * 32)
    assert not known.is_known("https://evil.example", ADDRESS, "cd" * 32)
    assert known.is_known("https://new.example", "https://new.example", "cd" * 32)
    assert not known.is_known("https://new.example", "https://other.example", "cd" * 32)
