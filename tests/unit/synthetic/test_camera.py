import numpy as np
import pytest

from har.synthetic.camera import draw_camera, make_camera

SIZE = (240, 320)


def test_projection_worked_out_by_hand():
    """Two meters in front of a lens of 90 degrees, a meter is 80 px at a width of 320 px."""
    camera = make_camera(np.array([0.0, -2.0, 1.0]), np.array([0.0, 0.0, 1.0]), np.pi / 2, SIZE)
    points = np.array([[0.0, 0.0, 1.0], [1.0, 0.0, 1.0], [0.0, 0.0, 2.0], [-1.0, 2.0, 0.0]])
    pixels, depth = camera.project(points)
    expected = [[160.0, 120.0], [240.0, 120.0], [160.0, 40.0], [120.0, 160.0]]
    assert pixels == pytest.approx(np.array(expected))
    assert depth == pytest.approx([2.0, 2.0, 2.0, 4.0])
    assert camera.scale_px(depth) == pytest.approx([80.0, 80.0, 80.0, 40.0])


def test_a_camera_from_another_side_and_from_above():
    camera = make_camera(np.array([3.0, 0.0, 4.0]), np.zeros(3), np.pi / 2, SIZE)
    pixels, depth = camera.project(np.array([[0.0, 0.0, 0.0], [0.0, 1.0, 0.0]]))
    assert depth == pytest.approx([5.0, 5.0])
    assert pixels == pytest.approx(np.array([[160.0, 120.0], [192.0, 120.0]]))


def test_roll_turns_the_picture_against_the_camera():
    camera = make_camera(
        np.array([0.0, -2.0, 0.0]), np.zeros(3), np.pi / 2, SIZE, roll=np.radians(90.0)
    )
    pixels, _ = camera.project(np.array([0.0, 0.0, 1.0]))
    assert pixels == pytest.approx([80.0, 120.0])


def test_points_behind_stay_finite_and_are_told_by_their_depth():
    camera = make_camera(np.array([0.0, -2.0, 1.0]), np.zeros(3), 1.0, SIZE)
    pixels, depth = camera.project(np.array([[0.0, -5.0, 1.0], [0.0, -2.0, 1.0]]))
    assert np.isfinite(pixels).all()
    assert depth[0] < 0.0


@pytest.mark.parametrize("variety", [0.0, 0.5, 1.0])
def test_drawn_cameras_see_the_whole_tallest_person(variety):
    for seed in range(40):
        camera = draw_camera(np.random.default_rng(seed), variety, SIZE, 1.7)
        pixels, depth = camera.project(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.7]]))
        assert (depth > 0.5).all()
        assert -12.0 < pixels[1, 1] < pixels[0, 1] < 252.0
        assert pixels[0, 1] - pixels[1, 1] > 0.42 * SIZE[0]
