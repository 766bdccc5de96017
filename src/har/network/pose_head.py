# pyright: reportOptionalOperand=false, reportOptionalSubscript=false
"""The head of the pose stream: one person's keypoints to logits at every step.

It takes one person at a time, as `har.pose.features` describes one. Its branches are added up: the
own body in a recurrent layer, the nearest other person in a second, and a linear one of each step,
of how far each feature is from usual, and of how far it has spread since the window began.
Single-person labels, such as hitting oneself, get none of them, but a recurrent branch of head,
elbows and wrists alone; beside them, a narrow head counts the pair only at steps at which another
person is seen.
How steps and people become one answer is no part of this graph: `har.pose.pooling` does it, and
`PeopleClassifier` the same in training.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from har.config import PoseConfig
from har.network.heads import LINEAR_BRANCH, STEP, build_norm, get_linear_branch
from har.pose.features import (
    N_FEATURES,
    N_OWN,
    PAIR_SEEN_COLUMN,
    SCORE_COLUMNS,
    SEEN_COLUMN,
    SELF_COLUMNS,
    TOUCH_COLUMNS,
)
from har.types import PeopleRule, PoseSpec

_MIN_SPREAD = 1e-4
"""Added to a variance, so that its root has a slope."""
_UNLIKELY = -4.0
_LIMIT = 5.0
"""Standardized features are cut off here: a joint that is thrown far off must not outweigh all."""


def build_pose_head(
    config: PoseConfig, spec: PoseSpec, labels: tuple[str, ...], background: str = ""
) -> keras.Model:
    """Build the head.

    Args:
        config: Its width.
        spec: The input contract.
        labels: In the order of the outputs.
        background: With single-person labels, its logit is 0: so no other branch's input can raise
            or lower them.

    Returns:
        A model from (B, T, D) float32 features of one person to (B, T, K) float32 logits. It is
        causal; T is free.
    """
    features = keras.Input((None, N_FEATURES), name="features")
    x = build_norm()(features)
    pair = TOUCH_COLUMNS if config.narrow else range(N_OWN, N_FEATURES)
    columns = {"own": range(N_OWN), "pair": pair, "self": SELF_COLUMNS}
    names = ["pair", "self"] if spec.single_person_labels else ["own", "pair"]
    if spec.single_person_labels and not config.narrow:
        names.insert(0, "own")
    quiet = background if spec.single_person_labels else ""
    branches = []
    for name in names:
        part = TakeFeatures(_choose(columns[name], config), name=name)(x)
        is_linear = name == "self" or (config.linear and bool(spec.single_person_labels))
        branch = _build_recurrent(config, part, len(labels), name, is_linear)
        if name == "pair" and spec.single_person_labels and config.narrow:
            other = TakeFeatures([PAIR_SEEN_COLUMN], name="other_seen")(features)
            branch = WhereSeen(name="pair_seen")([branch, other])
        scales = [
            float((label in spec.single_person_labels) == (name == "self") and label != quiet)
            for label in labels
        ]
        branches.append(layers.Rescaling(scales, name=f"{name}_labels")(branch))
    if config.linear and not spec.single_person_labels:
        branches.append(_build_linear(config, features, x, len(labels)))
    return keras.Model(features, layers.Add(name="logits")(branches), name="pose")


def _choose(columns: Iterable[int], config: PoseConfig) -> list[int]:
    return [column for column in columns if config.scores or column not in SCORE_COLUMNS]


def _build_linear(config: PoseConfig, features: Any, x: Any, n_labels: int) -> Any:
    """Return (B, T, K) logits, linear in each step, in its sizes and in the spread so far."""
    whole = TakeFeatures(_choose(range(N_FEATURES), config), name="whole")(x)
    seen = TakeFeatures([SEEN_COLUMN], name="seen")(features)
    spread = SpreadSoFar(name="spread")([whole, seen])
    step = layers.Concatenate(name=STEP)([whole, spread, Sizes(name="sizes")(whole)])  # (B, T, 3 D)
    step = layers.Dropout(config.dropout, name="step_drop")(step)
    return layers.Dense(n_labels, kernel_initializer="zeros", name=LINEAR_BRANCH)(step)


def _build_recurrent(config: PoseConfig, x: Any, n_labels: int, name: str, is_linear: bool) -> Any:
    """Return (B, T, K) logits of a recurrent layer and perhaps, linearly, of each step itself."""
    units = config.self_units if name == "self" else config.units
    x = layers.Dropout(config.dropout, name=f"{name}_drop_in")(x)
    y = layers.Dense(units, activation="relu", name=f"{name}_reduce")(x)
    y = layers.LSTM(units, return_sequences=True, name=f"{name}_lstm")(y)
    y = layers.Dropout(config.dropout, name=f"{name}_drop_out")(y)
    of_time = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_time")(y)
    if not is_linear:
        return of_time
    of_step = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_step")(x)
    return layers.Add(name=f"{name}_logits")([of_step, of_time])


def match_shape(config: PoseConfig, head: keras.Model) -> PoseConfig:
    """Return the settings with the widths and parts of a head that was built before."""
    known = {layer.name: layer for layer in head.layers}
    shaped = replace(
        config,
        units=known["pair_lstm"].units,
        linear="pair_of_step" in known or LINEAR_BRANCH in known,
        narrow=len(known["pair"].columns) == len(TOUCH_COLUMNS),
        scores=any(SCORE_COLUMNS.intersection(known[part].columns) for part in _PARTS & set(known)),
    )
    return replace(shaped, self_units=known["self_lstm"].units) if "self_lstm" in known else shaped


_PARTS = {"own", "pair", "self", "whole"}


@keras.saving.register_keras_serializable(package="har")
class TakeFeatures(keras.layers.Layer):
    """Takes some of the features, cut off at +-5: (B, T, D) to (B, T, d)."""

    def __init__(self, columns: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = [int(column) for column in columns]

    def call(self, features: Any) -> Any:
        """Return the part."""
        part = ops.take(features, np.array(self.columns, dtype=np.int32), axis=-1)
        return ops.clip(part, -_LIMIT, _LIMIT)

    def get_config(self) -> dict[str, Any]:
        """Return what the layer is made of."""
        return {**super().get_config(), "columns": self.columns}


@keras.saving.register_keras_serializable(package="har")
class SpreadSoFar(keras.layers.Layer):
    """How far features have spread since the first step: (B, T, d) and (B, T, 1) to (B, T, d).

    The standard deviation over the steps up to each at which the person is seen, which the second
    input says; 0 where not. It is what a rule of thumb for a scuffle would use: not where limbs
    are, but how much all of it changes (docs/decisions/018-spread-of-keypoints.md).
    """

    def call(self, inputs: Any) -> Any:
        """Return the standard deviations."""
        values, seen = inputs
        count = ops.maximum(ops.cumsum(seen, axis=1), 1.0)
        mean = ops.cumsum(values * seen, axis=1) / count
        square = ops.cumsum(ops.square(values) * seen, axis=1) / count
        return ops.sqrt(ops.maximum(square - ops.square(mean), 0.0) + _MIN_SPREAD) * seen


def _take_recurrent(head: keras.Model) -> keras.Model:
    """Return a head without its linear branch for all labels, of the same layers."""
    names = [layer.name for layer in head.layers if layer.name.endswith("_labels")]
    return keras.Model(head.input, layers.add([head.get_layer(name).output for name in names]))


@keras.saving.register_keras_serializable(package="har")
class Sizes(keras.layers.Layer):
    """How large features are, whatever their sign: (B, T, d) to (B, T, d)."""

    def call(self, features: Any) -> Any:
        """Return their distances from the mean of all clips, in standard deviations."""
        return ops.abs(features)


@keras.saving.register_keras_serializable(package="har")
class WhereSeen(keras.layers.Layer):
    """Logits where somebody is seen, and low ones elsewhere: (B, T, K) and (B, T, 1) to (B, T, K).

    Who is alone hits nobody else, whatever the arms do.
    """

    def call(self, inputs: Any) -> Any:
        """Return the logits."""
        logits, seen = inputs
        return ops.where(seen > 0.5, logits, _UNLIKELY)


class PeopleClassifier(keras.Model):
    """What the pose stream trains where only clips have labels.

    Takes ``[(B, P, T, D) features, (B, P) confidence, (B, T) mask]`` and gives (B, K). A confidence
    of 0 marks an empty place. A fourth input, (B, K), stands in the place of what the head's linear
    branch says, which then has no part in it. It shares the head and is never saved itself.
    """

    def __init__(self, head: keras.Model, spec: PoseSpec, background: int) -> None:
        """Take the head; it is trained in place."""
        super().__init__(name="people")
        self.head, self.background = head, background
        self._rest = None if get_linear_branch(head) is None else _take_recurrent(head)
        self.rule: PeopleRule = spec.people

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the windows' logits."""
        features, confidence, mask, *known = inputs
        shape = ops.shape(features)
        merged = ops.reshape(features, (-1, *features.shape[2:]))  # (B*P, T, D)
        part = self.head if self._rest is None or not known else self._rest
        logits = part(merged, training=training)
        logits = ops.reshape(logits, (shape[0], shape[1], features.shape[2], -1))  # (B, P, T, K)
        seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1] * mask[:, None, :, None]
        people = pool_steps(logits, seen, self.rule, self.background, axis=2)
        pooled = self._pool(people, confidence[..., None])  # (B, P, K), (B, P, 1)
        return pooled + known[0] if known else pooled

    def _pool(self, people: Any, confidence: Any) -> Any:
        if self.rule == "mean":
            return ops.sum(people * confidence, axis=1) / ops.maximum(
                ops.sum(confidence, axis=1), 1e-3
            )
        strongest = ops.max(ops.where(confidence > 0, people, -_FAR_BELOW), axis=1)
        return ops.where(ops.max(confidence, axis=1) > 0, strongest, ops.zeros_like(strongest))


def pool_steps(logits: Any, seen: Any, rule: PeopleRule, background: int, axis: int) -> Any:
    """Do in training what `har.pose.pooling.pool_steps` does: the steps are on ``axis``."""
    weights = seen / ops.maximum(ops.sum(seen, axis=axis, keepdims=True), 1.0)
    if rule == "mean":
        return ops.sum(logits * weights, axis=axis)
    against = logits - logits[..., background : background + 1]
    weighed = ops.where(seen > 0, against + ops.log(ops.maximum(weights, 1e-9)), -_FAR_BELOW)
    pooled = ops.logsumexp(weighed, axis=axis)
    return ops.where(ops.max(seen, axis=axis) > 0, pooled, ops.zeros_like(pooled))


_FAR_BELOW = 1e4
