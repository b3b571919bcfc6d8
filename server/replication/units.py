"""Formats sizes and durations for the operator. Pure."""

from typing import Final

_UNITS: Final = (("GB", 1 << 30), ("MB", 1 << 20), ("kB", 1 << 10))
_SPANS: Final = (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1))


def size(number: int) -> str:
    """Return a number of bytes in the largest unit below it: `1.2 MB`."""
    for unit, of in _UNITS:
        if number >= of:
            return f"{number / of:.1f} {unit}"
    return f"{number} B"


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `2 h 5 min`."""
    whole = int(seconds)
    for unit, of, smaller, part in _SPANS:
        if whole >= of:
            rest = whole % of // part
            return f"{whole // of} {unit}" + (f" {rest} {smaller}" if rest else "")
    return f"{whole} s"
