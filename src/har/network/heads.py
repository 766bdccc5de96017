"""What the heads of both streams have: standardized features, a linear branch of their steps."""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

_NORM = "norm"
LINEAR_BRANCH, STEP = "of_step", "step"
"""The layer by which a step is scored by itself, and what it takes; bundles carry these names."""
_MIN_VARIANCE = 1e-2
"""Added to the variance of a feature, so that one that hardly varies is not blown up."""


def build_norm() -> keras.layers.Layer:
    """Build the layer that standardizes features."""
    return layers.BatchNormalization(
        center=False, scale=False, epsilon=_MIN_VARIANCE, trainable=False, name=_NORM
    )


def set_feature_scale(head: keras.Model, features: np.ndarray) -> None:
    """Give a head the mean and variance of (N, D) features, by which it standardizes them."""
    mean, variance = features.mean(axis=0), features.var(axis=0)
    head.get_layer(_NORM).set_weights([mean.astype("float32"), variance.astype("float32")])


def get_linear_branch(head: keras.Model) -> keras.layers.Layer | None:
    """Return the layer by which a step is scored by itself for all labels, or None without one."""
    return next((layer for layer in head.layers if layer.name == LINEAR_BRANCH), None)


def get_step_inputs(head: keras.Model) -> keras.Model:
    """Return a model from (B, T, D) features to the (B, T, D') that the linear branch takes."""
    return keras.Model(head.input, head.get_layer(STEP).output)


def copy_weights(target: keras.Model, source: keras.Model, same_labels: bool) -> list[str]:
    """Start a model from another one, layer by layer.

    Args:
        target: Is changed.
        source: Has layers of the same names.
        same_labels: Whether both end in the same labels; else the layers that end in labels stay.

    Returns:
        Names of the layers that were copied; one of another shape is left as it was.
    """
    copied = []
    known = {layer.name: layer.get_weights() for layer in source.layers}
    for layer in target.layers:
        weights, own = known.get(layer.name, []), layer.get_weights()
        ends = layer.name.endswith(("of_step", "of_time"))
        fits = [w.shape for w in weights] == [w.shape for w in own]
        if own and fits and (same_labels or not ends):
            layer.set_weights(weights)
            copied.append(layer.name)
    return copied
