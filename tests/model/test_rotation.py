"""Exhaustive search of the rotation's model: no honest session is ended, and no thief keeps a session.

Without any one of the rules, the search finds a violation.
"""

from collections.abc import Callable
from dataclasses import replace

import pytest

from tests.model.rotation import Bounds, Model, Rules, World, is_reused, start
from tests.model.search import Found, Trace, explore, hopeless

Wrong = Callable[[Model, World], str]

HONEST = [
    pytest.param(Bounds(generations=3, in_flight=3, crashes=False), marks=pytest.mark.slow),
    Bounds(generations=3, in_flight=2),
    Bounds(generations=3, in_flight=2, death="stops"),
    Bounds(generations=3, in_flight=2, death="destroyed"),
]
_STEALTHY = Bounds(generations=3, in_flight=1, highest_epoch=0, crashes=False, thief="token")
WITH_A_THIEF = [
    pytest.param(replace(_STEALTHY, generations=2, in_flight=2), marks=pytest.mark.slow),
    pytest.param(_STEALTHY, marks=pytest.mark.slow),
    replace(_STEALTHY, generations=2, death="stops"),
    replace(_STEALTHY, generations=2, death="destroyed"),
    replace(_STEALTHY, thief="record", death="destroyed"),
]


def search(bounds: Bounds, wrong: Wrong, rules: Rules | None = None) -> Found[World]:
    model = Model(bounds, rules or Rules())
    return explore(start(bounds, model.rules), model.moves, lambda world: wrong(model, world))


def counterexample(bounds: Bounds, wrong: Wrong, **weakened: str) -> Trace:
    """Return the shortest way to go wrong under weakened rules."""
    trace = search(bounds, wrong, Rules(**weakened)).trace  # type: ignore[arg-type]
    assert trace is not None, f"{weakened} is safe"
    print(weakened, trace)
    return trace


# --- what must hold -------------------------------------------------------------------------------------


def harms_the_honest(_model: Model, world: World) -> str:
    """Nobody but the client has its token: no session ends, and no lock goes back."""
    if any(region.revoked for region in world.regions):
        return "an honest session was ended"
    if world.memory is None:
        return "an honest client was signed out"
    if world.memory.token.epoch < world.epoch:
        return "the lock went back"
    return ""


def lets_the_thief_go_on(model: Model, world: World) -> str:
    """Where two have spent one generation nobody goes on; and what the client rotated past is of no use."""
    for at, region in enumerate(world.regions):
        if region.state != "up":
            continue
        if is_reused(region.uses) and any(model.grants(world, each, at) for each in _held(world)):
            return "a server that has both uses of a generation goes on with one of them"
    if not _is_merged(world) or world.memory is None or world.thief is None:
        return ""
    if model.bounds.death == "destroyed" and not world.deaths_left:
        return ""  # what a region took with it is not known: see below
    return _after_the_merge(model, world)


def _after_the_merge(model: Model, world: World) -> str:
    client, thief = world.memory, world.thief
    assert client is not None
    assert thief is not None
    up = [at for at, region in enumerate(world.regions) if region.state == "up"]
    thief_goes_on = any(model.grants(world, thief, at) for at in up)
    if thief.token.generation < client.token.generation and thief.refresh_id[0] == "t" and thief_goes_on:
        return "the thief goes on with what the client has rotated past"
    apart = (
        thief.token.generation == client.token.generation and thief.token.bought_by != client.token.bought_by
    )
    if apart and thief_goes_on and any(model.grants(world, client, at) for at in up):
        return "two tokens of one generation, bought by different ids, are both good"
    return ""


def _held(world: World) -> list[object]:
    return [each for each in (world.memory, world.thief) if each is not None]


def _is_merged(world: World) -> bool:
    known = [region for region in world.regions if region.state != "destroyed"]
    return len({frozenset((use.generation, use.refresh_id) for use in region.uses) for region in known}) == 1


def _goes_on(world: World, bounds: Bounds) -> bool:
    return world.memory is not None and world.memory.token.generation == bounds.generations


# --- the rules as they are ------------------------------------------------------------------------------


@pytest.mark.parametrize("bounds", HONEST, ids=str)
def test_no_honest_session_is_ever_ended_and_each_can_always_go_on(bounds: Bounds) -> None:
    found = search(bounds, harms_the_honest)
    assert found.trace is None, str(found.trace)
    assert hopeless(found, lambda world: _goes_on(world, bounds)) == []
    print(f"{found.states} states, {found.moves} moves")
    assert found.states > 9_000  # a bound that was set too tight proves nothing


@pytest.mark.parametrize("bounds", WITH_A_THIEF, ids=str)
def test_a_thief_is_cut_off_at_the_latest_when_the_regions_have_merged(bounds: Bounds) -> None:
    found = search(bounds, lets_the_thief_go_on)
    assert found.trace is None, str(found.trace)
    print(f"{found.states} states, {found.moves} moves")
    assert any(all(region.revoked for region in world.regions) for world in found.came_from) or bounds.death
    assert any(world.memory is None for world in found.came_from)


def test_a_theft_can_still_be_noticed_while_both_have_a_generation_to_spend() -> None:
    """Where nobody will notice, one of them is at the last generation of the model and never comes again."""
    bounds = replace(_STEALTHY, generations=2)
    found = search(bounds, lets_the_thief_go_on)
    unnoticed = hopeless(found, lambda world: any(region.revoked for region in world.regions))
    for world in unnoticed:
        assert world.memory is not None
        at_the_end = world.memory.token.generation == bounds.generations
        assert at_the_end or (world.thief is not None and world.thief.token.generation == bounds.generations)


def test_a_destroyed_region_may_take_the_thiefs_first_use_with_it_and_he_is_cut_off_at_his_next() -> None:
    bounds = replace(_STEALTHY, death="destroyed")

    def both_are_good(model: Model, world: World) -> str:
        lost = world.deaths_left == 0 and world.memory is not None and world.thief is not None
        return _after_the_merge(model, world) if lost and _is_merged(world) else ""

    found = search(bounds, both_are_good)
    assert found.trace is not None
    print(found.trace)
    assert any("destroyed" in step for step in found.trace.steps)


# --- and what each is for -------------------------------------------------------------------------------

_SMALL = Bounds(generations=2)


@pytest.mark.parametrize(
    ("weakened", "steps"),
    [
        ({"retry": "revoked"}, 4),  # single-use tokens
        ({"retry": "within grace"}, 5),  # a late answer, or a computer that slept
        ({"id_drawn": "at each sending"}, 5),
        ({"id_drawn": "at sending, kept after"}, 6),  # a crash in between
        ({"written": "id first"}, 7),  # two records instead of one
        ({"taken": "last answer"}, 13),
    ],
    ids=str,
)
def test_a_weaker_rule_ends_an_honest_session(weakened: dict[str, str], steps: int) -> None:
    trace = counterexample(_SMALL, harms_the_honest, **weakened)
    assert (trace.wrong, len(trace.steps)) == ("an honest session was ended", steps)


@pytest.mark.parametrize(
    ("weakened", "steps"),
    [
        ({"retry": "within grace"}, 4),  # whoever comes soon enough is believed
        ({"reuse_seen": "in this generation"}, 5),
        ({"reuse_seen": "in own rows only"}, 5),  # regions merge, and nobody looks
    ],
    ids=str,
)
def test_a_weaker_rule_lets_a_thief_go_on(weakened: dict[str, str], steps: int) -> None:
    trace = counterexample(_STEALTHY, lets_the_thief_go_on, **weakened)
    assert trace.wrong.startswith("a server that has both uses")
    assert len(trace.steps) == steps


@pytest.mark.parametrize("taken", ["last answer", "last answer, id kept"])
def test_to_take_a_later_answer_of_a_lower_epoch_moves_the_lock_back(taken: str) -> None:
    trace = counterexample(_SMALL, harms_the_honest, taken=taken, lower_epoch="accepted")
    assert (trace.wrong, len(trace.steps)) == ("the lock went back", 8)


@pytest.mark.parametrize(
    "weakened",
    [
        {"lower_epoch": "accepted"},  # the first answer to an id never is of a lower epoch: see `take`
        {"taken": "last answer, id kept"},  # two tokens of one generation and one id are worth the same
        {"written": "token first"},  # an id may spend two generations: they are told apart by their number
    ],
    ids=str,
)
def test_these_alone_do_no_harm(weakened: dict[str, str]) -> None:
    """The client refuses them nonetheless: each is one of two locks on a door."""
    bounds = replace(_SMALL, death="stops")
    found = search(bounds, harms_the_honest, Rules(**weakened))  # type: ignore[arg-type]
    assert found.trace is None, str(found.trace)
    assert hopeless(found, lambda world: _goes_on(world, bounds)) == []
