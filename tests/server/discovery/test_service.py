"""A discovery server in this process, with the clock in hand."""

import time
from collections.abc import Callable
from pathlib import Path

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from server.contract import cluster
from server.contract.cluster import PublicKey
from server.discovery.config import read_config
from server.discovery.service import Discovery
from server.errors import ApiError
from server.tokens.keys import KEY, NEXT_KEY, load_or_make_key
from tests.support.discovery import beater, write_config, write_key
from tests.support.rosters import TestCluster, kid_of, new_cluster, public_key
from tests.support.servers import MovingClock

Start = Callable[..., Discovery]


@pytest.fixture
def made() -> TestCluster:
    made = new_cluster(("ap-south-1", "M"))
    made.add_discovery("disc-1", "https://disc-1.example.org")
    made.add_server("in-mum-1", "ap-south-1", "https://mum-1.example.org")
    return made


@pytest.fixture
def clock() -> MovingClock:
    return MovingClock()


@pytest.fixture
def start(made: TestCluster, clock: MovingClock, tmp_path: Path) -> Start:
    def begin(monotonic: Callable[[], float] = time.monotonic) -> Discovery:
        (tmp_path / "roster").write_text(made.signed(), encoding="ascii")
        config = write_config(tmp_path / "data", made, "disc-1", tmp_path / "roster")
        return Discovery(read_config(config), clock, monotonic)

    return begin


def _kid(discovery: Discovery) -> str:
    return str(jwt.get_unverified_header(discovery.servers().directory)["kid"])


def test_its_next_key_signs_once_the_roster_says_so(
    made: TestCluster, clock: MovingClock, start: Start, tmp_path: Path
) -> None:
    later = Ed25519PrivateKey.generate()
    write_key(tmp_path / "data", later, NEXT_KEY)
    (disc,) = made.roster.discovery
    keys = [*disc.keys, PublicKey(public_key(later).key, int(clock()) + 600)]
    made.signed(discovery=[msgspec.structs.replace(disc, keys=keys)])
    discovery = start()
    assert _kid(discovery) == kid_of(made.keys["disc-1"])
    clock.advance(601)
    discovery.beat(beater(made, "in-mum-1").signed(sent_at_ms=int(clock() * 1_000)))
    assert _kid(discovery) == kid_of(later)
    assert cluster.read_directory(discovery.servers().directory, made.roster, clock())
    # The next rotation makes another next key, and finds this one in the place of the first.
    assert not (tmp_path / "data" / NEXT_KEY).exists()
    assert kid_of(load_or_make_key(tmp_path / "data" / KEY)) == kid_of(later)


def test_a_next_key_that_comes_with_a_newer_roster_is_found(
    made: TestCluster, clock: MovingClock, start: Start, tmp_path: Path
) -> None:
    discovery = start()
    later = Ed25519PrivateKey.generate()
    write_key(tmp_path / "data", later, NEXT_KEY)
    (disc,) = made.roster.discovery
    replaced = msgspec.structs.replace(disc, keys=[public_key(later, int(clock()))])
    discovery.membership.offer_roster(made.signed(discovery=[replaced], version=made.roster.version + 1))
    assert _kid(discovery) == kid_of(later)


def test_a_newer_roster_decides_who_may_beat(made: TestCluster, start: Start) -> None:
    discovery = start()
    gone, new = beater(made, "in-mum-1"), Ed25519PrivateKey.generate()
    discovery.beat(gone.signed())
    made.signed(servers=[])
    made.add_server("in-mum-2", "ap-south-1", "https://mum-2.example.org", new)
    discovery.membership.offer_roster(made.signed())
    discovery.beat(beater(made, "in-mum-2").signed())
    with pytest.raises(ApiError) as refused:
        discovery.beat(gone.signed())
    assert refused.value.detail == {"reason": "unknown_server"}
    directory = cluster.read_directory(discovery.servers().directory, made.roster, discovery.clock())
    assert [(each.id, each.state) for each in directory.servers] == [("in-mum-2", "up")]
    assert directory.roster_version == made.roster.version


def test_a_clock_that_is_set_frightens_nobody(made: TestCluster, clock: MovingClock, start: Start) -> None:
    discovery = start()
    discovery.beat(beater(made, "in-mum-1").signed())
    clock.advance(3_600)
    assert discovery.registry.state("in-mum-1", discovery.steady()) == "up"
    assert cluster.read_directory(discovery.servers().directory, made.roster, clock())


def test_servers_that_are_not_heard_are_kept_until_they_are(
    made: TestCluster, clock: MovingClock, start: Start
) -> None:
    made.add_server("in-mum-2", "ap-south-1", "https://mum-2.example.org")
    senders = [beater(made, "in-mum-1"), beater(made, "in-mum-2")]
    steady = MovingClock()
    discovery = start(steady)

    def view() -> tuple[set[str], bool]:
        directory = cluster.read_directory(discovery.servers().directory, made.roster, clock())
        return {each.state for each in directory.servers}, directory.self_preservation

    def beat() -> None:
        for sender in senders:
            discovery.beat(sender.signed())

    beat()
    assert view() == ({"up"}, False)
    steady.advance(60)
    assert view() == ({"suspect"}, True)
    beat()
    assert view() == ({"up"}, False)
