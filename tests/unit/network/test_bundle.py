"""A bundle survives the disk; its graphs say what Keras says; unsafe ones are refused."""

import zipfile

import keras
import numpy as np
import pytest

from har import contract
from har.config import InputConfig, TemporalConfig
from har.contract import BundleInfo
from har.errors import BundleIntegrityError
from har.network.bundle import load_models, save_bundle
from har.network.system import build_cnn, rebuild_cnn
from har.network.temporal import build_temporal
from har.runtime.recognizer import Recognizer

SPEC = InputConfig(n_steps=4).window_spec((64, 96), 30.0)
STACKS = np.random.default_rng(0).integers(0, 255, (6, 64, 96, 5), dtype=np.uint8)


@pytest.fixture(scope="module")
def models():
    keras.utils.set_random_seed(0)
    cnn = build_cnn("tiny", SPEC)
    return cnn, build_temporal(TemporalConfig(units=8), int(cnn.output_shape[-1]), 3)


@pytest.fixture(scope="module")
def bundle_dir(models, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles") / "one"
    info = BundleInfo(
        "lstm", ("c", "a", "b"), SPEC, int(models[0].output_shape[-1]), "tiny", "lstm"
    )
    save_bundle(folder, info, *models)
    return folder


def test_graphs_give_what_keras_gives(models, bundle_dir):
    cnn, head = models
    recognizer = Recognizer(bundle_dir)
    features = recognizer.compute_features(STACKS)
    assert np.allclose(features, keras.ops.convert_to_numpy(cnn(STACKS)), atol=1e-4)
    windows = features[None, :4]
    logits = recognizer.compute_logits(windows)
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
    assert names == {*info.files, contract.BUNDLE_FILE}
    assert not list(bundle_dir.parent.glob(".*"))


def test_an_altered_model_is_not_opened(models, bundle_dir, tmp_path):
    info, _, _ = load_models(bundle_dir)
    folder = tmp_path / "copy"
    save_bundle(folder, info, *models)
    path = folder / contract.CNN_FILE
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(BundleIntegrityError, match="SHA-256"):
        load_models(folder)


def test_code_in_a_model_is_refused_even_if_its_hash_is_right(models, tmp_path):
    folder = tmp_path / "evil"
    cnn, _ = models
    evil = keras.Sequential([keras.Input((4, 128)), keras.layers.Lambda(lambda x: x)])
    info = BundleInfo("lstm", ("a", "b"), SPEC, 128, "tiny", "lstm")
    written = save_bundle(folder, info, cnn, evil)
    assert zipfile.is_zipfile(folder / contract.TEMPORAL_FILE)
    contract.save_info(folder, written)
    with pytest.raises(BundleIntegrityError, match="safely"):
        load_models(folder)


def test_a_mixed_precision_twin_has_the_same_weights_and_freezing(models):
    cnn, _ = models
    twin = rebuild_cnn(cnn, "tiny", SPEC, "avg", "mixed_bfloat16")
    assert keras.config.dtype_policy().name == "float32"
    assert np.allclose(twin(STACKS), cnn(STACKS), atol=0.1)
    assert keras.ops.dtype(twin(STACKS)) == "float32"
