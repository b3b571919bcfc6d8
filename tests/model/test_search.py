"""Tests of the search itself: shortest paths, dead ends, and cycles."""

from collections.abc import Iterator

from tests.model.search import endless, explore, hopeless


def doubling(number: int) -> Iterator[tuple[str, int]]:
    """From 1 by doubling and adding, up to 40."""
    if number <= 20:
        yield f"double {number}", number * 2
    if number < 40:
        yield f"add to {number}", number + 1


def test_all_that_can_be_reached_is_and_nothing_else() -> None:
    found = explore(1, doubling, lambda _: "")
    assert (set(found.came_from), found.trace) == (set(range(1, 41)), None)


def test_a_counterexample_is_a_shortest_one_and_reads_step_by_step() -> None:
    trace = explore(1, doubling, lambda number: "ten" if number == 10 else "").trace
    assert trace is not None
    assert (len(trace.steps), trace.wrong) == (4, "ten")
    assert str(trace).splitlines()[0] == "in 4 steps: ten"
    assert str(trace).splitlines()[-1] == "  4. double 5"


def test_a_state_is_hopeless_if_no_way_leads_on() -> None:
    found = explore(1, doubling, lambda _: "")
    assert sorted(hopeless(found, lambda number: number == 17)) == list(range(18, 41))


def test_a_circle_is_endless_and_what_runs_into_it_too() -> None:
    found = explore(1, doubling, lambda _: "")

    def calm(number: int) -> int:
        return 4 if number == 6 else number + 1

    assert sorted(endless(found, calm, lambda number: number == 40)) == [1, 2, 3, 4, 5, 6]
