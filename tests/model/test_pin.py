"""Exhaustive search of the pin's model: it is never stuck, never moved by a late answer, and interrupts no
task. Without any one of the rules, the search finds a violation."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from app.domain import session
from app.domain.connection_status import Phase
from app.domain.session import Event, Machine, Outcome, RefreshSucceeded, StateReported
from server.pinning import rules
from server.pinning.rules import Decision, Situation
from tests.model.pin import SERVERS, Model, World, outcome_of, real_step
from tests.model.search import Found, Trace, endless, explore

ANY_FATE = Model(most_asked=1)
LATE_ANSWERS = Model(most_asked=2, troubles=("away",), tasks=False)


@cache
def search(model: Model) -> Found[World]:
    return explore(model.start(), model.moves, lambda world: world.wrong)


@pytest.fixture(scope="module", autouse=True)
def _forgotten_at_the_end() -> Iterator[None]:
    yield
    search.cache_clear()
    outcome_of.cache_clear()


def counterexample(**weakened: Any) -> Trace:
    """Return the shortest way to go wrong with something weaker than what ships."""
    trace = search(replace(ANY_FATE, **weakened)).trace
    assert trace is not None
    print(trace)
    return trace


def stuck(model: Model, closest: str) -> Iterator[World]:
    """Yield the states from which the client never comes to a server that lives, though there is one."""

    def arrived(world: World) -> bool:
        return world.is_well() or not any(map(world.lives, SERVERS))

    return endless(search(model), lambda world: model.calm(world, closest), arrived)


# --- what ships -----------------------------------------------------------------------------------------


# Each process of the tests searches a model anew; the second one takes twice as long as the first.
MODELS = [
    pytest.param(ANY_FATE, id="any fate"),
    pytest.param(LATE_ANSWERS, id="late answers", marks=pytest.mark.slow),
]


@pytest.mark.parametrize("model", MODELS)
def test_nothing_that_must_not_happen_does(model: Model) -> None:
    found = search(model)
    assert found.trace is None, str(found.trace)
    print(f"{found.states} states, {found.moves} moves")
    assert {world.machine.phase for world in found.came_from} == set(Phase) - {Phase.SIGNED_OUT}
    assert found.states > 20_000  # a bound that was set too tight proves nothing


CLOSEST = ["", *(pytest.param(each, marks=pytest.mark.slow) for each in SERVERS)]


@pytest.mark.parametrize("closest", CLOSEST)
@pytest.mark.parametrize("model", MODELS)
def test_the_client_always_comes_to_a_server_that_lives(model: Model, closest: str) -> None:
    """Though discovery says nothing, and the central address goes on naming a dead server."""
    found = search(model)
    for world in stuck(model, closest):
        pytest.fail(str(Trace(found.way_to(world), f"stuck in {world.machine}")))


# --- and what each is for -------------------------------------------------------------------------------


def without_critical(situation: Situation) -> Decision:
    return rules.decide(replace(situation, critical=False))


def without_epochs(machine: Machine, event: Event) -> Outcome:
    if isinstance(event, RefreshSucceeded):
        machine = replace(machine, epoch=min(machine.epoch, event.epoch))
    return real_step(machine, event)


def without_exclusion(machine: Machine, event: Event) -> Outcome:
    after, effects = real_step(machine, event)
    asked = (
        replace(each, excluded=frozenset()) if isinstance(each, session.Refresh) else each for each in effects
    )
    return replace(after, excluded=frozenset()), tuple(asked)


def without_a_deadline(machine: Machine, event: Event) -> Outcome:
    after, effects = real_step(machine, event)
    return (replace(after, deadline=float("inf")) if after.phase is Phase.RECONNECTING else after), effects


def with_a_patient_wait(machine: Machine, event: Event) -> Outcome:
    after, effects = real_step(machine, event)
    began = after.phase is Phase.RECONNECTING is not machine.phase
    return (replace(after, deadline=after.deadline + 1) if began else after), effects


def deaf_to_discovery(machine: Machine, event: Event) -> Outcome:
    return (machine, ()) if isinstance(event, StateReported) else real_step(machine, event)


def test_without_the_critical_rule_a_task_is_interrupted() -> None:
    trace = counterexample(decide=without_critical)
    assert (trace.wrong, len(trace.steps)) == ("the lock was moved in the middle of a task", 5)


def test_a_longer_countdown_is_seen() -> None:
    trace = counterexample(step=with_a_patient_wait)
    assert trace.wrong == "the countdown is longer than it may be"


def test_a_client_that_is_deaf_to_discovery_waits_for_a_server_that_is_gone() -> None:
    assert counterexample(step=deaf_to_discovery).wrong == "it waits for a server that is gone"


@pytest.mark.parametrize(
    ("step", "closest"), [(without_exclusion, "a"), (without_a_deadline, "")], ids=["exclusion", "deadline"]
)
def test_without_it_the_client_is_stuck(step: Any, closest: str) -> None:
    """A dead server that the central address still names is asked again and again; a silent discovery is
    waited for. The whole is searched here, whatever else is wrong on the way."""
    model = replace(ANY_FATE, step=step, troubles=("away",), tasks=False)
    found = explore(model.start(), model.moves, lambda _: "")

    def arrived(world: World) -> bool:
        return world.is_well() or not any(map(world.lives, SERVERS))

    first = next(endless(found, lambda world: model.calm(world, closest), arrived))
    trace = Trace(found.way_to(first), f"stuck in {first.machine.phase}")
    print(trace)
    assert len(trace.steps) == 1  # the server is away: that is all it takes


def test_if_every_answer_to_a_refresh_counted_a_late_one_would_move_the_lock() -> None:
    trace = counterexample(first_answer=False, most_asked=2, tasks=False)
    assert trace.wrong == "a late answer moved the lock"


def went_back(model: Model) -> Trace | None:
    return explore(
        model.start(), model.moves, lambda world: world.wrong if world.wrong == "the lock went back" else ""
    ).trace


def test_without_the_check_of_epochs_either_the_lock_would_even_go_back() -> None:
    """Two locks on one door: while only first answers count, none of an older epoch comes to be checked."""
    trace = went_back(Model(without_epochs, most_asked=2, troubles=(), tasks=False, first_answer=False))
    assert trace is not None
    print(trace)
