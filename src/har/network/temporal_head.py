# pyright: reportArgumentType=false, reportOptionalOperand=false, reportOptionalSubscript=false
"""The head over time: features of T steps to logits at every step.

Every kind is causal: what comes after a step never changes its logits. So padding at the end of a
short clip needs no mask inside the network, the graph stays a plain LSTM, and a clip's logits are
the mean over its real steps (`times.compute_clip_logits`, `MaskedMean`).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from har.config import TemporalConfig, compute_cnn_size
from har.network.frame_cnn import build_backbone, build_encoding, freeze_backbone
from har.network.heads import LINEAR_BRANCH, STEP, build_norm
from har.network.parts import build_own_backbone
from har.types import Pooling, WindowSpec


def build_temporal(config: TemporalConfig, n_features: int, n_labels: int) -> keras.Model:
    """Build the head that `config.kind` names.

    A step is described by its own features and by the largest value that each of them had over
    the last ``config.recent_steps``: a blow is one step among many, and a mean over all of them
    thins it out (docs/decisions/016-accuracy.md). The logits of a step are those of a branch that
    is linear in this, plus those of a recurrent branch over all steps so far. Both start at zero;
    training solves the first and lets the second learn what it leaves (`har.training.linear`).

    Returns:
        A model from (B, T, D) float32 to (B, T, K) float32 logits; T is free.
    """
    features = keras.Input((None, n_features), name="features")  # (B, T, D)
    norm = build_norm()
    recent = _find_recent_max(features, config.recent_steps)
    x = layers.Concatenate(name=STEP)([norm(features), norm(recent)])  # (B, T, 2 D)
    x = layers.Dropout(config.dropout, name="drop_in")(x)
    y = layers.Dense(config.units, activation="relu", name="reduce")(x)  # (B, T, U)
    y = _over_time(config, y)  # (B, T, U)
    y = layers.Dropout(config.dropout, name="drop_out")(y)
    of_step = layers.Dense(n_labels, kernel_initializer="zeros", name=LINEAR_BRANCH)(x)
    of_time = layers.Dense(n_labels, kernel_initializer="zeros", use_bias=False, name="of_time")(y)
    return keras.Model(features, layers.Add(name="logits")([of_step, of_time]), name=config.kind)


def build_frame_head(n_features: int, n_labels: int, dropout: float) -> keras.Model:
    """Build the head of the CNN stage, which takes each step alone: (B, T, D) to (B, T, K)."""
    features = keras.Input((None, n_features), name="features")
    x = layers.Dropout(dropout, name="drop")(build_norm()(features))
    logits = layers.Dense(n_labels, kernel_initializer="zeros", name="logits")(x)
    return keras.Model(features, logits, name="frame")


def _find_recent_max(features: Any, n_steps: int) -> Any:
    """Return (B, T, D): the largest values of the last steps; before the first all is 0."""
    padded = layers.ZeroPadding1D((n_steps - 1, 0), name="before")(features)
    return layers.MaxPooling1D(n_steps, strides=1, name="recent")(padded)


def _over_time(config: TemporalConfig, x: Any) -> Any:
    if config.kind == "lstm":
        return layers.LSTM(config.units, return_sequences=True, name="lstm")(x)
    if config.kind == "gru":
        return layers.GRU(config.units, return_sequences=True, name="gru")(x)
    for depth in range(3):
        x = layers.Conv1D(
            config.units,
            3,
            dilation_rate=2**depth,
            padding="causal",
            activation="relu",
            name=f"conv{depth}",
        )(x)
    return x


@keras.saving.register_keras_serializable(package="har")
class MaskedMean(keras.layers.Layer):
    """Mean over the real steps: (B, T, K) and a (B, T) mask of 0 and 1 to (B, K)."""

    def call(self, logits: Any, mask: Any) -> Any:
        """Return the clip's logits."""
        weights = ops.expand_dims(ops.cast(mask, logits.dtype), -1)
        total = ops.maximum(ops.sum(weights, axis=1), 1.0)
        return ops.sum(logits * weights, axis=1) / total


_DOWNSAMPLE, _ONCE = "downsample", "once"


@keras.saving.register_keras_serializable(package="har")
class TakeOnce(keras.layers.Layer):
    """Undo the repeating of pixels: of each square of equal ones, ``times`` a side, take one.

    So a motion crop that is enlarged for a CNN that would average it again is encoded at its own
    size, to the same numbers (docs/decisions/032-speed.md).
    """

    def __init__(self, times: int, **kwargs: Any) -> None:
        """Take how often each pixel is repeated in height and in width."""
        super().__init__(**kwargs)
        self.times = int(times)

    def call(self, stacks: Any) -> Any:
        """Return (B, H / times, W / times, C) of (B, H, W, C)."""
        return stacks[:, :: self.times, :: self.times]

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "times": self.times}


def build_cnn(
    backbone: str | keras.Model,
    spec: WindowSpec,
    weights: bool = True,
    pooling: Pooling = "avg",
    downsample: int = 1,
) -> keras.Model:
    """Build the per-frame CNN with its input encoding.

    Args:
        backbone: Its name, or one of the user's own, see `har.network.parts.OwnParts`.
        spec: The input contract.
        weights: Start from the backbone's pretrained weights where it has some.
        pooling: How a picture's map of features becomes one vector; an own backbone says so itself.
        downsample: Pixels, in height and in width, whose mean is one pixel for the backbone.

    Returns:
        A model from (B, H, W, C) uint8 stacks to (B, D) float32 features.

    Raises:
        ConfigError: The downsampled pictures are too small or of a shape that the backbone refuses.
    """
    stacks = keras.Input((*spec.size, spec.n_channels), dtype="uint8", name="stacks")
    size = compute_cnn_size(spec.size, downsample)
    times = spec.motion_crop if downsample % spec.motion_crop == 0 else 1
    once = TakeOnce(times, name=_ONCE)(stacks) if times > 1 else stacks
    encoded = build_encoding(spec)(once)  # (B, H / times, W / times, L)
    if not isinstance(backbone, str):
        network = build_own_backbone(backbone, (*size, encoded.shape[-1]))
    else:
        if encoded.shape[-1] != 3:
            encoded = layers.Conv2D(3, 1, use_bias=False, name="mix_lags")(encoded)
        network = build_backbone(backbone, size, weights, pooling)
    if downsample > times:
        encoded = layers.AveragePooling2D(downsample // times, name=_DOWNSAMPLE)(encoded)
    features = network(encoded)  # (B, D)
    features = layers.Activation("linear", dtype="float32", name="features")(features)
    return keras.Model(stacks, features, name="frame_cnn")


def get_backbone(cnn: keras.Model) -> keras.Model:
    """Return the backbone inside a CNN that `build_cnn` made."""
    return next(layer for layer in cnn.layers if isinstance(layer, keras.Model))


def freeze_cnn(cnn: keras.Model, train_from: int, train_batch_norm: bool = False) -> None:
    """Set which blocks of a CNN's backbone learn; see `freeze_backbone`."""
    freeze_backbone(get_backbone(cnn), train_from, train_batch_norm)


def rebuild_cnn(
    cnn: keras.Model, name: str, spec: WindowSpec, pooling: Pooling, policy: str
) -> keras.Model:
    """Return a twin of a CNN, with what is frozen, under a policy such as ``mixed_bfloat16``."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        rebuilt = build_cnn(
            name, spec, weights=False, pooling=pooling, downsample=_get_downsample(cnn)
        )
    finally:
        keras.config.set_dtype_policy(before)
    rebuilt.set_weights(cnn.get_weights())
    for layer, twin in zip(get_backbone(cnn).layers, get_backbone(rebuilt).layers, strict=True):
        twin.trainable = layer.trainable
    return rebuilt


def _get_downsample(cnn: keras.Model) -> int:
    times = next((layer.times for layer in cnn.layers if layer.name == _ONCE), 1)
    pooled = next((layer.pool_size[0] for layer in cnn.layers if layer.name == _DOWNSAMPLE), 1)
    return times * pooled


def build_clip_classifier(temporal: keras.Model, n_features: int) -> keras.Model:
    """Build what the LSTM stage trains: features and a mask to the clip's logits.

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
        """Take the two parts; they are trained in place."""
        super().__init__(name="system")
        self.cnn = cnn
        self.temporal = temporal
        self.pool = MaskedMean()

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the clips' logits."""
        stacks, mask = inputs
        n_steps = ops.shape(stacks)[1]
        merged = ops.reshape(stacks, (-1, *stacks.shape[2:]))  # (B*T, H, W, C)
        features = self.cnn(merged, training=training)  # (B*T, D)
        features = ops.reshape(features, (-1, n_steps, features.shape[-1]))
        return self.pool(self.temporal(features, training=training), mask)
