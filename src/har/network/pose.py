# pyright: reportOptionalOperand=false, reportOptionalSubscript=false
"""The head of the pose stream: what one person's keypoints say, step by step.

It sees one person at a time, as `har.pose.features` describes one: the own body in one recurrent
layer, the nearest other person in a second; and what a step says itself, linearly, with how far
every feature has spread since the window began. Labels that are told from one body alone, such as
hitting oneself, hear none of them, but a recurrent layer that sees only head, elbows and wrists.
How steps and people become one answer is no part of this graph: `har.pose.pooling` does it, and
`PeopleClassifier` the same in training.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from har.config import PoseConfig
from har.pose.features import N_FEATURES, N_OWN, SEEN_COLUMN, SELF_COLUMNS, TOUCH_COLUMNS
from har.types import PeopleRule, PoseSpec

_NORM = "norm"
LINEAR_PATH = "of_step"
"""Name of the layer by which a step speaks for itself about all labels."""
_STEP = "step"
_MIN_VARIANCE = 1e-2
_MIN_SPREAD = 1e-4
"""Added to a variance, so that its root has a slope."""
_LIMIT = 5.0
"""Standardised features are cut off here: a joint that is thrown far off must not outweigh all."""


def build_pose_head(
    config: PoseConfig, spec: PoseSpec, labels: tuple[str, ...], background: str = ""
) -> keras.Model:
    """Builds the head.

    Args:
        config: Its width.
        spec: The input contract.
        labels: In the order of the outputs.
        background: Where labels are told from one body alone, its logit is 0: so nothing that the
            other parts see can speak for or against them.

    Returns:
        A model from (B, T, D) float32 features of one person to (B, T, K) float32 logits. It is
        causal; T is free.
    """
    features = keras.Input((None, N_FEATURES), name="features")
    x = layers.BatchNormalization(
        center=False, scale=False, epsilon=_MIN_VARIANCE, trainable=False, name=_NORM
    )(features)
    pair = TOUCH_COLUMNS if config.narrow else range(N_OWN, N_FEATURES)
    columns = {"own": range(N_OWN), "pair": pair, "self": SELF_COLUMNS}
    names = ["pair", "self"] if spec.own_labels else ["own", "pair"]
    if spec.own_labels and not config.narrow:
        names.insert(0, "own")
    quiet = background if spec.own_labels else ""
    voices = []
    for name in names:
        part = TakeFeatures(list(columns[name]), name=name)(x)
        hears_steps = name == "self" or (config.linear and bool(spec.own_labels))
        voice = _branch(config, part, len(labels), name, hears_steps)
        speaks = [
            float((label in spec.own_labels) == (name == "self") and label != quiet)
            for label in labels
        ]
        voices.append(layers.Rescaling(speaks, name=f"{name}_labels")(voice))
    if config.linear and not spec.own_labels:
        voices.append(_hear_steps(config, features, x, len(labels)))
    return keras.Model(features, layers.Add(name="logits")(voices), name="pose")


def _hear_steps(config: PoseConfig, features: Any, x: Any, n_labels: int) -> Any:
    """Gives (B, T, K): what each step and how far all have spread so far say, linearly."""
    whole = TakeFeatures(list(range(N_FEATURES)), name="whole")(x)
    seen = TakeFeatures([SEEN_COLUMN], name="seen")(features)
    spread = SpreadSoFar(name="spread")([whole, seen])
    step = layers.Concatenate(name=_STEP)([whole, spread])  # (B, T, 2 D)
    step = layers.Dropout(config.dropout, name="step_drop")(step)
    return layers.Dense(n_labels, kernel_initializer="zeros", name=LINEAR_PATH)(step)


def get_linear_path(head: keras.Model) -> keras.layers.Layer | None:
    """Gives the layer by which a step speaks for itself, or None where a head has none for all."""
    return next((layer for layer in head.layers if layer.name == LINEAR_PATH), None)


def get_step_inputs(head: keras.Model) -> keras.Model:
    """Gives a model from (B, T, D) features to the (B, T, 2 D) that the linear path hears."""
    return keras.Model(head.input, head.get_layer(_STEP).output)


def _branch(config: PoseConfig, x: Any, n_labels: int, name: str, hears_steps: bool) -> Any:
    """Gives (B, T, K): what the recurrent layer says and perhaps, linearly, each step itself."""
    units = config.self_units if name == "self" else config.units
    x = layers.Dropout(config.dropout, name=f"{name}_drop_in")(x)
    y = layers.Dense(units, activation="relu", name=f"{name}_reduce")(x)
    y = layers.LSTM(units, return_sequences=True, name=f"{name}_lstm")(y)
    y = layers.Dropout(config.dropout, name=f"{name}_drop_out")(y)
    of_time = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_time")(y)
    if not hears_steps:
        return of_time
    of_step = layers.Dense(n_labels, kernel_initializer="zeros", name=f"{name}_of_step")(x)
    return layers.Add(name=f"{name}_logits")([of_step, of_time])


def set_pose_scale(head: keras.Model, features: np.ndarray) -> None:
    """Tells a head the mean and variance of (N, D) features, by which it standardises them."""
    mean, variance = features.mean(axis=0), features.var(axis=0)
    head.get_layer(_NORM).set_weights([mean.astype("float32"), variance.astype("float32")])


def match_shape(config: PoseConfig, head: keras.Model) -> PoseConfig:
    """Gives the settings with the widths and parts of a head that was built before."""
    known = {layer.name: layer for layer in head.layers}
    shaped = replace(
        config,
        units=known["pair_lstm"].units,
        linear="pair_of_step" in known or LINEAR_PATH in known,
        narrow=len(known["pair"].columns) == len(TOUCH_COLUMNS),
    )
    return replace(shaped, self_units=known["self_lstm"].units) if "self_lstm" in known else shaped


def copy_weights(target: keras.Model, source: keras.Model, same_labels: bool) -> list[str]:
    """Starts a model from another one, layer by layer.

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


@keras.saving.register_keras_serializable(package="har")
class TakeFeatures(keras.layers.Layer):
    """Takes some of the features, cut off at +-5: (B, T, D) to (B, T, d)."""

    def __init__(self, columns: list[int], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.columns = [int(column) for column in columns]

    def call(self, features: Any) -> Any:
        """Gives the part."""
        part = ops.take(features, np.array(self.columns, dtype=np.int32), axis=-1)
        return ops.clip(part, -_LIMIT, _LIMIT)

    def get_config(self) -> dict[str, Any]:
        """Gives what the layer is made of."""
        return {**super().get_config(), "columns": self.columns}


@keras.saving.register_keras_serializable(package="har")
class SpreadSoFar(keras.layers.Layer):
    """How far features have spread since the first step: (B, T, d) and (B, T, 1) to (B, T, d).

    The standard deviation over the steps up to each at which the person is seen, which the second
    input says; 0 where not. It is what a rule of thumb for a scuffle would look at: not where limbs
    are, but how much all of it changes (docs/decisions/018-spread-of-keypoints.md).
    """

    def call(self, inputs: Any) -> Any:
        """Gives the standard deviations."""
        values, seen = inputs
        count = ops.maximum(ops.cumsum(seen, axis=1), 1.0)
        mean = ops.cumsum(values * seen, axis=1) / count
        square = ops.cumsum(ops.square(values) * seen, axis=1) / count
        return ops.sqrt(ops.maximum(square - ops.square(mean), 0.0) + _MIN_SPREAD) * seen


class PeopleClassifier(keras.Model):
    """What the pose stream trains where only clips have labels.

    Takes ``[(B, P, T, D) features, (B, P) sureness, (B, T) mask]`` and gives (B, K). A sureness of
    0 marks an empty place. It shares the head and is never saved itself.
    """

    def __init__(self, head: keras.Model, spec: PoseSpec, background: int) -> None:
        """Takes the head; it is trained in place."""
        super().__init__(name="people")
        self.head, self.background = head, background
        self.rule: PeopleRule = spec.people

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Gives the windows' logits."""
        features, sureness, mask = inputs
        shape = ops.shape(features)
        merged = ops.reshape(features, (-1, *features.shape[2:]))  # (B*P, T, D)
        logits = self.head(merged, training=training)
        logits = ops.reshape(logits, (shape[0], shape[1], features.shape[2], -1))  # (B, P, T, K)
        seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1] * mask[:, None, :, None]
        people = pool_steps(logits, seen, self.rule, self.background, axis=2)
        return self._pool(people, sureness[..., None])  # (B, P, K), (B, P, 1)

    def _pool(self, people: Any, sureness: Any) -> Any:
        if self.rule == "mean":
            return ops.sum(people * sureness, axis=1) / ops.maximum(ops.sum(sureness, axis=1), 1e-3)
        strongest = ops.max(ops.where(sureness > 0, people, -_FAR_BELOW), axis=1)
        return ops.where(ops.max(sureness, axis=1) > 0, strongest, ops.zeros_like(strongest))


class PersonClassifier(keras.Model):
    """What the pose stream trains where every person has a label, as in made sequences.

    Takes (B, T, D) features of single people and gives (B, K).
    """

    def __init__(self, head: keras.Model, spec: PoseSpec, background: int) -> None:
        """Takes the head; it is trained in place."""
        super().__init__(name="person")
        self.head, self.background = head, background
        self.rule: PeopleRule = spec.people

    def call(self, features: Any, training: bool = False) -> Any:
        """Gives the people's logits."""
        seen = features[..., SEEN_COLUMN : SEEN_COLUMN + 1]
        logits = self.head(features, training=training)
        return pool_steps(logits, seen, self.rule, self.background, axis=1)


def pool_steps(logits: Any, seen: Any, rule: PeopleRule, background: int, axis: int) -> Any:
    """Does in training what `har.pose.pooling.pool_steps` does: the steps are on ``axis``."""
    weights = seen / ops.maximum(ops.sum(seen, axis=axis, keepdims=True), 1.0)
    if rule == "mean":
        return ops.sum(logits * weights, axis=axis)
    against = logits - logits[..., background : background + 1]
    heard = ops.where(seen > 0, against + ops.log(ops.maximum(weights, 1e-9)), -_FAR_BELOW)
    pooled = ops.logsumexp(heard, axis=axis)
    return ops.where(ops.max(seen, axis=axis) > 0, pooled, ops.zeros_like(pooled))


_FAR_BELOW = 1e4
