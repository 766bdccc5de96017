"""A pose head as training makes it, saved as a bundle, recognizes a recording of people."""

import numpy as np
import pytest
from acting import make_scene
from bundles import PEOPLE_SPEC

from har.bundle import BundleInfo, PoseContract
from har.config import PoseConfig, PredictConfig
from har.inference.detector import compute_detector_hash
from har.inference.model import Recognizer
from har.inference.video import recognize_video
from har.network.pose_head import build_pose_head
from har.network.saving import save_bundle

LABELS = ("hitting_self", "hitting_others", "playing")


@pytest.fixture(scope="module")
def recognizer(tmp_path_factory):
    folder = tmp_path_factory.mktemp("who") / "bundle"
    config = PoseConfig(units=8)
    spec = config.pose_spec(LABELS, "playing", compute_detector_hash())
    head = build_pose_head(config, spec, LABELS)
    rng = np.random.default_rng(0)
    head.set_weights([array + rng.normal(0, 0.1, array.shape) for array in head.get_weights()])
    info = BundleInfo("lstm", LABELS, pose=PoseContract(spec, PEOPLE_SPEC.pictures, 1.0))
    save_bundle(folder, info, pose=head)
    return Recognizer(folder)


def test_every_row_has_people_and_only_pairs_have_targets(recognizer, tmp_path):
    path = make_scene(tmp_path / "a.mp4", lambda t: ((0.3, t % 1 > 0.5), (0.7, False)), 4.0)
    result = recognize_video(recognizer, path, config=PredictConfig(keep_places=True))
    people = result.scores.people
    assert result.scores.values.shape == people.subjects.shape == (40, 3)
    np.testing.assert_allclose(result.scores.values.sum(axis=1), 1, atol=1e-5)
    assert set(people.subjects.ravel()) <= {1, 2}
    assert (people.subjects + people.targets == 3).all()
    assert result.n_windows == 4  # 40 steps, windows of 25, every 6, and the last one
    assert set(result.pose_tracks.numbers) == {1, 2}
    assert all(event.target == 0 for event in result.events if event.label == "hitting_self")


def test_one_frame_at_a_time_is_the_same(recognizer, tmp_path):
    path = make_scene(tmp_path / "a.mp4", lambda t: ((0.3, t % 1 > 0.5), (0.7, False)), 3.0)
    results = [
        recognize_video(recognizer, path, config=PredictConfig(batch_steps=batch_steps))
        for batch_steps in (1, 16)
    ]
    np.testing.assert_allclose(
        results[0].scores.values, results[1].scores.values, rtol=0, atol=1e-5
    )
    assert results[0].probs == pytest.approx(results[1].probs, abs=1e-5)
