"""The pause before a retry: it doubles with each failure, and is drawn at random within limits. Pure."""

from collections.abc import Callable
from typing import Final

_MAX_DOUBLINGS: Final = 64  # beyond 1,023 a float overflows


def pause(tries: int, *, first: float, longest: float, draw: Callable[[float, float], float]) -> float:
    """Return how many seconds to wait before retry number `tries`, counted from 0.

    The limit is `first` for retry 0, doubles with each retry and never exceeds `longest`. The pause is drawn
    between half of the limit and the limit. `draw` is `random.uniform`, or a test's own function.
    """
    # "Equal jitter": callers that failed together do not come back together, and none comes back at once.
    limit = min(longest, first * 2.0 ** min(tries, _MAX_DOUBLINGS))
    return draw(limit / 2, limit)
