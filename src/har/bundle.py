"""What a bundle says about itself: `bundle.json`, read and written without Keras.

A bundle is a folder:

    bundle.json       this contract: labels, window, temperature, thresholds, hashes, metrics
    cnn.keras         per-frame CNN     (H, W, C) uint8 -> (D,)
    temporal.keras    temporal head     (T, D) -> (T, K) logits
    frame_cnn.onnx    the same two as graphs, which is all that recognition needs
    temporal.onnx
    pose.keras        pose head         (T, P) -> (T, K) logits of one person, where the bundle
    pose.onnx         looks at people's keypoints; a bundle of the pose stream alone has only these

The order of ``labels`` is the order of the model's outputs and is never sorted again.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields, replace
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeVar, get_args

from har.config import DecodeConfig, update_config
from har.errors import BundleIntegrityError, BundleMismatchError, BundleNotFoundError, HarError
from har.escaping import cut_line
from har.files import write_json
from har.learned import MARK, MOST_MARKS
from har.types import (
    PictureSpec,
    Pooling,
    PoseSpec,
    StreamName,
    Streams,
    WindowSpec,
    explain_label,
)

BUNDLE_FILE = "bundle.json"
CNN_FILE = "cnn.keras"
TEMPORAL_FILE = "temporal.keras"
CNN_GRAPH_FILE = "frame_cnn.onnx"
INT8_GRAPH_FILE = "frame_cnn_int8.onnx"
"""The same in 8-bit integers, where a bundle has it, for those who ask for speed."""
TEMPORAL_GRAPH_FILE = "temporal.onnx"
POSE_FILE = "pose.keras"
POSE_GRAPH_FILE = "pose.onnx"
FORMAT_VERSION = 3
_OLD_VERSIONS = (1, 2)
"""Format 1 had no crop to motion. Both told of the streams by flags, and used other names."""
_OLD_NAMES = {
    "made_data": "synthetic_data",
    "zoom": "motion_crop",
    "own_labels": "single_person_labels",
    "min_sureness": "min_confidence",
}
_KINDS = {
    "data_hash": str,
    "synthetic_data": bool,
    "held_out": bool,
    "metrics": dict,
    "recipe": dict,
    "versions": dict,
    "files": dict,
}
_MAX_BYTES = 1 << 20
_MAX_FEATURES = 16_384
_MAX_WEIGHT = 1000.0

Stage = Literal["cnn", "lstm", "system"]


@dataclass(frozen=True)
class MotionContract:
    """The motion stream of a model.

    Attributes:
        spec: How it samples pictures and time.
        n_features: D, length of one step's feature vector.
        backbone: Name of the per-frame CNN.
        temporal: Kind of the temporal head; ``frame`` after the CNN stage alone.
        pooling: How the CNN makes one vector of a picture.
    """

    spec: WindowSpec
    n_features: int
    backbone: str
    temporal: str
    pooling: Pooling = "avg"

    name: ClassVar[StreamName] = "motion"
    graph_names: ClassVar[tuple[str, ...]] = (CNN_GRAPH_FILE, TEMPORAL_GRAPH_FILE)

    @property
    def pictures(self) -> PictureSpec:
        """The pictures that it takes."""
        return self.spec.pictures


@dataclass(frozen=True)
class PoseContract:
    """The pose stream of a model.

    Attributes:
        spec: How it samples keypoints and time.
        pictures: The pictures in which people are found.
        weight: Beside another stream its logits are added after they are multiplied by this and by
            how confident the keypoints are.
    """

    spec: PoseSpec
    pictures: PictureSpec
    weight: float

    name: ClassVar[StreamName] = "pose"
    graph_names: ClassVar[tuple[str, ...]] = (POSE_GRAPH_FILE,)


StreamContract = MotionContract | PoseContract


@dataclass(frozen=True)
class BundleInfo:
    """The contract of one trained model.

    Attributes:
        stage: The last training stage that shaped it.
        labels: K names in the order of the outputs.
        motion: The stream of motion in the picture; None for a model without it.
        pose: The stream of people's keypoints; None for a model without it.
        temperature: Logits are divided by it before the softmax.
        bias: K numbers that are added to the logits after that; they set how readily each label is
            said. Empty for none.
        alone: Of a model with both streams, the temperature where one is used by itself, by its
            name; the same as of both where it is not known.
        decode: How scores become events unless the user says otherwise.
        data_hash: Of the store that it was trained on.
        synthetic_data: True where every training clip was made, not filmed.
        held_out: Whether a part of the clips was held back from training; without one no honest
            figure can come from the same store.
        learned_from: Marks of the videos that it was trained on or chosen by, see `har.learned`;
            none where they are not known.
        metrics: What was measured, by the name of the split.
        recipe: All training settings.
        versions: Of har, Keras and its backend.
        files: SHA-256 of each file beside `bundle.json`.
    """

    stage: Stage
    labels: tuple[str, ...]
    motion: MotionContract | None = None
    pose: PoseContract | None = None
    temperature: float = 1.0
    bias: tuple[float, ...] = ()
    alone: dict[str, float] = field(default_factory=dict)
    decode: DecodeConfig = field(default_factory=DecodeConfig)
    data_hash: str = ""
    synthetic_data: bool = False
    held_out: bool = True
    learned_from: tuple[str, ...] = ()
    metrics: dict[str, Any] = field(default_factory=dict)
    recipe: dict[str, Any] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    @property
    def streams(self) -> tuple[StreamContract, ...]:
        """Its streams, one or two; the first sets the time steps of scores."""
        return tuple(stream for stream in (self.motion, self.pose) if stream is not None)

    @property
    def stream_names(self) -> Streams:
        """What ``--streams`` calls them."""
        return self.streams[0].name if len(self.streams) == 1 else "both"

    @property
    def pictures(self) -> PictureSpec:
        """The pictures that all of its streams take."""
        return self.streams[0].pictures

    @property
    def weights(self) -> tuple[float, ...]:
        """Weights in the fusion of the streams after the first."""
        return (self.pose.weight,) if self.motion is not None and self.pose is not None else ()

    @property
    def background(self) -> int:
        """Index of the background label, 0 where there is none."""
        return self.labels.index(self.decode.background or self.labels[0])

    @property
    def single_person_labels(self) -> tuple[str, ...]:
        """Labels that are told from one body alone; none where people are not known."""
        return () if self.pose is None else self.pose.spec.single_person_labels

    @property
    def graph_names(self) -> tuple[str, ...]:
        """Names of the graphs that its streams run."""
        return tuple(name for stream in self.streams for name in stream.graph_names)

    def take_streams(self, streams: Streams) -> BundleInfo:
        """Return the contract of a model that uses only some of its streams.

        Of what was measured only the figures of those remain.

        Raises:
            BundleMismatchError: It lacks one of them.
        """
        if streams == self.stream_names:
            return self
        motion = None if streams == "pose" else self.require_motion()
        pose = None if streams == "motion" else self.require_pose()
        figures = dict(self.metrics.get("crossval", {}))
        own = figures.pop("alone", {}).get(streams)
        return replace(
            self,
            motion=motion,
            pose=pose,
            temperature=self.alone.get(streams, self.temperature),
            alone={},
            metrics={"crossval": {**figures, **own}} if own else {},
        )

    def require_motion(self) -> MotionContract:
        """Return the motion stream.

        Raises:
            BundleMismatchError: There is none.
        """
        if self.motion is None:
            raise BundleMismatchError(
                f"The bundle of {', '.join(self.labels)} knows keypoints only and has no CNN "
                f"for motion; use it with --streams pose"
            )
        return self.motion

    def require_pose(self) -> PoseContract:
        """Return the pose stream.

        Raises:
            BundleMismatchError: There is none.
        """
        if self.pose is None:
            raise BundleMismatchError(
                f"The bundle of {', '.join(self.labels)} knows motion only and has no head for "
                f"keypoints; use it with --streams motion"
            )
        return self.pose


def load_info(bundle_dir: Path) -> BundleInfo:
    """Read the contract of the bundle in a folder.

    Raises:
        BundleNotFoundError: There is no `bundle.json`.
        BundleIntegrityError: It cannot be understood, is too large, a link that leads out of the
            folder, or of another format version.
    """
    path = bundle_dir / BUNDLE_FILE
    if not path.is_file():
        raise BundleNotFoundError(
            f"There is no bundle in {bundle_dir}: {BUNDLE_FILE} is missing. Train one with "
            f"'har train all', or name another folder with --bundle."
        )
    check_inside(bundle_dir, path)
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
        if len(data) > _MAX_BYTES:
            raise ValueError(f"it is larger than {_MAX_BYTES} bytes")
        values = json.loads(data.decode("utf-8"))
        version = values.pop("format_version", None)
        if version in _OLD_VERSIONS:
            values = _translate_old(values)
        elif version != FORMAT_VERSION:
            known = (*_OLD_VERSIONS, FORMAT_VERSION)
            raise ValueError(f"format_version is {version!r}, this har reads {known}")
        return _info_from_json(values)
    except (
        OSError,
        ValueError,
        TypeError,
        KeyError,
        AttributeError,
        OverflowError,
        RecursionError,
        HarError,
    ) as error:
        raise BundleIntegrityError(f"{path} cannot be used: {cut_line(str(error))}") from error


def check_inside(bundle_dir: Path, path: Path) -> None:
    """Refuse a file of a bundle that is a link to a place outside of its folder.

    Raises:
        BundleIntegrityError: It is.
    """
    try:
        is_inside = path.resolve().is_relative_to(bundle_dir.resolve())
    except (OSError, RuntimeError):  # a circle of links
        is_inside = False
    if not is_inside:
        raise BundleIntegrityError(
            f"{path} is a link that leads out of the bundle's folder; put the file itself there"
        )


def _translate_old(values: dict[str, Any]) -> dict[str, Any]:
    """Return what format 1 or 2 said in the words of the present one."""
    values = _rename_old(values)
    streams = values.pop("streams", "motion")
    spec, pose = _rename_old(values.pop("spec")), values.pop("pose", None)
    weight = values.pop("pose_weight", 1.0)
    names = ("n_features", "backbone", "temporal")
    motion = {"spec": spec, **{name: values.pop(name) for name in names}}
    motion["pooling"] = values.pop("pooling", "avg")
    if streams not in get_args(Streams) or (pose is None) is not (streams == "motion"):
        raise ValueError(f"streams {streams!r} do not go with the pose contract {pose!r}")
    pictures = asdict(WindowSpec.from_json(spec).pictures)
    return {
        "bias": (),
        **values,
        "motion": None if streams == "pose" else motion,
        "pose": pose and {"spec": _rename_old(pose), "pictures": pictures, "weight": weight},
    }


def _rename_old(values: dict[str, Any]) -> dict[str, Any]:
    return {_OLD_NAMES.get(name, name): value for name, value in values.items()}


def _info_from_json(values: dict[str, Any]) -> BundleInfo:
    info = _build(
        BundleInfo,
        {"learned_from": (), "alone": {}, **values},
        labels=_read_labels,
        motion=_read_motion,
        pose=_read_pose,
        bias=lambda bias: tuple(map(_read_number, bias)),
        temperature=_read_temperature,
        alone=_read_alone,
        learned_from=_read_marks,
        decode=lambda decode: update_config(DecodeConfig(), decode, "decode"),
    )
    if not info.streams:
        raise ValueError("the model has neither a motion nor a pose stream")
    if len({stream.pictures for stream in info.streams}) > 1:
        raise ValueError(f"its streams take different pictures: {info.streams}")
    if info.stage not in get_args(Stage):
        raise ValueError(f"stage {info.stage!r} is none of {get_args(Stage)}")
    if len(info.bias) not in (0, len(info.labels)):
        raise ValueError(f"bias must have one number a label, received {info.bias}")
    _check_labels(info)
    for name, kind in _KINDS.items():
        if type(getattr(info, name)) is not kind:
            raise TypeError(
                f"{name} must be of the type {kind.__name__}, received {getattr(info, name)!r}"
            )
    for name in ("versions", "files"):
        if not all(isinstance(value, str) for value in getattr(info, name).values()):
            raise TypeError(f"{name} must have a text each, received {getattr(info, name)!r}")
    return info


def _check_labels(info: BundleInfo) -> None:
    """Refuse what is said of labels that are none of the model's."""
    named = {info.decode.background, *info.decode.labels}
    unknown = sorted(named - {"", *info.labels})
    if unknown:
        raise ValueError(f"{', '.join(unknown)}: none of the labels {info.labels}")


_Part = TypeVar("_Part", BundleInfo, MotionContract, PoseContract)


def _build(kind: type[_Part], values: dict[str, Any], **read: Callable[[Any], Any]) -> _Part:
    """Return a part of a contract; a field that it does not know is refused."""
    unknown = set(values) - {item.name for item in fields(kind)}
    if unknown:
        raise ValueError(f"{', '.join(sorted(unknown))}: {kind.__name__} has no such field")
    missing = set(read) - set(values)
    if missing:
        raise ValueError(f"{', '.join(sorted(missing))}: missing in {kind.__name__}")
    return kind(**{**values, **{name: make(values[name]) for name, make in read.items()}})


def _read_motion(values: dict[str, Any] | None) -> MotionContract | None:
    if values is None:
        return None
    motion = _build(MotionContract, values, spec=WindowSpec.from_json)
    n_features, is_count = motion.n_features, type(motion.n_features) is int
    if not (is_count and 1 <= n_features <= _MAX_FEATURES):
        raise ValueError(f"n_features must be from 1 to {_MAX_FEATURES}, received {n_features!r}")
    if motion.pooling not in get_args(Pooling):
        raise ValueError(f"pooling {motion.pooling!r} is none of {get_args(Pooling)}")
    if not (isinstance(motion.backbone, str) and isinstance(motion.temporal, str)):
        raise TypeError(f"backbone and temporal must be names, received {values!r}")
    return motion


def _read_pose(values: dict[str, Any] | None) -> PoseContract | None:
    if values is None:
        return None
    read = {"spec": PoseSpec.from_json, "pictures": PictureSpec.from_json, "weight": _read_number}
    pose = _build(PoseContract, values, **read)
    if not 0.0 <= pose.weight <= _MAX_WEIGHT:
        raise ValueError(f"weight must be from 0 to {_MAX_WEIGHT:g}, received {pose.weight}")
    return pose


def _read_labels(values: Any) -> tuple[str, ...]:
    labels = tuple(values)
    are_names = not isinstance(values, str) and all(
        label and type(label) is str for label in labels
    )
    if not are_names or len(labels) < 2 or len(set(labels)) != len(labels):
        raise ValueError(f"labels must be two or more different names, received {values!r}")
    for label in labels:
        if why := explain_label(label):
            raise ValueError(f"the label {label!r} {why}")
    return labels


def _read_marks(values: Any) -> tuple[str, ...]:
    marks = tuple(values)
    if len(marks) > MOST_MARKS or not all(type(m) is str and MARK.fullmatch(m) for m in marks):
        raise ValueError(f"learned_from must be up to {MOST_MARKS} marks such as 1200-0a1b2c3d4e5f")
    return marks


def _read_number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
        raise ValueError(f"expected a finite number, received {value!r}")
    return float(value)


def _read_temperature(value: Any) -> float:
    if not _read_number(value) > 0:
        raise ValueError(f"temperature must be above 0, received {value!r}")
    return float(value)


def _read_alone(values: dict[str, Any]) -> dict[str, float]:
    unknown = set(values) - set(get_args(StreamName))
    if unknown:
        raise ValueError(f"alone has {', '.join(sorted(unknown))}: none of the streams")
    return {name: _read_temperature(value) for name, value in values.items()}


def save_info(bundle_dir: Path, info: BundleInfo) -> None:
    """Write `bundle.json` in one step, so that a reader never meets half of it."""
    write_json(bundle_dir / BUNDLE_FILE, to_json(info))


def to_json(info: BundleInfo) -> dict[str, Any]:
    """Return what `bundle.json` holds."""
    return {"format_version": FORMAT_VERSION, **asdict(info)}
