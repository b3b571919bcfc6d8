"""The two policies of spreading load, and how they do with many clients and old figures."""

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server.pinning.policies import Candidate, Policy, balanced, forced, lowest
from tests.bench.choices import Simulation

OLD = 3_600.0
FOUR = [Candidate("a", 0.6), Candidate("b", 0.4), Candidate("c", 0.4), Candidate("d", 0.5)]
candidates = st.lists(st.floats(0, 1), min_size=1, max_size=6).map(
    lambda loads: [Candidate(f"s{n}", load) for n, load in enumerate(loads)]
)
policies = st.sampled_from(["stable", "strict"])


def never() -> float:
    return 0.999999


def always() -> float:
    return 0.0


def test_of_equal_loads_the_lower_id_is_the_lowest() -> None:
    assert lowest(FOUR).id == "b"


@pytest.mark.parametrize("own", FOUR, ids=lambda each: each.id)
def test_strict_always_takes_the_lowest_literally(own: Candidate) -> None:
    others = [each for each in FOUR if each is not own]
    assert balanced("strict", own, others, 0, never).id == "b"
    assert forced("strict", FOUR, never).id == "b"


def test_stable_leaps_over_a_wide_gap_at_once() -> None:
    own = Candidate("a", 0.75)
    assert balanced("stable", own, [Candidate("b", 0.45)], 0, never).id == "b"
    assert balanced("stable", own, [Candidate("b", 0.46)], 0, never).id == "a"


@pytest.mark.parametrize(
    ("own", "others", "lock_seconds", "chance", "chosen"),
    [
        (0.60, (0.40, 0.40), OLD, always, "b"),
        (0.60, (0.40, 0.40), OLD, never, "a"),  # it would move one in five only
        (0.60, (0.40, 0.40), 599.0, always, "a"),  # too new a lock
        (0.44, (0.40, 0.40), OLD, always, "a"),  # not 10 % over the mean
        (0.60, (0.56, 0.36), OLD, always, "c"),  # the better of the two drawn
        (0.60, (), OLD, always, "a"),
        (0.00, (0.00, 0.00), OLD, always, "a"),
    ],
)
def test_stable_moves_only_for_a_clear_gain(
    own: float, others: tuple[float, ...], lock_seconds: float, chance: object, chosen: str
) -> None:
    rest = [Candidate(name, load) for name, load in zip("bcd", others, strict=False)]
    assert balanced("stable", Candidate("a", own), rest, lock_seconds, chance).id == chosen  # type: ignore[arg-type]


def test_stable_draws_two_of_many_and_stays_where_neither_is_clearly_better() -> None:
    own, others = Candidate("a", 0.60), [Candidate("b", 0.58), Candidate("c", 0.59), Candidate("d", 0.35)]
    draws = iter([0.0, 0.0, 0.0])  # b, then c
    assert balanced("stable", own, others, OLD, lambda: next(draws)).id == "a"


def test_a_forced_move_spreads_by_head_room() -> None:
    chance = random.Random(7).random
    taken = Counter(
        forced("stable", [Candidate("a", 0.2), Candidate("b", 0.6)], chance).id for _ in range(6_000)
    )
    assert 0.63 < taken["a"] / 6_000 < 0.70  # 0.8 of 1.2


def test_full_servers_share_alike() -> None:
    chance = random.Random(7).random
    full = [Candidate("a", 1.0), Candidate("b", 1.0)]
    taken = Counter(forced("stable", full, chance).id for _ in range(2_000))
    assert 900 < taken["a"] < 1_100


@given(policies, candidates, st.integers(0, 2**32), st.floats(0, 10_000))
def test_a_choice_is_always_one_of_those_offered(
    policy: Policy, offered: list[Candidate], seed: int, lock_seconds: float
) -> None:
    chance = random.Random(seed).random
    assert forced(policy, offered, chance) in offered
    assert balanced(policy, offered[0], offered[1:], lock_seconds, chance) in offered


@given(candidates, st.integers(0, 2**32), st.floats(0, 10_000))
def test_stable_never_moves_anybody_to_a_fuller_server(
    offered: list[Candidate], seed: int, lock_seconds: float
) -> None:
    own = offered[0]
    chosen = balanced("stable", own, offered[1:], lock_seconds, random.Random(seed).random)
    assert chosen.utilisation <= own.utilisation


# --- many clients, old figures ------------------------------------------------------------------------


def test_stable_hardly_ever_moves_a_client_and_strict_does_all_the_time() -> None:
    stable = Simulation("stable", sessions=800, seed=3).run(hours=1.0)
    strict = Simulation("strict", sessions=800, seed=3).run(hours=1.0)
    assert stable.moves_per_client_hour <= 0.05
    assert strict.moves_per_client_hour > 5


def test_stable_spreads_a_dead_servers_clients_and_strict_heaps_them() -> None:
    stable = Simulation("stable", sessions=800, seed=3).run(hours=0.25)
    strict = Simulation("strict", sessions=800, seed=3).run(hours=0.25)
    assert stable.survivor_share <= 1.3  # of 200 clients: chance alone leaves some spread
    assert strict.survivor_share > 2


def test_stable_empties_a_server_that_got_too_many() -> None:
    crowded = Simulation("stable", sessions=800, seed=3)
    crowded.crowd("in-1", 0.4)
    before = crowded.spread()
    crowded.run(hours=2.0)
    assert crowded.spread_before_death < before * 0.75
