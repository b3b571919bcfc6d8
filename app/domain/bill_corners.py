"""Finds a bill in a picture: one bright sheet with four corners, on a darker ground."""

from collections.abc import Iterable
from typing import Final

from app.domain.quadrilateral import Point, Quadrilateral

_LEAST_PART: Final = 0.1
"""Of the picture: a smaller sheet is more likely something else."""
_LEAST_CONTRAST: Final = 40
"""Between the middle brightness of the sheet and that of the ground, of 255."""
_OFF: Final = 3.0
"""In pixels: an end of a row that is farther from the straight side than this is off it."""
_MOST_OFF: Final = 0.1
"""The part of the rows that may be off: paper is not quite straight."""


def find_bill(gray: bytes, width: int, height: int) -> Quadrilateral | None:
    """Return the corners of the bill in a picture of `width` × `height` bytes of brightness, row by row.

    Return None unless it is certain: the sheet lies wholly in the picture, differs clearly from the ground,
    and has four straight sides. The picture should be small, about 160 pixels wide.
    """
    limit = _between(gray)
    if limit is None:
        return None
    rows = _rows(_largest(gray, width, height, limit), width)
    if not rows or _touches_the_edge(rows, width, height):
        return None
    shape = _corners(rows)
    area = sum(right - left + 1 for left, right in rows.values())
    large = area >= _LEAST_PART * width * height
    return shape if large and shape.is_of_a_bill() and _is_straight(rows, shape) else None


def _between(gray: bytes) -> int | None:
    """Return the brightness that divides the picture best into dark and bright (Otsu); None if none does."""
    counts = [0] * 256
    for value in gray:
        counts[value] += 1
    total, weight = len(gray), sum(value * count for value, count in enumerate(counts))
    best, limit, contrast = 0.0, 0, 0.0
    dark = dark_weight = 0
    for value, count in enumerate(counts):
        dark, dark_weight = dark + count, dark_weight + value * count
        if dark == 0 or dark == total:
            continue
        difference = (weight - dark_weight) / (total - dark) - dark_weight / dark
        spread = dark * (total - dark) * difference**2
        if spread > best:
            best, limit, contrast = spread, value, difference
    return limit if contrast >= _LEAST_CONTRAST else None


def _largest(gray: bytes, width: int, height: int, limit: int) -> list[int]:
    """Return the largest connected part that is brighter than `limit`, as positions in `gray`."""
    open_to = bytearray(value > limit for value in gray)
    largest: list[int] = []
    for start in range(width * height):
        if not open_to[start]:
            continue
        open_to[start] = 0
        part = [start]
        for at in part:  # it grows while it is walked through
            x = at % width
            for near, there in (
                (at - 1, x > 0),
                (at + 1, x < width - 1),
                (at - width, at >= width),
                (at + width, at < width * (height - 1)),
            ):
                if there and open_to[near]:
                    open_to[near] = 0
                    part.append(near)
        if len(part) > len(largest):
            largest = part
    return largest


def _rows(part: Iterable[int], width: int) -> dict[int, tuple[int, int]]:
    """Return the first and last x of each row: what is dark between them is print on the sheet."""
    rows: dict[int, tuple[int, int]] = {}
    for at in part:
        y, x = divmod(at, width)
        left, right = rows.get(y, (x, x))
        rows[y] = min(left, x), max(right, x)
    return rows


def _corners(rows: dict[int, tuple[int, int]]) -> Quadrilateral:
    """Return the outermost points in the four directions between the sides of the picture."""
    lefts = [(float(left), float(y) + down) for y, (left, _right) in rows.items() for down in (0, 1)]
    rights = [(float(right + 1), float(y) + down) for y, (_left, right) in rows.items() for down in (0, 1)]
    return Quadrilateral(
        (
            min(lefts, key=lambda point: point[0] + point[1]),
            max(rights, key=lambda point: point[0] - point[1]),
            max(rights, key=lambda point: point[0] + point[1]),
            min(lefts, key=lambda point: point[0] - point[1]),
        )
    )


def _touches_the_edge(rows: dict[int, tuple[int, int]], width: int, height: int) -> bool:
    across = any(left == 0 or right == width - 1 for left, right in rows.values())
    return across or min(rows) == 0 or max(rows) == height - 1


def _is_straight(rows: dict[int, tuple[int, int]], shape: Quadrilateral) -> bool:
    """Return whether the rows end near the straight lines between the corners."""
    off = 0
    for y, (left, right) in rows.items():
        ends = _crossings(shape, y + 0.5)
        off += not ends or abs(left - min(ends)) > _OFF or abs(right + 1 - max(ends)) > _OFF
    return off <= _MOST_OFF * len(rows)


def _crossings(shape: Quadrilateral, y: float) -> list[float]:
    """Return where the sides cross a row."""
    edges: list[tuple[Point, Point]] = [shape.edge(at) for at in range(4)]
    return [
        x1 + (x2 - x1) * (y - y1) / (y2 - y1)
        for (x1, y1), (x2, y2) in edges
        if min(y1, y2) <= y <= max(y1, y2) and y1 != y2
    ]
