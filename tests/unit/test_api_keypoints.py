"""Keypoints of other tools go the way that those of a recording go."""

import numpy as np
import pytest
from acting import make_scene
from bundles import POSE_SPEC, make_bundle, make_people_bundle

import har
from har.errors import BundleMismatchError, ConfigError, EmptyVideoError
from har.inference.detector import PoseDetector
from har.pose.keypoints import to_detections
from har.sampling.times import compute_nearest_indices, compute_step_times
from har.video.file.reader import open_video


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A video of two people, of whom one acts, and its keypoints at the model's steps."""
    folder = tmp_path_factory.mktemp("scene")
    path = make_scene(folder / "acts.mp4", lambda _: ((0.3, False), (0.7, True)), 2.0)
    with open_video(path, (192, 256), "gray", 30.0) as reader:
        frames = list(reader)
    detector = PoseDetector(n_threads=1)
    steps_s = compute_step_times(2.0, POSE_SPEC.rate_hz)
    rows = compute_nearest_indices(np.array([frame.time_s for frame in frames]), steps_s)
    return path, np.stack([detector.detect(frames[row].image)[0] for row in rows])


def test_keypoints_of_a_recording_say_what_the_recording_says(tmp_path, scene):
    path, points = scene
    model = har.load(make_people_bundle(tmp_path / "pose"), exact=True)
    recording, result = model.predict(path), model.predict_keypoints(points, fps=10, name="mine")
    assert (result.label, result.note) == (recording.label, "")
    np.testing.assert_allclose(result.scores.values, recording.scores.values, atol=1e-5)
    np.testing.assert_allclose(result.scores.times_s, recording.scores.times_s)
    assert [(e.label, e.subject) for e in result.events] == [
        (e.label, e.subject) for e in recording.events
    ]
    assert result.info.path.name == "mine"


def test_shares_of_the_picture_and_more_pictures_say_the_same(tmp_path, scene):
    _, points = scene
    model = har.load(make_people_bundle(tmp_path / "pose"))
    expected = model.predict_keypoints(points, fps=10)
    shares = points.astype(np.float64)
    shares[..., :2] /= (256, 192)
    result = model.predict_keypoints(np.repeat(shares, 3, axis=0), fps=30, size=(192, 256))
    assert result.duration_s == pytest.approx(expected.duration_s)
    np.testing.assert_allclose(result.scores.values, expected.scores.values, atol=1e-3)
    with pytest.raises(ConfigError, match=r"size=\(H, W\)"):
        model.predict_keypoints(shares, fps=10)


def test_a_model_of_both_streams_uses_its_pose_stream_and_says_so(tmp_path, scene):
    _, points = scene
    pose = har.load(make_people_bundle(tmp_path / "pose"))
    both = har.load(make_people_bundle(tmp_path / "both", "both"))
    expected, result = (m.predict_keypoints(points, fps=10) for m in (pose, both))
    np.testing.assert_array_equal(result.scores.values, expected.scores.values)
    assert "motion stream" in result.note
    assert len(both.info.labels) == 2


def test_a_model_of_motion_alone_refuses(tmp_path, scene):
    model = har.load(make_bundle(tmp_path / "motion"))
    with pytest.raises(BundleMismatchError, match="no pose stream"):
        model.predict_keypoints(scene[1], fps=10)


@pytest.mark.parametrize(
    ("shape", "fps", "error"),
    [
        ((4, 1, 17), 10, ConfigError),
        ((4, 1, 18, 3), 10, ConfigError),
        ((4, 1, 17, 4), 10, ConfigError),
        ((4, 1, 17, 3), 0, ConfigError),
        ((0, 1, 17, 3), 10, EmptyVideoError),
    ],
)
def test_points_that_are_none_are_refused(tmp_path, shape, fps, error):
    model = har.load(make_people_bundle(tmp_path / "pose"))
    with pytest.raises(error):
        model.predict_keypoints(np.zeros(shape), fps=fps)


def test_nobody_is_uncertain(tmp_path):
    model = har.load(make_people_bundle(tmp_path / "pose"))
    for points in (np.zeros((20, 0, 17, 3)), np.full((20, 2, 17, 2), np.nan)):
        result = model.predict_keypoints(points, fps=10)
        assert (result.label, result.events, result.uncertain_share) == (har.UNCERTAIN, (), 1.0)


def test_what_is_not_seen_has_no_confidence_and_the_most_confident_six_stay():
    points = np.full((1, 8, 17, 3), 50.0)
    points[..., 2] = np.linspace(0.1, 0.8, 8)[None, :, None]
    points[0, 7, 3] = np.nan
    points[0, 7, 4, :2] = 0
    found = to_detections(points)
    assert found.points.shape == (1, 6, 17, 3)
    np.testing.assert_allclose(found.scores[0], [0.8 * 15 / 17, 0.7, 0.6, 0.5, 0.4, 0.3], rtol=1e-5)
    assert found.points[0, 0, 3].tolist() == [0, 0, 0]
    assert found.points[0, 0, 4].tolist() == [0, 0, 0]
    points[0, 0, 0, 2] = 1.5
    with pytest.raises(ConfigError, match="from 0 to 1"):
        to_detections(points)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda points: points[..., [1, 0, 2]] * [3, 1, 1], "lie outside of the picture: check"),
        (lambda points: points * [1, -1, 1] + [0, 192, 0], "y must grow downwards"),
        (lambda points: points * 0, "no keypoint is seen: all are zeros, NaN or of confidence 0"),
        (lambda points: points, ""),
    ],
)
def test_points_that_no_camera_sees_are_noted(tmp_path, scene, change, said):
    model = har.load(make_people_bundle(tmp_path / "pose"))
    result = model.predict_keypoints(change(scene[1]), fps=10, size=(192, 256))
    assert said in result.note
    assert bool(said) is bool(result.note)


@pytest.mark.parametrize("value", [np.inf, -np.inf, 1e300, -2e6])
def test_places_that_can_be_in_no_picture_are_refused(value):
    points = np.full((2, 1, 17, 3), 0.5)
    points[..., :2] *= 100
    points[0, 0, 3, 1] = value
    with pytest.raises(ConfigError, match=r"up to 1e\+06, and NaN where one is not seen, received"):
        to_detections(points)


def test_points_that_are_no_numbers_or_named_as_no_file_are_refused(tmp_path):
    with pytest.raises(ConfigError, match="that are numbers, received bool"):
        to_detections(np.zeros((2, 1, 17, 3), bool))
    model = har.load(make_people_bundle(tmp_path / "pose"))
    with pytest.raises(ConfigError, match="a name that a file could have"):
        model.predict_keypoints(np.zeros((4, 1, 17, 3)), fps=10, name="a\0b")
