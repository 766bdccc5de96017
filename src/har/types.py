"""Frozen values that cross module borders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from har.errors import ConfigError

if TYPE_CHECKING:
    import numpy as np

InputKind = Literal["motion", "rgb"]
Color = Literal["gray", "rgb"]
Pooling = Literal["avg", "max"]
Protocol = Literal["grouped", "random"]
SplitName = Literal["train", "val", "test"]
StreamName = Literal["motion", "pose"]
Streams = Literal["motion", "pose", "both"]
PeopleRule = Literal["mean", "any"]

SYNTHETIC = "synthetic"
"""`Clip.origin` of a generated clip."""
OLD_ORIGIN = "made"
"""What stores and manifests of earlier versions say for it."""

UNCERTAIN = "uncertain"
"""Stands in the place of a label where the model abstains."""

TIME_EPS_S = 1e-6
"""Times that differ by less are one: more than rounding makes, less than any clock's tick."""

KEYPOINTS = "keypoints"
"""`VideoInfo.codec` of keypoints that stand where a video would: there are no pictures."""
FEATURES = "features"
"""Likewise, of features."""

MAX_MOTION_CROP = 8
"""A smaller part of the picture than this is too few pixels to tell anything from."""


@dataclass(frozen=True)
class VideoInfo:
    """What a container claims about its video stream.

    Attributes:
        width: Pixels across, after rotation metadata is applied.
        height: Pixels down, after rotation metadata is applied.
        fps: Nominal frames a second, or None where the container gives none.
        duration_s: Seconds, or None where the container gives none.
        n_frames: The container's own count, or None; it may be wrong.
        rotation_deg: Clockwise turn that was applied: 0, 90, 180 or 270.
        codec: FFmpeg's short name, such as ``h264``.
        is_mirrored: Whether left and right were exchanged before the turn.
    """

    path: Path
    width: int
    height: int
    fps: float | None
    duration_s: float | None
    n_frames: int | None
    rotation_deg: int
    codec: str
    is_mirrored: bool = False

    @property
    def has_pictures(self) -> bool:
        """Whether it is a video, not what stands where one would."""
        return self.codec not in (KEYPOINTS, FEATURES)


@dataclass(frozen=True)
class Frame:
    """One decoded image.

    Attributes:
        index: Position among the frames that were given out, from 0.
        time_s: Presentation time in seconds from the video's first frame.
        image: uint8, (H, W) gray or (H, W, 3) RGB.
        segment: Number of the segment that it is in, from 0: a gap in the recording ends one.
    """

    index: int
    time_s: float
    image: np.ndarray
    segment: int = 0


@dataclass(frozen=True)
class Clip:
    """A labeled stretch ``[start_s, end_s)`` of one video; ``end_s`` None means to its end.

    ``group`` is what a split may never divide; it is empty until one is known. ``origin`` is
    `SYNTHETIC` for a generated clip, empty for a filmed one. ``weight`` says how much it counts in
    training beside other clips of its label; of 0 nothing is learned.
    """

    clip_id: str
    path: Path
    label: str
    group: str = ""
    subject: str = ""
    start_s: float = 0.0
    end_s: float | None = None
    split: SplitName | None = None
    origin: str = ""
    weight: float = 1.0


@dataclass(frozen=True)
class PictureSpec:
    """Which pictures a stream takes.

    Attributes:
        size: (H, W) of the letterboxed picture.
        color: Gray or RGB.
        max_rate_hz: Faster videos are thinned to this many frames a second before sampling.
    """

    size: tuple[int, int]
    color: Color
    max_rate_hz: float

    def __post_init__(self) -> None:
        _check(self.color in get_args(Color), "color", self.color, "gray or rgb")
        _check_number("max_rate_hz", self.max_rate_hz, *_RATES_HZ)
        for side in self.size:
            _check_count("size", side, _MAX_SIDE_PX, _MIN_SIDE_PX)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one picture: (H, W) gray or (H, W, 3) RGB."""
        return (*self.size, 3) if self.color == "rgb" else self.size

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PictureSpec:
        """Read the plain values of the fields.

        Raises:
            ConfigError: A field is missing, unknown, of the wrong kind or out of bounds.
        """
        return _build(cls, values, size=_pair)


@dataclass(frozen=True)
class WindowSpec:
    """How the motion stream samples time and pictures: its input contract.

    Attributes:
        size: (H, W) of the letterboxed picture.
        rate_hz: Time steps a second.
        n_steps: T, time steps in one window.
        input: ``motion`` compares gray frames at several lags, ``rgb`` looks at one picture.
        lags_s: For ``motion``, pairs ``(a, b)`` of offsets from the step's frame in seconds; each
            pair becomes one channel, frame at ``a`` minus frame at ``b``.
        max_rate_hz: Faster videos are thinned to this many frames a second before sampling.
        motion_crop: The CNN sees 1/motion_crop of the height and of the width, where motion has
            been; with 1 it sees all of the picture (`har.sampling.crop`).
    """

    size: tuple[int, int]
    rate_hz: float
    n_steps: int
    input: InputKind
    lags_s: tuple[tuple[float, float], ...]
    max_rate_hz: float
    motion_crop: int = 1

    def __post_init__(self) -> None:
        _check(self.input in get_args(InputKind), "input", self.input, "motion or rgb")
        _check_number("rate_hz", self.rate_hz, *_RATES_HZ)
        _check_count("n_steps", self.n_steps, _MAX_STEPS)
        _check_count("motion_crop", self.motion_crop, MAX_MOTION_CROP)
        n_least = 1 if self.input == "motion" else 0
        ok = n_least <= len(self.lags_s) <= _MAX_LAGS
        _check(ok, "lags_s", self.lags_s, f"of {n_least} to {_MAX_LAGS} pairs")
        for offset in (offset for pair in self.lags_s for offset in pair):
            _check_number("lags_s", offset, -_MAX_LAG_S, _MAX_LAG_S)
        _ = self.pictures

    @property
    def color(self) -> Color:
        """The color of the frames this contract needs."""
        return "gray" if self.input == "motion" else "rgb"

    @property
    def pictures(self) -> PictureSpec:
        """The pictures that it samples."""
        return PictureSpec(self.size, self.color, self.max_rate_hz)

    @property
    def offsets_s(self) -> tuple[float, ...]:
        """The distinct offsets of all lags, ascending: one frame of the step's stack each."""
        if self.input == "rgb":
            return (0.0,)
        return tuple(sorted({offset for pair in self.lags_s for offset in pair}))

    @property
    def n_channels(self) -> int:
        """Channels of one step's stack: gray frames, or the three of RGB."""
        return 3 if self.input == "rgb" else len(self.offsets_s)

    @property
    def window_s(self) -> float:
        """Length of one window in seconds."""
        return self.n_steps / self.rate_hz

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> WindowSpec:
        """Read the plain values of the fields as `PictureSpec.from_json`; no motion crop is 1."""
        return _build(cls, values, size=_pair, lags_s=lambda lags: tuple(map(_pair, lags)))


@dataclass(frozen=True)
class PoseSpec:
    """How a model samples people's keypoints: the input contract of the pose stream.

    Attributes:
        rate_hz: Time steps a second.
        n_steps: T, time steps in one window.
        detector: SHA-256 of the pose network whose keypoints it has learnt.
        people: How the people of a window become one answer: ``any`` takes each label from whoever
            shows it most against the background, ``mean`` the mean of all, by how confident they
            are.
        single_person_labels: Labels that are told from one body alone, whoever else is there.
        min_confidence: Where nobody's keypoints are as confident as this, the stream is uncertain.
    """

    rate_hz: float
    n_steps: int
    detector: str
    people: PeopleRule
    single_person_labels: tuple[str, ...]
    min_confidence: float

    def __post_init__(self) -> None:
        _check(self.people in get_args(PeopleRule), "people", self.people, "any or mean")
        _check_number("rate_hz", self.rate_hz, *_RATES_HZ)
        _check_count("n_steps", self.n_steps, _MAX_STEPS)
        _check_number("min_confidence", self.min_confidence, 0.0, 1.0)

    @property
    def window_s(self) -> float:
        """Length of one window in seconds."""
        return self.n_steps / self.rate_hz

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> PoseSpec:
        """Read the plain values of the fields as `PictureSpec.from_json`."""
        return _build(cls, values, single_person_labels=_texts, detector=_text)


_MIN_SIDE_PX, _MAX_SIDE_PX = 8, 2048
_MAX_STEPS, _MAX_LAGS, _MAX_LAG_S = 4096, 16, 10.0
_RATES_HZ = (0.1, 1000.0)
"""A contract comes from a file of unknown origin: beyond these it would exhaust the machine."""

_Spec = TypeVar("_Spec", PictureSpec, WindowSpec, PoseSpec)


def _build(kind: type[_Spec], values: dict[str, Any], **read: Callable[[Any], Any]) -> _Spec:
    """Return a contract of plain values, of which some are read before."""
    try:
        return kind(
            **{name: read[name](value) if name in read else value for name, value in values.items()}
        )
    except (AttributeError, TypeError, ValueError) as error:
        raise ConfigError(f"The contract {values!r} cannot be read: {error}") from error


def _pair(values: Any) -> tuple[Any, Any]:
    first, second = values
    return first, second


def _texts(values: Any) -> tuple[str, ...]:
    if isinstance(values, str):
        raise ConfigError(f"Expected a list, received {values!r}")
    return tuple(map(_text, values))


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ConfigError(f"Expected a name, received {value!r}")
    return value


def explain_label(label: str) -> str:
    """Return why no model can have a label of this name; empty where one can.

    >>> explain_label("hit"), explain_label("uncertain")
    ('', 'is what results say where a model abstains; give it another name')
    """
    if label == UNCERTAIN:
        return "is what results say where a model abstains; give it another name"
    if "\0" in label:
        return "holds a null byte; give it another name"
    return ""


def _check(ok: bool, name: str, value: object, expected: str) -> None:
    if not ok:
        raise ConfigError(f"Expected {name} {expected}, received {name}={value!r}")


def _check_number(name: str, value: object, low: float, high: float) -> None:
    """Refuse what is no number between two, both included."""
    ok = isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
    _check(ok, name, value, f"from {low:g} to {high:g}")


def _check_count(name: str, value: object, most: int, least: int = 1) -> None:
    ok = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
    _check(ok, name, value, f"a whole number from {least} to {most}")


@dataclass(frozen=True)
class People:
    """Who shows each label at each of N times, by the numbers of their tracks; 0 is nobody.

    Attributes:
        subjects: (N, K) int64: who shows it most.
        targets: (N, K) int64: the person nearest to the subject's hands and feet.
        confidence: (N,) float32 from 0 to 1: how far the keypoints can be trusted.
    """

    subjects: np.ndarray
    targets: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Scores:
    """Per-time class probabilities with their time grid.

    Attributes:
        labels: K names in the model's order.
        times_s: (N,) float64 ascending: the middle of the stretch each row stands for.
        values: (N, K) float32 in [0, 1]; each row sums to 1, or is all 0 where the model cannot
            tell.
        step_s: Length of the stretch that one row stands for.
        people: Who shows what, where the model knows people.
    """

    labels: tuple[str, ...]
    times_s: np.ndarray
    values: np.ndarray
    step_s: float
    people: People | None = None

    @property
    def is_uncertain(self) -> np.ndarray:
        """(N,) bool: True where the model is uncertain."""
        return self.values.max(axis=1) == 0


@dataclass(frozen=True)
class Event:
    """One occurrence of an action, ``[onset_s, offset_s)``; ``score`` in [0, 1] is its mean.

    ``subject`` is the number of the person who acts and ``target`` of the one it is done to, as the
    recording's tracks count them; 0 where it is not known or there is none.
    """

    label: str
    onset_s: float
    offset_s: float
    score: float
    subject: int = 0
    target: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return plain values: times to the millisecond, None for people who are not known."""
        return {
            "label": self.label,
            "onset_s": round(self.onset_s, 3),
            "offset_s": round(self.offset_s, 3),
            "score": round(self.score, 4),
            "subject": self.subject or None,
            "target": self.target or None,
        }
