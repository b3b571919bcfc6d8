"""The rules of a refresh, one by one and in their order."""

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.pinning import rules
from server.pinning.rules import RULES, Decision, PeerServer, Situation, decide, newcomer

A, B, C = "in-1", "in-2", "in-3"
S, T = "sg-1", "sg-2"
REGION = {A: "mumbai", B: "mumbai", C: "mumbai", S: "singapore", T: "singapore"}
NOW = 1_000_000.0


def situation(
    states: dict[str, Any] | None = None, used: dict[str, float] | None = None, **changes: Any
) -> Situation:
    """Return a client locked to A, which answers; five servers, up and half full, but for what is said."""
    peers = tuple(
        PeerServer(id_, region, (states or {}).get(id_, "up"), (used or {}).get(id_, 0.5))
        for id_, region in REGION.items()
    )
    values: dict[str, Any] = {
        "standing": "good",
        "me": A,
        "pinned": A,
        "closest": "",
        "critical": False,
        "reason": "expiry",
        "peers": peers,
        "fresh": True,
        "doubtful": False,
        "now": NOW,
        "pinned_since": NOW - 3_600,
        "region_moved_at": 0.0,
        "drain_until": NOW + 900,
        "writes_arrived": lambda _: True,
        "policy": "stable",
        "chance": random.Random(1).random,
    }
    return Situation(**{**values, **changes})


def chosen(**said: Any) -> tuple[str, str]:
    decision = decide(situation(**said))
    return decision.rule, decision.server_id


def every_choice(**said: Any) -> set[str]:
    """Return where a hundred clients in the same situation go; fails where the rules differ."""
    decisions = [decide(situation(**said, chance=random.Random(n).random)) for n in range(100)]
    assert len({each.rule for each in decisions}) == 1
    return {each.server_id for each in decisions}


def test_the_rules_stand_in_the_order_of_the_protocol() -> None:
    assert [rule.__name__ for rule in RULES] == [
        *("invalid", "reused", "failover", "critical", "uncertain"),
        *("drain", "no_hint", "closer_region", "balance"),
    ]


def test_a_quiet_refresh_stays_where_it_is() -> None:
    assert chosen() == ("balance", A)
    assert chosen(me=B) == ("balance", A)  # whoever answers


# --- invalid, reused ----------------------------------------------------------------------------------


@pytest.mark.parametrize("standing", ["invalid", "reused"])
def test_an_invalid_token_is_never_moved(standing: str) -> None:
    said: dict[str, Any] = {"states": {A: "down"}, "critical": True, "reason": "unreachable"}
    assert chosen(standing=standing, **said) == (standing, "")


# --- failover -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", ["down", "left"])
def test_a_dead_servers_client_goes_to_the_survivors_of_its_region(state: str) -> None:
    assert every_choice(pinned=A, me=B, states={A: state}) == {B, C}
    assert chosen(pinned=A, me=B, states={A: state})[0] == "failover"


def test_a_task_cannot_keep_a_client_at_a_dead_server() -> None:
    assert chosen(me=B, states={A: "down"}, critical=True)[0] == "failover"


def test_unreachable_fails_over_though_discovery_knows_nothing() -> None:
    states = dict.fromkeys((A, C, S, T), "unknown")
    assert chosen(me=B, reason="unreachable", fresh=False, states=states) == ("failover", B)


def test_unreachable_fails_over_though_discovery_says_up_and_never_back() -> None:
    assert every_choice(me=B, reason="unreachable") == {B, C}


def test_unreachable_is_over_where_the_locked_server_itself_answers() -> None:
    assert chosen(reason="unreachable") == ("failover", A)


def test_a_full_survivor_is_spared_while_there_is_another() -> None:
    assert every_choice(me=B, states={A: "down"}, used={B: 0.85}) == {C}
    assert every_choice(me=B, states={A: "down"}, used={B: 0.9, C: 0.9}) == {S, T}
    everyone = dict.fromkeys(REGION, 0.95)
    assert every_choice(me=B, states={A: "down"}, used=everyone) == {B, C}


def test_without_a_survivor_in_its_region_the_closest_region_comes_next() -> None:
    dead = {A: "down", B: "down", C: "down"}
    assert every_choice(me=S, states=dead, closest=T) == {S, T}
    assert every_choice(pinned=S, me=A, states={S: "left", T: "down"}, closest=B) == {A, B, C}


def test_if_no_server_is_known_to_be_up_the_answering_one_takes_the_client() -> None:
    states = {A: "down", B: "draining", C: "down", S: "suspect", T: "unknown"}
    assert chosen(me=B, states=states) == ("failover", B)


def test_a_server_that_the_roster_no_longer_has_is_gone() -> None:
    assert every_choice(pinned="in-9", me=B, fresh=False, states=dict.fromkeys((A, C, S, T), "unknown")) == {
        B
    }
    assert every_choice(pinned="in-9", me=B) == {A, B, C}  # whose region nobody knows any more
    assert every_choice(pinned="in-9", me=B, closest=S) == {S, T}


def test_a_stale_directory_does_not_prove_that_a_server_is_down() -> None:
    assert chosen(me=B, states={A: "down"}, fresh=False) == ("uncertain", A)


def test_strict_sends_all_to_the_lowest() -> None:
    assert every_choice(me=B, states={A: "down"}, used={C: 0.4}, policy="strict") == {C}


def test_stable_spreads_a_dead_servers_clients() -> None:
    went = Counter(
        decide(situation(me=B, states={A: "down"}, chance=random.Random(n).random)).server_id
        for n in range(1_000)
    )
    assert min(went[B], went[C]) > 400


# --- critical -----------------------------------------------------------------------------------------


def test_a_critical_task_keeps_its_server() -> None:
    assert chosen(critical=True, used={A: 0.99, B: 0.0}) == ("critical", A)
    assert chosen(critical=True, closest=S) == ("critical", A)


def test_a_critical_task_keeps_a_draining_server_until_its_deadline() -> None:
    draining: dict[str, Any] = {"states": {A: "draining"}, "critical": True}
    assert chosen(**draining, drain_until=NOW + 0.1) == ("critical", A)
    assert chosen(**draining, drain_until=NOW)[0] == "drain"
    assert chosen(**draining, me=B, drain_until=NOW)[0] == "drain"


# --- uncertain ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "said",
    [
        {"fresh": False},
        {"doubtful": True},
        {"me": B, "states": {A: "unknown"}},
    ],
)
def test_a_server_without_fresh_news_moves_no_client(said: dict[str, Any]) -> None:
    assert chosen(**said, used={A: 0.99, B: 0.0}, closest=S) == ("uncertain", A)


def test_a_server_that_ends_knows_that_for_sure() -> None:
    states: dict[str, Any] = {A: "draining", **dict.fromkeys((B, C, S, T), "unknown")}
    assert every_choice(states=states, fresh=False) == {B, C}
    assert chosen(states=states, fresh=False)[0] == "drain"
    assert every_choice(states={A: "draining"}, doubtful=True) == {B, C}


# --- drain --------------------------------------------------------------------------------------------


def test_a_draining_server_hands_its_clients_on_inside_the_region() -> None:
    assert every_choice(states={A: "draining"}) == {B, C}
    assert every_choice(states={A: "draining", B: "draining"}) == {C}
    assert every_choice(states={A: "draining"}, me=B) == {B, C}


def test_where_the_whole_region_drains_another_takes_over() -> None:
    states = {A: "draining", B: "down", C: "left"}
    assert every_choice(states=states) == {S, T}


def test_a_draining_server_without_any_other_keeps_its_clients() -> None:
    states = {A: "draining", **dict.fromkeys((B, C, S, T), "down")}
    assert chosen(states=states) == ("drain", A)


def test_unreachable_at_a_draining_server_that_answers_moves_on() -> None:
    assert chosen(states={A: "draining"}, reason="unreachable")[0] == "drain"


# --- no_hint, closer_region ---------------------------------------------------------------------------


@pytest.mark.parametrize("closest", ["", "nobody", S])
def test_a_hint_that_is_unknown_or_not_up_is_ignored(closest: str) -> None:
    found = rules.no_hint(situation(closest=closest, states={S: "suspect"}))
    assert isinstance(found, Situation)
    assert found.closest == ""
    assert chosen(closest=closest, states={S: "suspect"}) == ("balance", A)


def test_a_client_that_is_nearer_elsewhere_goes_there_once_its_writes_did() -> None:
    assert chosen(closest=S) == ("closer_region", S)
    asked: list[str] = []

    def not_yet(region: str) -> bool:
        asked.append(region)
        return False

    assert chosen(closest=S, writes_arrived=not_yet) == ("closer_region", A)
    assert asked == ["singapore"]


def test_a_client_changes_its_region_at_most_once_in_ten_minutes() -> None:
    assert chosen(closest=S, region_moved_at=NOW - 599) == ("closer_region", A)
    assert chosen(closest=S, region_moved_at=NOW - 600) == ("closer_region", S)


def test_nobody_goes_to_a_closer_region_that_is_full() -> None:
    assert chosen(closest=S, used={S: 0.85}) == ("closer_region", A)


def test_the_closest_of_the_own_region_is_no_reason_to_move() -> None:
    assert chosen(closest=B) == ("balance", A)


# --- balance ------------------------------------------------------------------------------------------


def test_balance_looks_at_the_own_region_only() -> None:
    assert chosen(used={A: 0.9, B: 0.9, C: 0.9, S: 0.0}) == ("balance", A)
    assert chosen(used={A: 0.9, B: 0.9, C: 0.3}) == ("balance", C)


def test_balance_sends_nobody_to_a_server_that_is_not_up() -> None:
    states = {B: "suspect", C: "draining"}
    assert chosen(used={A: 0.9, B: 0.0, C: 0.0}, states=states) == ("balance", A)


def test_a_suspect_is_left_to_the_client_to_judge() -> None:
    assert chosen(me=B, states={A: "suspect"}) == ("balance", A)


# --- log-in -------------------------------------------------------------------------------------------


def newcomers(**said: Any) -> set[str]:
    return {newcomer(situation(**said, chance=random.Random(n).random)) for n in range(100)}


def test_a_new_session_goes_to_a_server_of_the_region_by_head_room() -> None:
    assert newcomers() == {A, B, C}
    assert newcomers(used={B: 0.0, C: 0.0}, policy="strict") == {B}
    assert newcomers(states={B: "draining", C: "suspect"}) == {A}


def test_without_fresh_news_a_new_session_stays_at_the_server_it_called() -> None:
    assert newcomers(fresh=False, states=dict.fromkeys((B, C, S, T), "unknown")) == {A}


def test_a_draining_server_sends_newcomers_elsewhere() -> None:
    assert newcomers(states={A: "draining"}) == {B, C}
    assert newcomers(states={A: "draining", B: "down", C: "down"}) == {S, T}
    unknown = dict.fromkeys((B, C, S, T), "unknown")
    assert newcomers(states={A: "draining", **unknown}, fresh=False) == {B, C}


# --- whatever happens ---------------------------------------------------------------------------------

_STATES = st.sampled_from(["up", "suspect", "down", "draining", "left", "unknown"])
_situations = st.builds(
    situation,
    states=st.fixed_dictionaries(dict.fromkeys(REGION, _STATES)),
    used=st.fixed_dictionaries(dict.fromkeys(REGION, st.floats(0, 1))),
    me=st.sampled_from([A, B]),
    pinned=st.sampled_from([A, B, S, "in-9"]),
    closest=st.sampled_from(["", A, S, "nobody"]),
    critical=st.booleans(),
    reason=st.sampled_from(["expiry", "unreachable"]),
    fresh=st.booleans(),
    doubtful=st.booleans(),
    policy=st.sampled_from(["stable", "strict"]),
    pinned_since=st.floats(NOW - 10_000, NOW),
    region_moved_at=st.floats(NOW - 10_000, NOW),
    chance=st.integers(0, 2**32).map(lambda seed: random.Random(seed).random),
)


def _own_state_known(drawn: Situation) -> Situation:
    """A server knows of itself that it is up or draining, nothing else."""
    peers = tuple(
        replace(each, state="up") if each.id == drawn.me and each.state != "draining" else each
        for each in drawn.peers
    )
    return replace(drawn, peers=peers)


@given(_situations.map(_own_state_known))
def test_nobody_is_ever_sent_outside_the_roster_or_to_a_server_known_to_be_gone(drawn: Situation) -> None:
    decision = decide(drawn)
    assert decision.server_id in REGION
    if decision.server_id != drawn.pinned:
        assert drawn.state(decision.server_id) not in {"down", "left"}
        if drawn.state(decision.server_id) == "draining":
            assert decision == Decision("failover", drawn.me)  # nobody else is known to be up


@given(_situations.map(_own_state_known))
def test_a_critical_task_is_moved_only_off_what_is_gone_or_ends(drawn: Situation) -> None:
    decision = decide(replace(drawn, critical=True))
    assert decision.rule in {"failover", "critical"}
