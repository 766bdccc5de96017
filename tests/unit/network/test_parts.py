"""A part of one's own fits, can be saved safely, and is left as it was; else it is refused."""

import keras
import numpy as np
import pytest
from keras import Input, Sequential, layers

from har.config import InputConfig
from har.errors import ConfigError
from har.network.parts import build_own_backbone, build_own_head, compute_structure_hash
from har.network.temporal_head import build_cnn

SHAPE = (32, 48, 3)
SIZES = (6, 8, 2)
"""T, D, K"""


@keras.saving.register_keras_serializable(package="mine")
class Doubled(layers.Layer):
    def call(self, x):
        return 2 * x


def make_backbone(*between, size=(None, None, 3), activation="relu"):
    conv = layers.Conv2D(8, 5, strides=4, activation=activation)
    return Sequential([Input(size), conv, *between, layers.GlobalMaxPooling2D()])


def make_head(n_labels=2, n_features=8, n_steps=None, **lstm):
    options = {"return_sequences": True, **lstm}
    return Sequential(
        [Input((n_steps, n_features)), layers.LSTM(4, **options), layers.Dense(n_labels)]
    )


def make_two_inputs():
    inputs = [Input((None, None, 3)), Input((None, None, 3))]
    return keras.Model(inputs, layers.GlobalMaxPooling2D()(layers.Add()(inputs)))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (lambda: make_backbone(layers.Lambda(lambda x: x)), "safe mode.*Lambda"),
        (lambda: make_backbone(Doubled()), "Doubled, which is not one of Keras' own"),
        (lambda: make_backbone(size=(None, None, 1)), r"\(32, 48, 3\).*\(None, None, None, 1\)"),
        (lambda: make_backbone(size=(64, 96, 3)), r"cnn\.downsample"),
        (lambda: Sequential([Input(SHAPE), layers.Conv2D(4, 3)]), "one vector a picture"),
        (lambda: Sequential([layers.Conv2D(4, 3)]), "begin it with keras.Input"),
        (make_two_inputs, "one input and one output"),
    ],
)
def test_a_backbone_that_does_not_fit_is_refused(build, said):
    with pytest.raises(ConfigError, match=f"(?s)backbone.*{said}"):
        build_own_backbone(build(), SHAPE)


@pytest.mark.parametrize(
    ("head", "said"),
    [
        (lambda: make_head(n_labels=3), r"logits of 2 labels.*\(None, None, 3\)"),
        (lambda: make_head(n_features=5), r"\(T, D\)=\(6, 8\).*\(None, None, 5\)"),
        (lambda: make_head(n_steps=7), r"\(6, 8\).*\(None, 7, 8\)"),
        (lambda: make_head(return_sequences=False), "return_sequences=True"),
        (lambda: lambda n_features, n_labels: "head", "must return a Keras model, received str"),
        (
            lambda: lambda d, k: Sequential([Input((None, d)), Doubled(), layers.Dense(k)]),
            "Doubled",
        ),
    ],
)
def test_a_head_that_does_not_fit_is_refused(head, said):
    with pytest.raises(ConfigError, match=f"(?s)head.*{said}"):
        build_own_head(head(), *SIZES)


def test_a_cnn_is_built_around_a_backbone_and_leaves_it_as_it_was():
    backbone = make_backbone()
    before = backbone.get_weights()
    spec = InputConfig(n_steps=4, motion_crop=1).window_spec((64, 96), 30.0)
    cnn = build_cnn(backbone, spec, downsample=2)
    stacks = np.random.default_rng(0).integers(0, 255, (2, 64, 96, 4), dtype=np.uint8)
    differences = np.asarray(cnn.get_layer("motion")(stacks))
    means = differences.reshape(2, 32, 2, 48, 2, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(np.asarray(cnn(stacks)), np.asarray(backbone(means)), atol=1e-5)
    cnn.set_weights([weight + 1 for weight in cnn.get_weights()])
    for ours, theirs in zip(backbone.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_head_is_copied_and_a_function_is_called():
    head = make_head()
    copied = build_own_head(head, *SIZES)
    assert copied is not head
    values = np.ones((1, 6, 8), "float32")
    np.testing.assert_array_equal(np.asarray(copied(values)), np.asarray(head(values)))
    sizes = []
    build_own_head(lambda d, k: sizes.append((d, k)) or make_head(k, d), *SIZES)
    assert sizes == [(8, 2)]


def test_a_structure_is_known_whatever_its_layers_are_called():
    first, second, other = make_backbone(), make_backbone(), make_backbone(activation="tanh")
    assert first.layers[0].name != second.layers[0].name
    hashes = [compute_structure_hash(model) for model in (first, second, other)]
    assert hashes[0] == hashes[1] != hashes[2]
