"""Which of several servers takes a client: the two policies of spreading load. Pure; chance is an argument.

`strict` always takes the lowest load, literally. `stable` knows that the figures are some seconds old and
that all servers decide by the same ones: where everybody runs to the emptiest, it is the fullest soon after.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Policy = Literal["stable", "strict"]
Chance = Callable[[], float]
"""Gives numbers from 0 (included) to 1 (not included), as `random.random` does."""

FULL: Final = 0.85
"""Nobody is sent to a server of this utilisation while there is a less loaded one."""
ASSUMED: Final = 0.5
"""The utilisation of a server whose load nobody knows yet."""
_GAP: Final = 0.30
_OVER_MEAN: Final = 1.10
_BELOW_OWN: Final = 0.90
_PIN_SECONDS: Final = 600
_LEAST_ROOM: Final = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that may be chosen; `utilisation` is 0–1."""

    id: str
    utilisation: float


def lowest(candidates: Sequence[Candidate]) -> Candidate:
    """Return the least loaded; of equal ones that with the lower id."""
    return min(candidates, key=lambda each: (each.utilisation, each.id))


def forced(policy: Policy, candidates: Sequence[Candidate], chance: Chance) -> Candidate:
    """Choose for a client that must move, or comes new: `stable` at random by head-room, so that the clients
    of a dead server spread over those that are left.
    """
    if policy == "strict":
        return lowest(candidates)
    rooms = [max(1.0 - each.utilisation, _LEAST_ROOM) for each in candidates]
    mark = chance() * sum(rooms)
    for each, room in zip(candidates, rooms, strict=True):
        mark -= room
        if mark < 0:
            return each
    return candidates[-1]


def balanced(
    policy: Policy, own: Candidate, others: Sequence[Candidate], pin_seconds: float, chance: Chance
) -> Candidate:
    """Choose for a client that may stay where it is (`own`); `lock_seconds` is how long it has been there."""
    best = lowest([own, *others])
    if policy == "strict" or own.utilisation - best.utilisation >= _GAP:
        return best
    mean = sum(each.utilisation for each in (own, *others)) / (1 + len(others))
    if not others or pin_seconds < _PIN_SECONDS or own.utilisation < _OVER_MEAN * mean:
        return own
    candidate = _best_of_two(others, chance)
    if candidate.utilisation > _BELOW_OWN * own.utilisation:
        return own
    moves = chance() < (own.utilisation - mean) / own.utilisation if own.utilisation > 0 else False
    return candidate if moves else own


def _best_of_two(candidates: Sequence[Candidate], chance: Chance) -> Candidate:
    """Return the less loaded of two drawn at random (Mitzenmacher, "The Power of Two Choices", 2001)."""
    left = list(candidates)
    drawn = [left.pop(int(chance() * len(left))) for _ in range(min(2, len(left)))]
    return lowest(drawn)
