"""The CNN may see smaller pictures than the store keeps."""

import numpy as np
import pytest

from har.config import InputConfig
from har.errors import ConfigError
from har.network.temporal_head import build_cnn, get_backbone, rebuild_cnn
from har.training.features import compute_model_hash

SPEC = InputConfig(n_steps=6, motion_crop=1).window_spec((64, 96), 30.0)


def test_the_backbone_sees_means_of_squares():
    cnn = build_cnn("tiny", SPEC, downsample=2)
    assert get_backbone(cnn).input_shape == (None, 32, 48, 3)
    stacks = np.random.default_rng(0).integers(0, 30, (2, 64, 96, 4), dtype=np.uint8)
    encoded = cnn.get_layer("motion")(stacks)
    means = np.asarray(encoded).reshape(2, 32, 2, 48, 2, 3).mean(axis=(2, 4))
    assert np.allclose(cnn.get_layer("downsample")(encoded), means, atol=1e-6)
    assert np.allclose(cnn(stacks), get_backbone(cnn)(means), atol=1e-5)


def test_a_motion_crop_is_encoded_at_its_own_size_to_the_same_numbers():
    whole = InputConfig(n_steps=6, motion_crop=1).window_spec((64, 96), 30.0)
    crops = InputConfig(n_steps=6, motion_crop=2).window_spec((64, 96), 30.0)
    averaged, once = (build_cnn("tiny", spec, downsample=2) for spec in (whole, crops))
    once.set_weights(averaged.get_weights())
    assert once.get_layer("motion").output.shape[1:3] == (32, 48)
    assert averaged.get_layer("motion").output.shape[1:3] == (64, 96)
    part = np.random.default_rng(0).integers(0, 256, (2, 32, 48, 4), dtype=np.uint8)
    enlarged = part.repeat(2, axis=1).repeat(2, axis=2)
    assert np.array_equal(once(enlarged), averaged(enlarged))


@pytest.mark.parametrize("motion_crop", [1, 2])
def test_a_twin_downsamples_alike(motion_crop):
    spec = InputConfig(n_steps=6, motion_crop=motion_crop).window_spec((64, 96), 30.0)
    cnn = build_cnn("tiny", spec, downsample=2)
    twin = rebuild_cnn(cnn, "tiny", spec, "avg", "float32")
    stacks = np.random.default_rng(0).integers(0, 256, (1, 64, 96, 4), dtype=np.uint8)
    assert np.allclose(twin(stacks), cnn(stacks), atol=1e-5)


def test_features_of_another_downsampling_have_another_name():
    spec = InputConfig(n_steps=6).window_spec((128, 128), 30.0)
    cnns = [build_cnn("tiny", spec, downsample=downsample) for downsample in (1, 2, 4)]
    for cnn in cnns[1:]:
        cnn.set_weights(cnns[0].get_weights())
    assert len({compute_model_hash(cnn) for cnn in cnns}) == 3


@pytest.mark.parametrize("downsample", [3, 4])
def test_pictures_that_would_be_too_small_are_refused(downsample):
    with pytest.raises(
        ConfigError, match=rf"64x96 cannot be downsampled {downsample} times.*cnn\.downsample"
    ):
        build_cnn("tiny", SPEC, downsample=downsample)
