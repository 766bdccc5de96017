"""The head over time: features of T steps to logits at every step.

Every kind is causal: what comes after a step never changes its logits. So padding at the end of a
short clip needs no mask inside the network, the graph stays a plain LSTM, and a clip's logits are
the mean over its real steps (`windows.compute_clip_logits`, `MaskedMean`).
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from har.config import TemporalConfig


def build_temporal(config: TemporalConfig, n_features: int, n_labels: int) -> keras.Model:
    """Builds the head that `config.kind` names.

    Returns:
        A model from (B, T, D) float32 to (B, T, K) float32 logits; T is free.
    """
    features = keras.Input((None, n_features), name="features")  # (B, T, D)
    x = layers.LayerNormalization(name="norm")(features)
    x = layers.Dropout(config.dropout, name="drop_in")(x)
    x = _over_time(config, x)  # (B, T, U)
    x = layers.Dropout(config.dropout, name="drop_out")(x)
    logits = layers.Dense(n_labels, dtype="float32", name="logits")(x)  # (B, T, K)
    return keras.Model(features, logits, name=config.kind)


def build_frame_head(n_features: int, n_labels: int, dropout: float) -> keras.Model:
    """Builds the head of the CNN stage, which looks at each step alone: (B, T, D) to (B, T, K)."""
    features = keras.Input((None, n_features), name="features")
    x = layers.Dropout(dropout, name="drop")(features)
    return keras.Model(
        features, layers.Dense(n_labels, dtype="float32", name="logits")(x), name="frame"
    )


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
