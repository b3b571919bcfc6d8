"""The registry: states by the times of the protocol, whatever happens in whatever order."""

import itertools
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from server.contract.cluster import Heartbeat, Load, Reported
from server.discovery.registry import Registry
from tests.support.examples import examples
from tests.support.rosters import TestCluster, new_cluster

T0 = 1_000.0
EPSILON = 0.001
ROUNDING = 1e-9  # a sum of floats may be less than its parts
LOAD = Load(0.1, 1, 64, 5.0)


def a_cluster(*ids: str) -> TestCluster:
    cluster = new_cluster(("r", "R"))
    for id_ in ids:
        cluster.add_server(id_, "r", f"http://127.0.0.1:{1_000 + len(cluster.keys)}")
    return cluster


@dataclass(slots=True)
class World:
    """A registry of servers `ids`, and a hand that sends their beats."""

    ids: tuple[str, ...]
    registry: Registry = field(init=False)
    boots: dict[str, int] = field(default_factory=dict)
    numbers: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        self.registry = Registry(a_cluster(*self.ids).roster, T0)

    def beat(self, now: float, *ids: str, said: Reported = "up") -> None:
        """Beat for `ids` (all)."""
        for id_ in ids or self.ids:
            beat = self.make(id_, f"boot-{self.boots.get(id_, 0)}", next(self.numbers), said)
            assert self.registry.beat(beat, now)

    def make(self, id_: str, boot: str, seq: int, said: Reported = "up") -> Heartbeat:
        return Heartbeat(id_, boot, seq, 0, "r", "", said, "1", LOAD)

    def probe(self, id_: str, now: float, fine: bool, took: float = 0.0) -> None:
        self.registry.probe_began(id_, now - took)
        self.registry.probed(id_, fine, now)

    def states(self, now: float) -> dict[str, str]:
        return {id_: held.state for id_, held in self.registry.states(now).items()}

    def state(self, id_: str, now: float) -> str:
        assert self.registry.state(id_, now) == self.registry.states(now)[id_].state
        return self.registry.state(id_, now)


@pytest.fixture
def one() -> World:
    return World(("a",))


@pytest.fixture
def four() -> World:
    return World(("a", "b", "c", "d"))


# --- silence ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("silent", "state"),
    [
        (0.0, "up"),
        (7.5 - EPSILON, "up"),
        (7.5, "suspect"),
        (15.0 - EPSILON, "suspect"),
        (15.0, "down"),
        (9_999, "down"),
    ],
)
def test_a_silent_server_becomes_suspect_and_then_down(one: World, silent: float, state: str) -> None:
    one.beat(T0 + 1)
    assert one.state("a", T0 + 1 + silent) == state


@pytest.mark.parametrize("silent", [8.0, 16.0, 500.0])
def test_a_heartbeat_brings_a_silent_server_back(one: World, silent: float) -> None:
    one.beat(T0)
    one.beat(T0 + silent)
    assert one.registry.states(T0 + silent)["a"].state == "up"
    assert one.registry.states(T0 + silent)["a"].since == T0 + silent


def test_a_state_has_the_time_when_it_began(one: World) -> None:
    one.beat(T0 + 1)
    one.beat(T0 + 6)
    since = {at: one.registry.states(T0 + at)["a"].since for at in (7, 15, 22, 90)}
    assert since == {7: T0 + 1, 15: T0 + 13.5, 22: T0 + 21, 90: T0 + 21}


def test_the_last_heartbeat_of_a_server_is_kept(one: World) -> None:
    assert one.registry.states(T0)["a"].load is None
    one.beat(T0)
    assert one.registry.states(T0 + 99)["a"].load == LOAD
    assert one.registry.states(T0 + 99)["a"].version == "1"


# --- what it says of itself ---------------------------------------------------------------------------


def test_a_drain_is_published_at_once(one: World) -> None:
    one.beat(T0)
    one.beat(T0 + 2, said="draining")
    assert one.state("a", T0 + 2) == "draining"
    assert one.registry.states(T0 + 3)["a"].since == T0 + 2


def test_a_server_that_left_is_neither_suspect_nor_down_nor_probed(one: World) -> None:
    one.beat(T0)
    one.beat(T0 + 2, said="left")
    assert one.state("a", T0 + 2) == one.state("a", T0 + 9_999) == "left"
    assert one.registry.suspect("a", T0 + 50) == "left"
    assert one.state("a", T0 + 50) == "left"
    assert one.registry.to_probe(T0 + 100) == []


def test_a_server_that_left_comes_back_only_by_another_start(one: World) -> None:
    one.beat(T0)
    one.beat(T0 + 2, said="left")
    one.beat(T0 + 3)
    assert one.state("a", T0 + 3) == "left"
    one.boots["a"] = 1
    one.beat(T0 + 4)
    assert one.state("a", T0 + 4) == "up"


def test_a_heartbeat_is_accepted_once(one: World) -> None:
    beat = one.make("a", "x", 5)
    assert one.registry.beat(beat, T0)
    assert not one.registry.beat(beat, T0 + 1)
    assert not one.registry.beat(one.make("a", "x", 4, "left"), T0 + 1)
    assert one.state("a", T0 + 7.6) == "suspect"  # what was not taken is no sign of life


def test_heartbeats_of_an_earlier_start_are_refused(one: World) -> None:
    assert one.registry.beat(one.make("a", "x", 5), T0)
    assert one.registry.beat(one.make("a", "y", 1), T0 + 1)
    assert not one.registry.beat(one.make("a", "x", 6, "left"), T0 + 2)
    assert one.registry.beat(one.make("a", "z", 1), T0 + 3)
    assert not one.registry.beat(one.make("a", "y", 2), T0 + 3)
    assert one.state("a", T0 + 3) == "up"


# --- reports and probes -------------------------------------------------------------------------------


def test_a_report_makes_a_server_suspect_and_requests_a_probe(one: World) -> None:
    one.beat(T0)
    assert one.registry.to_probe(T0 + 1) == []
    assert one.registry.suspect("a", T0 + 1) == "up"
    assert one.state("a", T0 + 1) == "suspect"
    assert one.registry.to_probe(T0 + 1) == ["a"]
    assert one.registry.suspect("a", T0 + 1.1) == "suspect"


def test_a_report_alone_never_takes_a_server_down(one: World) -> None:
    for at in range(100):
        if at % 5 == 0:
            one.beat(T0 + at)
        one.registry.suspect("a", T0 + at)
        assert one.state("a", T0 + at) == "suspect"


def test_a_probe_that_succeeds_answers_the_report(one: World) -> None:
    one.beat(T0)
    one.registry.suspect("a", T0 + 1)
    one.probe("a", T0 + 1.02, fine=True)
    assert one.state("a", T0 + 1.02) == "up"
    assert one.registry.states(T0 + 2)["a"].since == T0 + 1.02
    one.registry.suspect("a", T0 + 1.1)
    assert one.state("a", T0 + 1.1) == "up"  # the probe was just now
    one.registry.suspect("a", T0 + 1.3)
    assert one.state("a", T0 + 1.3) == "suspect"


def test_failed_probes_take_a_server_down_only_after_a_missed_heartbeat(one: World) -> None:
    one.beat(T0)
    one.registry.suspect("a", T0 + 1)
    one.probe("a", T0 + 1.1, fine=False)
    one.probe("a", T0 + 1.6, fine=False)
    assert one.state("a", T0 + 5.5 - EPSILON) == "suspect"
    assert one.state("a", T0 + 5.5) == "down"
    assert one.registry.states(T0 + 60)["a"].since == T0 + 5.5
    assert one.registry.next_change(T0 + 2) == T0 + 5.5


def test_two_consecutive_failures_are_required(one: World) -> None:
    one.beat(T0)
    for at, fine in ((5.6, False), (6.1, True), (6.6, False)):
        one.probe("a", T0 + at, fine)
    assert one.state("a", T0 + 7) == "up"
    one.probe("a", T0 + 7.1, fine=False)
    assert one.state("a", T0 + 7.1) == "down"
    one.probe("a", T0 + 9, fine=False)
    assert one.registry.states(T0 + 10)["a"].since == T0 + 7.1


def test_probes_that_fail_while_beats_arrive_do_not_make_down(one: World) -> None:
    for at in range(0, 60, 5):
        one.beat(T0 + at)
        one.registry.suspect("a", T0 + at + 1)
        for number in range(4):
            one.probe("a", T0 + at + 1 + number, fine=False)
            assert one.state("a", T0 + at + 1 + number) == "suspect"
    one.beat(T0 + 60)
    assert one.state("a", T0 + 60) == "up"


def test_a_probe_is_ignored_after_a_later_heartbeat(one: World) -> None:
    one.beat(T0)
    one.registry.probe_began("a", T0 + 5.6)
    one.beat(T0 + 5.7)
    one.registry.probed("a", fine=False, now=T0 + 6.6)
    one.probe("a", T0 + 11.3, fine=False)
    assert one.state("a", T0 + 11.4) == "up"


def test_a_probe_without_a_verdict_changes_nothing_and_another_follows(one: World) -> None:
    one.beat(T0)
    for at in (5.6, 6.2):
        one.registry.probe_began("a", T0 + at)
        one.registry.probed("a", None, T0 + at + 0.1)
    assert one.state("a", T0 + 7) == "up"
    assert one.registry.to_probe(T0 + 7) == ["a"]


def test_a_missed_heartbeat_causes_a_probe_at_once_and_more_after_growing_pauses(one: World) -> None:
    one.beat(T0)
    registry, now, begun = one.registry, T0, []
    assert registry.next_probe() == T0 + 5.5
    while (now := max(now, registry.next_probe())) < T0 + 60:
        assert registry.to_probe(now) == ["a"]
        registry.probe_began("a", now)
        assert registry.to_probe(now) == []  # one at a time
        begun.append(now)
        now += 0.1
        registry.probed("a", fine=True, now=now)
    gaps = [later - before for before, later in itertools.pairwise(begun)]
    assert begun[0] == T0 + 5.5
    assert min(gaps) >= 0.5 - EPSILON
    assert max(gaps) <= 5 + EPSILON
    assert len(begun) < 35


def test_a_server_that_failed_its_probes_is_not_probed_until_it_beats(one: World) -> None:
    one.beat(T0)
    one.probe("a", T0 + 6, fine=False)
    one.probe("a", T0 + 6.5, fine=False)
    assert one.registry.to_probe(T0 + 500) == []
    one.beat(T0 + 501)
    assert one.registry.next_probe() == T0 + 506.5


def test_a_flood_of_reports_makes_at_most_five_probes_a_second(one: World) -> None:
    probes = 0
    for step in range(10_000):  # a report each ms, for ten seconds
        now = T0 + step / 1_000
        if step % 5_000 == 0:
            one.beat(now)
        one.registry.suspect("a", now)
        for id_ in one.registry.to_probe(now):
            probes += 1
            one.probe(id_, now, fine=True)
    assert 10 <= probes <= 51


# --- the beginning ------------------------------------------------------------------------------------


def test_at_the_start_no_state_is_known(four: World) -> None:
    assert set(four.states(T0 + 29.9).values()) == {"unknown"}
    assert four.registry.suspect("a", T0 + 1) == "unknown"
    assert four.registry.to_probe(T0 + 29.9) == []
    four.beat(T0 + 10, "a")
    assert four.states(T0 + 11) == {"a": "up", "b": "unknown", "c": "unknown", "d": "unknown"}
    assert four.registry.states(T0 + 5)["b"].since == T0


def test_a_server_never_heard_from_is_down_only_after_failed_probes(four: World) -> None:
    four.probe("b", T0 + 28, fine=False)
    four.probe("b", T0 + 29, fine=False)
    assert four.state("b", T0 + 29.9) == "unknown"
    assert four.state("a", T0 + 30) == four.state("a", T0 + 9_999) == "suspect"
    assert four.registry.to_probe(T0 + 30).count("a") == 1
    four.probe("a", T0 + 30, fine=False)
    assert four.state("a", T0 + 30) == "suspect"
    four.probe("a", T0 + 30.5, fine=False)
    assert four.state("a", T0 + 30.5) == "down"


def test_another_roster_brings_servers_and_takes_them_away(four: World) -> None:
    four.beat(T0 + 1)
    roster = a_cluster("b", "c", "e").roster
    four.registry.set_roster(roster, T0 + 5)
    assert four.states(T0 + 5) == {"b": "up", "c": "up", "e": "unknown"}
    assert four.states(T0 + 34)["e"] == "unknown"
    assert four.states(T0 + 35)["e"] == "suspect"
    with pytest.raises(KeyError):
        four.registry.state("a", T0 + 5)
    four.registry.probed("a", fine=False, now=T0 + 6)  # it was under way


# --- doubt about oneself ------------------------------------------------------------------------------


def test_two_of_four_that_go_silent_together_are_kept(four: World) -> None:
    four.beat(T0)
    four.beat(T0 + 5, "a", "b", "c")
    four.beat(T0 + 10, "a", "b")
    for at in range(13, 200, 5):
        four.beat(T0 + at, "a", "b")
        assert four.state("c", T0 + at) == four.state("d", T0 + at) == "suspect"
        assert four.registry.self_preserving(T0 + at)
    assert not four.registry.self_preserving(T0 + 12)  # before the second was silent


def test_one_of_four_is_not_kept(four: World) -> None:
    for at in range(0, 30, 5):
        four.beat(T0 + at, *(("a", "b", "c") if at else four.ids))
    assert four.states(T0 + 29) == {"a": "up", "b": "up", "c": "up", "d": "down"}
    assert not four.registry.self_preserving(T0 + 29)


def test_two_that_go_silent_long_after_one_another_are_down_both(four: World) -> None:
    four.beat(T0)
    for at in range(5, 60, 5):
        four.beat(T0 + at, "a", "b", *(("c",) if at <= 20 else ()))
    assert four.states(T0 + 59) == {"a": "up", "b": "up", "c": "down", "d": "down"}


def test_while_it_doubts_itself_failed_probes_still_make_down(four: World) -> None:
    four.beat(T0)
    assert four.registry.self_preserving(T0 + 8)
    for at in (8.0, 8.5):
        four.probe("a", T0 + at, fine=False)
        four.probe("b", T0 + at, fine=True)
    assert four.states(T0 + 100) == {"a": "down", "b": "suspect", "c": "suspect", "d": "suspect"}


def test_who_was_down_before_the_doubt_stays_down(four: World) -> None:
    four.beat(T0)
    for at in (4, 8, 12, 14):
        four.beat(T0 + at, "b", "c", "d")
    assert four.state("a", T0 + 15) == "down"
    four.beat(T0 + 20, "c", "d")  # b has been silent since 14
    assert four.registry.self_preserving(T0 + 22)
    assert four.state("a", T0 + 22) == "down"
    assert four.state("b", T0 + 40) == "suspect"


def test_the_doubt_ends_with_new_heartbeats_and_silent_servers_are_down_from_then_on(
    four: World,
) -> None:
    four.beat(T0)
    four.beat(T0 + 5, "a", "b")
    for at in range(10, 100, 5):
        four.beat(T0 + at, "a", "b")
    assert four.registry.self_preserving(T0 + 99)
    four.beat(T0 + 99, "c")
    assert not four.registry.self_preserving(T0 + 99)
    assert four.states(T0 + 99) == {"a": "up", "b": "up", "c": "up", "d": "down"}
    assert four.registry.states(T0 + 99)["d"].since == T0 + 99


def test_two_that_are_dead_for_certain_are_no_reason_to_doubt(four: World) -> None:
    four.beat(T0)
    four.beat(T0 + 5, "c", "d")
    for id_ in ("a", "b"):
        four.probe(id_, T0 + 5.6, fine=False)
        four.probe(id_, T0 + 6.1, fine=False)
    four.beat(T0 + 10, "c", "d")
    assert not four.registry.self_preserving(T0 + 16)
    assert four.states(T0 + 16) == {"a": "down", "b": "down", "c": "up", "d": "up"}


@pytest.mark.parametrize(
    ("servers", "silent", "doubts"), [(6, 2, False), (6, 3, True), (7, 3, False), (7, 4, True)]
)
def test_of_more_than_four_it_takes_half(servers: int, silent: int, doubts: bool) -> None:
    world = World(tuple(f"s{n}" for n in range(servers)))
    world.beat(T0)
    for at in range(5, 40, 5):
        world.beat(T0 + at, *world.ids[silent:])
    assert world.registry.self_preserving(T0 + 39) is doubts
    assert ("down" in world.states(T0 + 39).values()) is not doubts


def test_servers_down_before_do_not_count_for_the_doubt() -> None:
    world = World(tuple(f"s{n}" for n in range(8)))
    world.beat(T0)
    for gone in range(5):  # one after another, a minute each
        for at in range(0, 60, 5):
            world.beat(T0 + gone * 60 + at + 5, *world.ids[gone + 1 :])
    assert list(world.states(T0 + 304).values()).count("down") == 5
    assert world.registry.self_preserving(T0 + 320)  # the last three, all at once
    assert world.states(T0 + 400)["s7"] == "suspect"


# --- any history --------------------------------------------------------------------------------------

IDS = ("a", "b", "c", "d", "e")
steps = st.lists(
    st.tuples(
        st.floats(0, 9, allow_nan=False),
        st.sampled_from(
            ["beat", "beat", "beat", "drain", "leave", "boot", "suspect", "fine", "failed", "quiet"]
        ),
        st.sampled_from(IDS),
    ),
    max_size=60,
)


def _play(world: World, history: list[tuple[float, str, str]]) -> float:
    now = T0
    for gap, what, id_ in history:
        now += gap
        _do(world, what, id_, now)
    return now


def _do(world: World, what: str, id_: str, now: float) -> None:
    if what == "boot":
        world.boots[id_] = world.boots.get(id_, 0) + 1
    if what in {"beat", "boot"}:
        world.beat(now, id_)
    elif what in {"drain", "leave"}:
        world.beat(now, id_, said="draining" if what == "drain" else "left")
    elif what == "suspect":
        world.registry.suspect(id_, now)
    elif what in {"fine", "failed"}:
        world.probe(id_, now, fine=what == "fine")


@given(steps, st.lists(st.floats(0, 60, allow_nan=False), max_size=5))
@settings(max_examples=examples(150))
def test_what_is_held_depends_on_nothing_that_was_asked(
    history: list[tuple[float, str, str]], asked: list[float]
) -> None:
    silent, asking = World(IDS), World(IDS)
    now = T0
    for gap, what, id_ in history:
        now += gap
        for world in (silent, asking):
            _do(world, what, id_, now)
        for ahead in [*asked, *reversed(asked)]:
            asking.registry.states(now + ahead)
            asking.registry.next_change(now + ahead)
            asking.registry.to_probe(now + ahead)
        assert silent.registry.states(now) == asking.registry.states(now)
    for ahead in asked:
        assert silent.registry.states(now + ahead) == asking.registry.states(now + ahead)


@given(steps)
@settings(max_examples=examples(150))
def test_no_server_is_down_without_silence_or_failed_probes(history: list[tuple[float, str, str]]) -> None:
    world, now = World(IDS), T0
    heard: dict[str, float] = {}
    failures = dict.fromkeys(IDS, 0)
    for gap, what, id_ in history:
        now += gap
        _do(world, what, id_, now)
        if what in {"beat", "boot", "drain", "leave"}:
            heard[id_], failures[id_] = now, 0
        elif what in {"fine", "failed"} and now > heard.get(id_, 0):
            failures[id_] = 0 if what == "fine" else failures[id_] + 1
        for each, state in world.states(now).items():
            if state != "down":
                continue
            silent = now - heard.get(each, now)
            assert silent >= 15 - ROUNDING or (
                failures[each] >= 2 and (each not in heard or silent >= 5.5 - ROUNDING)
            )


@given(steps, st.sampled_from(IDS))
@settings(max_examples=examples(150))
def test_a_start_that_beats_is_up_whatever_was(history: list[tuple[float, str, str]], id_: str) -> None:
    world = World(IDS)
    now = _play(world, history) + 0.5
    world.boots[id_] = 1_000
    world.beat(now, id_)
    assert world.state(id_, now) == "up"
    assert world.state(id_, now + 7.4) == "up"


@given(steps)
@settings(max_examples=examples(100))
def test_all_who_beat_again_end_every_doubt(history: list[tuple[float, str, str]]) -> None:
    world = World(IDS)
    now = _play(world, history) + 0.5
    world.boots = dict.fromkeys(IDS, 1_000)
    world.beat(now)
    assert set(world.states(now).values()) == {"up"}
    assert not world.registry.self_preserving(now)


@given(steps)
@settings(max_examples=examples(100))
def test_nothing_changes_before_the_next_change_and_something_then(
    history: list[tuple[float, str, str]],
) -> None:
    world = World(IDS)
    now = _play(world, history)

    def view(at: float) -> tuple[bool, dict[str, str]]:
        return world.registry.self_preserving(at), world.states(at)

    for _ in range(4):
        at = world.registry.next_change(now)
        if at == float("inf"):
            assert view(now) == view(now + 10_000)
            return
        assert at > now
        for share in (0.1, 0.5, 0.9, 0.999):
            between = now + (at - now) * share
            assert between >= at or view(between) == view(now)  # of two floats side by side none is between
        assert view(at) != view(now)
        now = at


@given(steps)
@settings(max_examples=examples(100))
def test_a_state_never_began_after_now_and_each_is_one_of_the_protocol(
    history: list[tuple[float, str, str]],
) -> None:
    world, now = World(IDS), T0
    for gap, what, id_ in history:
        now += gap
        _do(world, what, id_, now)
        for held in world.registry.states(now).values():
            assert held.since <= now
            assert held.state in {"up", "suspect", "down", "draining", "left", "unknown"}


@given(steps)
@settings(max_examples=examples(100))
def test_an_event_that_changes_a_state_is_counted(history: list[tuple[float, str, str]]) -> None:
    world, now = World(IDS), T0
    for gap, what, id_ in history:
        now += gap
        before, counted = world.states(now), world.registry.changes
        _do(world, what, id_, now)
        if world.states(now) != before:
            assert world.registry.changes > counted
