# pyright: reportOptionalSubscript=false, reportOptionalOperand=false
"""How a step's stack of frames becomes what the backbone sees; part of the saved model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from har.types import WindowSpec

CLIP_GRAY = 64.0
"""Differences beyond this many gray levels are cut: strong motion is strong enough.

Source: the project's probe, docs/decisions/003-motion-encoding.md.
"""


@keras.saving.register_keras_serializable(package="har")
class MotionEncoding(keras.layers.Layer):
    """Signed differences of gray frames at several lags, one channel a lag.

    Takes (B, H, W, C) uint8, one gray frame a channel, and gives (B, H, W, L) in [-1, 1]:
    channel l is frame ``pairs[l][0]`` minus frame ``pairs[l][1]``, cut at 64 gray levels.
    """

    def __init__(self, pairs: tuple[tuple[int, int], ...], **kwargs: Any) -> None:
        """Takes, for each lag, the indices of the two frames that are compared."""
        super().__init__(**kwargs)
        self.pairs = tuple((int(a), int(b)) for a, b in pairs)

    def call(self, stacks: Any) -> Any:
        """Gives the difference channels of (B, H, W, C) stacks."""
        gray = ops.cast(stacks, self.compute_dtype)
        weights = ops.cast(self._build_weights(stacks.shape[-1]), self.compute_dtype)
        lags = ops.conv(gray, weights, data_format="channels_last")
        return ops.clip(lags, -CLIP_GRAY, CLIP_GRAY) / CLIP_GRAY

    def _build_weights(self, n_frames: int) -> np.ndarray:
        """Gives the (1, 1, C, L) weights of a convolution that takes the differences.

        Engines run it many times faster than slices of the last axis, and to the same numbers.
        """
        weights = np.zeros((1, 1, n_frames, len(self.pairs)), np.float32)
        for lag, (a, b) in enumerate(self.pairs):
            weights[0, 0, a, lag] += 1.0
            weights[0, 0, b, lag] -= 1.0
        return weights

    def get_config(self) -> dict[str, Any]:
        """Gives what the constructor takes."""
        return {**super().get_config(), "pairs": [list(pair) for pair in self.pairs]}


@keras.saving.register_keras_serializable(package="har")
class PixelScaling(keras.layers.Layer):
    """RGB pixels in [0, 255], (B, H, W, 3) uint8, as values about [-1, 1].

    Source: (x - 127) / 128 is what EfficientNet-Lite was trained with (Google, Apache-2.0).
    """

    def call(self, pixels: Any) -> Any:
        """Gives the scaled pixels."""
        return (ops.cast(pixels, self.compute_dtype) - 127.0) / 128.0


def build_encoding(spec: WindowSpec) -> keras.layers.Layer:
    """Gives the layer that turns a stack of ``spec`` into the backbone's channels."""
    if spec.input == "rgb":
        return PixelScaling(name="pixels")
    frame_of = {offset: index for index, offset in enumerate(spec.offsets_s)}
    pairs = tuple((frame_of[a], frame_of[b]) for a, b in spec.lags_s)
    return MotionEncoding(pairs, name="motion")
