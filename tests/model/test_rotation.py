"""Rotation, searched to the end: no honest session is ever ended, no thief stays; and each rule is needed."""

from collections.abc import Callable

import pytest

from tests.model.rotation import Bounds, Model, Rules, World, is_reused, start
from tests.model.search import Found, Trace, explore, hopeless

Wrong = Callable[[Model, World], str]

HONEST = [
    Bounds(generations=3, in_flight=3),
    Bounds(generations=3, in_flight=2, death="stops"),
    Bounds(generations=3, in_flight=2, death="destroyed"),
    Bounds(generations=2, in_flight=3, highest_epoch=2, death="destroyed"),
]
WITH_A_THIEF = [
    Bounds(generations=2, in_flight=2, highest_epoch=0, thief="token"),
    Bounds(generations=3, in_flight=1, highest_epoch=0, thief="token"),
    Bounds(generations=3, in_flight=1, highest_epoch=0, thief="record"),
    Bounds(generations=2, in_flight=1, highest_epoch=0, thief="token", death="stops"),
    Bounds(generations=2, in_flight=1, highest_epoch=0, thief="token", death="destroyed"),
    Bounds(generations=3, in_flight=1, highest_epoch=0, thief="record", death="destroyed"),
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
    apart = thief.token.generation == client.token.generation and thief.token.bought_by != client.token.bought_by
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


def test_a_theft_is_noticed_from_every_state_in_which_both_have_a_token_of_their_own() -> None:
    """And where nobody notices, it is because one of them never comes again."""
    bounds = Bounds(generations=3, in_flight=1, highest_epoch=0, thief="token")
    found = search(bounds, lets_the_thief_go_on)
    unnoticed = hopeless(found, lambda world: any(region.revoked for region in world.regions))
    for world in unnoticed:
        assert world.memory is not None
        at_the_end = world.memory.token.generation == bounds.generations
        assert at_the_end or (world.thief is not None and world.thief.token.generation == bounds.generations)


def test_a_destroyed_region_may_take_the_thiefs_first_use_with_it_and_he_is_cut_off_at_his_next() -> None:
    bounds = Bounds(generations=3, in_flight=1, highest_epoch=0, thief="token", death="destroyed")

    def both_are_good(model: Model, world: World) -> str:
        lost = world.deaths_left == 0 and world.memory is not None and world.thief is not None
        return _after_the_merge(model, world) if lost and _is_merged(world) else ""

    found = search(bounds, both_are_good)
    assert found.trace is not None
    print(found.trace)
    assert any("destroyed" in step for step in found.trace.steps)


# --- and what each is for -------------------------------------------------------------------------------

SMALL = Bounds(generations=2)
STEALTHY = Bounds(generations=3, in_flight=1, highest_epoch=0, thief="token")


def test_single_use_tokens_end_an_honest_session_when_an_answer_is_lost() -> None:
    trace = counterexample(SMALL, harms_the_honest, retry="revoked")
    assert trace.wrong == "an honest session was ended"
