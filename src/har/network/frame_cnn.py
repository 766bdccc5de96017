# pyright: reportOptionalOperand=false, reportOptionalSubscript=false
"""How a step's stack of frames becomes what the backbone sees; part of the saved model."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from har.config import STRIDE_PX
from har.errors import BundleIntegrityError, ConfigError, MissingDependencyError
from har.types import Pooling, WindowSpec

CLIP_GRAY = 64.0
"""Differences beyond this many gray levels are cut: strong motion is strong enough.

Source: the project's probe, docs/decisions/003-motion-encoding.md.
"""


@keras.saving.register_keras_serializable(package="har")
class MotionEncoding(keras.layers.Layer):
    """Signed differences of gray frames at several lags, one channel a lag.

    Takes (B, H, W, C) uint8, one gray frame a channel, and gives (B, H, W, L) in [-1, 1]:
    channel l is frame ``pairs[l][0]`` minus frame ``pairs[l][1]``, cut at 64 gray levels.
    """

    def __init__(self, pairs: tuple[tuple[int, int], ...], **kwargs: Any) -> None:
        """Take, for each lag, the indices of the two frames that are compared."""
        super().__init__(**kwargs)
        self.pairs = tuple((int(a), int(b)) for a, b in pairs)

    def call(self, stacks: Any) -> Any:
        """Return the difference channels of (B, H, W, C) stacks."""
        gray = ops.cast(stacks, self.compute_dtype)
        weights = ops.cast(self._build_weights(stacks.shape[-1]), self.compute_dtype)
        lags = ops.conv(gray, weights, data_format="channels_last")
        return ops.clip(lags, -CLIP_GRAY, CLIP_GRAY) / CLIP_GRAY

    def _build_weights(self, n_frames: int) -> np.ndarray:
        """Return the (1, 1, C, L) weights of a convolution that takes the differences.

        Engines run it many times faster than slices of the last axis, and to the same numbers.
        """
        weights = np.zeros((1, 1, n_frames, len(self.pairs)), np.float32)
        for lag, (a, b) in enumerate(self.pairs):
            weights[0, 0, a, lag] += 1.0
            weights[0, 0, b, lag] -= 1.0
        return weights

    def get_config(self) -> dict[str, Any]:
        """Return what the constructor takes."""
        return {**super().get_config(), "pairs": [list(pair) for pair in self.pairs]}


@keras.saving.register_keras_serializable(package="har")
class PixelScaling(keras.layers.Layer):
    """RGB pixels in [0, 255], (B, H, W, 3) uint8, as values about [-1, 1].

    Source: (x - 127) / 128 is what EfficientNet-Lite was trained with (Google, Apache-2.0).
    """

    def call(self, pixels: Any) -> Any:
        """Return the scaled pixels."""
        return (ops.cast(pixels, self.compute_dtype) - 127.0) / 128.0


def build_encoding(spec: WindowSpec) -> keras.layers.Layer:
    """Return the layer that turns a stack of ``spec`` into the backbone's channels."""
    if spec.input == "rgb":
        return PixelScaling(name="pixels")
    frame_of = {offset: index for index, offset in enumerate(spec.offsets_s)}
    pairs = tuple((frame_of[a], frame_of[b]) for a, b in spec.lags_s)
    return MotionEncoding(pairs, name="motion")


_KERAS_PREFIX = "keras:"
_LITE0_WEIGHTS = "efficientnet_lite0_fp16.npz"

# kernel side, stride, expansion, filters, repeats; the stride is the first repeat's.
_LITE0_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
    (3, 1, 6, 320, 1),
)


def build_backbone(
    name: str,
    size: tuple[int | None, int | None],
    weights: bool = True,
    pooling: Pooling = "avg",
) -> keras.Model:
    """Build a per-frame CNN.

    Args:
        name: ``lite0``, ``tiny`` or ``keras:NAME``, such as ``keras:MobileNetV2``.
        size: (H, W) of the picture, multiples of 16 from 32 on; None for a side that varies.
        weights: Start from ImageNet weights where the backbone has them; ``tiny`` has none.
        pooling: How the last map becomes one vector: its mean over the picture or its maximum,
            which a small person in a large picture does not thin out.

    Returns:
        A model from (B, H, W, 3) float in [-1, 1] to (B, D) float.

    Raises:
        ConfigError: The name is unknown, or a side is no multiple of 16 or below 32.
        MissingDependencyError: The weights of a ``keras:`` model can't be downloaded.
        BundleIntegrityError: The shipped weights don't fit the network.
    """
    for side in size:
        if side is not None and (side < STRIDE_PX or side % (STRIDE_PX // 2)):
            raise ConfigError(
                f"Expected size of multiples of {STRIDE_PX // 2} from {STRIDE_PX} on, "
                f"received size={size}"
            )
    if name == "lite0":
        return build_lite0(size, weights, pooling)
    if name == "tiny":
        return build_tiny(size, pooling)
    if name.startswith(_KERAS_PREFIX):
        return build_application(name.removeprefix(_KERAS_PREFIX), size, weights, pooling)
    raise ConfigError(
        f"Expected backbone 'lite0', 'tiny' or 'keras:NAME', received backbone={name!r}"
    )


def build_lite0(
    size: tuple[int | None, int | None], weights: bool = True, pooling: Pooling = "avg"
) -> keras.Model:
    """Build EfficientNet-Lite0 without its classifier.

    Source: Tan and Le, EfficientNet, ICML 2019; the Lite variant (no squeeze-and-excitation,
    ReLU6, fixed stem and head) from Google's TPU repository; docs/models/efficientnet_lite0.md.
    """
    inputs = keras.Input((*size, 3), name="picture")  # (H, W, 3)
    x = _conv_bn(inputs, "block00_stem", 32, kernel=3, stride=2)  # (H/2, W/2, 32)
    block = 1
    for kernel, stride, expansion, filters, repeats in _LITE0_STAGES:
        for repeat in range(repeats):
            first = stride if repeat == 0 else 1
            x = _inverted_bottleneck(x, f"block{block:02d}", kernel, first, expansion, filters)
            block += 1
        # after each stage: (H/2, W/2, 16) (H/4, W/4, 24) (H/8, W/8, 40) (H/16, W/16, 80)
        #                   (H/16, W/16, 112) (H/32, W/32, 192) (H/32, W/32, 320)
    x = _conv_bn(x, f"block{block:02d}_head", 1280, kernel=1)  # (H/32, W/32, 1280)
    outputs = _pool(x, pooling)  # (1280,)
    model = keras.Model(inputs, outputs, name="lite0")
    if weights:
        _load_lite0_weights(model)
    return model


def build_tiny(size: tuple[int | None, int | None], pooling: Pooling = "avg") -> keras.Model:
    """Build a CNN of 90 thousand parameters that trains from scratch on a small machine.

    Its batch-norm statistics follow within some ten steps (momentum 0.9), since its training is
    short; train them with ``freeze_backbone(model, 0, train_batch_norm=True)``.
    """
    inputs = keras.Input((*size, 3), name="picture")  # (H, W, 3)
    x = _plain_conv(inputs, "block00_stem", 16, kernel=5, stride=2)  # (H/2, W/2, 16)
    x = _plain_conv(x, "block01_conv", 24, kernel=3, stride=2)  # (H/4, W/4, 24)
    x = _plain_conv(x, "block02_conv", 48, kernel=3, stride=2)  # (H/8, W/8, 48)
    x = _plain_conv(x, "block03_conv", 64, kernel=3, stride=2)  # (H/16, W/16, 64)
    x = _plain_conv(x, "block04_conv", 64, kernel=3, stride=1)  # (H/16, W/16, 64)
    x = _plain_conv(x, "block05_head", 128, kernel=1, stride=1)  # (H/16, W/16, 128)
    outputs = _pool(x, pooling)  # (128,)
    return keras.Model(inputs, outputs, name="tiny")


def build_application(
    name: str,
    size: tuple[int | None, int | None],
    weights: bool = True,
    pooling: Pooling = "avg",
) -> keras.Model:
    """Build a model of ``keras.applications`` behind the common [-1, 1] input.

    The input is brought back to [0, 255] and then through the application's own
    ``preprocess_input``, so every model sees the scale that its weights were trained on; a motion
    channel of zero arrives as mid-gray.

    Raises:
        ConfigError: There is no such model, or it refuses the size.
        MissingDependencyError: The weights can't be downloaded.
    """
    builders = _list_applications()
    if name not in builders:
        raise ConfigError(
            f"Expected one of {', '.join(sorted(builders))} after 'keras:', received {name!r}"
        )
    builder = builders[name]
    application = _call_application(
        builder, name, (*size, 3), "imagenet" if weights else None, pooling
    )
    inputs = keras.Input((*size, 3), name="picture")  # (H, W, 3)
    pixels = layers.Rescaling(128.0, offset=127.0, name="block00_pixels")(inputs)  # [0, 255]
    scaled = sys.modules[builder.__module__].preprocess_input(pixels)
    return keras.Model(inputs, application(scaled), name=name.lower())  # (D,)


def freeze_backbone(model: keras.Model, train_from: int, train_batch_norm: bool = False) -> None:
    """Set which layers learn; a compiled model must be compiled again after it.

    Batch normalization that does not learn runs on its stored statistics, in training too: the
    small batches of fine-tuning would spoil what ImageNet or an earlier stage gave it.

    Args:
        model: What `build_backbone` gave.
        train_from: Blocks with this number and above learn: 0 is all, above the last is none.
        train_batch_norm: Let batch normalization of these blocks learn too, with batch
            statistics: for a network that starts from scratch.
    """
    for layer in model.layers:
        block_learns = _block_index(layer) >= train_from
        for part in _iter_parts(layer):
            is_batch_norm = isinstance(part, layers.BatchNormalization)
            part.trainable = block_learns and (train_batch_norm or not is_batch_norm)


def _pool(x, pooling: Pooling):
    if pooling == "max":
        return layers.GlobalMaxPooling2D(name="features")(x)
    return layers.GlobalAveragePooling2D(name="features")(x)


def _conv_bn(x, name: str, filters: int, kernel: int, stride: int = 1, relu: bool = True):
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(max_value=6.0, name=f"{name}_relu")(x) if relu else x


def _inverted_bottleneck(x, name: str, kernel: int, stride: int, expansion: int, filters: int):
    n_in = x.shape[-1]
    y = x
    if expansion > 1:
        y = _conv_bn(y, f"{name}_expand", n_in * expansion, kernel=1)
    y = layers.DepthwiseConv2D(kernel, stride, "same", use_bias=False, name=f"{name}_depthwise")(y)
    y = layers.BatchNormalization(momentum=0.99, epsilon=1e-3, name=f"{name}_depthwise_bn")(y)
    y = layers.ReLU(max_value=6.0, name=f"{name}_depthwise_relu")(y)
    y = _conv_bn(y, f"{name}_project", filters, kernel=1, relu=False)
    if stride == 1 and n_in == filters:
        y = layers.Add(name=f"{name}_add")([x, y])
    return y


def _plain_conv(x, name: str, filters: int, kernel: int, stride: int):
    x = layers.Conv2D(filters, kernel, stride, "same", use_bias=False, name=name)(x)
    x = layers.BatchNormalization(momentum=0.9, epsilon=1e-3, name=f"{name}_bn")(x)
    return layers.ReLU(name=f"{name}_relu")(x)


def _load_lite0_weights(model: keras.Model) -> None:
    file = resources.files("har.network").joinpath("weights", _LITE0_WEIGHTS)
    with file.open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
        values = {key: arrays[key].astype("float32") for key in arrays.files}
    variables = {f"{layer.name}/{v.name}": v for layer in model.layers for v in layer.weights}
    expected = {key: tuple(variable.shape) for key, variable in variables.items()}
    found = {key: value.shape for key, value in values.items()}
    wrong = {key for key, _ in expected.items() ^ found.items()}
    if wrong:
        raise BundleIntegrityError(
            f"The weights {file} don't fit lite0 at {', '.join(sorted(wrong)[:5])}; install har "
            "again, or make the file again with scripts/convert_lite0.py"
        )
    for key, variable in variables.items():
        variable.assign(values[key])


def _list_applications() -> dict[str, Callable[..., Any]]:
    return {
        name: value
        for name, value in vars(keras.applications).items()
        if not name.startswith("_") and callable(value) and not isinstance(value, ModuleType)
    }


def _call_application(
    builder: Callable[..., keras.Model],
    name: str,
    shape: tuple,
    weights: str | None,
    pooling: Pooling,
) -> keras.Model:
    try:
        return builder(include_top=False, weights=weights, input_shape=shape, pooling=pooling)
    except ValueError as error:
        raise ConfigError(f"keras:{name} can't be built for input {shape}: {error}") from error
    except Exception as error:  # get_file raises a plain Exception where there is no network
        if "URL fetch failure" not in str(error):
            raise
        raise MissingDependencyError(
            f"The ImageNet weights of keras:{name} can't be downloaded ({error}); connect once, "
            "put them into Keras's own folder ~/.keras/models, or use backbone 'lite0', which "
            "ships with har"
        ) from error


def _iter_parts(layer: keras.Layer) -> Iterator[keras.Layer]:
    if isinstance(layer, keras.Model):
        for inner in layer.layers:
            yield from _iter_parts(inner)
    else:
        yield layer


def _block_index(layer: keras.Layer) -> int:
    match = re.match(r"block(\d+)_", layer.name)
    return int(match.group(1)) if match else 0
