"""The four corners of a bill in a picture: how they move, and the rectangle that they become."""

from dataclasses import dataclass, replace
from math import hypot
from typing import Final, TypeAlias

Point: TypeAlias = tuple[float, float]
"""x to the right and y downwards, in pixels; the picture begins at (0, 0)."""
_LEAST: Final = 16.0
"""In pixels: a side of a bill cannot be shorter."""


@dataclass(frozen=True, slots=True)
class Quadrilateral:
    """Four corners, clockwise: top left, top right, bottom right, bottom left."""

    corners: tuple[Point, Point, Point, Point]

    def sides(self) -> tuple[int, int]:
        """Return the width and height of the rectangle that it becomes: of two opposite sides, the longer."""
        top, right, bottom, left = (_length(*self.edge(at)) for at in range(4))
        return max(round(max(top, bottom)), 1), max(round(max(left, right)), 1)

    def edge(self, at: int) -> tuple[Point, Point]:
        """Return the ends of an edge: 0 is the top, 1 the right, 2 the bottom, 3 the left."""
        return self.corners[at], self.corners[(at + 1) % 4]

    def turned(self, quarters: int) -> "Quadrilateral":
        """Return the same corners, named as they are after the picture was turned clockwise."""
        order = [self.corners[(at - quarters) % 4] for at in range(4)]
        return Quadrilateral((order[0], order[1], order[2], order[3]))

    def with_corner(self, at: int, to: Point, size: tuple[int, int]) -> "Quadrilateral":
        """Return it with one corner moved to `to`, or to the nearest point of a picture of `size`.

        If the corners would then no longer be those of a bill, return it unchanged.
        """
        corners = list(self.corners)
        corners[at] = _inside(to, size)
        return self._checked(corners)

    def with_edge(self, at: int, to: Point, size: tuple[int, int]) -> "Quadrilateral":
        """Return it with one edge moved, parallel to itself, so that its line goes through `to`.

        The ends stay in a picture of `size`. If the corners would then no longer be those of a bill, return
        it unchanged.
        """
        (x1, y1), (x2, y2) = self.edge(at)
        length = _length((x1, y1), (x2, y2))
        across = ((y1 - y2) / length, (x2 - x1) / length)  # of length 1, at a right angle to the edge
        by = (to[0] - x1) * across[0] + (to[1] - y1) * across[1]
        corners = list(self.corners)
        for end in (at, (at + 1) % 4):
            x, y = self.corners[end]
            corners[end] = _inside((x + by * across[0], y + by * across[1]), size)
        return self._checked(corners)

    def scaled(self, across: float, down: float) -> "Quadrilateral":
        """Return it for a picture that is that many times wider and higher."""
        scaled = [(x * across, y * down) for x, y in self.corners]
        return Quadrilateral((scaled[0], scaled[1], scaled[2], scaled[3]))

    def _checked(self, corners: list[Point]) -> "Quadrilateral":
        moved = replace(self, corners=(corners[0], corners[1], corners[2], corners[3]))
        return moved if moved.is_of_a_bill() else self

    def is_of_a_bill(self) -> bool:
        """Return whether it is convex, clockwise, and no side is too short."""
        edges = [self.edge(at) for at in range(4)]
        long_enough = all(_length(*edge) >= _LEAST for edge in edges)
        return long_enough and all(
            _length_off(*edge, self.corners[(at + 2) % 4]) >= _LEAST / 2 for at, edge in enumerate(edges)
        )


def whole(size: tuple[int, int]) -> Quadrilateral:
    """Return the corners of a whole picture of `size`."""
    width, height = float(size[0]), float(size[1])
    return Quadrilateral(((0.0, 0.0), (width, 0.0), (width, height), (0.0, height)))


def _length(start: Point, end: Point) -> float:
    return hypot(end[0] - start[0], end[1] - start[1])


def _length_off(start: Point, end: Point, point: Point) -> float:
    """Return how far `point` is to the right of the line from `start` to `end`; negative on its left."""
    cross = (end[0] - start[0]) * (point[1] - start[1]) - (end[1] - start[1]) * (point[0] - start[0])
    return cross / _length(start, end)


def _inside(point: Point, size: tuple[int, int]) -> Point:
    return min(max(point[0], 0.0), float(size[0])), min(max(point[1], 0.0), float(size[1]))
