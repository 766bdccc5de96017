"""Settings of every stage, with their bounds: the only home of defaults.

Each stage has one frozen dataclass. Values are checked when it is made, so that a wrong setting is
refused before any work starts. `load_config` reads a TOML file whose tables are the stages' names.
"""

from __future__ import annotations

import dataclasses
import json
import tomllib
import warnings
from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeVar

from har.config.alerts import AlertRule as AlertRule
from har.config.alerts import AlertsConfig as AlertsConfig
from har.config.alerts import ClipsConfig as ClipsConfig
from har.config.alerts import MetricsConfig as MetricsConfig
from har.config.alerts import NotifyConfig as NotifyConfig
from har.config.alerts import QuietHours as QuietHours
from har.config.alerts import RetentionConfig as RetentionConfig
from har.config.alerts import WatchSettings as WatchSettings
from har.config.bounds import check, check_range
from har.config.decode import TAIL_S as TAIL_S
from har.config.decode import DecodeConfig as DecodeConfig
from har.config.decode import LabelRule as LabelRule
from har.config.decode import change_rules as change_rules
from har.config.engine import ENGINE as ENGINE
from har.config.engine import Engine as Engine
from har.config.export import ExportConfig as ExportConfig
from har.config.export import ExportFormat as ExportFormat
from har.config.fit import FitConfig as FitConfig
from har.config.making import CaptureConfig as CaptureConfig
from har.config.making import Posture as Posture
from har.config.making import SynthConfig as SynthConfig
from har.config.pose import SINGLE_PERSON_LABELS as SINGLE_PERSON_LABELS
from har.config.pose import PoseConfig as PoseConfig
from har.config.tuning import TuneConfig as TuneConfig
from har.config.watching import WatchConfig as WatchConfig
from har.errors import ConfigError
from har.types import MAX_MOTION_CROP, Color, InputKind, Pooling, Protocol, Streams, WindowSpec

MOTION_LAGS_S = ((0.0, -0.04), (0.0, -0.12), (0.16, -0.16))
"""Signed differences at three lags.

Source: the project's probe on Surveillance Camera Fight, docs/decisions/003-motion-encoding.md.
"""

BACKGROUND_NAMES = frozenset(
    {"background", "idle", "neutral", "no_fight", "nofight", "none", "normal", "nothing"}
    | {"other", "playing", "rest"}
)
"""Labels, in lower case, that are taken to mean that nothing of interest happens."""


def find_background(labels: Iterable[str]) -> str:
    """Return the first label that means "nothing of interest", or an empty text.

    >>> find_background(("fight", "noFight"))
    'noFight'
    """
    return next((label for label in labels if label.lower() in BACKGROUND_NAMES), "")


@dataclass(frozen=True)
class PrepareConfig:
    """How videos become a store of frames (`har prepare`).

    Attributes:
        long_side: Pixels of the stored picture's longer side; a multiple of 32.
        size: (H, W), or None to take the shape that fits the clips best at ``long_side``.
        color: ``gray`` for the motion input, ``rgb`` for the RGB input.
        max_rate_hz: Faster videos are thinned to this many frames a second.
        min_frames: Clips with fewer frames are rejected.
        n_folds: Parts of the cross-validation that are laid down in ``splits.json``.
        group_by: A manifest column, or a regular expression with one group on the file's path.
        seed: Draws the splits.
        jobs: Videos decoded at once; 0 means one a core.
    """

    long_side: int = 320
    size: tuple[int, int] | None = None
    color: Color = "gray"
    max_rate_hz: float = 30.0
    min_frames: int = 5
    n_folds: int = 5
    group_by: str | None = None
    seed: int = 0
    jobs: int = 0

    def __post_init__(self) -> None:
        check_range(
            self,
            long_side=(32, 1024),
            max_rate_hz=(1.0, 240.0),
            min_frames=(2, 10_000),
            n_folds=(2, 100),
            jobs=(0, 256),
        )
        check(self.long_side % 32 == 0, "long_side", self.long_side, "a multiple of 32")
        check(self.color in ("gray", "rgb"), "color", self.color, "'gray' or 'rgb'")
        for side in self.size or ():
            check(32 <= side <= 1024 and side % 32 == 0, "size", self.size, "of multiples of 32")


@dataclass(frozen=True)
class InputConfig:
    """What a model looks at; with the store's picture size it becomes a `WindowSpec`.

    Attributes:
        input: ``motion`` compares gray frames at several lags, ``rgb`` looks at one picture.
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
        check(1 <= len(self.lags_s) <= 8, "lags_s", self.lags_s, "of 1 to 8 pairs")
        for a, b in self.lags_s:
            check(a != b and max(abs(a), abs(b)) <= 2.0, "lags_s", (a, b), "two times within 2 s")

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


@dataclass(frozen=True)
class TemporalConfig:
    """Stage 2: the recurrent head over per-frame features.

    Attributes:
        kind: Of the recurrent part.
        units: Its width.
        recent_steps: Steps over which the largest value of each feature is remembered.
        dropout: Before and after the recurrent part.
        linear_c: Inverse of the penalty on the weights by which a step is scored by itself.
        n_views: Of every clip: as it is, its mirror image, and under drawn changes.
        fit: The optimization.
    """

    kind: Literal["lstm", "gru", "tcn"] = "lstm"
    units: int = 64
    recent_steps: int = 8
    dropout: float = 0.5
    linear_c: float = 3e-3
    n_views: int = 2
    fit: FitConfig = field(default_factory=lambda: FitConfig(8, 8, 2e-4, 1e-2, 32))

    def __post_init__(self) -> None:
        check_range(
            self,
            units=(1, 4096),
            recent_steps=(1, 512),
            dropout=(0.0, 0.9),
            linear_c=(1e-6, 1e3),
            n_views=(1, 64),
        )
        check(self.kind in ("lstm", "gru", "tcn"), "kind", self.kind, "'lstm', 'gru' or 'tcn'")


@dataclass(frozen=True)
class SystemConfig:
    """Stage 3: CNN and head together, at a low rate, batch-norm statistics frozen."""

    fit: FitConfig = field(default_factory=lambda: FitConfig(3, 2, 3e-5, 1e-2, 4))


@dataclass(frozen=True)
class TrainConfig:
    """All three stages and what they share.

    ``streams`` says what the model looks at: motion in the picture, people's keypoints, or both.
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


@dataclass(frozen=True)
class PredictConfig:
    """How a video is recognized (`har predict`).

    Attributes:
        n_overlap: Windows that look at each step, away from the ends.
        batch_steps: Time steps that go through the CNN together.
        keep_places: Keep where every person was at every step, and which part of the picture the
            CNN saw, which takes memory: about 10 MB for an hour of one person.
        jobs: Cores that are used: so many pictures of one video go through the networks at once, or
            so many videos of several; 0 means all.
        n_ahead: Frames that are decoded ahead of the networks.
    """

    n_overlap: int = 4
    batch_steps: int = 16
    keep_places: bool = False
    jobs: int = 0
    n_ahead: int = 64

    def __post_init__(self) -> None:
        check_range(
            self, n_overlap=(1, 64), batch_steps=(1, 1024), jobs=(0, 256), n_ahead=(1, 4096)
        )

    def hop(self, n_steps: int) -> int:
        """Return the steps from one window's start to the next, for windows of ``n_steps``.

        >>> PredictConfig().hop(16), PredictConfig().hop(3)
        (4, 1)
        """
        return max(n_steps // self.n_overlap, 1)


@dataclass(frozen=True)
class OutputsConfig:
    """What is written of a video beyond its scores, events and timeline (`har predict`).

    Attributes:
        annotate: The video again, with what was found drawn in.
        thumbnails: A picture of each event.
    """

    annotate: bool = False
    thumbnails: bool = False


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

Config = TypeVar("Config")


def update_config(config: Config, values: dict[str, Any], where: str = "the settings") -> Config:
    """Return ``config`` with the nested ``values`` put over it, all bounds checked again.

    >>> update_config(TrainConfig(), {"temporal": {"units": 32}}).temporal.units
    32

    Raises:
        ConfigError: A name is unknown or a value is out of its bounds.
    """
    known = {item.name: item for item in dataclasses.fields(config)}  # type: ignore[arg-type]
    changed: dict[str, Any] = {}
    for given, value in values.items():
        name = _find_present_name(given, known, where)
        if name not in known:
            raise ConfigError(
                f"Unknown setting {name!r} in {where}; known here: {', '.join(sorted(known))}"
            )
        current = getattr(config, name)
        if dataclasses.is_dataclass(current) and isinstance(value, dict):
            changed[name] = update_config(current, value, f"{where}.{name}")
        else:
            changed[name] = _as_tuple(value)
            shown = repr(value) if known[name].repr else "something else"
            _check_kind(name, changed[name], current, where, shown)
    return dataclasses.replace(config, **changed)  # type: ignore[type-var]


_RENAMED = {
    "shrink": "downsample",
    "zoom": "motion_crop",
    "own_labels": "single_person_labels",
    "min_sureness": "min_confidence",
}


def _find_present_name(name: str, known: Container[str], where: str) -> str:
    """Return the present name of a setting that was called otherwise before, with a warning."""
    present = _RENAMED.get(name)
    if name in known or present is None or present not in known:
        return name
    warnings.warn(f"{name} in {where} is now called {present}", FutureWarning, stacklevel=2)
    return present


def _check_kind(name: str, value: Any, current: Any, where: str, shown: str) -> None:
    """Refuse a value of another kind than the default; whole numbers serve as any number.

    Fields with ``repr=False`` hold secrets, so ``shown`` stands for their value in messages.
    """
    kinds = (int, float) if type(current) is float else type(current)
    if current is not None and (
        not isinstance(value, kinds) or isinstance(value, bool) is not isinstance(current, bool)
    ):
        raise ConfigError(
            f"Expected {name} of the kind of its default {current!r} in {where}, received {shown}"
        )


def load_config(path: Path, base: Config) -> Config:
    """Read a TOML file, or a ``.json`` file such as `har tune` writes, over the defaults ``base``.

    Raises:
        ConfigError: The file is missing, cannot be read, or holds a bad setting.
    """
    try:
        read = json.loads if path.suffix == ".json" else tomllib.loads
        values = dict(read(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"The settings file {path} cannot be read: {error}") from error
    return update_config(base, values, str(path))


def _as_tuple(value: Any) -> Any:
    return tuple(_as_tuple(item) for item in value) if isinstance(value, list) else value
