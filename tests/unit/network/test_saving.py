"""A bundle survives the disk; its graphs say what Keras says; unsafe ones are refused."""

import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest

from har.bundle import (
    BUNDLE_FILE,
    CNN_FILE,
    CNN_GRAPH_FILE,
    POSE_FILE,
    POSE_GRAPH_FILE,
    TEMPORAL_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    PoseContract,
    load_info,
    save_info,
)
from har.config import InputConfig, PoseConfig, TemporalConfig
from har.errors import BundleIntegrityError, BundleMismatchError
from har.inference.detector import compute_detector_hash
from har.inference.model import Recognizer
from har.network.pose_head import build_pose_head
from har.network.saving import load_models, load_pose, save_bundle
from har.network.temporal_head import build_cnn, build_temporal, rebuild_cnn
from har.pose.features import N_FEATURES

SPEC = InputConfig(n_steps=4).window_spec((64, 96), 30.0)
STACKS = np.random.default_rng(0).integers(0, 255, (6, 64, 96, 4), dtype=np.uint8)


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    cnn = build_cnn("tiny", SPEC)
    return cnn, build_temporal(TemporalConfig(units=8), int(cnn.output_shape[-1]), 3)


def make_motion(cnn: keras.Model) -> MotionContract:
    return MotionContract(SPEC, int(cnn.output_shape[-1]), "tiny", "lstm")


@pytest.fixture(scope="module")
def bundle_dir(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "one"
    info = BundleInfo("lstm", ("c", "a", "b"), make_motion(models[0]))
    save_bundle(folder, info, *models)
    return folder


def test_graphs_give_what_keras_gives(models, bundle_dir):
    cnn, head = models
    recognizer = Recognizer(bundle_dir)
    features = recognizer.motion.compute_features(STACKS)
    assert np.allclose(features, keras.ops.convert_to_numpy(cnn(STACKS)), atol=1e-4)
    windows = features[None, :4]
    logits = recognizer.motion.compute_logits(windows)
    assert logits.shape == (1, 4, 3)
    assert np.allclose(logits, keras.ops.convert_to_numpy(head(windows)), atol=1e-4)
    assert recognizer.compute_probs(logits).sum(axis=-1) == pytest.approx(1.0, abs=1e-5)


def test_what_is_loaded_is_what_was_saved(models, bundle_dir):
    info, cnn, head = load_models(bundle_dir)
    assert info.labels == ("c", "a", "b")
    assert info.versions["keras"] == keras.__version__
    for ours, theirs in zip((cnn, head), models, strict=True):
        for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
            assert np.array_equal(a, b)


def test_saving_again_replaces_the_whole_bundle(models, bundle_dir):
    (bundle_dir / "stray").write_text("left over")
    info, _, _ = load_models(bundle_dir)
    save_bundle(bundle_dir, info, *models)
    names = {path.name for path in bundle_dir.iterdir()}
    assert names == {*info.files, BUNDLE_FILE}
    assert not list(bundle_dir.parent.glob(".*"))


def test_an_altered_model_is_not_opened(models, bundle_dir, tmp_path):
    info, _, _ = load_models(bundle_dir)
    folder = tmp_path / "copy"
    save_bundle(folder, info, *models)
    path = folder / CNN_FILE
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        load_models(folder)


def test_code_in_a_model_is_refused_even_if_its_hash_is_right(models, tmp_path):
    folder = tmp_path / "evil"
    cnn, _ = models
    evil = keras.Sequential([keras.Input((4, 128)), keras.layers.Lambda(lambda x: x)])
    info = BundleInfo("lstm", ("a", "b"), make_motion(cnn))
    written = save_bundle(folder, info, cnn, evil)
    assert zipfile.is_zipfile(folder / TEMPORAL_FILE)
    save_info(folder, written)
    with pytest.raises(BundleIntegrityError, match="safely"):
        load_models(folder)


def test_a_mixed_precision_twin_has_the_same_weights_and_freezing(models):
    cnn, _ = models
    twin = rebuild_cnn(cnn, "tiny", SPEC, "avg", "mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert np.allclose(twin(STACKS), cnn(STACKS), atol=0.1)
    assert keras.ops.dtype(twin(STACKS)) == "float32"


PEOPLE = np.random.default_rng(1).normal(size=(3, 6, N_FEATURES)).astype(np.float32)
POSE_LABELS = ("hitting_others", "hitting_self", "playing")


@pytest.fixture(scope="module")
def pose_bundles(models, tmp_path_factory):
    """Bundles of the pose stream alone and of both, with the same pose head."""
    config = PoseConfig(units=4, self_units=4, n_steps=6)
    spec = config.pose_spec(POSE_LABELS, "playing", compute_detector_hash())
    pose = build_pose_head(config, spec, POSE_LABELS, "playing")
    rng = np.random.default_rng(0)
    pose.set_weights([w + np.abs(rng.normal(0, 0.2, w.shape)) for w in pose.get_weights()])
    folder = tmp_path_factory.mktemp("people")
    info = BundleInfo("lstm", POSE_LABELS, pose=PoseContract(spec, SPEC.pictures, 1.0))
    save_bundle(folder / "pose", info, pose=pose)
    info = replace(info, motion=make_motion(models[0]))
    save_bundle(folder / "both", info, *models, pose)
    return folder, pose


@pytest.mark.parametrize("streams", ["pose", "both"])
def test_a_pose_head_survives_the_disk_and_its_graph_agrees(pose_bundles, streams):
    folder, pose = pose_bundles
    info, loaded = load_pose(folder / streams)
    assert (info.stream_names, info.pose.spec.single_person_labels) == (streams, ("hitting_self",))
    for ours, theirs in zip(loaded.get_weights(), pose.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    recognizer = Recognizer(folder / streams)
    expected = keras.ops.convert_to_numpy(pose(PEOPLE))
    np.testing.assert_allclose(recognizer.graphs[POSE_GRAPH_FILE](PEOPLE), expected, atol=1e-4)
    assert (recognizer.motion is not None) is (streams == "both")


def test_a_bundle_has_the_files_of_its_streams_only(pose_bundles, bundle_dir):
    folder, _ = pose_bundles
    pose = {POSE_FILE, POSE_GRAPH_FILE}
    motion = {CNN_FILE, CNN_GRAPH_FILE}
    motion |= {TEMPORAL_FILE, TEMPORAL_GRAPH_FILE}
    for path, files in ((folder / "pose", pose), (folder / "both", pose | motion)):
        assert set(load_info(path).files) == files
        assert {item.name for item in path.iterdir()} == files | {BUNDLE_FILE}
    with pytest.raises(BundleMismatchError, match="--streams pose"):
        load_models(folder / "pose")
    with pytest.raises(BundleMismatchError, match="--streams motion"):
        load_pose(bundle_dir)


def test_half_the_bits_are_smaller_and_all_forms_still_agree(pose_bundles, tmp_path):
    folder, _ = pose_bundles
    info, pose = load_pose(folder / "pose")
    save_bundle(tmp_path / "half", info, pose=pose, half=True)
    sizes = [
        (path / POSE_GRAPH_FILE).stat().st_size for path in (folder / "pose", tmp_path / "half")
    ]
    assert sizes[1] < sizes[0]
    expected = keras.ops.convert_to_numpy(load_pose(tmp_path / "half")[1](PEOPLE))
    np.testing.assert_allclose(
        Recognizer(tmp_path / "half").graphs[POSE_GRAPH_FILE](PEOPLE), expected, atol=5e-3
    )
    plain = Recognizer(folder / "pose").graphs[POSE_GRAPH_FILE](PEOPLE)
    np.testing.assert_allclose(expected, plain, atol=0.05)
