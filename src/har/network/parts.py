"""Parts of the motion stream that a user gives as objects: a backbone, a head over time.

A bundle is opened in Keras' safe mode and without a user's code, so a part is made of Keras' own
layers; what could not be opened again is refused before anything is trained.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import keras

from har.errors import ConfigError

OWN = "own"
"""What a bundle says in place of the name of a backbone or of the kind of a head."""

HeadBuilder = Callable[[int, int], keras.Model]
"""Gives a head for ``(n_features, n_labels)``."""


@dataclass(frozen=True)
class OwnParts:
    """Parts of the motion stream in place of the built-in ones; None takes the recipe's.

    >>> from keras import Input, Sequential, layers
    >>> backbone = Sequential(
    ...     [
    ...         Input((None, None, 3)),
    ...         layers.Conv2D(8, 5, strides=4, activation="relu"),
    ...         layers.GlobalMaxPooling2D(),
    ...     ]
    ... )
    >>> def build_head(n_features: int, n_labels: int):
    ...     lstm = layers.LSTM(16, return_sequences=True)
    ...     return Sequential([Input((None, n_features)), lstm, layers.Dense(n_labels)])
    >>> parts = OwnParts(backbone, build_head)
    >>> build_own_head(parts.head, 16, n_features=8, n_labels=2).output_shape
    (None, None, 2)

    Attributes:
        backbone: From (B, H, W, C) float32 pictures to (B, D) features. H and W are those of the
            stored pictures, divided by ``cnn.downsample``, or None; C is the number of lags, for
            which values are signed differences in [-1, 1], or 3 for color, also about [-1, 1].
            It is copied; weights are where training starts from, and layers that are not
            trainable stay as they are.
        head: From (B, T, D) float32 features to (B, T, K) logits, or a function of
            ``(n_features, n_labels)`` that builds it; T is the window's length or None. A clip
            shorter than a window is padded with zeros at its end, so logits that do not depend on
            later steps suit best. A model is copied for each training, a function called.
    """

    backbone: keras.Model | None = None
    head: keras.Model | HeadBuilder | None = None


NO_PARTS = OwnParts()


def build_own_backbone(backbone: keras.Model, shape: tuple[int, int, int]) -> keras.Model:
    """Return a copy of a backbone, once it is known to fit and to be safe to save.

    Args:
        backbone: See `OwnParts`.
        shape: (H, W, C) of the pictures that it will get.

    Raises:
        ConfigError: It does not fit, or could not be opened again.
    """
    _check_layers(backbone, "backbone")
    takes, gives = _find_shapes(backbone, "backbone")
    if len(takes) != 4 or not _fits(takes[1:], shape):
        raise ConfigError(
            f"The backbone {backbone.name!r} must take pictures of (H, W, C)={shape}, or of None "
            f"for a side that may vary, received input_shape={takes}; H and W are the prepared "
            f"picture's, divided by the setting cnn.downsample"
        )
    if len(gives) != 2 or gives[1] is None:
        raise ConfigError(
            f"The backbone {backbone.name!r} must give one vector a picture, (B, D), received "
            f"output_shape={gives}; end it with a global pooling, for example"
        )
    return _copy(backbone)


def build_own_head(
    head: keras.Model | HeadBuilder, n_steps: int, n_features: int, n_labels: int
) -> keras.Model:
    """Return a new head, once it is known to fit and to be safe to save.

    Args:
        head: See `OwnParts`.
        n_steps: T of the windows that it will get.
        n_features: D of each step.
        n_labels: K.

    Raises:
        ConfigError: It does not fit, or could not be opened again.
    """
    built = head if isinstance(head, keras.Model) else head(n_features, n_labels)
    if not isinstance(built, keras.Model):
        raise ConfigError(
            f"The function for the head must return a Keras model, received {type(built).__name__}"
        )
    _check_layers(built, "head")
    takes, gives = _find_shapes(built, "head")
    if len(takes) != 3 or not _fits(takes[1:], (n_steps, n_features)):
        raise ConfigError(
            f"The head {built.name!r} must take (T, D)=({n_steps}, {n_features}), T may be None, "
            f"received input_shape={takes}"
        )
    if len(gives) != 3 or not _fits(gives[1:], (n_steps, n_labels)) or gives[2] is None:
        raise ConfigError(
            f"The head {built.name!r} must give logits of {n_labels} labels at every step, "
            f"(T, K)=({n_steps}, {n_labels}), received output_shape={gives}; recurrent layers need "
            f"return_sequences=True"
        )
    return _copy(built) if built is head else built


def compute_structure_hash(model: keras.Model) -> str:
    """Return a hash of a model's layers, their settings and order, whatever they are called."""
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    names: dict[str, int] = {}
    text = json.dumps(_number_names(written, names), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _number_names(values: Any, names: dict[str, int]) -> Any:
    """Return plain values with every name that a layer goes by replaced by its first place."""
    if isinstance(values, dict):
        name = values.get("name")
        if isinstance(name, str):
            names.setdefault(name, len(names))
        return {key: _number_names(value, names) for key, value in values.items()}
    if isinstance(values, list):
        return [_number_names(value, names) for value in values]
    return names.get(values, values) if isinstance(values, str) else values


def _fits(found: tuple[int | None, ...], wanted: tuple[int, ...]) -> bool:
    return all(a is None or a == b for a, b in zip(found, wanted, strict=True))


def _find_shapes(model: keras.Model, what: str) -> tuple[tuple, tuple]:
    """Return the shapes of the one input and the one output of a model."""
    try:
        takes, gives = model.input_shape, model.output_shape
    except (AttributeError, ValueError) as error:
        raise ConfigError(
            f"The {what} {model.name!r} has no known shapes: {error}; begin it with keras.Input"
        ) from error
    if not (isinstance(takes, tuple) and isinstance(gives, tuple)):
        raise ConfigError(
            f"The {what} {model.name!r} must have one input and one output, received {takes} and "
            f"{gives}"
        )
    return takes, gives


def _check_layers(model: keras.Model, what: str) -> None:
    """Refuse what a bundle could not be opened with again, in safe mode and without other code."""
    for layer in (model, *iter_layers(model)):
        if not type(layer).__module__.startswith("keras."):
            raise ConfigError(
                f"The {what} {model.name!r} has the layer {layer.name!r} of the class "
                f"{type(layer).__name__}, which is not one of Keras' own; a bundle is opened "
                f"without other code. Build it of keras.layers, as a Sequential or functional model"
            )
    try:
        _copy(model)
    except (ValueError, TypeError, NotImplementedError) as error:
        raise ConfigError(
            f"The {what} {model.name!r} cannot be saved for Keras' safe mode: {error} Replace "
            f"Lambda layers and functions of your own by layers of Keras"
        ) from error


def _copy(model: keras.Model) -> keras.Model:
    """Return a copy that was written and read as a bundle does it; shapes and weights are alike."""
    written = json.loads(json.dumps(keras.saving.serialize_keras_object(model)))
    copied = keras.saving.deserialize_keras_object(written, safe_mode=True)
    copied.set_weights(model.get_weights())
    return copied


def iter_layers(model: keras.Model) -> Iterator[keras.Layer]:
    """Yield the layers of a model, and of the models inside it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from iter_layers(layer)
