"""What a model sees and how it learns: the stages, cross-validation, recipes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal, get_args

from har.config.bounds import check, check_range
from har.config.fit import FitConfig
from har.config.pose import PoseConfig
from har.errors import ConfigError
from har.types import MAX_MOTION_CROP, InputKind, Pooling, Protocol, Streams, WindowSpec

MOTION_LAGS_S = ((0.0, -0.04), (0.0, -0.08), (0.08, -0.08))
"""Signed differences at three lags.

Source: docs/decisions/003-motion-encoding.md; how long they are, 027-fight-both-streams.md.
"""


@dataclass(frozen=True)
class InputConfig:
    """What a model sees; with the store's picture size it becomes a `WindowSpec`.

    Attributes:
        input: ``motion`` compares gray frames at several lags, ``rgb`` takes one picture.
        rate_hz: Time steps a second.
        n_steps: Time steps in one window.
        motion_crop: The CNN sees 1/motion_crop of the height and of the width, where motion has
            been. 1, all of the picture, suits videos that are filled by one or two people. One
            picture shows no
            motion: with ``rgb`` the whole picture is seen.
        lags_s: Pairs of offsets in seconds, see `WindowSpec`.
    """

    input: InputKind = "motion"
    rate_hz: float = 8.0
    n_steps: int = 16
    motion_crop: int = 2
    lags_s: tuple[tuple[float, float], ...] = MOTION_LAGS_S

    def __post_init__(self) -> None:
        check_range(self, rate_hz=(0.5, 60.0), n_steps=(1, 512), motion_crop=(1, MAX_MOTION_CROP))
        check(self.input in ("motion", "rgb"), "input", self.input, "'motion' or 'rgb'")
        check(1 <= len(self.lags_s) <= 8, "lags_s", self.lags_s, "1 to 8 pairs")
        for a, b in self.lags_s:
            check(
                a != b and max(abs(a), abs(b)) <= 2.0,
                "lags_s",
                (a, b),
                "pairs of two different times within 2 s",
            )

    def window_spec(self, size: tuple[int, int], max_rate_hz: float) -> WindowSpec:
        """Return the full input contract for pictures of a store."""
        lags, motion_crop = (self.lags_s, self.motion_crop) if self.input == "motion" else ((), 1)
        return WindowSpec(
            size, self.rate_hz, self.n_steps, self.input, lags, max_rate_hz, motion_crop
        )


@dataclass(frozen=True)
class AugmentConfig:
    """Changes drawn once a clip and applied alike to all its frames."""

    flip: bool = True
    crop: float = 0.2
    shift_s: float = 0.06
    speed: float = 0.15
    contrast: float = 0.3
    noise: float = 4.0
    erase: float = 0.25

    def __post_init__(self) -> None:
        check_range(
            self,
            crop=(0.0, 0.8),
            shift_s=(0.0, 1.0),
            speed=(0.0, 0.9),
            contrast=(0.0, 1.0),
            noise=(0.0, 64.0),
            erase=(0.0, 1.0),
        )


KERAS_BACKBONES = re.compile(
    r"keras:(ConvNeXt(Tiny|Small|Base|Large|XLarge)|DenseNet(121|169|201)"
    r"|EfficientNet(B[0-7]|V2(B[0-3]|[SML]))|Inception(ResNetV2|V3)|MobileNet(V2|V3(Small|Large))?"
    r"|NASNet(Large|Mobile)|ResNet(50|101|152)(V2)?|VGG(16|19)|Xception)"
)
"""Models of ``keras.applications``: known without Keras, so that a slip is found at once."""


STRIDE_PX = 32
"""Of every backbone; no smaller picture has a feature."""


def compute_cnn_size(size: tuple[int, int], downsample: int) -> tuple[int, int]:
    """Return the (H, W) that a backbone gets of pictures of ``size``.

    >>> compute_cnn_size((192, 320), 2)
    (96, 160)

    Raises:
        ConfigError: The pictures are too small, or of a shape that the backbone refuses.
    """
    height, width = size[0] // downsample, size[1] // downsample
    if min(height, width) < STRIDE_PX or any(side % (downsample * STRIDE_PX // 2) for side in size):
        raise ConfigError(
            f"Pictures of {size[0]}x{size[1]} cannot be downsampled {downsample} times for the "
            f"CNN; set cnn.downsample to a smaller number"
        )
    return height, width


@dataclass(frozen=True)
class CnnConfig:
    """Stage 1: the per-frame CNN classifies single time steps.

    Attributes:
        backbone: ``lite0``, ``tiny``, or ``keras:NAME`` for a model of ``keras.applications``.
        downsample: Pixels, in height and in width, whose mean is one pixel for the CNN.
        steps_per_clip: Time steps drawn from a clip in an epoch.
        pooling: How a picture's map of features becomes one vector.
        train_from: First block of the backbone that is trained, 0 all of it; the rest is frozen.
    """

    backbone: str = "lite0"
    downsample: int = 2
    pooling: Pooling = "max"
    steps_per_clip: int = 4
    train_from: int = 8
    fit: FitConfig = field(default_factory=lambda: FitConfig(6, 3, 2e-4, 1e-2, 32))

    def __post_init__(self) -> None:
        check_range(self, downsample=(1, 4), steps_per_clip=(1, 512), train_from=(0, 1000))
        check(self.pooling in ("avg", "max"), "pooling", self.pooling, "'avg' or 'max'")
        name = str(self.backbone)
        ok = name in ("lite0", "tiny") or KERAS_BACKBONES.fullmatch(name) is not None
        known = "'lite0', 'tiny' or a model of keras.applications such as 'keras:MobileNetV2'"
        check(ok, "backbone", name, known)


@dataclass(frozen=True)
class TemporalConfig:
    """Stage 2: the recurrent head over per-frame features.

    Attributes:
        kind: Of the recurrent part.
        units: Its width.
        recent_steps: Steps over which the largest value of each feature is remembered.
        dropout: Before and after the recurrent part.
        linear_c: Inverse of the penalty on the weights by which a step is scored by itself.
        n_variants: Of every clip: as it is, its mirror image, and under drawn changes.
        fit: The optimization.
    """

    kind: Literal["lstm", "gru", "tcn"] = "lstm"
    units: int = 64
    recent_steps: int = 8
    dropout: float = 0.5
    linear_c: float = 3e-3
    n_variants: int = 2
    fit: FitConfig = field(default_factory=lambda: FitConfig(8, 8, 2e-4, 1e-2, 32))

    def __post_init__(self) -> None:
        check_range(
            self,
            units=(1, 4096),
            recent_steps=(1, 512),
            dropout=(0.0, 0.9),
            linear_c=(1e-6, 1e3),
            n_variants=(1, 64),
        )
        check(self.kind in ("lstm", "gru", "tcn"), "kind", self.kind, "'lstm', 'gru' or 'tcn'")


@dataclass(frozen=True)
class SystemConfig:
    """Stage 3: CNN and head together, at a low rate, batch-norm statistics frozen."""

    fit: FitConfig = field(default_factory=lambda: FitConfig(3, 2, 3e-5, 1e-2, 4))


@dataclass(frozen=True)
class TrainConfig:
    """All three stages and what they share.

    A file of settings has a table for each stage, with ``fit`` inside it. What is not in ``BASIC``
    stands there under ``advanced``, such as ``[advanced.cnn]`` with ``pooling``.

    Attributes:
        streams: What the model sees: motion in the picture, people's keypoints, or both.
        input: Of the motion stream.
        augment: Of its clips.
        cnn: Stage 1.
        temporal: Stage 2.
        system: Stage 3.
        pose: The pose stream.
        mixed_precision: Compute in 16 bits where it can; None where it is faster.
        seed: Of starting weights, order and changes.
    """

    streams: Streams = "motion"
    input: InputConfig = field(default_factory=InputConfig)
    augment: AugmentConfig = field(default_factory=AugmentConfig)
    cnn: CnnConfig = field(default_factory=CnnConfig)
    temporal: TemporalConfig = field(default_factory=TemporalConfig)
    system: SystemConfig = field(default_factory=SystemConfig)
    pose: PoseConfig = field(default_factory=PoseConfig)
    mixed_precision: bool | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        known = get_args(Streams)
        shown = ", ".join(map(repr, known))
        check(self.streams in known, "streams", self.streams, f"one of {shown}")

    BASIC: ClassVar[frozenset[str]] = frozenset(
        {"streams", "seed", "input.input", "input.rate_hz", "input.n_steps", "input.motion_crop"}
        | {"augment.flip", "cnn.backbone", "cnn.downsample", "pose.single_person_labels"}
        | {"temporal.kind", "temporal.units", "temporal.dropout"}
        | {f"{stage}.fit.epochs" for stage in ("cnn", "temporal", "system")}
        | {f"{stage}.fit.learning_rate" for stage in ("cnn", "temporal", "system")}
    )


@dataclass(frozen=True)
class CrossvalConfig:
    """How a recipe is cross-validated.

    Attributes:
        n_folds: Parts; each is tested once a seed.
        n_seeds: Repetitions, each with its own folds and starting weights.
        protocol: ``grouped`` never divides a group; ``random`` leaks and is only for comparison.
    """

    n_folds: int = 5
    n_seeds: int = 3
    protocol: Protocol = "grouped"

    def __post_init__(self) -> None:
        check_range(self, n_folds=(2, 100), n_seeds=(1, 100))
        check(
            self.protocol in ("grouped", "random"),
            "protocol",
            self.protocol,
            "'grouped' or 'random'",
        )


RECIPES: dict[str, dict[str, Any]] = {
    "full": {},
    "frozen": {"cnn": {"fit": {"epochs": 0}}, "system": {"fit": {"epochs": 0}}},
    "tiny": {
        "input": {"motion_crop": 1},
        "cnn": {
            "backbone": "tiny",
            "downsample": 1,
            "train_from": 0,
            "steps_per_clip": 8,
            "fit": {"epochs": 16, "patience": 5, "learning_rate": 3e-3, "batch_clips": 32},
        },
        "temporal": {"dropout": 0.3, "fit": {"epochs": 40, "learning_rate": 2e-3}},
        "system": {"fit": {"epochs": 10, "patience": 4, "learning_rate": 1e-3, "batch_clips": 8}},
    },
}
"""Named changes to `TrainConfig`: all three stages; a pretrained CNN that stays as it is; and a
small CNN from scratch, for tests, synthetic clips and small machines."""
