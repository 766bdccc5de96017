"""Heads that are compared: a layer over time alone, or a linear branch alone."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from har.config import PoseConfig
from har.network.heads import build_norm
from har.network.pose_head import TakeFeatures
from har.pose.features import N_FEATURES, SCORE_COLUMNS

KINDS = ("lstm", "gru", "tcn")
COLUMNS = [column for column in range(N_FEATURES) if column not in SCORE_COLUMNS]
_DILATIONS = (1, 2, 4)


def build_order_head(kind: str, config: PoseConfig, n_labels: int) -> keras.Model:
    """Build a head that is one layer over time: (B, T, D) features to (B, T, K) logits.

    Args:
        kind: One of `KINDS`.
        config: Its width and dropout.
        n_labels: K.
    """
    features = keras.Input((None, N_FEATURES))
    x = TakeFeatures(COLUMNS)(build_norm()(features))
    x = layers.Dropout(config.dropout)(x)
    x = layers.Dense(config.units, activation="relu")(x)
    x = _build_over_time(kind, config, x)
    x = layers.Dropout(config.dropout)(x)
    return keras.Model(features, layers.Dense(n_labels, kernel_initializer="zeros")(x))


def _build_over_time(kind: str, config: PoseConfig, x: Any) -> Any:
    if kind == "lstm":
        return layers.LSTM(config.units, return_sequences=True)(x)
    if kind == "gru":
        return layers.GRU(config.units, return_sequences=True)(x)
    for dilation in _DILATIONS:
        y = layers.Conv1D(
            config.units, 3, padding="causal", dilation_rate=dilation, activation="relu"
        )(x)
        x = layers.Add()([x, y])
    return x
