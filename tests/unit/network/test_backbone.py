from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from har.config.train import KERAS_BACKBONES
from har.errors import ConfigError
from har.network.frame_cnn import _list_applications, build_backbone, freeze_backbone

REFERENCE = Path(__file__).parent / "data" / "lite0_reference.npz"


def make_picture(size: tuple[int, int]) -> np.ndarray:
    """The same formulas as scripts/convert_lite0.py, scaled to [-1, 1], with a batch axis."""
    y, x = np.mgrid[: size[0], : size[1]]
    disc = (y - size[0] // 2) ** 2 + (x - size[1] // 3) ** 2 < (size[0] // 4) ** 2
    red = (3 * y + x) % 256
    green = np.where((y // 16 + x // 16) % 2 == 0, 200, 40)
    blue = np.where(disc, 230, (x * y // 64) % 256)
    picture = np.stack([red, green, blue], axis=-1).astype(np.float32)
    return ((picture - 127.0) / 128.0)[None]


@pytest.fixture(scope="module")
def lite0() -> keras.Model:
    return build_backbone("lite0", (None, None))


@pytest.fixture(scope="module")
def tiny() -> keras.Model:
    return build_backbone("tiny", (96, 128))


@pytest.mark.parametrize("size", [(224, 224), (128, 224)])
def test_lite0_gives_the_features_of_the_original_network(lite0, size):
    with np.load(REFERENCE, allow_pickle=False) as arrays:
        expected = arrays[f"{size[0]}x{size[1]}"]
    features = lite0.predict_on_batch(make_picture(size))[0]
    # Kernels are rounded to float16 (5e-4 of their size) through 50 layers; measured 0.012 and
    # 6e-4 where features reach 4. With float32 kernels the largest difference is 6e-6.
    assert np.abs(features - expected).max() < 0.02
    assert np.abs(features - expected).mean() < 1e-3


def test_fixed_and_free_sizes_give_the_same_features(lite0):
    picture = make_picture((128, 224))
    fixed = build_backbone("lite0", (128, 224))
    assert fixed.output_shape == (None, 1280)
    np.testing.assert_allclose(
        fixed.predict_on_batch(picture), lite0.predict_on_batch(picture), atol=1e-4
    )


def test_lite0_without_weights_starts_at_random():
    model = build_backbone("lite0", (64, 64), weights=False)
    assert model.count_params() == 3_413_024
    mean = model.get_layer("block00_stem_bn").moving_mean
    assert np.all(mean.numpy() == 0)


def test_tiny_is_small_and_gives_finite_features(tiny):
    assert 60_000 < tiny.count_params() < 100_000
    features = tiny.predict_on_batch(np.repeat(make_picture((96, 128)), 2, axis=0))
    assert features.shape == (2, 128)
    assert np.all(np.isfinite(features))
    assert np.all(features[0] == features[1])


def test_tiny_learns_which_half_moves():
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    labels = np.arange(64) % 2
    pictures = rng.normal(0.0, 0.05, (64, 64, 64, 3)).astype(np.float32)
    for picture, label in zip(pictures, labels, strict=True):
        column, row = rng.integers(4, 44, size=2)
        sign = 1.0 if label else -1.0  # a bright edge that leads or trails a dark one
        picture[row : row + 16, column : column + 8] += 0.8 * sign
        picture[row : row + 16, column + 8 : column + 16] -= 0.8 * sign
    backbone = build_backbone("tiny", (64, 64))
    freeze_backbone(backbone, 0, train_batch_norm=True)
    model = keras.Sequential([backbone, keras.layers.Dense(2)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(3e-3), loss)
    for _ in range(40):
        model.train_on_batch(pictures, labels)
    assert np.mean(model.predict_on_batch(pictures).argmax(axis=1) == labels) > 0.95


def test_freeze_trains_only_the_blocks_from_the_given_one(lite0):
    freeze_backbone(lite0, 16)
    learning = {layer.name for layer in lite0.layers if layer.trainable_weights}
    assert learning == {
        "block16_expand",
        "block16_depthwise",
        "block16_project",
        "block17_head",
    }
    freeze_backbone(lite0, 18)
    assert lite0.trainable_weights == []
    freeze_backbone(lite0, 0)
    assert len(lite0.trainable_weights) == 49  # one kernel a convolution, no batch norm


def test_frozen_batch_norm_keeps_its_statistics_in_training(tiny):
    freeze_backbone(tiny, 0, train_batch_norm=False)
    norm = tiny.get_layer("block03_conv_bn")
    picture = make_picture((96, 128))
    before = norm.moving_mean.numpy().copy()
    trained, tested = tiny(picture, training=True), tiny(picture, training=False)
    np.testing.assert_array_equal(norm.moving_mean.numpy(), before)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(trained), keras.ops.convert_to_numpy(tested), atol=1e-6
    )


def test_batch_norm_learns_where_asked():
    model = build_backbone("tiny", (64, 64))
    freeze_backbone(model, 3, train_batch_norm=True)
    learned, frozen = model.get_layer("block03_conv_bn"), model.get_layer("block02_conv_bn")
    model(make_picture((64, 64)), training=True)
    assert np.any(learned.moving_mean.numpy() != 0)
    assert np.all(frozen.moving_mean.numpy() == 0)


def test_an_application_gets_its_own_scale():
    model = build_backbone("keras:MobileNetV2", (128, 128), weights=False)
    assert model.output_shape == (None, 1280)
    application = model.layers[-1]
    gray = np.zeros((1, 128, 128, 3), np.float32)  # pixel 127, which MobileNetV2 wants at -0.0039
    np.testing.assert_allclose(
        model.predict_on_batch(gray),
        application.predict_on_batch(gray + np.float32(127 / 127.5 - 1)),
        atol=1e-5,
    )


def test_an_application_is_one_block():
    model = build_backbone("keras:VGG16", (64, 64), weights=False)
    freeze_backbone(model, 1)  # VGG16's own names also begin with block1, block2, ...
    assert model.trainable_weights == []
    freeze_backbone(model, 0)
    assert len(model.trainable_weights) == 26


@pytest.mark.parametrize("name", ["lite1", "", "keras"])
def test_an_uncertain_name_lists_the_known_ones(name):
    with pytest.raises(ConfigError, match="'lite0', 'tiny' or 'keras:NAME'"):
        build_backbone(name, (128, 128))


def test_an_uncertain_application_lists_the_known_ones():
    with pytest.raises(ConfigError, match=r"MobileNetV2, .*received 'Nope'"):
        build_backbone("keras:Nope", (128, 128))


@pytest.mark.parametrize("size", [(100, 128), (128, 0), (16, 32)])
def test_a_size_that_does_not_divide_is_refused(size):
    with pytest.raises(ConfigError, match="multiples of 16 from 32 on"):
        build_backbone("tiny", size)


def test_a_size_that_an_application_refuses_is_a_config_error():
    with pytest.raises(ConfigError, match="keras:InceptionV3 can't be built"):
        build_backbone("keras:InceptionV3", (32, 32), weights=False)


def test_missing_network_is_explained(tmp_path):
    # A process of its own: Keras fixes its folder of downloads at import.
    code = (
        "from har.errors import MissingDependencyError\n"
        "from har.network.frame_cnn import build_backbone\n"
        "try:\n"
        "    build_backbone('keras:MobileNetV2', (128, 128))\n"
        "except MissingDependencyError as error:\n"
        "    print('TOLD', error)\n"
    )
    closed = "http://127.0.0.1:9"
    env = os.environ | {"KERAS_HOME": str(tmp_path), "https_proxy": closed, "HTTPS_PROXY": closed}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert "TOLD" in done.stdout
    assert "use backbone 'lite0'" in done.stdout


def test_the_names_that_settings_know_are_those_of_keras():
    names = [f"keras:{name}" for name in _list_applications()]
    assert [name for name in names if KERAS_BACKBONES.fullmatch(name) is None] == []
    assert KERAS_BACKBONES.fullmatch("keras:Nope") is None
