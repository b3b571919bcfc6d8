"""Tests of the arithmetic of the benchmark rows."""

import pytest

from tests.bench.groups import Group
from tests.bench.rows import Row, holds, in_turns, percentile
from tests.bench.soak import slope


def a_row(**changes: object) -> Row:
    values = {"name": "x", "unit": "s", "ours": 2.0, "goal": "<= 1.5", "samples": 3, "needed": 3}
    return Row(**{**values, **changes})  # type: ignore[arg-type]


def test_a_goal_is_about_the_ratio_where_there_is_a_limit() -> None:
    assert a_row(limit=2.0).ok
    assert not a_row(limit=1.0).ok


def test_a_goal_is_about_ours_where_there_is_no_limit() -> None:
    assert a_row(ours=1.5).ok
    assert not a_row(ours=1.6).ok
    assert a_row(ours=1.5).as_json()["ratio"] is None


def test_a_row_with_too_few_samples_is_not_ok() -> None:
    assert not a_row(ours=1.0, samples=2).ok


def test_nothing_lost_meets_the_goal_of_zero() -> None:
    assert a_row(ours=0, goal="<= 0").ok
    assert not a_row(ours=1, goal="<= 0").ok


@pytest.mark.parametrize("goal", ["", "= 1", ">= much"])
def test_a_goal_that_says_nothing_is_an_error(goal: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        holds(goal, 1.0)


def test_both_are_measured_in_turns_and_the_first_one_changes() -> None:
    order: list[str] = []
    pair = in_turns(lambda: order.append("a") or 1.0, lambda: order.append("b") or 2.0, rounds=2, warm=1)  # type: ignore[func-returns-value]
    assert order == ["a", "b", "b", "a", "a", "b"]
    assert (pair.ours, pair.limit) == ((1.0, 1.0), (2.0, 2.0))


def test_a_percentile_is_one_of_the_samples() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([3, 1, 2], 0.99) == 3


def test_names_choose_rows_and_campaigns_run_only_by_name() -> None:
    rows = Group("list", ("list_50@100k", "list_200@100k"), lambda _stage: [])
    campaign = Group("kills", ("kill_lost",), lambda _stage: [], campaign=True)
    assert rows.wanted([]) == rows.rows
    assert rows.wanted(["list_50"]) == ("list_50@100k",)
    assert rows.wanted(["list_"]) == rows.rows
    assert rows.wanted(["other"]) == ()
    assert campaign.wanted([]) == ()
    assert campaign.wanted(["kills"]) == campaign.wanted(["kill_"]) == ("kill_lost",)


def test_a_slope_is_in_mib_an_hour_after_the_settled_minute() -> None:
    samples = [{"minute": minute, "client": 100 + minute / 6} for minute in range(5, 31)]
    samples += [{"minute": 1.0, "client": 900.0}]
    assert slope(samples, "client", 5) == pytest.approx(10)
    assert slope(samples[:1], "client", 5) == 0
