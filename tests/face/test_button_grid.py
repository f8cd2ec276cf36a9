"""Where buttons are, in pixels: a portrait and a landscape screen of 15.6 inches, with room for captions."""

import pytest

from mien.face.overlay.button_grid import Box, ButtonGrid

FIRST, SECOND, THIRD = 1037, 1115, 1193  # the rows of a portrait screen
LEFT, RIGHT = 22, 902  # the columns of a landscape one


@pytest.fixture
def portrait() -> ButtonGrid:
    return ButtonGrid(720, 1280, diagonal_inches=15.6, caption_px=100)


@pytest.fixture
def landscape() -> ButtonGrid:
    return ButtonGrid(1280, 720, diagonal_inches=15.6, caption_px=100)


def test_sizes_follow_the_screen_and_a_finger(portrait: ButtonGrid, landscape: ButtonGrid) -> None:
    for grid in (portrait, landscape):
        assert grid.px_per_mm == pytest.approx(3.7064, abs=1e-4)
        assert (grid.least_px, grid.gap_px, grid.stroke_px, grid.ring_reach) == (36, 13, 2, 10)
        assert (grid.font_px(), grid.font_px(0.8)) == pytest.approx((31.2, 24.96))
        assert (grid.padding_px(), grid.padding_px(0.8)) == (19, 15)
        assert (grid.button_height(1), grid.button_height(2), grid.button_height(2, 0.8)) == (65, 110, 87)
        assert grid.ring_size(10, 20) == (30, 40)
        assert grid.largest_qr == 210
        assert grid.qr_box(50) == Box(22, 22, 50, 50)
    assert portrait.largest == [(676, 110)] * 3 + [(328, 110)] * 3
    assert landscape.largest == [(356, 110)] * 6


@pytest.mark.parametrize(("inches", "least_px", "gap_px"), [(5.0, 108, 17), (10.0, 56, 13), (55.0, 12, 13)])
def test_a_target_is_no_smaller_than_a_finger_on_any_screen(inches: float, least_px: int, gap_px: int) -> None:
    grid = ButtonGrid(720, 1280, diagonal_inches=inches)
    assert (grid.least_px, grid.gap_px) == (least_px, gap_px)
    assert grid.button_height(1) == max(least_px, 65)


@pytest.mark.parametrize(
    ("count", "boxes"),
    [
        (1, [(22, THIRD, 676)]),
        (2, [(25, THIRD, 328), (366, THIRD, 328)]),
        (3, [(22, FIRST, 676), (22, SECOND, 676), (22, THIRD, 676)]),
        (4, [(25, SECOND, 328), (366, SECOND, 328), (25, THIRD, 328), (366, THIRD, 328)]),
        (5, [(25, FIRST, 328), (366, FIRST, 328), (25, SECOND, 328), (366, SECOND, 328), (25, THIRD, 328)]),
    ],
)
def test_on_a_portrait_screen_they_are_rows_at_the_bottom(
    portrait: ButtonGrid, count: int, boxes: list[tuple[int, int, int]]
) -> None:
    assert portrait.boxes([1] * count) == [Box(*place, 65) for place in boxes]


@pytest.mark.parametrize(
    ("count", "boxes"),
    [
        (1, [(RIGHT, 555)]),
        (3, [(RIGHT, 399), (RIGHT, 477), (RIGHT, 555)]),
        (4, [(LEFT, 477), (LEFT, 555), (RIGHT, 477), (RIGHT, 555)]),
        (5, [(LEFT, 399), (LEFT, 477), (LEFT, 555), (RIGHT, 399), (RIGHT, 477)]),
    ],
)
def test_on_a_landscape_screen_they_are_columns_above_the_captions(
    landscape: ButtonGrid, count: int, boxes: list[tuple[int, int]]
) -> None:
    assert landscape.boxes([1] * count) == [Box(*place, 356, 65) for place in boxes]


def test_a_row_is_as_high_as_its_highest_button(portrait: ButtonGrid, landscape: ButtonGrid) -> None:
    assert [(box.top, box.height) for box in portrait.boxes([2, 1, 1])] == [(992, 110), (1115, 65), (1193, 65)]
    assert [(box.top, box.height) for box in portrait.boxes([1, 1, 1, 2])] == [(1070, 65)] * 2 + [(1148, 110)] * 2
    assert [(box.top, box.height) for box in landscape.boxes([2, 1, 1])] == [(354, 110), (477, 65), (555, 65)]


def test_captions_move_above_the_buttons_of_a_portrait_screen_only(portrait: ButtonGrid, landscape: ButtonGrid) -> None:
    assert portrait.caption_rise(portrait.boxes([2, 1, 1])) == 1280 - 992 + 13
    assert portrait.caption_rise([]) == 0
    assert landscape.caption_rise(landscape.boxes([1])) == 0


@pytest.mark.parametrize(("top", "fits"), [(913, True), (912, False)])
def test_on_a_portrait_screen_the_mouth_stays_free(portrait: ButtonGrid, top: int, fits: bool) -> None:
    """It ends at .635 of the height; the captions are 100 pixels."""
    assert portrait.fits([Box(22, 1193, 676, 65), Box(22, top, 676, 65)]) is fits


@pytest.mark.parametrize(("top", "fits"), [(87, True), (86, False)])
def test_on_a_landscape_screen_the_signs_stay_free(landscape: ButtonGrid, top: int, fits: bool) -> None:
    assert landscape.fits([Box(902, 555, 356, 65), Box(902, top, 356, 65)]) is fits


def test_the_eyes_look_where_a_button_is(portrait: ButtonGrid, landscape: ButtonGrid) -> None:
    assert portrait.direction(Box(0, 412, 720, 200)) == (0.0, 0.0)
    assert portrait.direction(Box(0, 512, 360, 0)) == pytest.approx((-0.7, 0.0))
    assert landscape.direction(Box(1200, 720, 80, 0)) == (1.0, -1.0)
    assert landscape.direction(Box(0, 0, 0, 0)) == (-1.0, pytest.approx(2 / 3))


@pytest.mark.parametrize(
    ("x", "y", "slop", "inside"),
    [
        (10, 20, 0, True),
        (39.9, 59.9, 0, True),
        (40, 20, 0, False),
        (10, 60, 0, False),
        (9.9, 20, 0, False),
        (10, 19.9, 0, False),
        (8, 18, 2, True),
        (41.9, 61.9, 2, True),
        (42, 20, 2, False),
        (10, 62, 2, False),
        (7.9, 20, 2, False),
        (10, 17.9, 2, False),
    ],
)
def test_a_point_is_inside_or_near(x: float, y: float, slop: float, inside: bool) -> None:
    assert Box(10, 20, 30, 40).holds(x, y, slop) is inside


@pytest.mark.parametrize(
    ("other", "touches"),
    [
        (Box(44, 20, 5, 5), True),
        (Box(45, 20, 5, 5), False),
        (Box(10, 64, 5, 5), True),
        (Box(10, 65, 5, 5), False),
        (Box(1, 20, 5, 5), True),
        (Box(0, 20, 5, 5), False),
        (Box(10, 11, 5, 5), True),
        (Box(10, 10, 5, 5), False),
    ],
)
def test_boxes_touch_when_less_than_the_gap_is_between_them(other: Box, touches: bool) -> None:
    box = Box(10, 20, 30, 40)
    assert box.touches(other, 5) is touches
    assert other.touches(box, 5) is touches
    assert box.middle == (25, 40)
