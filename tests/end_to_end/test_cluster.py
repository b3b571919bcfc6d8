"""A region of two servers, real processes all: clients go on while a server dies, stands still, or is
drained, and while there is no discovery; what they showed as saved is there once and whole."""

import time
from collections.abc import Iterator

import pytest

from tests.support import haproxy
from tests.support.cluster_clients import ClusterClient
from tests.support.failovers import Campaign
from tests.support.waiting import wait_until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(240),
    pytest.mark.skipif(haproxy.program() is None, reason="HAProxy is not installed"),
]
CLIENTS = 2


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Campaign]:
    """Two servers, two discovery servers, HAProxy; a test brings its own clients and mends what it broke."""
    settings = {"drain_seconds": 10}
    folder = tmp_path_factory.mktemp("region")
    with Campaign(
        folder, CLIENTS, settings=settings, quick=True, spread=0.5, say=lambda _line: None
    ) as campaign:
        yield campaign


@pytest.fixture
def campaign(region: Campaign) -> Iterator[Campaign]:
    """The region, whole."""
    region.wait_healthy()
    yield region
    for client in region.clients:  # of a test that failed
        client.close()
    region.clients.clear()


def assert_nothing_lost(campaign: Campaign) -> None:
    verdict = campaign.finish()
    assert verdict.shown > 0
    assert verdict.clean, str(verdict)


def locked_at(campaign: Campaign) -> str:
    """Return the server that most clients are at."""
    return max(campaign.cluster.servers, key=lambda id_: len(campaign.at(id_)))


@pytest.mark.parametrize("how", ["kill", "stop"])
def test_clients_go_on_at_the_other_server_when_theirs_is_gone(campaign: Campaign, how: str) -> None:
    campaign.start_clients()
    delays = campaign.hit(how)  # type: ignore[arg-type]
    assert delays
    assert_nothing_lost(campaign)


def test_nothing_fails_while_a_server_is_drained(campaign: Campaign) -> None:
    campaign.start_clients()
    drained = locked_at(campaign)
    moved = campaign.at(drained)
    campaign.cluster.drain(drained)
    began = time.monotonic()
    for client in moved:
        client.wait_for("a success elsewhere", lambda client=client: works_since(client, began))  # type: ignore[misc]
    failed = [call for client in campaign.clients for call in client.heard.calls if call.failed]
    broken = sum(client.heard.broken for client in campaign.clients)
    campaign.cluster.start(drained)
    assert (failed, broken) == ([], 0)
    assert_nothing_lost(campaign)


def test_without_discovery_clients_log_in_and_move_and_a_new_one_calls_nobody_down(
    campaign: Campaign,
) -> None:
    cluster = campaign.cluster
    for node in cluster.discovery.values():
        node.kill()
    try:
        campaign.start_clients()  # they log in, save and send
        killed = locked_at(campaign)
        there, moment = campaign.at(killed), cluster.kill(killed)
        for client in there:
            client.wait_for("the countdown", lambda client=client: "reconnecting" in phases(client))  # type: ignore[misc]
            client.try_now()  # else it takes the whole countdown: nobody says DOWN
        netloc = campaign.netloc(killed)
        for client in there:
            client.wait_for(
                "a success at the other server",
                lambda client=client: client.success_after(moment, netloc) is not None,  # type: ignore[misc]
            )
        cluster.start(killed)
    finally:
        for node in cluster.discovery.values():
            node.start()
    seen = set()

    def all_up() -> bool:
        states = set().union(*(cluster.states_of(id_) for id_ in cluster.servers))
        seen.update(states)
        return states == {"up"}

    wait_until(all_up, 40)
    assert seen <= {"unknown", "up"}
    assert_nothing_lost(campaign)


def works_since(client: ClusterClient, moment: float) -> bool:
    call = client.last_success()
    return call is not None and call.at >= moment


def phases(client: ClusterClient) -> set[str]:
    return {phase for _, phase in client.heard.phases}
