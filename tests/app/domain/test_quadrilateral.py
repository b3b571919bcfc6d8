"""The corners of a bill: they stay those of a bill in the picture, whatever is dragged where."""

from hypothesis import given
from hypothesis import strategies as st

from app.domain.quadrilateral import Point, Quadrilateral, whole

SIZE = (400, 300)
PLACE: st.SearchStrategy[Point] = st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4))
MOVE = st.tuples(st.integers(0, 3), st.booleans(), PLACE)


def test_the_whole_picture_has_its_corners_and_sides() -> None:
    shape = whole(SIZE)
    assert shape.corners == ((0, 0), (400, 0), (400, 300), (0, 300))
    assert shape.sides() == SIZE


def test_a_turn_clockwise_makes_the_bottom_left_the_top_left() -> None:
    turned = whole(SIZE).turned(1)
    assert turned.corners == ((0, 300), (0, 0), (400, 0), (400, 300))
    assert turned.sides() == (300, 400)
    assert turned.turned(3) == whole(SIZE)
    assert whole(SIZE).turned(-1) == whole(SIZE).turned(3)


def test_of_two_opposite_sides_the_longer_one_counts() -> None:
    shape = Quadrilateral(((100, 0), (300, 0), (400, 300), (0, 300)))
    assert shape.sides() == (400, 316)


def test_a_corner_goes_where_it_is_dragged_but_not_out_of_the_picture() -> None:
    assert whole(SIZE).with_corner(0, (20, 30), SIZE).corners[0] == (20, 30)
    assert whole(SIZE).with_corner(2, (900, 200), SIZE).corners[2] == (400, 200)


def test_an_edge_moves_parallel_to_itself() -> None:
    moved = whole(SIZE).with_edge(0, (123, 40), SIZE)
    assert moved.corners == ((0, 40), (400, 40), (400, 300), (0, 300))
    slanted = Quadrilateral(((50, 50), (350, 80), (360, 280), (40, 250)))
    (x1, y1), (x2, y2) = slanted.with_edge(0, (200, 30), SIZE).edge(0)
    assert round((y2 - y1) / (x2 - x1), 6) == 0.1


def test_corners_that_are_dragged_over_each_other_stay_where_they_were() -> None:
    assert whole(SIZE).with_corner(0, (399, 10), SIZE) == whole(SIZE)  # on the top right one
    assert whole(SIZE).with_corner(0, (390, 295), SIZE) == whole(SIZE)  # behind the diagonal
    assert whole(SIZE).with_edge(0, (10, 299), SIZE) == whole(SIZE)  # on the bottom


@given(st.lists(MOVE, max_size=12))
def test_no_drag_leads_out_of_the_picture_or_to_what_cannot_be_straightened(
    moves: list[tuple[int, bool, Point]],
) -> None:
    shape = whole(SIZE)
    for at, is_edge, to in moves:
        shape = (shape.with_edge if is_edge else shape.with_corner)(at, to, SIZE)
        assert shape.is_of_a_bill()
        assert all(0 <= x <= SIZE[0] and 0 <= y <= SIZE[1] for x, y in shape.corners)
