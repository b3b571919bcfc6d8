"""A small explicit-state search: visits every reachable state, and finds a shortest path to a forbidden one.

The search is breadth-first, so that the first violation found is one of the nearest. States are compared by
value.
"""

import contextlib
import gc
from collections import deque
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

S = TypeVar("S", bound=Hashable)
Moves = Callable[[S], Iterable[tuple[str, S]]]
"""What can happen in a state, in words, and the state after it."""
MOST_STATES: Final = 2_000_000
"""More than this is no small model: somebody forgot a bound."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A counterexample: what happened, step by step, and what is wrong at the end."""

    steps: tuple[str, ...]
    wrong: str

    def __str__(self) -> str:
        told = [f"{number:3}. {step}" for number, step in enumerate(self.steps, 1)]
        return "\n".join([f"in {len(self.steps)} steps: {self.wrong}", *told])


@dataclass(frozen=True, slots=True)
class Found(Generic[S]):
    """What was reached: of each state the one before it and the step from there (None at the start), and
    all those from which a step leads into it."""

    came_from: dict[S, tuple[S, str] | None]
    into: dict[S, list[S]]
    trace: Trace | None

    @property
    def states(self) -> int:
        """How many states were reached."""
        return len(self.came_from)

    @property
    def moves(self) -> int:
        """How many steps were looked at."""
        return sum(map(len, self.into.values()))

    def way_to(self, state: S) -> tuple[str, ...]:
        """Return the steps of a shortest way to a state that was reached."""
        steps: list[str] = []
        while (before := self.came_from[state]) is not None:
            state, step = before
            steps.append(step)
        return tuple(reversed(steps))


def explore(start: S, moves: Moves[S], wrong: Callable[[S], str]) -> Found[S]:
    """Reach everything from `start`, or stop at the first state of which `wrong` has something to say."""
    found: Found[S] = Found({start: None}, {start: []}, None)
    with _without_collecting():
        trace = _reach(found, start, moves, wrong)
    return replace(found, trace=trace)


def _reach(found: Found[S], start: S, moves: Moves[S], wrong: Callable[[S], str]) -> Trace | None:
    came_from, into, ahead = found.came_from, found.into, deque([start])
    while ahead:
        state = ahead.popleft()
        for step, after in moves(state):
            if after in came_from:
                into[after].append(state)
                continue
            came_from[after], into[after] = (state, step), [state]
            if said := wrong(after):
                return Trace(found.way_to(after), said)
            ahead.append(after)
        assert len(came_from) <= MOST_STATES, "the model has no end"
    return None


@contextlib.contextmanager
def _without_collecting() -> Iterator[None]:
    """States are kept, and refer to no one in a circle: looking for garbage among them doubles the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def hopeless(found: Found[S], hoped_for: Callable[[S], bool]) -> list[S]:
    """Return the states from which no way leads to one that is `hoped_for`, the nearest first."""
    ahead = [state for state in found.came_from if hoped_for(state)]
    good = set(ahead)
    while ahead:
        fresh = {each for each in found.into[ahead.pop()] if each not in good}
        good |= fresh
        ahead += fresh
    return [state for state in found.came_from if state not in good]


def endless(found: Found[S], calm: Callable[[S], S], hoped_for: Callable[[S], bool]) -> Iterator[S]:
    """Yield the states from which `calm`, the one thing that happens when nothing more goes wrong, never
    leads to what is `hoped_for`: it goes round in a circle."""
    arrives: dict[S, bool] = {}
    for state in found.came_from:
        way: list[S] = []
        on_it: set[S] = set()
        at = state
        while at not in arrives and at not in on_it and not hoped_for(at):
            way.append(at)
            on_it.add(at)
            at = calm(at)
        well = arrives.get(at, at not in on_it)
        arrives.update(dict.fromkeys(way, well))
        arrives.setdefault(at, well)
        if not well:
            yield state
