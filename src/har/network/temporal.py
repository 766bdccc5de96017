# pyright: reportOptionalOperand=false, reportArgumentType=false
"""The head over time: features of T steps to logits at every step.

Every kind is causal: what comes after a step never changes its logits. So padding at the end of a
short clip needs no mask inside the network, the graph stays a plain LSTM, and a clip's logits are
the mean over its real steps (`windows.compute_clip_logits`, `MaskedMean`).
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from har.config import TemporalConfig

_NORM = "norm"
_LINEAR, _STEP = "of_step", "step"
_MIN_VARIANCE = 1e-2
"""Added to the variance of a feature, so that one that hardly varies is not blown up."""


def build_temporal(config: TemporalConfig, n_features: int, n_labels: int) -> keras.Model:
    """Builds the head that `config.kind` names.

    A step is described by its own features and by the largest value that each of them had over
    the last ``config.recent_steps``: a blow is one step among many, and a mean over all of them
    thins it out (docs/decisions/016-accuracy.md). The logits of a step are what this says,
    linearly, plus what the recurrent part says of all steps so far. Both start at zero; training
    then solves the first and lets the second learn what it leaves (`har.training.linear`).

    Returns:
        A model from (B, T, D) float32 to (B, T, K) float32 logits; T is free.
    """
    features = keras.Input((None, n_features), name="features")  # (B, T, D)
    norm = _build_norm()
    recent = _find_recent_max(features, config.recent_steps)
    x = layers.Concatenate(name=_STEP)([norm(features), norm(recent)])  # (B, T, 2 D)
    x = layers.Dropout(config.dropout, name="drop_in")(x)
    y = layers.Dense(config.units, activation="relu", name="reduce")(x)  # (B, T, U)
    y = _over_time(config, y)  # (B, T, U)
    y = layers.Dropout(config.dropout, name="drop_out")(y)
    of_step = layers.Dense(n_labels, kernel_initializer="zeros", name=_LINEAR)(x)
    of_time = layers.Dense(n_labels, kernel_initializer="zeros", use_bias=False, name="of_time")(y)
    return keras.Model(features, layers.Add(name="logits")([of_step, of_time]), name=config.kind)


def set_feature_scale(head: keras.Model, features: np.ndarray) -> None:
    """Tells a head the mean and variance of (N, D) features, by which it standardises them."""
    mean, variance = features.mean(axis=0), features.var(axis=0)
    head.get_layer(_NORM).set_weights([mean.astype("float32"), variance.astype("float32")])


def get_linear_path(head: keras.Model) -> keras.layers.Layer:
    """Gives the layer by which a step speaks for itself: (2 D, K) weights and (K,) bias."""
    return head.get_layer(_LINEAR)


def get_step_inputs(head: keras.Model) -> keras.Model:
    """Gives a model from (B, T, D) features to the (B, T, 2 D) that the linear path hears."""
    return keras.Model(head.input, head.get_layer(_STEP).output)


def build_frame_head(n_features: int, n_labels: int, dropout: float) -> keras.Model:
    """Builds the head of the CNN stage, which looks at each step alone: (B, T, D) to (B, T, K)."""
    features = keras.Input((None, n_features), name="features")
    x = layers.Dropout(dropout, name="drop")(_build_norm()(features))
    logits = layers.Dense(n_labels, kernel_initializer="zeros", name="logits")(x)
    return keras.Model(features, logits, name="frame")


def _build_norm() -> keras.layers.Layer:
    return layers.BatchNormalization(
        center=False, scale=False, epsilon=_MIN_VARIANCE, trainable=False, name=_NORM
    )


def _find_recent_max(features: Any, n_steps: int) -> Any:
    """Gives (B, T, D): the largest values of the last steps, before the first of which all is 0."""
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
        """Gives the clip's logits."""
        weights = ops.expand_dims(ops.cast(mask, logits.dtype), -1)
        total = ops.maximum(ops.sum(weights, axis=1), 1.0)
        return ops.sum(logits * weights, axis=1) / total
