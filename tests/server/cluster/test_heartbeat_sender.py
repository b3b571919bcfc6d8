"""Heartbeats: to everybody, at once on a change, and never in the way of the calls."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from server.cluster import heartbeat_sender, peer_http
from server.contract import cluster, paths, signing
from server.contract.cluster import Heartbeat
from server.contract.cluster_calls import (
    Servers,
)
from tests.support.fake_discovery import FakeDiscovery
from tests.support.regional import DISCOVERY, Regional
from tests.support.rosters import kid_of
from tests.support.servers import RunningServer, running_server
from tests.support.waiting import wait_until

Start = Callable[..., RunningServer]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beat often, and give nobody up who is only slow."""
    monkeypatch.setattr(heartbeat_sender, "HEARTBEAT_SECONDS", 0.05)
    monkeypatch.setattr(heartbeat_sender, "_LEAVE_SECONDS", 30.0)
    monkeypatch.setattr(peer_http, "SECONDS", 30.0)


@pytest.fixture
def running(database_url: str) -> Iterator[ExitStack]:
    """What runs ends before its database is dropped."""
    with ExitStack() as stack:
        yield stack


@pytest.fixture
def discovery(running: ExitStack) -> FakeDiscovery:
    return running.enter_context(FakeDiscovery().running())


@pytest.fixture
def regional(tmp_path: Path, discovery: FakeDiscovery) -> Regional:
    found = Regional(tmp_path, ("in-1", "in-2"), discovery.url)
    discovery.servers = Servers(found.publish(), found.directory())
    return found


@pytest.fixture
def start(regional: Regional, database_url: str, running: ExitStack) -> Start:
    def start() -> RunningServer:
        return running.enter_context(running_server(regional.config("in-1", database_url)))

    return start


def test_beats_are_signed_numbered_and_carry_the_load(
    start: Start, regional: Regional, discovery: FakeDiscovery
) -> None:
    start()
    wait_until(lambda: len(discovery.beats) >= 3)
    key = regional.cluster.keys["in-1"]
    keys = {kid_of(key): signing.decode_key(regional.cluster.roster.servers[0].keys[0].key)}
    read = [signing.read(text, keys, cluster.HEARTBEAT, Heartbeat)[1] for text in discovery.texts[:3]]
    assert [beat.seq for beat in read] == [1, 2, 3]
    assert len({beat.boot_id for beat in read}) == 1
    assert {(beat.server_id, beat.region, beat.url, beat.state) for beat in read} == {
        ("in-1", "ap-south-1", regional.url("in-1"), "up")
    }
    assert read[0].load.capacity == 64
    assert len(set(discovery.ids[:3])) == 3  # each call has its own request id
    assert paths.SERVERS in discovery.asked


def test_each_start_is_another_boot(regional: Regional, database_url: str, discovery: FakeDiscovery) -> None:
    for boots in (1, 2):
        with running_server(regional.config("in-1", database_url)):
            wait_until(lambda boots=boots: len({beat.boot_id for beat in discovery.beats}) == boots)
    numbers = [(beat.boot_id, beat.seq) for beat in discovery.beats]
    assert len(set(numbers)) == len(numbers)
    assert min(seq for boot, seq in numbers if boot == numbers[-1][0]) == 1


def test_what_discovery_knows_comes_back(start: Start, regional: Regional, discovery: FakeDiscovery) -> None:
    server = start()
    membership = server.services.membership
    wait_until(lambda: membership.directory_text == discovery.servers.directory)
    regional.cluster.add_server("in-3", "ap-south-1", "http://127.0.0.1:3")
    newer = regional.cluster.signed()
    discovery.servers = Servers(newer, regional.directory({"in-3": "down"}))
    wait_until(lambda: membership.directory_text == discovery.servers.directory)
    assert membership.roster_text == newer
    answer = server.api().send("GET", paths.SERVERS, Servers)
    assert answer == discovery.servers


def test_a_lying_discovery_server_changes_nothing(
    start: Start, regional: Regional, discovery: FakeDiscovery, caplog: pytest.LogCaptureFixture
) -> None:
    server = start()
    membership = server.services.membership
    wait_until(lambda: membership.directory is not None)
    believed, roster = membership.directory_text, membership.roster_text
    older = regional.cluster.signed(version=1)
    discovery.servers = Servers(older, regional.directory({"in-2": "down"}))
    count = len(discovery.beats)
    wait_until(lambda: len(discovery.beats) > count + 2)
    assert (membership.directory_text, membership.roster_text) == (believed, roster)
    assert [r.error for r in caplog.records if r.message == "discovery failed"] == [  # type: ignore[attr-defined]
        "roster rolled back to version 1"
    ]


def test_a_change_is_told_at_once(
    start: Start, discovery: FakeDiscovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(heartbeat_sender, "HEARTBEAT_SECONDS", 3_600)
    server = start()
    wait_until(lambda: paths.SERVERS in discovery.asked)

    async def drain() -> None:
        server.services.lifecycle.drain(0, 60)

    server.run(drain())
    wait_until(lambda: [beat.state for beat in discovery.beats] == ["up", "draining"])


def test_a_server_that_ends_cleanly_has_left(
    regional: Regional, database_url: str, discovery: FakeDiscovery
) -> None:
    with running_server(regional.config("in-1", database_url)):
        wait_until(lambda: discovery.beats)
    assert discovery.beats[-1].state == "left"
    assert {beat.state for beat in discovery.beats[:-1]} == {"up"}


def test_a_discovery_server_that_hangs_delays_no_other(
    start: Start, regional: Regional, discovery: FakeDiscovery, running: ExitStack
) -> None:
    hanging = running.enter_context(FakeDiscovery().running())
    hanging.goes_on.clear()
    regional.cluster.add_discovery("disc-2", hanging.url)
    regional.publish()
    server = start()
    wait_until(lambda: hanging.asked)
    count = len(discovery.beats)
    wait_until(lambda: len(discovery.beats) > count + 5)
    assert len(hanging.asked) == 1
    assert server.api().call("GET", paths.HEALTH_READY).ok
    hanging.goes_on.set()
    wait_until(lambda: len(hanging.beats) > 2)


def test_failures_are_logged_once_and_calls_are_answered_on(
    start: Start, discovery: FakeDiscovery, caplog: pytest.LogCaptureFixture
) -> None:
    discovery.status = 503
    with caplog.at_level(logging.INFO):
        server = start()
        failed = server.services.heartbeats.failed
        wait_until(lambda: failed[DISCOVERY] > 3)
        book = server.api().register()
        assert book.refresh(book.signed_in.refresh_token, "r1").reason == "uncertain"
        discovery.status = 200
        wait_until(lambda: server.services.heartbeats.sent[DISCOVERY] > 1)
    told = [r.message for r in caplog.records if r.name == "server.cluster.heartbeat_sender"]
    assert told == ["discovery failed", "discovery answers again"]


def test_a_redirect_is_not_followed(
    start: Start, regional: Regional, discovery: FakeDiscovery, running: ExitStack
) -> None:
    elsewhere = running.enter_context(FakeDiscovery().running())
    discovery.status = 307
    discovery.headers = {"Location": elsewhere.url + paths.HEARTBEATS}
    server = start()
    wait_until(lambda: server.services.heartbeats.failed[DISCOVERY] > 2)
    assert elsewhere.asked == []


def test_a_discovery_server_at_an_address_that_may_not_be_is_never_asked(
    start: Start, regional: Regional, discovery: FakeDiscovery
) -> None:
    roster = regional.cluster.roster
    plain = cluster.RosterDiscovery(DISCOVERY, "http://203.0.113.9:80", roster.discovery[0].keys)
    regional.publish(discovery=[plain], version=roster.version + 1)
    server = start()
    wait_until(lambda: server.services.heartbeats.failed[DISCOVERY] > 2)
    assert discovery.asked == []


def test_a_changed_roster_file_is_taken_without_a_restart(
    start: Start, regional: Regional, discovery: FakeDiscovery, caplog: pytest.LogCaptureFixture
) -> None:
    server = start()
    regional.cluster.add_server("in-3", "ap-south-1", "http://127.0.0.1:3")
    text = regional.publish()
    wait_until(lambda: server.services.membership.roster_text == text)
    regional.roster_file.unlink()
    wait_until(lambda: "roster file rejected" in caplog.text)
    count = len(discovery.beats)
    wait_until(lambda: len(discovery.beats) > count + 3)
    assert caplog.text.count("roster file rejected") == 1
    regional.write_roster("half of a ros")
    wait_until(lambda: caplog.text.count("roster file rejected") == 2)
    regional.cluster.add_discovery("disc-2", "http://127.0.0.1:9")
    later = regional.publish()
    wait_until(lambda: server.services.membership.roster_text == later)
