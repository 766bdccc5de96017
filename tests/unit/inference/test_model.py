"""A loaded bundle: what it has, what it refuses, and how logits become probabilities."""

from dataclasses import replace

import numpy as np
import pytest
from bodies import wander
from bundles import LABELS, POSE_SPEC, make_bundle, make_people_bundle

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE, load_info, save_info
from har.config import DecodeConfig
from har.errors import BundleIntegrityError, BundleMismatchError
from har.inference.model import Recognizer
from har.pose.features import compute_window


def change(folder, **values):
    save_info(folder, replace(load_info(folder), **values))
    return Recognizer(folder)


def test_a_bundle_has_the_streams_it_says(tmp_path):
    made = {
        "motion": make_bundle(tmp_path / "m"),
        "pose": make_people_bundle(tmp_path / "p"),
        "both": make_people_bundle(tmp_path / "b", "both"),
    }
    has = {name: Recognizer(folder) for name, folder in made.items()}
    names = {name: [stream.name for stream in item.streams] for name, item in has.items()}
    assert names == {"motion": ["motion"], "pose": ["pose"], "both": ["motion", "pose"]}
    assert has["pose"].pose.spec == has["both"].pose.spec == POSE_SPEC
    assert (has["motion"].pose, has["pose"].motion) == (None, None)
    alone = has["both"].take_pose()
    assert (alone.streams, alone.info.stream_names) == ((has["both"].pose,), "pose")
    with pytest.raises(BundleMismatchError, match="knows motion only"):
        has["motion"].take_pose()


def test_a_stream_by_itself_is_the_bundle_without_the_other(tmp_path):
    both, motion = make_people_bundle(tmp_path / "b", "both"), load_info(tmp_path / "b").motion
    change(both, alone={"motion": 3.0})
    half = Recognizer(both, streams="motion")
    (both / POSE_GRAPH_FILE).unlink()  # is not needed, so a half starts as fast as it is
    assert set(Recognizer(both, streams="motion").graphs) == set(motion.graph_names)
    assert [stream.name for stream in half.streams] == ["motion"]
    odds = np.exp(2.0 / 3.0)
    assert half.compute_probs(np.array([0.0, 2.0]))[1] == pytest.approx(odds / (1 + odds))
    with pytest.raises(BundleMismatchError, match="knows motion only"):
        Recognizer(make_bundle(tmp_path / "m"), streams="both")


def test_keypoints_of_another_network_are_refused(tmp_path):
    make_people_bundle(tmp_path, pose=replace(POSE_SPEC, detector="0" * 64))
    with pytest.raises(BundleMismatchError, match="another pose network"):
        Recognizer(tmp_path)


@pytest.mark.parametrize("name", [POSE_GRAPH_FILE, CNN_GRAPH_FILE])
def test_a_missing_or_altered_graph_is_refused(tmp_path, name):
    folder = make_people_bundle(tmp_path, "both")
    (folder / name).write_bytes((folder / name).read_bytes() + b" ")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        Recognizer(folder)
    (folder / name).unlink()
    with pytest.raises(BundleIntegrityError, match="has no"):
        Recognizer(folder)


def test_a_contract_that_does_not_fit_its_graphs_is_refused_at_the_load(tmp_path):
    folder = make_people_bundle(tmp_path, "both")
    info = load_info(folder)
    with pytest.raises(
        BundleIntegrityError, match=r"pose\.onnx: .* makes \(1, 10, 2\), .* 3 labels"
    ):
        change(folder, motion=None, labels=(*LABELS, "other"))
    with pytest.raises(BundleIntegrityError, match=r"temporal\.onnx: .* with 3 labels"):
        change(folder, motion=info.motion, pose=None)
    spec = replace(info.motion.spec, lags_s=((0.0, -0.04),))
    for motion in (replace(info.motion, spec=spec), replace(info.motion, n_features=5)):
        with pytest.raises(BundleIntegrityError, match=r"frame_cnn\.onnx: of \(1, 192, 256, "):
            change(folder, labels=LABELS, motion=motion)


def test_temperature_divides_and_then_the_bias_is_added(tmp_path):
    folder = make_people_bundle(tmp_path)
    logits = np.array([[0.0, 2.0], [0.0, 0.0]])
    assert Recognizer(folder).compute_probs(logits)[1].tolist() == [0.5, 0.5]
    changed = change(folder, temperature=2.0, bias=(0.5, -0.5))
    odds = np.exp([2.0 / 2.0 - 1.0, -1.0])  # of the second label against the first
    np.testing.assert_allclose(changed.compute_probs(logits)[:, 1], odds / (1 + odds), atol=1e-6)
    assert changed.compute_probs(logits).dtype == np.float32


def test_background_is_the_bundle_s_and_else_the_first_label(tmp_path):
    assert Recognizer(make_people_bundle(tmp_path / "a")).info.background == 0
    decode = DecodeConfig(background=LABELS[1])
    assert Recognizer(make_people_bundle(tmp_path / "b", decode=decode)).info.background == 1
    assert (
        Recognizer(make_people_bundle(tmp_path / "c", decode=DecodeConfig())).info.background == 0
    )


def test_people_are_answered_one_by_one_and_padding_is_not_weighed(tmp_path):
    recognizer = Recognizer(make_people_bundle(tmp_path))
    rng = np.random.default_rng(0)
    points = np.stack([wander(rng, 6, x) for x in (80.0, 200.0, 320.0)], axis=1)
    window = compute_window(points, 10.0)
    logits = recognizer.pose.compute_people_logits(window)
    assert logits.shape == (3, 2)
    alone = [compute_window(points[:, [column]], 10.0) for column in range(3)]
    for row, single in enumerate(alone):  # this bundle does not look at pairs, but may see a mirror
        np.testing.assert_allclose(
            recognizer.pose.compute_people_logits(single)[0], logits[row], atol=0.5
        )
    nobody = compute_window(np.zeros((6, 0, 17, 3)), 10.0)
    assert recognizer.pose.compute_people_logits(nobody).shape == (0, 2)
