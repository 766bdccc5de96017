"""Where people are between the steps, and in the video's own pixels."""

from pathlib import Path

import numpy as np
import pytest

from har.inference.video import build_crops, build_pose_tracks
from har.result import PoseTracks
from har.types import VideoInfo, WindowSpec
from har.video.geometry import compute_letterbox

INFO = VideoInfo(Path("a.mp4"), 640, 360, 25.0, 1.0, 25, 0, "h264")


def _body(x: float, y: float) -> np.ndarray:
    return np.tile(np.array([x, y, 0.9], np.float32), (17, 1))


def _build(seen: list[dict[int, np.ndarray]]) -> PoseTracks:
    times_s = (np.arange(len(seen)) + 0.5) / 10
    return build_pose_tracks(seen, times_s, INFO, compute_letterbox((360, 640), (192, 320)))


def test_places_are_in_the_videos_pixels() -> None:
    # 360 x 640 fills 180 x 320 of the picture, six rows under its upper edge.
    found = _build([{3: _body(160, 96), 1: _body(0, 6)}, {}, {3: _body(320, 186)}])
    assert found.numbers.tolist() == [3, 1, 3]
    np.testing.assert_allclose(found.times_s, [0.05, 0.05, 0.25])
    np.testing.assert_allclose(found.points[:, 0], [[320, 180, 0.9], [0, 0, 0.9], [640, 360, 0.9]])
    assert found.points.dtype == np.float32


def test_people_move_evenly_between_steps() -> None:
    found = _build([{1: _body(0, 6)}, {1: _body(10, 6), 2: _body(50, 6)}, {2: _body(50, 6)}])
    assert found.find_people(0.05)[1][0, 0] == 0
    assert found.find_people(0.075)[1][0, 0] == pytest.approx(5)
    assert found.find_people(0.15)[1][0, 0] == pytest.approx(20)
    # At the ends and where someone is not seen at the next step: for half a step.
    assert set(found.find_people(0.0)) == {1}
    assert set(found.find_people(0.19)) == {1, 2}
    assert set(found.find_people(0.21)) == {2}
    assert found.find_people(0.31) == {}
    assert found.find_people(9.0) == {}


def test_views_are_in_the_videos_pixels_and_end_at_its_edges() -> None:
    spec = WindowSpec((192, 320), 8.0, 16, "motion", ((0.0, -0.04),), 30.0, 2)
    box = compute_letterbox((360, 640), (192, 320))
    found = build_crops([(0, 0), (48, 160), (96, 80)], spec, INFO, box)
    expected = [[0, 0, 320, 180], [320, 84, 640, 276], [160, 180, 480, 360]]
    np.testing.assert_allclose(found, expected)


def test_nobody_at_all() -> None:
    found = _build([{}, {}])
    assert found.points.shape == (0, 17, 3)
    assert found.find_people(0.1) == {}
