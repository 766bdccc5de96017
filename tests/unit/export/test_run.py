"""Exported networks say what Keras says, can be used, and are refused where they lose too much."""

import importlib.util
import json
import shutil
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import onnx
import pytest
from stores import LABELS, SIZE, make_store

from har.bundle import (
    CNN_GRAPH_FILE,
    INT8_GRAPH_FILE,
    TEMPORAL_GRAPH_FILE,
    BundleInfo,
    MotionContract,
    PoseContract,
    load_info,
    save_info,
)
from har.config import ExportConfig, InputConfig, PoseConfig, TemporalConfig
from har.errors import BundleMismatchError, ConfigError, ExportError
from har.export.int8 import add_int8, iter_samples
from har.export.measure import Comparison
from har.export.run import check_loss, export_bundle
from har.inference.clips import recognize_clips
from har.inference.detector import compute_detector_hash
from har.inference.model import Recognizer
from har.network.pose_head import build_pose_head
from har.network.saving import save_bundle
from har.network.temporal_head import build_cnn, build_temporal

SPEC = InputConfig(n_steps=4).window_spec(SIZE, 30.0)
N_FEATURES = 128
QUICK = {"n_timed": 1, "n_calibration": 3, "steps_per_clip": 2}
NEEDS = {"openvino": "openvino", "litert": "ai_edge_litert"}


def draw_weights(model: keras.Model) -> keras.Model:
    """Return every weight that starts at zero a value, so that the logits say something."""
    rng = np.random.default_rng(0)
    values = model.get_weights()
    model.set_weights([v if np.any(v) else rng.normal(0.0, 0.5, v.shape) for v in values])
    return model


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return make_store(tmp_path_factory.mktemp("export"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory) -> Path:
    keras.utils.set_random_seed(0)
    cnn = build_cnn("tiny", SPEC)
    head = draw_weights(build_temporal(TemporalConfig(units=4), N_FEATURES, 2))
    folder = tmp_path_factory.mktemp("export") / "bundle"
    motion = MotionContract(SPEC, N_FEATURES, "tiny", "lstm")
    save_bundle(folder, BundleInfo("lstm", LABELS, motion), cnn, head)
    return folder


@pytest.fixture(scope="module")
def people_bundle(tmp_path_factory) -> Path:
    config = PoseConfig(units=4, self_units=4, n_steps=4)
    spec = config.pose_spec(LABELS, "rests", compute_detector_hash())
    info = BundleInfo("lstm", LABELS, pose=PoseContract(spec, SPEC.pictures, 1.0))
    folder = tmp_path_factory.mktemp("export") / "people"
    save_bundle(folder, info, pose=draw_weights(build_pose_head(config, spec, LABELS, "rests")))
    return folder


@pytest.mark.parametrize("form", ["openvino", "litert", "saved_model"])
def test_other_forms_say_what_keras_says(bundle, tmp_path, form):
    if form in NEEDS and importlib.util.find_spec(NEEDS[form]) is None:
        pytest.skip(f"the extra {form} is not installed")
    result = export_bundle(bundle, tmp_path / "out", ExportConfig(form, **QUICK))
    assert result.comparison.split == "drawn"
    assert result.comparison.parity < 1e-3
    assert [part.name for part in result.parts] == ["frame_cnn", "temporal"]
    page = (tmp_path / "out" / "README.md").read_text()
    for part in result.parts:
        assert (tmp_path / "out" / part.file).exists()
        assert part.n_bytes > 1000
        assert part.ms > 0
        assert f"`{part.file}` | (N, " in page
    figures = json.loads((tmp_path / "out" / "export.json").read_text())
    assert figures == result.to_json()
    assert figures["accuracy_change"] is None


@pytest.mark.parametrize("form", ["onnx", "openvino", "litert", "saved_model"])
def test_people_are_exported(people_bundle, tmp_path, form):
    if form in NEEDS and importlib.util.find_spec(NEEDS[form]) is None:
        pytest.skip(f"the extra {form} is not installed")
    result = export_bundle(people_bundle, tmp_path / "out", ExportConfig(form, **QUICK))
    assert [part.name for part in result.parts] == ["pose"]
    assert result.comparison.parity < 1e-3
    assert "one person's features" in (tmp_path / "out" / "README.md").read_text()


def test_an_onnx_export_is_a_bundle_without_keras(bundle, store, tmp_path):
    (tmp_path / "out").mkdir()
    for name in ("export.json", "of_an_earlier_export.keras"):
        (tmp_path / "out" / name).write_text("{}")
    result = export_bundle(bundle, tmp_path / "out", ExportConfig(**QUICK), store)
    assert not list((tmp_path / "out").glob("*.keras"))
    info = load_info(tmp_path / "out")
    assert set(info.files) == {CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE}
    clips = store.indices("test").tolist()
    found = recognize_clips(Recognizer(tmp_path / "out"), store, clips).probs
    known = recognize_clips(Recognizer(bundle), store, clips).probs
    assert np.array_equal(found, known)
    truth = store.label_indices[clips]
    assert result.comparison.accuracy == (known.argmax(axis=1) == truth).mean()
    assert result.comparison.accuracy_change == 0.0
    assert result.comparison.n_clips == len(clips)


def test_int8_is_smaller_and_still_a_bundle(bundle, store, tmp_path):
    config = ExportConfig(int8=True, max_loss=1.0, **QUICK)
    result = export_bundle(bundle, tmp_path / "out", config, store)
    cnn, head = result.parts
    assert cnn.n_bytes < 0.5 * cnn.bundle_bytes
    assert head.n_bytes == head.bundle_bytes
    features = [
        Recognizer(folder).motion.compute_features(next(iter_samples(store, SPEC, config)))
        for folder in (bundle, tmp_path / "out")
    ]
    assert not np.array_equal(*features)
    assert np.abs(features[0] - features[1]).mean() < 0.2 * np.abs(features[0]).mean()


def test_int8_beside_the_cnn_is_for_those_who_ask(bundle, store, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    info = add_int8(folder, store, ExportConfig(**QUICK))
    assert info == load_info(folder)
    assert set(info.files) == {*load_info(bundle).files, INT8_GRAPH_FILE}
    stacks = next(iter_samples(store, SPEC, ExportConfig(**QUICK)))
    plain, same, fast = (
        Recognizer(where, 1, engine).motion.compute_features(stacks)
        for where, engine in (
            (bundle, "onnxruntime"),
            (folder, "onnxruntime"),
            (folder, "onnxruntime-int8"),
        )
    )
    assert np.array_equal(plain, same)
    assert 0 < np.abs(fast - plain).mean() < 0.2 * np.abs(plain).mean()


def test_the_first_quarter_of_the_convolutions_stays_in_floats(bundle, store, tmp_path):
    """Weights in integers come out of a node that scales them."""
    add_int8(shutil.copytree(bundle, tmp_path / "bundle"), store, ExportConfig(**QUICK))
    graph = onnx.load(tmp_path / "bundle" / INT8_GRAPH_FILE).graph
    made_by = {name: node.op_type for node in graph.node for name in node.output}
    weights = [made_by.get(n.input[1]) for n in graph.node if n.op_type == "Conv"]
    n_floats = round(len(weights) / 4)
    assert 0 < n_floats < len(weights)
    assert weights == [None] * n_floats + ["DequantizeLinear"] * (len(weights) - n_floats)


def test_samples_are_of_training_clips(store):
    config = ExportConfig(n_calibration=5, steps_per_clip=3)
    samples = list(iter_samples(store, replace(SPEC, motion_crop=1), config))
    assert len(samples) == 15
    assert all(sample.shape == (1, *SIZE, SPEC.n_channels) for sample in samples)
    training = {
        int(store.open_frames(store.clips[i].clip_id)[0, 0, 0]) for i in store.indices("train")
    }
    assert {int(sample[0, 0, 0, 0]) for sample in samples} <= training


@pytest.mark.parametrize(("accuracy", "refused"), [(0.89, False), (0.88, True)])
def test_more_than_a_point_is_refused(accuracy, refused):
    found = Comparison(0.1, "test", 100, 0.9, accuracy)
    if not refused:
        check_loss(ExportConfig(int8=True, max_loss=0.011), found)
        return
    with pytest.raises(
        ExportError, match=r"costs 2\.0% of accuracy \(from 90\.0% to 88\.0% on 100"
    ):
        check_loss(ExportConfig(int8=True), found)
    check_loss(ExportConfig(int8=True, max_loss=0.02 + 1e-9), found)
    check_loss(ExportConfig(), found)


def test_int8_needs_clips_and_a_cnn(bundle, people_bundle, tmp_path):
    with pytest.raises(ConfigError, match="--store"):
        export_bundle(bundle, tmp_path / "out", ExportConfig(int8=True))
    with pytest.raises(ConfigError, match="keypoints only"):
        export_bundle(people_bundle, tmp_path / "out", ExportConfig(int8=True))
    with pytest.raises(ConfigError, match="saved_model"):
        ExportConfig("saved_model", int8=True)
    assert not list(tmp_path.iterdir())


def test_what_is_no_export_is_never_replaced(bundle, tmp_path):
    (tmp_path / "holiday.jpg").write_text("mine")
    with pytest.raises(ConfigError, match="not an earlier export"):
        export_bundle(bundle, tmp_path, ExportConfig(**QUICK))
    assert (tmp_path / "holiday.jpg").read_text() == "mine"


def test_a_store_of_other_labels_is_refused(bundle, store, tmp_path):
    folder = tmp_path / "bundle"
    shutil.copytree(bundle, folder)
    save_info(folder, replace(load_info(bundle), labels=("dances", "sings")))
    with pytest.raises(BundleMismatchError, match="dances"):
        export_bundle(folder, tmp_path / "out", ExportConfig(**QUICK), store)
    assert not (tmp_path / "out").exists()
