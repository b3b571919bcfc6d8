"""Clients, refresh rules and registry together recover after any sequence of failures."""

import math
import random
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from app.domain import session
from server.discovery import registry
from server.discovery.registry import DOWN_SECONDS, MISSED_SECONDS
from server.pinning import rules
from server.pinning.rules import Decision, Situation
from tests.model.running import LOADS, SERVERS, STEP, Cluster, restart
from tests.support.examples import examples

servers = st.sampled_from(SERVERS)
clients = st.integers(0, 1)
_QUIET_SECONDS = 120.0
"""The longest back-off and a countdown, and some more."""


class EverythingTogether(RuleBasedStateMachine):
    """Time passes between any two misfortunes; at the end everything runs again."""

    @initialize(policy=st.sampled_from(["stable", "strict"]), seed=st.integers(0, 2**32))
    def begins(self, policy: str, seed: int) -> None:
        self.cluster = Cluster(policy, random.Random(seed))  # type: ignore[arg-type]
        self.cluster.passes(10)

    # --- servers ------------------------------------------------------------------------------------

    @rule(id_=servers, way=st.sampled_from(["hangs", "not"]))
    def fails(self, id_: str, way: str) -> None:
        self.cluster.servers[id_].runs = way  # type: ignore[assignment]

    @rule(id_=servers)
    def comes_back(self, id_: str) -> None:
        server = self.cluster.servers[id_]
        if server.runs == "not":
            restart(server)
        server.runs = "well"

    @rule(id_=servers, seconds=st.sampled_from([20.0, 900.0]))
    def drains(self, id_: str, seconds: float) -> None:
        server = self.cluster.servers[id_]
        if server.runs == "well" and server.state == "up":
            server.state, server.drain_until = "draining", self.cluster.now + seconds
            self.cluster.beat(server)

    @rule(id_=servers)
    def leaves(self, id_: str) -> None:
        server = self.cluster.servers[id_]
        if server.runs == "well":
            server.state = "left"
            self.cluster.beat(server)
            server.runs = "not"

    @rule(id_=servers)
    def beats_out_of_turn(self, id_: str) -> None:
        if self.cluster.servers[id_].runs == "well":
            self.cluster.beat(self.cluster.servers[id_])

    @rule(id_=servers, utilisation=st.sampled_from(LOADS))
    def has_work(self, id_: str, utilisation: float) -> None:
        self.cluster.servers[id_].utilisation = utilisation

    # --- discovery ----------------------------------------------------------------------------------

    @rule(id_=servers, hears=st.booleans())
    def is_cut_off_from_discovery(self, id_: str, hears: bool) -> None:
        self.cluster.servers[id_].hears_discovery = hears

    @rule()
    def is_all_cut_off(self) -> None:
        for server in self.cluster.servers.values():
            server.hears_discovery = False

    @rule()
    def discovery_dies(self) -> None:
        self.cluster.discovery_runs = False

    @rule()
    def discovery_starts_anew(self) -> None:
        self.cluster.discovery_runs = True
        self.cluster.start_registry()

    @rule(id_=servers)
    def somebody_reports(self, id_: str) -> None:
        self.cluster.registry.suspect(id_, self.cluster.now)

    # --- clients ------------------------------------------------------------------------------------

    @rule(number=clients)
    def calls(self, number: int) -> None:
        self.cluster.call(self.cluster.clients[number])

    @rule(number=clients, with_a_task=st.booleans())
    def refreshes(self, number: int, with_a_task: bool) -> None:
        client = self.cluster.clients[number]
        client.task = with_a_task
        self.cluster.feed(client, session.TokenRefused(client.machine.server))
        self.cluster.passes(STEP, self.check)

    @rule(number=clients)
    def does_not_want_to_wait(self, number: int) -> None:
        self.cluster.feed(self.cluster.clients[number], session.TryNow())

    @rule(number=clients, under_way=st.booleans())
    def has_a_task(self, number: int, under_way: bool) -> None:
        self.cluster.clients[number].task = under_way

    # --- time ---------------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([STEP, 1.0, 3.0, 6.0, 8.0, 16.0, 31.0, 130.0]))
    def time_passes(self, seconds: float) -> None:
        self.cluster.passes(seconds, self.check)

    @invariant()
    def holds(self) -> None:
        if hasattr(self, "cluster"):
            self.check()

    def check(self) -> None:
        """Who beats is not DOWN; nor who has done nothing but be silent since discovery began."""
        cluster = self.cluster
        for id_, held in cluster.registry.states(cluster.now).items():
            if held.state != "down":
                continue
            beat = cluster.beats.get(id_)
            assert beat is None or cluster.now - beat >= MISSED_SECONDS, f"{id_} has just beaten"
            assert beat is not None or id_ in cluster.failed, f"{id_} has failed no probe"
        deadlines = [client.machine.deadline for client in cluster.clients]
        assert all(at <= cluster.now + session.RECONNECT_SECONDS for at in deadlines if at < math.inf)

    @precondition(lambda self: hasattr(self, "cluster"))
    @rule()
    def all_is_well_again(self) -> None:
        cluster = self.cluster
        cluster.heals()
        until = cluster.now + _QUIET_SECONDS
        while not cluster.is_well():
            assert cluster.now < until, f"all is not well: {cluster.clients}, {cluster.servers}"
            cluster.passes(1.0, self.check)
            for client in cluster.clients:  # each uses its server, or would not know
                cluster.call(client)

    def teardown(self) -> None:
        if hasattr(self, "cluster"):
            self.all_is_well_again()


TestEverythingTogether = EverythingTogether.TestCase
TestEverythingTogether.settings = settings(
    max_examples=examples(250), stateful_step_count=40, phases=set(Phase) - {Phase.explain}
)


# --- and that it would notice ---------------------------------------------------------------------------


def begun() -> EverythingTogether:
    """Return the same, for a course of events that is written down; the first client is at in-1."""
    together = EverythingTogether()
    together.begins("strict", 1)
    for server in together.cluster.servers.values():
        server.utilisation = 0.5
    return together


def all_is_quiet(together: EverythingTogether) -> None:
    """Everybody is well, for a while."""
    together.time_passes(31.0)


def nobody_is_heard(together: EverythingTogether) -> None:
    """Discovery begins anew, and hears nothing."""
    together.is_all_cut_off()
    together.discovery_starts_anew()
    together.time_passes(31.0)


def one_dies_after_the_other(together: EverythingTogether) -> None:
    """First the neighbour of the first client's server dies, later that server."""
    together.fails("in-2", "not")
    together.time_passes(31.0)
    together.fails("in-1", "not")
    together.calls(0)
    together.time_passes(31.0)


def a_task_at_a_busy_server(together: EverythingTogether) -> None:
    """A refresh in the middle of a task, while another server has less to do."""
    together.has_work("in-1", 0.9)
    together.refreshes(0, with_a_task=True)
    together.time_passes(6.0)


def blind_failover(situation: Situation) -> Decision | None:
    peers = tuple(replace(each, state="up") for each in situation.peers)
    return rules.failover(replace(situation, peers=peers))


Course = Callable[[EverythingTogether], None]
NOTICED: dict[str, tuple[Course, object, str, object]] = {
    "has just beaten": (all_is_quiet, registry, "DOWN_SECONDS", 4.0),
    "has failed no probe": (
        *(nobody_is_heard, registry._Server, "down_at"),
        property(lambda server: server.after(DOWN_SECONDS)),
    ),
    "sg-1 is up": (
        *(one_dies_after_the_other, rules, "RULES"),
        tuple(blind_failover if each is rules.failover else each for each in rules.RULES),
    ),
    "in the middle of a task": (
        *(a_task_at_a_busy_server, rules, "RULES"),
        tuple(each for each in rules.RULES if each is not rules.critical),
    ),
}


@pytest.mark.parametrize("saying", NOTICED)
def test_a_weaker_part_is_noticed(saying: str, monkeypatch: pytest.MonkeyPatch) -> None:
    course, owner, name, weaker = NOTICED[saying]
    course(begun())
    monkeypatch.setattr(owner, name, weaker)
    with pytest.raises(AssertionError, match=saying):
        course(begun())
