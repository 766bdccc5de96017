"""A backbone and a head that are given as objects are trained, saved and recognized with."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import Input, Sequential, layers

from har.bundle import CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE
from har.config import RECIPES, CrossvalConfig, TrainConfig, update_config
from har.errors import ConfigError
from har.inference.clips import evaluate_bundle
from har.inference.model import Recognizer
from har.network.parts import OwnParts
from har.network.saving import load_models
from har.training.crossval import crossvalidate
from har.training.run import Run
from har.training.stages import train_all, train_lstm

pytestmark = pytest.mark.slow

QUICK = update_config(
    update_config(TrainConfig(), RECIPES["tiny"]),
    {
        "input": {"n_steps": 6},
        "cnn": {"steps_per_clip": 4, "fit": {"epochs": 3}},
        "temporal": {"n_variants": 1, "fit": {"epochs": 20, "learning_rate": 0.02}},
        "system": {"fit": {"epochs": 1}},
    },
)
FROZEN = update_config(QUICK, RECIPES["frozen"])


def make_backbone():
    keras.utils.set_random_seed(5)
    conv = layers.Conv2D(8, 5, strides=4, activation="relu")
    return Sequential([Input((None, None, 3)), conv, layers.GlobalMaxPooling2D()])


def build_head(n_features, n_labels):
    lstm = layers.LSTM(8, return_sequences=True)
    return Sequential([Input((None, n_features)), lstm, layers.Dense(n_labels)])


PARTS = OwnParts(make_backbone(), build_head)


def make_run(folder):
    return Run(folder / "bundle", folder / "results", progress=False, say=lambda _: None)


@pytest.fixture(scope="module")
def trained(bar_store, tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("own"))
    return train_all(QUICK, bar_store, run, PARTS), run


def test_all_stages_train_them_and_a_bundle_keeps_them(trained, bar_store):
    info, run = trained
    assert (info.stage, info.motion.backbone, info.motion.temporal) == ("system", "own", "own")
    assert info.motion.n_features == 8
    assert set(info.recipe["own_parts"]) == {"backbone", "head"}
    assert evaluate_bundle(run.bundle_dir, bar_store, "test").metrics.accuracy == 1.0
    _, cnn, head = load_models(run.bundle_dir)
    (backbone,) = (layer for layer in cnn.layers if isinstance(layer, keras.Model))
    assert isinstance(head.layers[0], layers.LSTM)
    moved = [
        np.abs(ours - theirs).max()
        for ours, theirs in zip(backbone.get_weights(), make_backbone().get_weights(), strict=True)
    ]
    assert min(moved) > 0  # the CNN stage has trained the copy,
    for ours, theirs in zip(
        PARTS.backbone.get_weights(), make_backbone().get_weights(), strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)  # and left the object as it was


def test_graphs_give_what_keras_gives(trained):
    _, run = trained
    info, cnn, head = load_models(run.bundle_dir)
    recognizer = Recognizer(run.bundle_dir)
    spec = info.motion.spec
    shape = (3, *spec.size, spec.n_channels)
    stacks = np.random.default_rng(0).integers(0, 255, shape, dtype=np.uint8)
    features = np.asarray(cnn(stacks))
    np.testing.assert_allclose(recognizer.graphs[CNN_GRAPH_FILE](stacks), features, atol=1e-4)
    logits = recognizer.graphs[TEMPORAL_GRAPH_FILE](features[None])
    np.testing.assert_allclose(logits, np.asarray(head(features[None])), atol=1e-4)


def test_folds_begin_anew_and_are_known_by_their_parts(bar_store, tmp_path):
    settings, run = CrossvalConfig(2, 1), make_run(tmp_path)
    found = crossvalidate(FROZEN, settings, bar_store, run, PARTS)
    assert found.intervals["accuracy"].mean > 0.9
    again = OwnParts(make_backbone(), build_head)  # other names of layers, the same parts
    assert crossvalidate(FROZEN, settings, bar_store, run, again).to_json() == found.to_json()
    assert len(list((tmp_path / "results").iterdir())) == 1
    crossvalidate(FROZEN, settings, bar_store, run, replace(PARTS, head=None))
    assert len(list((tmp_path / "results").iterdir())) == 2


def test_parts_need_a_stream_and_no_bundle_to_start_from(trained, bar_store, tmp_path):
    run = make_run(tmp_path)
    with pytest.raises(ConfigError, match="part of the motion stream"):
        train_all(replace(QUICK, streams="pose"), bar_store, run, PARTS)
    source = replace(run, source=trained[1].bundle_dir)
    with pytest.raises(ConfigError, match="leave out one of the two"):
        train_all(QUICK, bar_store, source, PARTS)


def test_a_built_in_head_learns_on_the_features_of_an_own_backbone(trained, bar_store, tmp_path):
    _, run = trained
    info = train_lstm(QUICK, bar_store, run)
    assert (info.motion.backbone, info.motion.temporal) == ("own", "lstm")
    assert evaluate_bundle(run.bundle_dir, bar_store, "test").metrics.accuracy == 1.0
