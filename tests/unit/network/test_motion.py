"""The encoding gives signed differences at the lags of the contract."""

import keras
import numpy as np
import pytest

from har.config import InputConfig
from har.network.frame_cnn import build_encoding


def encode(spec, stacks):
    return keras.ops.convert_to_numpy(build_encoding(spec)(stacks))


def test_channels_are_signed_differences_of_the_named_frames():
    spec = InputConfig(lags_s=((0.0, -0.1), (0.2, -0.1))).window_spec((32, 32), 30.0)
    assert spec.offsets_s == (-0.1, 0.0, 0.2)
    stacks = np.zeros((1, 32, 32, 3), np.uint8)
    stacks[..., 0], stacks[..., 1], stacks[..., 2] = 40, 8, 72
    encoded = encode(spec, stacks)
    assert encoded.shape == (1, 32, 32, 2)
    assert encoded[0, 0, 0].tolist() == [(8 - 40) / 64, (72 - 40) / 64]


def test_strong_motion_is_cut_at_one():
    spec = InputConfig(lags_s=((0.0, -0.1),)).window_spec((32, 32), 30.0)
    stacks = np.zeros((1, 32, 32, 2), np.uint8)
    stacks[..., 0] = 255
    assert encode(spec, stacks).min() == -1.0


def test_rgb_is_scaled_as_the_backbone_was_trained():
    spec = InputConfig(input="rgb").window_spec((32, 32), 30.0)
    pixels = np.full((1, 32, 32, 3), 255, np.uint8)
    assert encode(spec, pixels).max() == pytest.approx(1.0)
    assert encode(spec, pixels * 0).min() == pytest.approx(-127 / 128)
