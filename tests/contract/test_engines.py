"""Every engine runs the same graphs, says what Keras says, and fails the same way."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import pytest
from bundles import make_bundle

from har.bundle import CNN_GRAPH_FILE, POSE_GRAPH_FILE, BundleInfo, MotionContract, PoseContract
from har.config import InputConfig, PoseConfig, TemporalConfig
from har.config.engine import ENGINE, Engine
from har.errors import (
    BundleIntegrityError,
    BundleMismatchError,
    ConfigError,
    MissingDependencyError,
)
from har.inference.detector import PoseDetector, compute_detector_hash
from har.inference.engines import ENGINE_VARIABLE, Graph, find_engine, list_engines
from har.inference.model import Recognizer, compute_softmax
from har.network.pose_head import build_pose_head
from har.network.saving import export_graph, save_bundle
from har.network.temporal_head import build_cnn, build_temporal
from har.pose.features import N_FEATURES, SEEN_COLUMN

LABELS = ("hitting_others", "hitting_self", "playing")
SPEC = InputConfig(n_steps=6).window_spec((64, 96), 30.0)
STACKS = np.random.default_rng(0).integers(0, 256, (6, 64, 96, 4), dtype=np.uint8)
MOST_APART = {"openvino-bf16": 0.1}
"""Largest difference of a probability that is allowed where it is not a thousandth."""
MOST_PX_APART = {"openvino-bf16": 3.0}
REFERENCE = Path(__file__).parents[1] / "unit" / "inference" / "data" / "movenet_reference.npz"


@pytest.fixture(params=[name for name in list_engines("fast") if name != "onnxruntime-int8"])
def engine(request) -> Engine:
    """Each that is installed; integers are ONNX Runtime on another file."""
    return request.param


def draw_weights(model: keras.Model, seed: int) -> keras.Model:
    """Return every weight that starts at zero a value, so that the logits say something."""
    rng = np.random.default_rng(seed)
    values = model.get_weights()
    model.set_weights([v if np.any(v) else rng.normal(0.0, 0.5, v.shape) for v in values])
    return model


@pytest.fixture(scope="module")
def cnns() -> dict[str, keras.Model]:
    keras.utils.set_random_seed(0)
    return {name: draw_weights(build_cnn(name, SPEC), 1) for name in ("tiny", "lite0")}


@pytest.fixture(scope="module", params=[("tiny", "tcn"), ("lite0", "lstm")])
def motion(request, cnns, tmp_path_factory):
    """A CNN, a head, and the folder of their bundle."""
    backbone, kind = request.param
    cnn = cnns[backbone]
    n_features = int(cnn.output_shape[-1])
    head = draw_weights(build_temporal(TemporalConfig(units=8, kind=kind), n_features, 3), 2)
    folder = tmp_path_factory.mktemp("engines") / kind
    contract = MotionContract(SPEC, n_features, backbone, kind)
    save_bundle(folder, BundleInfo("lstm", LABELS, contract), cnn, head)
    return cnn, head, folder


@pytest.fixture(scope="module", params=[LABELS, ("fight", "playing")], ids=["own", "spread"])
def people(request, tmp_path_factory):
    """A head of the pose stream and the folder of its bundle, with labels of one body or none."""
    labels = request.param
    config = PoseConfig(units=8, self_units=8, n_steps=6)
    spec = config.pose_spec(labels, "playing", compute_detector_hash())
    head = draw_weights(build_pose_head(config, spec, labels, "playing"), 3)
    folder = tmp_path_factory.mktemp("engines") / "people"
    info = BundleInfo("lstm", labels, pose=PoseContract(spec, SPEC.pictures, 1.0))
    save_bundle(folder, info, pose=head)
    return head, folder


def test_motion_says_what_keras_says(motion, engine):
    cnn, head, folder = motion
    recognizer = Recognizer(folder, n_threads=1, engine=engine)
    features = recognizer.motion.compute_features(STACKS)
    probs = recognizer.compute_probs(recognizer.motion.compute_logits(features[None]))
    known = compute_softmax(np.asarray(head(cnn(STACKS)[None])))
    assert known.std() > 0.01
    assert np.abs(probs - known).max() < MOST_APART.get(engine, 1e-3)


def test_people_say_what_keras_says(people, engine):
    head, folder = people
    features = np.random.default_rng(4).normal(size=(3, 6, N_FEATURES)).astype(np.float32)
    features[..., SEEN_COLUMN] = 1.0
    graph = Graph(folder / POSE_GRAPH_FILE, 1, engine)
    known = compute_softmax(np.asarray(head(features)))
    assert known.std() > 0.01
    assert np.abs(compute_softmax(graph.run(features)) - known).max() < MOST_APART.get(engine, 1e-3)


def test_a_gru_is_for_one_engine_and_the_other_says_so(tmp_path):
    head = draw_weights(build_temporal(TemporalConfig(units=4, kind="gru"), 5, 3), 2)
    features = np.random.default_rng(0).normal(size=(2, 6, 5)).astype(np.float32)
    path = tmp_path / "gru.onnx"
    export_graph(head, features, path)
    found = Graph(path, 1, "onnxruntime").run(features)
    assert np.abs(compute_softmax(found) - compute_softmax(np.asarray(head(features)))).max() < 1e-3
    if importlib.util.find_spec("openvino") is not None:
        with pytest.raises(BundleIntegrityError, match=r"gru\.onnx cannot be run by openvino"):
            Graph(path, 1, "openvino")


def test_people_are_found_alike(engine):
    with np.load(REFERENCE, allow_pickle=False) as arrays:
        picture = arrays["192x320_picture"]
    points, scores = PoseDetector(n_threads=1, engine=engine).detect(picture)
    known_points, known_scores = PoseDetector(n_threads=1, engine=ENGINE).detect(picture)
    assert np.abs(scores - known_scores).max() < MOST_APART.get(engine, 1e-3)
    assert np.abs(points[0] - known_points[0]).max() < MOST_PX_APART.get(engine, 0.1)


@pytest.fixture
def graph(tmp_path, engine) -> Graph:
    return Graph(make_bundle(tmp_path / "b") / CNN_GRAPH_FILE, 1, engine)


def test_an_answer_stays_when_the_next_is_given(graph):
    first = graph.run(np.full((1, 2, 2, 2), (10, 30), dtype=np.uint8))
    kept = first.copy()
    graph.run(np.full((1, 2, 2, 2), (10, 90), dtype=np.uint8))
    assert np.array_equal(first, kept)
    assert kept.tolist() == [[0.0, 20.0]]
    assert first.flags.writeable


def test_any_number_of_frames_is_taken(graph):
    for n in (1, 5, 2):
        assert graph.run(np.zeros((n, 4, 4, 3), dtype=np.uint8)).shape == (n, 3)


def test_a_view_of_other_pixels_is_read_right(graph):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    view = pixels[:, ::2, :, ::-1]
    assert np.array_equal(graph.run(view), graph.run(view.copy()))


def test_threads_may_share_a_graph(graph):
    batches = [np.full((1, 64, 64, 2), (0, level), dtype=np.uint8) for level in range(200)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(graph.run, batches))
    assert [values[0, 1] for values in found] == list(range(200))


@pytest.mark.parametrize("values", [np.zeros((1, 4, 4), np.uint8), np.zeros((1, 4, 4, 3), "f4")])
def test_another_input_is_refused(graph, values):
    with pytest.raises(BundleMismatchError, match="does not take an input of shape"):
        graph.run(values)


def test_a_damaged_file_is_refused(tmp_path, engine):
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"no graph")
    with pytest.raises(BundleIntegrityError, match=r"broken\.onnx cannot be run by"):
        Graph(path, 1, engine)


def test_the_engine_is_the_callers_else_the_variables_else_the_default(monkeypatch, tmp_path):
    monkeypatch.delenv(ENGINE_VARIABLE, raising=False)
    assert find_engine() == ENGINE == "onnxruntime"
    monkeypatch.setenv(ENGINE_VARIABLE, "openvino")
    assert find_engine() == "openvino"
    path = make_bundle(tmp_path / "b") / CNN_GRAPH_FILE
    assert Graph(path, 1, "onnxruntime").engine == "onnxruntime"
    monkeypatch.setenv(ENGINE_VARIABLE, "")
    assert find_engine() == ENGINE


def test_an_uncertain_engine_is_refused(monkeypatch):
    monkeypatch.setenv(ENGINE_VARIABLE, "abacus")
    with pytest.raises(ConfigError, match=r"onnxruntime, .*openvino-bf16, received 'abacus'"):
        find_engine()


def test_an_engine_that_is_not_installed_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingDependencyError, match=r"human-action-recognition\[openvino\]"):
        Graph(make_bundle(tmp_path / "b") / CNN_GRAPH_FILE, 1, "openvino")
