from hypothesis import given
from hypothesis import strategies as st

from har.video.geometry import compute_fill, compute_letterbox

SIDES = st.integers(1, 4000)
SIZES = st.tuples(SIDES, SIDES)


def test_wide_picture_in_a_square_has_bars_above_and_below():
    box = compute_letterbox((100, 200), (64, 64))
    assert (box.top, box.left, box.height, box.width) == (16, 0, 32, 64)


def test_odd_bar_puts_the_wider_part_below():
    box = compute_letterbox((3, 4), (4, 4))
    assert (box.top, box.height) == (0, 3)


@given(SIZES, SIZES)
def test_content_touches_two_sides_and_lies_inside(source, target):
    box = compute_letterbox(source, target)
    assert box.height == target[0] or box.width == target[1]
    assert box.top >= 0
    assert box.top + box.height <= target[0]
    assert box.left >= 0
    assert box.left + box.width <= target[1]
    assert abs((target[0] - box.height) - 2 * box.top) <= 1
    assert abs((target[1] - box.width) - 2 * box.left) <= 1


@given(SIZES, SIZES)
def test_never_stretched_by_more_than_the_rounding_of_a_pixel(source, target):
    box = compute_letterbox(source, target)
    scale = min(target[0] / source[0], target[1] / source[1])
    assert abs(box.height - max(source[0] * scale, 1)) <= 0.5 + 1e-6
    assert abs(box.width - max(source[1] * scale, 1)) <= 0.5 + 1e-6


@given(SIZES)
def test_own_shape_fills_all(size):
    assert compute_fill(size, size) == 1.0
