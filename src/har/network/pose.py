# pyright: reportOptionalOperand=false
"""The head of the pose stream: what one person's keypoints say, step by step.

It sees one person at a time, as `har.pose.features` describes one: the own body in one recurrent
layer, the nearest other person in a second. Labels that are told from one body alone, such as
hitting oneself, never hear the second. How the people of a window become one answer is no part of
this graph: `har.pose.pooling` does it, and `PeopleClassifier` the same in training.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from har.config import PoseConfig
from har.pose.features import N_FEATURES, N_OWN, SEEN_COLUMN
from har.types import PoseSpec

_NORM = "norm"
_MIN_VARIANCE = 1e-2
_LIMIT = 5.0
"""Standardised features are cut off here: a joint that is thrown far off must not outweigh all."""


def build_pose_head(config: PoseConfig, spec: PoseSpec, labels: tuple[str, ...]) -> keras.Model:
    """Builds the head.

    Returns:
        A model from (B, T, D) float32 features of one person to (B, T, K) float32 logits. It is
        causal; T is free.
    """
    features = keras.Input((None, N_FEATURES), name="features")
    x = layers.BatchNormalization(
        center=False, scale=False, epsilon=_MIN_VARIANCE, trainable=False, name=_NORM
    )(features)
    own = _branch(config, TakeFeatures(0, N_OWN, name="own")(x), len(labels), "own")
    pair = _branch(config, TakeFeatures(N_OWN, N_FEATURES, name="pair")(x), len(labels), "pair")
    hears_others = [0.0 if label in spec.own_labels else 1.0 for label in labels]
    pair = layers.Rescaling(hears_others, name="own_labels")(pair)
    return keras.Model(features, layers.Add(name="logits")([own, pair]), name="pose")


def _branch(config: PoseConfig, x: Any, n_labels: int, name: str) -> Any:
    """Gives (B, T, K): what the steps say by themselves plus what the recurrent layer says."""
    x = layers.Dropout(config.dropout, name=f"{name}_drop_in")(x)
    y = layers.Dense(config.units, activation="relu", name=f"{name}_reduce")(x)
    y = layers.LSTM(config.units, return_sequences=True, name=f"{name}_lstm")(y)
    y = layers.Dropout(config.dropout, name=f"{name}_drop_out")(y)
    of_step = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_step")(x)
    of_time = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_time")(y)
    return layers.Add(name=f"{name}_logits")([of_step, of_time])


def set_pose_scale(head: keras.Model, features: np.ndarray) -> None:
    """Tells a head the mean and variance of (N, D) features, by which it standardises them."""
    mean, variance = features.mean(axis=0), features.var(axis=0)
    head.get_layer(_NORM).set_weights([mean.astype("float32"), variance.astype("float32")])


def copy_shared(head: keras.Model, source: keras.Model) -> None:
    """Starts a head from another one: all layers but those that end in the labels.

    Raises:
        ValueError: The two are not of one width.
    """
    for layer in head.layers:
        weights = source.get_layer(layer.name).get_weights()
        if weights and not layer.name.endswith(("_of_step", "_of_time")):
            layer.set_weights(weights)


@keras.saving.register_keras_serializable(package="har")
class TakeFeatures(keras.layers.Layer):
    """Takes the features from ``start`` to ``stop``, cut off at +-5: (B, T, D) to (B, T, d)."""

    def __init__(self, start: int, stop: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.start, self.stop = start, stop

    def call(self, features: Any) -> Any:
        """Gives the part."""
        return ops.clip(features[:, :, self.start : self.stop], -_LIMIT, _LIMIT)

    def get_config(self) -> dict[str, Any]:
        """Gives what the layer is made of."""
        return {**super().get_config(), "start": self.start, "stop": self.stop}


class PeopleClassifier(keras.Model):
    """What the pose stream trains where only clips have labels.

    Takes ``[(B, P, T, D) features, (B, P) sureness, (B, T) mask]`` and gives (B, K). A sureness of
    0 marks an empty place. It shares the head and is never saved itself.
    """

    def __init__(self, head: keras.Model, spec: PoseSpec, background: int) -> None:
        """Takes the head; it is trained in place."""
        super().__init__(name="people")
        self.head, self.rule, self.background = head, spec.people, background

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Gives the windows' logits."""
        features, sureness, mask = inputs
        shape = ops.shape(features)
        merged = ops.reshape(features, (-1, *features.shape[2:]))  # (B*P, T, D)
        logits = self.head(merged, training=training)
        logits = ops.reshape(logits, (shape[0], shape[1], features.shape[2], -1))  # (B, P, T, K)
        seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1] * mask[:, None, :, None]
        people = ops.sum(logits * seen, axis=2) / ops.maximum(ops.sum(seen, axis=2), 1.0)
        return self._pool(people, sureness[..., None])  # (B, P, K), (B, P, 1)

    def _pool(self, people: Any, sureness: Any) -> Any:
        if self.rule == "mean":
            return ops.sum(people * sureness, axis=1) / ops.maximum(ops.sum(sureness, axis=1), 1e-3)
        background = people[..., self.background : self.background + 1]
        against = ops.where(sureness > 0, people - background, -_FAR_BELOW)
        strongest = ops.max(against, axis=1)
        return ops.where(ops.max(sureness, axis=1) > 0, strongest, ops.zeros_like(strongest))


_FAR_BELOW = 1e4
