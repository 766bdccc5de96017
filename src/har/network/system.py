# pyright: reportOptionalSubscript=false
"""CNN and head put together, and the models that the three stages train."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from har.errors import ConfigError
from har.network.backbone import STRIDE_PX, build_backbone, freeze_backbone
from har.network.motion import build_encoding
from har.network.temporal import MaskedMean
from har.types import Pooling, WindowSpec

_SHRINK = "shrink"


def build_cnn(
    name: str,
    spec: WindowSpec,
    weights: bool = True,
    pooling: Pooling = "avg",
    shrink: int = 1,
) -> keras.Model:
    """Builds the per-frame CNN with its input encoding.

    Args:
        name: Of the backbone.
        spec: The input contract.
        weights: Start from the backbone's pretrained weights where it has some.
        pooling: How a picture's map of features becomes one vector.
        shrink: Pixels, in height and in width, whose mean is one pixel for the backbone.

    Returns:
        A model from (B, H, W, C) uint8 stacks to (B, D) float32 features.

    Raises:
        ConfigError: The shrunken pictures are too small or of a shape that the backbone refuses.
    """
    stacks = keras.Input((*spec.size, spec.n_channels), dtype="uint8", name="stacks")
    encoded = build_encoding(spec)(stacks)  # (B, H, W, L)
    if encoded.shape[-1] != 3:
        encoded = layers.Conv2D(3, 1, use_bias=False, name="mix_lags")(encoded)
    if shrink > 1:
        encoded = layers.AveragePooling2D(shrink, name=_SHRINK)(encoded)
    size = _shrink_size(spec.size, shrink)
    features = build_backbone(name, size, weights, pooling)(encoded)  # (B, D)
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    return keras.Model(stacks, features, name="frame_cnn")


def _shrink_size(size: tuple[int, int], shrink: int) -> tuple[int, int]:
    """Gives the (H, W) that the backbone sees of pictures of ``size``."""
    shrunken = (size[0] // shrink, size[1] // shrink)
    if min(shrunken) < STRIDE_PX or any(side % (shrink * STRIDE_PX // 2) for side in size):
        raise ConfigError(
            f"Pictures of {size[0]}x{size[1]} cannot be shrunk {shrink} times for the CNN; set "
            f"cnn.shrink to a smaller number"
        )
    return shrunken


def get_backbone(cnn: keras.Model) -> keras.Model:
    """Gives the backbone inside a CNN that `build_cnn` made."""
    return next(layer for layer in cnn.layers if isinstance(layer, keras.Model))


def freeze_cnn(cnn: keras.Model, train_from: int, train_batch_norm: bool = False) -> None:
    """Sets which blocks of a CNN's backbone learn; see `freeze_backbone`."""
    freeze_backbone(get_backbone(cnn), train_from, train_batch_norm)


def rebuild_cnn(
    cnn: keras.Model, name: str, spec: WindowSpec, pooling: Pooling, policy: str
) -> keras.Model:
    """Gives a twin of a CNN, with what is frozen, under a policy such as ``mixed_bfloat16``."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        rebuilt = build_cnn(name, spec, weights=False, pooling=pooling, shrink=_get_shrink(cnn))
    finally:
        keras.config.set_dtype_policy(before)
    rebuilt.set_weights(cnn.get_weights())
    for layer, twin in zip(get_backbone(cnn).layers, get_backbone(rebuilt).layers, strict=True):
        twin.trainable = layer.trainable
    return rebuilt


def _get_shrink(cnn: keras.Model) -> int:
    return next((layer.pool_size[0] for layer in cnn.layers if layer.name == _SHRINK), 1)


def build_clip_classifier(temporal: keras.Model, n_features: int) -> keras.Model:
    """Builds what the LSTM stage trains: features and a mask to the clip's logits.

    Returns:
        A model from ``[(B, T, D) float32, (B, T) float32]`` to (B, K) logits.
    """
    features = keras.Input((None, n_features), name="features")
    mask = keras.Input((None,), name="mask")
    return keras.Model([features, mask], MaskedMean(name="clip")(temporal(features), mask))


class PixelSystem(keras.Model):
    """CNN and head as one: what the CNN stage and the joint stage train.

    Takes ``[(B, T, H, W, C) uint8, (B, T) mask]`` and gives the clips' logits (B, K).
    It shares its parts with the models it was made of and is never saved itself.
    """

    def __init__(self, cnn: keras.Model, temporal: keras.Model) -> None:
        """Takes the two parts; they are trained in place."""
        super().__init__(name="system")
        self.cnn = cnn
        self.temporal = temporal
        self.pool = MaskedMean()

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Gives the clips' logits."""
        stacks, mask = inputs
        n_steps = ops.shape(stacks)[1]
        merged = ops.reshape(stacks, (-1, *stacks.shape[2:]))  # (B*T, H, W, C)
        features = self.cnn(merged, training=training)  # (B*T, D)
        features = ops.reshape(features, (-1, n_steps, features.shape[-1]))
        return self.pool(self.temporal(features, training=training), mask)
