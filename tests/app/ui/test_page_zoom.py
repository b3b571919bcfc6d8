"""Zoom levels: what fits, where a long page begins, and the steps."""

import pytest

from app.ui import page_zoom
from app.ui.page_zoom import Fit, PageSize

FRAME = (300.0, 400.0)
A4 = PageSize(794, 1123)


def test_a_page_fits_by_the_side_that_needs_more_room() -> None:
    assert page_zoom.whole(PageSize(600, 400), *FRAME) == 0.5
    assert page_zoom.whole(PageSize(300, 800), *FRAME) == 0.5


def test_a_tiny_page_is_enlarged_by_eight_at_most() -> None:
    assert page_zoom.whole(PageSize(4, 4), *FRAME) == 8


@pytest.mark.parametrize("page", [A4, PageSize(3000, 4000), PageSize(60, 80), PageSize(1, 1)])
def test_an_ordinary_page_begins_whole(page: PageSize) -> None:
    assert page_zoom.first_fit(page, *FRAME) is Fit.WHOLE


@pytest.mark.parametrize("page", [PageSize(1080, 15_000), PageSize(302, 11_338), PageSize(15_000, 1080)])
def test_a_long_page_begins_with_its_shorter_side(page: PageSize) -> None:
    assert page_zoom.first_fit(page, *FRAME) is Fit.ACROSS


def test_the_shorter_side_is_not_enlarged() -> None:
    assert page_zoom.across(PageSize(50, 15_000), *FRAME) == 1
    assert page_zoom.across(PageSize(600, 15_000), *FRAME) == 0.5


def test_steps_go_up_to_eight_hundred_percent_and_back_below_what_fits() -> None:
    up, down = [0.29], [8.0]
    while up[-1] < page_zoom.MOST:
        up.append(page_zoom.stepped(up[-1], 1, 0.29))
    while down[-1] > 0.05:
        down.append(page_zoom.stepped(down[-1], -1, 0.29))
    assert up[:5] == [0.29, 0.33, 0.5, 0.67, 0.75]
    assert 1.0 in up
    assert down[-1] == 0.05
    assert page_zoom.stepped(0.05, -1, 0.02) == 0.02


def test_a_zoom_stays_within_its_bounds() -> None:
    assert page_zoom.bounded(100, 0.3) == 8
    assert page_zoom.bounded(0.0001, 0.3) == 0.05
    assert page_zoom.bounded(0.0001, 0.02) == 0.02


@pytest.mark.parametrize(
    ("zoom", "text"), [(0.294, "29 %"), (1.0, "100 %"), (8.0, "800 %"), (0.004, "0.4 %")]
)
def test_the_zoom_is_shown_in_percent(zoom: float, text: str) -> None:
    assert page_zoom.percent(zoom).replace("\u00a0", " ") == text
