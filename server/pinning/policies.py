"""The two policies that choose one of several servers for a session. Pure; randomness is an argument.

`strict` always chooses the server with the lowest load. `stable` allows for load figures that are some
seconds old and the same for every server: if all of them send their sessions to the least loaded server, it
is soon the most loaded one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

Policy = Literal["stable", "strict"]
# Returns random numbers from 0 (included) to 1 (excluded), as `random.random` does.
Chance = Callable[[], float]

# No session is moved to a server with this utilisation if there is a less loaded one.
FULL: Final = 0.85
# The utilisation assumed for a server that has not reported its load yet.
ASSUMED: Final = 0.5
# `stable` moves a session at once if another server's utilisation is lower by this much.
_GAP: Final = 0.30
# Otherwise it moves one only if its server is above the mean by this factor, …
_OVER_MEAN: Final = 1.10
# … the other server is below this share of its utilisation, …
_BELOW_OWN: Final = 0.90
# … and the session has been pinned for this long.
_PIN_SECONDS: Final = 600
# A full server keeps this much head-room in the draw, so that the weights never add up to 0.
_MIN_HEADROOM: Final = 0.01


@dataclass(frozen=True, slots=True)
class Candidate:
    """A server that may be chosen. `utilisation` is 0–1."""

    id: str
    utilisation: float


def lowest(candidates: Sequence[Candidate]) -> Candidate:
    """Return the least loaded server; of equal ones, the one with the lower id."""
    return min(candidates, key=lambda each: (each.utilisation, each.id))


def forced(policy: Policy, candidates: Sequence[Candidate], chance: Chance) -> Candidate:
    """Choose for a session that is new or must move.

    `stable` draws at random, weighted by head-room, so that the sessions of a dead server spread over all
    remaining servers.
    """
    if policy == "strict":
        return lowest(candidates)
    headrooms = [max(1.0 - each.utilisation, _MIN_HEADROOM) for each in candidates]
    mark = chance() * sum(headrooms)
    for each, headroom in zip(candidates, headrooms, strict=True):
        mark -= headroom
        if mark < 0:
            return each
    return candidates[-1]  # rounding may leave `mark` at 0


def balanced(
    policy: Policy, own: Candidate, others: Sequence[Candidate], pin_seconds: float, chance: Chance
) -> Candidate:
    """Choose for a session that may stay at its server `own`, where it has been for `pin_seconds`."""
    best = lowest([own, *others])
    if policy == "strict" or own.utilisation - best.utilisation >= _GAP:
        return best
    mean = sum(each.utilisation for each in (own, *others)) / (1 + len(others))
    if not others or pin_seconds < _PIN_SECONDS or own.utilisation < _OVER_MEAN * mean:
        return own
    candidate = _best_of_two(others, chance)
    if candidate.utilisation > _BELOW_OWN * own.utilisation:
        return own
    # Move only the share of the sessions that is above the mean, so that the server ends near the mean.
    moves = chance() < (own.utilisation - mean) / own.utilisation if own.utilisation > 0 else False
    return candidate if moves else own


def _best_of_two(candidates: Sequence[Candidate], chance: Chance) -> Candidate:
    """Return the less loaded of two servers drawn at random."""
    # Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", 2001: with old load figures this
    # spreads better than always choosing the least loaded.
    rest = list(candidates)
    drawn = [rest.pop(int(chance() * len(rest))) for _ in range(min(2, len(rest)))]
    return lowest(drawn)
