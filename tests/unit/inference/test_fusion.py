"""What both streams say together, worked out by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bundles import PEOPLE_SPEC, POSE_SPEC, make_people_bundle

from har.bundle import load_info, save_info
from har.inference.fusion import StreamLogits, fuse_logits
from har.inference.model import Recognizer, compute_softmax
from har.inference.scores import fuse_windows
from har.inference.streams import MotionWindowLogits, PoseWindowLogits

T = POSE_SPEC.n_steps


def _window(start: int, logit: float, confidence: float, subject: int = 1) -> PoseWindowLogits:
    """Return a window that says the second label with ``logit``, of a subject and the next one."""
    numbers = np.array([subject, subject])
    targets = np.where(numbers > 0, numbers + 1, 0)
    return PoseWindowLogits(start, T, np.array([0.0, logit]), confidence, numbers, targets)


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recognizer]:
    folder = tmp_path_factory.mktemp("bundles")
    return {
        streams: Recognizer(make_people_bundle(folder / streams, streams))
        for streams in ("pose", "both")
    }


def _say(logit: float) -> float:
    return float(compute_softmax(np.array([0.0, logit]))[1])


def test_windows_count_as_far_as_they_are_sure(bundles: dict[str, Recognizer]) -> None:
    people = [_window(0, 2.0, 0.9), _window(5, -1.0, 0.3)]
    probs, scores = fuse_windows(bundles["pose"], {"pose": people}, 1.5)
    both = (0.9 * 2.0 - 0.3 * 1.0) / 1.2
    expected = [_say(2.0)] * 5 + [_say(both)] * 5 + [_say(-1.0)] * 5
    np.testing.assert_allclose(scores.values[:, 1], expected, atol=1e-6)
    np.testing.assert_allclose(scores.people.confidence, [0.9] * 5 + [0.6] * 5 + [0.3] * 5)
    assert probs[1] == pytest.approx(_say(both))
    np.testing.assert_allclose(scores.times_s, (np.arange(15) + 0.5) / 10)
    assert scores.step_s == pytest.approx(0.1)


def test_the_pose_stream_alone_cannot_tell_where_nobody_is_sure(
    bundles: dict[str, Recognizer],
) -> None:
    people = [_window(0, 0.0, 0.0, 0), _window(5, 3.0, 0.7), _window(10, 0.0, 0.0, 0)]
    probs, scores = fuse_windows(bundles["pose"], {"pose": people}, 2.0)
    assert scores.is_uncertain.tolist() == [True] * 5 + [False] * 10 + [True] * 5
    np.testing.assert_allclose(scores.values[5:15, 1], _say(3.0), atol=1e-6)
    assert not scores.values[scores.is_uncertain].any()
    assert scores.people.subjects[:, 1].tolist() == [0] * 5 + [1] * 10 + [0] * 5
    assert probs[1] == pytest.approx(_say(3.0))
    nobody = {"pose": [_window(0, 0.0, 0.0, 0)]}
    probs, scores = fuse_windows(bundles["pose"], nobody, 1.0)
    assert not probs.any()
    assert scores.is_uncertain.all()


def test_rounding_is_no_confidence(bundles: dict[str, Recognizer]) -> None:
    people = [_window(2 * row, 1.0, 0.1 + row / 7) for row in range(5)]
    people += [_window(10 + 2 * row, 0.0, 0.0, 0) for row in range(10)]
    _, scores = fuse_windows(bundles["pose"], {"pose": people}, 3.8)
    assert scores.is_uncertain.tolist() == [False] * 18 + [True] * 20


def test_the_strongest_window_names_the_people(bundles: dict[str, Recognizer]) -> None:
    people = [_window(0, 1.0, 0.9, 1), _window(5, 3.0, 0.3, 7), _window(10, -2.0, 0.9, 4)]
    _, scores = fuse_windows(bundles["pose"], {"pose": people}, 2.0)
    assert scores.people.subjects[:, 1].tolist() == [1] * 5 + [7] * 10 + [4] * 5
    assert scores.people.targets[:, 1].tolist() == [2] * 5 + [8] * 10 + [5] * 5
    # The first label is the other way round: the window that says it most has the lowest logit.
    assert scores.people.subjects[:, 0].tolist() == [1] * 10 + [4] * 10


def test_motion_and_people_are_added_by_weight_and_confidence(tmp_path: Path) -> None:
    make_people_bundle(tmp_path, "both")
    info = load_info(tmp_path)
    save_info(tmp_path, replace(info, pose=replace(info.pose, weight=0.5)))
    recognizer = Recognizer(tmp_path)
    n_steps = PEOPLE_SPEC.n_steps
    motion = [MotionWindowLogits.of(0, np.tile(np.float32([0.0, 1.0]), (n_steps, 1)))]
    motion.append(MotionWindowLogits.of(2, np.tile(np.float32([0.0, -1.0]), (n_steps, 1))))
    people = [_window(0, 4.0, 0.8), _window(2, 0.0, 0.0, 0)]
    probs, scores = fuse_windows(recognizer, {"motion": motion, "pose": people}, 1.25)
    assert len(scores.values) == 10  # 8 a second
    assert probs[1] == pytest.approx(_say(0.0 + 0.5 * 0.4 * 4.0))
    # Steps of motion 0-1: its first window. Of people 0-1: the first window; from 10: nobody.
    assert scores.values[0, 1] == pytest.approx(_say(1.0 + 0.5 * 0.8 * 4.0))
    assert scores.values[5, 1] == pytest.approx(_say(0.0 + 0.5 * 0.4 * 4.0))
    assert scores.values[9, 1] == pytest.approx(_say(-1.0))
    assert not scores.is_uncertain.any()
    assert scores.people.subjects[[0, 5, 9], 1].tolist() == [1, 1, 0]


def test_pose_steps_are_taken_at_the_nearest_time(bundles: dict[str, Recognizer]) -> None:
    n_steps = PEOPLE_SPEC.n_steps
    motion = [MotionWindowLogits.of(0, np.zeros((n_steps, 2), np.float32))]
    people = [_window(0, 0.0, 0.2, 1)]
    _, scores = fuse_windows(bundles["both"], {"motion": motion, "pose": people}, 1.0)
    assert len(scores.values) == len(scores.people.confidence) == 8
    np.testing.assert_allclose(scores.values, 0.5)


def test_streams_are_joined_by_hand_worked_numbers() -> None:
    first = StreamLogits(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]), np.array([1.0, 0.5, 0.0]))
    other = StreamLogits(np.array([[2.0, 4.0], [8.0, 0.0], [0.0, 0.0]]), np.array([0.5, 0.25, 0.0]))
    alone = fuse_logits([first], [])  # counts whole, however confident
    assert alone.logits.tolist() == first.logits.tolist()
    joined = fuse_logits([first, other], [2.0])
    assert joined.logits.tolist() == [[3.0, 4.0], [4.0, 2.0], [0.0, 0.0]]
    assert joined.confidence.tolist() == [1.0, 0.5, 0.0]
    with pytest.raises(ValueError, match="shorter"):
        fuse_logits([first, other], [])
