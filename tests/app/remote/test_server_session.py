"""Where the calls of a session go: this computer's server, or those of a roster."""

from typing import cast

import pytest

from app.errors import OfflineError, ServerError
from app.remote.call_monitor import CallMonitor
from app.remote.client import Client
from app.remote.cluster import Cluster
from app.remote.endpoint import Endpoint
from app.remote.health_checks import HealthChecks
from app.remote.server_clock import ServerClock
from app.remote.server_session import ClusterSession, LocalSession, ServerSession
from server.contract.shapes import Primary, Refreshed
from tests.app.remote.test_cluster import Kept
from tests.app.remote.test_session_runner import ADDRESS, AT, Net

NONE: frozenset[str] = frozenset()


class Bench:
    """A session of each kind over the same network."""

    def __init__(self) -> None:
        self.net, self.now, self.drawn = Net(), 1_000.0, 0.0
        self.cluster, self.monitor = Cluster(Kept()), CallMonitor(lambda: self.now)
        self.cluster.meet(ADDRESS, self.net.servers.signed(), self.net.servers.fingerprint)
        client = cast(Client, self.net)
        checks = HealthChecks(client, self.cluster, ServerClock(), lambda: self.now)
        self.local: ServerSession = LocalSession(self._local, checks)
        self.at_cluster: ServerSession = ClusterSession(
            client, self.cluster, self.monitor, checks, lambda low, high: low + self.drawn * (high - low)
        )

    def _local(self) -> Endpoint:
        if "a" not in self.net.up:
            raise OfflineError
        return Endpoint("https://a.example.com", "secret")


@pytest.fixture
def bench() -> Bench:
    return Bench()


def refreshed(to: str, roster_version: int = 0) -> Refreshed:
    primary = Primary(to, "", f"https://{to}.example.com")
    return Refreshed("access", 300, "refresh", primary, False, "x", 0, AT, roster_version)


def test_only_calls_to_the_local_server_are_always_tried(bench: Bench) -> None:
    assert bench.local.is_always_tried
    assert not bench.at_cluster.is_always_tried


def test_the_local_session_has_one_server_and_asks_no_other(bench: Bench) -> None:
    here = Endpoint("https://a.example.com", "secret")
    assert bench.local.endpoint("b") == bench.local.owner("https://b.example.com/x") == here
    assert bench.local.is_alone("a")
    assert bench.local.closest() == ""
    assert bench.local.next_server("a", "b", NONE) == "a"
    assert bench.local.next_server("a", "b", frozenset({"a"})) == ""
    assert bench.local.watchers("a", "refused", lambda _state: None, lambda: True) == []
    bench.local.accept(refreshed("evil", 99), here)
    bench.local.break_off("a")
    with bench.monitor.track("a"):
        bench.now += 60
        assert bench.local.silent_servers(3) == set()
        assert bench.local.oldest_progress() is None
    assert bench.net.asked == []
    assert bench.net.broken == []


@pytest.mark.parametrize("kind", ["local", "at_cluster"])
def test_a_server_is_ready_if_it_answers(bench: Bench, kind: str) -> None:
    session: ServerSession = getattr(bench, kind)
    assert session.is_ready("a")
    bench.net.up.discard("a")
    assert not session.is_ready("a")


def test_calls_to_a_cluster_go_only_to_servers_of_the_roster(bench: Bench) -> None:
    assert bench.at_cluster.endpoint("b").url == "https://b.example.com"
    assert bench.at_cluster.owner("https://c.example.com/v1/blobs/x").server_id == "c"
    for outside in (
        lambda: bench.at_cluster.endpoint("evil"),
        lambda: bench.at_cluster.owner("https://evil.example.com/x"),
        lambda: bench.at_cluster.accept(refreshed("evil"), bench.at_cluster.endpoint("a")),
    ):
        with pytest.raises(ServerError):
            outside()


def test_a_roster_is_fetched_only_if_it_is_newer(bench: Bench) -> None:
    at = bench.at_cluster.endpoint("a")
    bench.at_cluster.accept(refreshed("b", bench.cluster.version), at)
    assert bench.net.asked == []
    bench.net.servers.add_server("n", "ap-south-1", "https://n.example.com")
    bench.at_cluster.accept(refreshed("n", bench.net.servers.roster.version), at)
    assert bench.at_cluster.endpoint("n").url == "https://n.example.com"


def test_the_next_server_is_the_closest_then_one_of_the_same_region_then_any(bench: Bench) -> None:
    choose = bench.at_cluster.next_server
    assert choose("a", "c", NONE) == "c"
    assert choose("a", "", NONE) == "b"  # of the same region
    assert choose("a", "b", frozenset({"b"})) == "c"
    assert choose("a", "stranger", NONE) == "b"
    assert choose("a", "", frozenset({"b", "c"})) == "a"
    assert choose("a", "", frozenset({"a", "b", "c"})) == ""
    bench.net.servers.add_server("d", "ap-south-1", "https://d2.example.com")
    bench.cluster.learn(bench.net.servers.signed())
    found = set()
    for bench.drawn in (0.0, 0.5, 1.0):
        found.add(choose("a", "", NONE))
    assert found == {"b", "d"}


def test_there_is_a_watcher_for_each_discovery_server(bench: Bench) -> None:
    heard: list[str] = []
    bench.net.states["a"] = "down"
    (work,) = bench.at_cluster.watchers("a", "refused", heard.append, lambda: not heard)
    work()
    assert heard == ["down"]


def test_hanging_calls_are_reported_as_silent_and_can_be_aborted(bench: Bench) -> None:
    with bench.monitor.track("a"):
        assert bench.at_cluster.oldest_progress() == bench.now
        bench.now += 3
        assert bench.at_cluster.silent_servers(3) == {"a"}
        assert bench.at_cluster.silent_servers(3) == set()
        assert bench.at_cluster.oldest_progress() is None
    bench.at_cluster.break_off("a")
    bench.at_cluster.break_off("left the roster")
    assert bench.net.broken == ["https://a.example.com"]
