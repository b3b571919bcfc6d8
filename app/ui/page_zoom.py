"""How large a page is drawn: zoom levels, and the sizes that fit a frame. Pure.

A zoom of 1.0 is 100 %: a pixel of the page takes one logical pixel of the screen.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

MOST: Final = 8.0
_LEAST: Final = 0.05
_STEPS: Final = (0.05, 0.07, 0.1, 0.15, 0.2, 0.25, 0.33, 0.5, 0.67, 0.75)
_LARGE_STEPS: Final = (1.0, 1.25, 1.5, 2.0, 3.0, 4.0, 6.0, MOST)
_LONG: Final = 2.5  # fitted whole, a longer page is so narrow that it cannot be read
_SAME: Final = 1.001


class Fit(Enum):
    """What decides the zoom: the frame, or the user."""

    WHOLE = auto()
    ACROSS = auto()
    """The shorter side of the page fits the frame; the longer one is scrolled."""
    WIDTH = auto()
    """The page is as wide as the frame, and scrolled downwards if it is longer."""
    FREE = auto()


@dataclass(frozen=True, slots=True)
class PageSize:
    """Width and height in pixels at 100 %, both at least 1."""

    width: int
    height: int


def whole(page: PageSize, width: float, height: float) -> float:
    """Return the zoom at which the whole page fits a frame of this size."""
    return min(width / page.width, height / page.height, MOST)


def across(page: PageSize, width: float, height: float) -> float:
    """Return the zoom at which the shorter side of the page fits, but not more than 100 %."""
    fitting = max(width / page.width, height / page.height)
    return max(min(fitting, 1.0), whole(page, width, height))


def as_wide(page: PageSize, width: float, height: float, bar: float) -> float:
    """Return the zoom at which the page is as wide as the frame, or if it is longer, `bar` narrower."""
    zoom = min(width / page.width, MOST)
    return zoom if page.height * zoom <= height else min(max(1.0, width - bar) / page.width, MOST)


def first_fit(page: PageSize, width: float, height: float) -> Fit:
    """Return how a page is shown at first: whole, unless it is much longer than the frame."""
    long = across(page, width, height) > _LONG * whole(page, width, height)
    return Fit.ACROSS if long else Fit.WHOLE


def stepped(zoom: float, steps: int, least: float) -> float:
    """Return the zoom `steps` levels above (positive) or below `zoom`; `least` is one more level."""
    for _ in range(abs(steps)):
        zoom = _next_above(zoom) if steps > 0 else _next_below(zoom, least)
    return zoom


def bounded(zoom: float, least: float) -> float:
    """Return `zoom` within 800 % and 5 %, or `least` if that is smaller."""
    return min(max(zoom, min(_LEAST, least)), MOST)


def percent(zoom: float) -> str:
    """Return `29 %`; below 1 %, `0.4 %`."""
    shown = zoom * 100
    return f"{shown:.0f}\u00a0%" if shown >= 1 else f"{shown:.1f}\u00a0%"


def _next_above(zoom: float) -> float:
    return next((step for step in _STEPS + _LARGE_STEPS if step > zoom * _SAME), MOST)


def _next_below(zoom: float, least: float) -> float:
    below = (step for step in reversed(_STEPS + _LARGE_STEPS) if step * _SAME < zoom)
    return next(below, min(_LEAST, least))
